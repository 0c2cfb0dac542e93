"""What an optimizer takes from step to step: counters, the learning rate, and of each weight slots. Floor 3."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from fastnn.configuration import Configurable
from fastnn.engine.block import Block
from fastnn.engine.kinds import Rate
from fastnn.engine.tensor import Tensor, Variable
from fastnn.engine.watch import Watched, noted
from fastnn.errors import ShapeError
from fastnn.optimizers.rate import LearningRate, RateFunction, scheduled_rate
from fastnn.optimizers.schedules import LearningRateSchedule

AVERAGE, ACCUMULATED = "average", "accumulated"      # slots of use_ema and gradient_accumulation_steps


class Slots(Configurable, Watched):
    """Base of Optimizer: its state. The weights, their gradients, and each kind of slot (momentum, second moment, …)
    are blocks of one layout, so that one call updates all weights.

    `slots`: their names; `numbers`: names of single numbers and what they are at first.
    """
    slots: tuple[str, ...] = ()
    numbers: ClassVar[dict[str, float]] = {}
    unwatched = frozenset({"block", "gradients", "slot_blocks", "_parts", "_trained", "_kept", "_first",
                           "_complete", "_reach_checked"})
    use_ema: bool
    gradient_accumulation_steps: int | None

    def __init__(self, name: str, learning_rate: Rate) -> None:
        self.name = name
        self.iterations = Variable(np.zeros((), np.int64), "iterations", trainable=False, dtype="int64")
        self._batches = Variable(np.zeros((), np.int64), "batches", trainable=False, dtype="int64")
        self.schedule: LearningRateSchedule | None = None
        self._rate = LearningRate(np.zeros((), np.float32), "learning_rate", trainable=False)
        self._rate.owner = name
        self.learning_rate = learning_rate
        self.block: Block | None = None
        self.gradients: Block | None = None
        self.slot_blocks: dict[str, Block] = {}
        self._parts: dict[str, list[Variable]] = {}     # gradients and slots, one for each weight
        self._trained: list[Variable] = []
        self._first: list[Variable] = []                # as it was built with them
        self._own: list[Variable] = []                  # that a subclass made in build()
        self._complete = False                          # whether these are all
        self._kept: dict[int, tuple[Variable, dict[str, np.ndarray]]] = {}      # slots of weights trained once
        self._numbers = {name: Variable(float(value), name, trainable=False) for name, value in self.numbers.items()}

    # ---- what a subclass may write ----------------------------------------------------------------------------

    def initial_slot(self, name: str) -> float:
        """What a slot is filled with before the first step."""
        return 0.0

    def slot_shape(self, name: str, variable: Variable) -> tuple[int, ...]:
        """The shape of a weight's slot: its own."""
        return tuple(variable.shape)

    # ---- learning rate ----------------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> Any:
        """The learning rate as a 0-d variable: float(), assign(), or set the attribute. With a schedule, what that
        gives for the next step."""
        return self._rate if self.schedule is None else scheduled_rate(self.schedule, self._iterations)

    @learning_rate.setter
    def learning_rate(self, value: object) -> None:
        if isinstance(value, LearningRateSchedule) or (callable(value) and not isinstance(value, (Tensor, type))):
            self.schedule = value if isinstance(value, LearningRateSchedule) else RateFunction(value)
        else:
            self._rate.assign(value)
            self.schedule = None

    lr = learning_rate

    @property
    def _iterations(self) -> Variable:
        """The batches so far: several for a step where gradients are accumulated."""
        return self._batches if self.gradient_accumulation_steps else self.iterations

    # ---- layout -----------------------------------------------------------------------------------------------

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The slots, and those that options add."""
        return (*self.slots, *[AVERAGE] * bool(self.use_ema), *[ACCUMULATED] * bool(self.gradient_accumulation_steps))

    def build(self, variables: Sequence[Variable]) -> None:
        """Lay the variables out in a block and make the slots. Keeps the slots where the variables are the same.

        Raises RuntimeError where the optimizer has trained other variables only, those of another model.
        """
        variables = list(variables)
        same = [*map(id, variables)] == [*map(id, self._trained)]
        if self.block is None or not same or tuple(self.slot_blocks) != self.slot_names:
            for i, v in enumerate(self._trained):
                self._kept[id(v)] = v, {name: block.views[i].copy() for name, block in self.slot_blocks.items()}
            if self._kept and not any(id(v) in self._kept for v in variables):
                raise RuntimeError(f"{self.name}: this optimizer has trained other weights only, as of another model "
                                   f"or of layers frozen since ({len(self._kept)} of them); compile with a new one.")
            self._lay_out(variables)
        self._refuse_shared(set(map(id, variables)))
        self.hold()

    def _refuse_shared(self, variables: set[int]) -> None:
        """RuntimeError where another optimizer has changed some of these weights in the step that is being recorded:
        they lie in its block, and cannot be in both."""
        for other in noted():
            if isinstance(other, Slots) and other is not self and other.block is not self.block and any(
                    id(v) in variables for v in other._trained):
                raise RuntimeError(f"{self.name}: {other.name} trains some of these weights in the same step, and "
                                   "others; needs the same weights for both, in one order, or none in common.")

    def _lay_out(self, variables: list[Variable]) -> None:
        block = Block.holding(variables) or Block([v.shape for v in variables],
                                                  variables[0].dtype if variables else "float32", "weights")
        gradients, slots = block.like("gradients"), {name: self._slot(name, block, variables)
                                                     for name in self.slot_names}
        parts = {name: [_over(view, f"{v.name}_{name}") for view, v in zip(each.views, variables)]
                 for name, each in slots.items()}
        parts["gradients"] = [_over(view, f"d {v.name}") for view, v in zip(gradients.views, variables)]
        # All at once: an interrupt must not leave a half of it. None of these names is watched.
        self.__dict__.update(block=block, gradients=gradients, slot_blocks=slots, _parts=parts, _trained=variables,
                             _first=self._first or variables)

    def _slot(self, name: str, block: Block, variables: list[Variable]) -> Block:
        """The block of a slot, with what was kept of weights that have been trained before."""
        shapes = [v.shape if name in (AVERAGE, ACCUMULATED) else self.slot_shape(name, v) for v in variables]
        slot = block.like(name) if shapes == block.shapes else Block(shapes, block.flat.dtype, name)
        for v, view in zip(variables, slot.views):
            kept = self._kept[id(v)][1] if id(v) in self._kept else {}
            first: Any = v.data if name == AVERAGE else 0.0 if name == ACCUMULATED else self.initial_slot(name)
            view[...] = kept.get(name, first)
        return slot

    def hold(self) -> None:
        """Take the weights back into the block where something moved them, as a second model that shares them."""
        if self.block is not None:
            self.block.hold(self._trained)

    @property
    def built(self) -> bool:
        """Whether the slots are there: after the first step."""
        return self.block is not None

    # ---- its values -------------------------------------------------------------------------------------------

    @property
    def variables(self) -> list[Variable]:
        """Iterations, the learning rate unless a schedule gives it, then the slots of each weight."""
        return [v for name, v in self.state().items() if name != "learning_rate" or self.schedule is None]

    def counters(self) -> dict[str, Variable]:
        """What it takes from step to step beside slots, by name: counters, the learning rate, the class's own."""
        counters = {v.name: v for v in (self.iterations, self._iterations, self._rate, *self._numbers.values())}
        return {**counters, **{f"own/{i}": v for i, v in enumerate(self._own)}}

    def state(self) -> dict[str, Variable]:
        """All that it takes from step to step, by name: single numbers, then the slots of each weight."""
        slots = {f"{name}/{i}": self._parts[name][i] for i in range(len(self._trained)) for name in self.slot_blocks}
        return {**self.counters(), **slots}

    def set_weights(self, weights: Iterable[Any]) -> None:
        """Give `variables` these values, in their order. ValueError before the slots are there, ShapeError where one
        has another shape; nothing changes then."""
        if not self.built:
            raise ValueError(f"{self.name}: set_weights() needs its slots; call build(variables) first.")
        values = [np.asarray(w) for w in weights]
        own = self.variables
        if [v.shape for v in own] != [w.shape for w in values]:
            raise ShapeError(f"{self.name}: got values of shapes {[w.shape for w in values]}; needs "
                             f"{[v.shape for v in own]}.")
        for v, value in zip(own, values):
            v.assign(value)


def _over(view: np.ndarray, name: str) -> Variable:
    """A variable whose value lies in a block."""
    made = Variable(0.0, name, trainable=False)
    made.data, made.shape, made.dtype = view, view.shape, view.dtype.name
    return made
