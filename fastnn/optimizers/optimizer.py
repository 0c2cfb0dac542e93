"""Optimizer: one kernel call over all weights at once. Floor 3; imports ops.

The weights, their gradients and each kind of slot (momentum, second moment, …) are blocks of one layout.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastnn.arguments import number, optional, refuse_unknown
from fastnn.configuration import Configurable
from fastnn.engine.block import Block
from fastnn.engine.context import section_scope
from fastnn.engine.tensor import Tensor, Variable
from fastnn.engine.watch import Watched, note
from fastnn.errors import shown
from fastnn.names import checked_name, snake_case
from fastnn.ops.rows.data import advance, copy, fill
from fastnn.ops.rows.optimizer import clip_norm_step, clip_value_step, decay_step
from fastnn.optimizers.rate import LearningRate, RateFunction, scheduled_rate
from fastnn.optimizers.schedules import LearningRateSchedule


class Optimizer(Configurable, Watched):
    """Base of the optimizers (Keras' names and numerics).

    learning_rate: a number >= 0, a LearningRateSchedule, or a function of the step or of nothing. weight_decay:
    w -= lr·decay·w before each step. clipnorm: each weight's gradient is scaled to at most this norm; global_clipnorm:
    all gradients together; clipvalue: every gradient element is clipped to ±clipvalue; at most one of the three.
    `iterations` counts steps.
    A subclass names its `slots` and writes `step`.
    """
    slots: tuple[str, ...] = ()
    unwatched = frozenset({"block", "gradients", "gradient_views", "slot_blocks", "_trained", "_kept"})

    def __init__(self, learning_rate: Any, weight_decay: float | None = None, clipnorm: float | None = None,
                 clipvalue: float | None = None, global_clipnorm: float | None = None, name: str | None = None,
                 **kwargs: Any) -> None:
        self.name = checked_name(name, type(self).__name__) or snake_case(type(self).__name__)
        if "lr" in kwargs:
            learning_rate = kwargs.pop("lr")
        for unused in ("use_ema", "ema_momentum", "ema_overwrite_frequency", "loss_scale_factor",
                       "gradient_accumulation_steps", "jit_compile"):
            value = kwargs.pop(unused, None)
            if value not in (None, False, 0.99, "auto"):
                raise ValueError(f"{self.name}: {unused}={shown(value)} is not there yet; leave it out.")
        refuse_unknown(kwargs, self.name, ["learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm",
                                           "name", *self._own_arguments()])
        self.iterations = Variable(np.zeros((), np.int64), "iterations", trainable=False, dtype="int64")
        self.schedule: LearningRateSchedule | None = None
        self._rate = LearningRate(np.zeros((), np.float32), "learning_rate", trainable=False)
        self._rate.owner = self.name
        self.learning_rate = learning_rate
        self.clipnorm = optional(number, clipnorm, f"{self.name}: clipnorm", 0, above=True)
        self.clipvalue = optional(number, clipvalue, f"{self.name}: clipvalue", 0, above=True)
        self.global_clipnorm = optional(number, global_clipnorm, f"{self.name}: global_clipnorm", 0, above=True)
        self._limits()
        self.weight_decay = optional(number, weight_decay, f"{self.name}: weight_decay", 0)
        self.block: Block | None = None
        self.gradients: Block | None = None
        self.slot_blocks: dict[str, Block] = {}
        self.gradient_views: list[Tensor] = []
        self._trained: list[Variable] = []
        self._kept: dict[int, tuple[Variable, dict[str, np.ndarray]]] = {}      # slots of weights trained once

    def _own_arguments(self) -> list[str]:
        return [p for p in type(self).__init__.__code__.co_varnames if p not in ("self", "kwargs", "__class__")]

    # ---- what a subclass writes -------------------------------------------------------------------------------

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """Update w and the slots in place: one kernel call on flat vectors."""
        raise NotImplementedError(f"{type(self).__name__} must define step().")

    def initial_slot(self, name: str) -> float:
        """What a slot is filled with before the first step."""
        return 0.0

    # ---- learning rate ----------------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> Any:
        """The learning rate as a 0-d variable: float(), assign(), or set the attribute. With a schedule, what that
        gives for the next step."""
        return self._rate if self.schedule is None else scheduled_rate(self.schedule, self.iterations)

    @learning_rate.setter
    def learning_rate(self, value: object) -> None:
        if isinstance(value, LearningRateSchedule) or (callable(value) and not isinstance(value, Tensor)):
            self.schedule = value if isinstance(value, LearningRateSchedule) else RateFunction(value)
        else:
            self._rate.assign(value)
            self.schedule = None

    lr = learning_rate

    # ---- state ------------------------------------------------------------------------------------------------

    def build(self, variables: Sequence[Variable]) -> None:
        """Lay the variables out in a block and make the slots. Keeps the slots where the variables are the same.

        Raises RuntimeError where the optimizer has trained other variables only, those of another model.
        """
        variables = list(variables)
        if self.block is None or [*map(id, variables)] != [*map(id, self._trained)]:
            for i, v in enumerate(self._trained):
                self._kept[id(v)] = v, {name: block.views[i].copy() for name, block in self.slot_blocks.items()}
            if self._kept and not any(id(v) in self._kept for v in variables):
                raise RuntimeError(f"{self.name}: this optimizer has trained other weights only, as of another model "
                                   f"or of layers frozen since ({len(self._kept)} of them); compile with a new one.")
            self._lay_out(variables)
        self.hold()

    def _lay_out(self, variables: list[Variable]) -> None:
        block = Block([v.shape for v in variables], variables[0].dtype if variables else "float32", "weights")
        gradients, slots = block.like("gradients"), {name: block.like(name) for name in self.slots}
        for name, slot in slots.items():
            for v, view in zip(variables, slot.views):
                view[...] = self._kept[id(v)][1][name] if id(v) in self._kept else self.initial_slot(name)
        views = [Tensor(view, f"d {v.name}") for view, v in zip(gradients.views, variables)]
        # All at once: an interrupt must not leave a half of it. None of these names is watched.
        self.__dict__.update(block=block, gradients=gradients, slot_blocks=slots, gradient_views=views,
                             _trained=variables)

    def hold(self) -> None:
        """Take the weights back into the block where something moved them, as a second model that shares them."""
        if self.block is not None:
            self.block.hold(self._trained)

    @property
    def built(self) -> bool:
        """Whether the slots are there: after the first step."""
        return self.block is not None

    @property
    def variables(self) -> list[Variable]:
        """Iterations, the learning rate unless a schedule gives it, then the slots of each weight (copies)."""
        slots = [Variable(block.views[i], f"{v.name}_{name}", trainable=False)
                 for i, v in enumerate(self._trained) for name, block in self.slot_blocks.items()]
        return [self.iterations, *[self._rate] * (self.schedule is None), *slots]

    # ---- steps ------------------------------------------------------------------------------------------------

    @section_scope("update")
    def apply(self, gradients: Sequence[Tensor | None], variables: Sequence[Variable]) -> None:
        """One step: gradients into their block, clipping, decay, the update. All of it ops, so it can be recorded."""
        note(self)
        if not variables:
            return
        self.build(variables)
        assert self.block is not None and self.gradients is not None
        for gradient, view in zip(gradients, self.gradient_views, strict=True):
            if gradient is None:
                fill(view, value=0.0)
            else:
                copy(view, gradient)
        self._clip()
        rate = self._rate
        if self.schedule is not None:
            copy(rate, scheduled_rate(self.schedule, self.iterations))
        if self.weight_decay:
            decay_step(self.block.flat, rate, rate=self.weight_decay)
        slots = {name: block.flat for name, block in self.slot_blocks.items()}
        self.step(self.block.flat, self.gradients.flat, slots, rate, self.iterations)
        advance(self.iterations, by=1)
        for variable in self._trained:
            if variable.constraint is not None:
                note(variable.constraint)
                copy(variable, variable.constraint(variable))

    def _limits(self) -> dict[str, float]:
        """The kind of clipping that was asked for, and its limit. ValueError for two of them."""
        given = {key: value for key in ("clipnorm", "clipvalue", "global_clipnorm")
                 if (value := getattr(self, key)) is not None}
        if len(given) > 1:
            raise ValueError(f"{self.name}: got {' and '.join(given)}; needs at most one kind of clipping.")
        return given

    def _clip(self) -> None:
        assert self.gradients is not None
        for kind, limit in self._limits().items():
            if kind == "clipvalue":
                clip_value_step(self.gradients.flat, value=limit)
            for each in self.gradient_views if kind == "clipnorm" else [self.gradients.flat] * (kind != "clipvalue"):
                clip_norm_step(each, norm=limit)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """One step from (gradient, variable) pairs, as in a custom training loop."""
        pairs = list(grads_and_vars)
        self.apply([None if g is None else g for g, _ in pairs], [v for _, v in pairs])

    def _argument(self, name: str) -> Any:
        """The learning rate is its schedule, or the number that it is now."""
        if name == "learning_rate":
            return float(self._rate) if self.schedule is None else getattr(self.schedule, "function", self.schedule)
        return super()._argument(name)
