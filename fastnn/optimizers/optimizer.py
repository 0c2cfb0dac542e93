"""Optimizer: one kernel call over all weights at once, or a few ops. Floor 3; imports ops.

Everything that a step does is ops on the blocks of slots.py, so all of it is part of the recorded program; what happens
in some steps only (accumulated gradients, overwriting with the average) is computed in all and taken where it is due.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fastnn import ops
from fastnn.arguments import flag, is_sequence, number, optional, refuse_unknown, text, whole
from fastnn.configuration import brief, parameters
from fastnn.engine.context import section_scope
from fastnn.engine.kinds import Rate
from fastnn.engine.tensor import Tensor, Variable
from fastnn.engine.watch import note
from fastnn.errors import KindError, shown, warn
from fastnn.names import checked_name, snake_case, unique_name
from fastnn.ops.rows.data import advance, copy, fill
from fastnn.ops.rows.elementwise import scale
from fastnn.ops.rows.optimizer import clip_norm_step, clip_value_step, decay_step, ema_step
from fastnn.optimizers.own import OwnVariables
from fastnn.optimizers.rate import scheduled_rate
from fastnn.optimizers.slots import ACCUMULATED, AVERAGE

__all__ = ["Optimizer"]


def patterns(value: Sequence[str] | None, what: str) -> list[str]:
    """A list of regular expressions; none for None."""
    if value is not None and not is_sequence(value):
        raise KindError(f"{what} is {shown(value)}; needs a list of texts, such as ['bias'].")
    found = [text(each, what, "bias") for each in (() if value is None else value)]
    for each in found:
        try:
            re.compile(each)
        except re.error as error:
            raise ValueError(f"{what} has {shown(each)}; needs regular expressions: {error}.") from None
    return found


class Optimizer(OwnVariables):
    """Base of the optimizers (Keras' names and numerics).

    learning_rate: a number >= 0, a LearningRateSchedule, or a function of the step or of nothing. weight_decay:
    w -= lr·decay·w before each step. clipnorm: each weight's gradient is scaled to at most this norm; global_clipnorm:
    all gradients together; clipvalue: every gradient element is clipped to ±clipvalue; at most one of the three.
    use_ema: keep the average of the weights, average = ema_momentum·average + (1 - ema_momentum)·w; they become it
    every ema_overwrite_frequency steps, if given, and when fit ends. gradient_accumulation_steps=n: one step for n
    batches, with the mean of their gradients. loss_scale_factor: the loss is multiplied, the gradients divided by it.

    `iterations` counts steps. A subclass names its `slots` and writes `step`, or is written as in Keras: `build`, which
    makes variables, and `update_step` of one weight. Source: keras.optimizers.Optimizer.
    """
    apart = False       # whether a step looks at the whole of a weight, so that each takes a step of its own

    def __init__(self, learning_rate: Rate, weight_decay: float | None = None, clipnorm: float | None = None,
                 clipvalue: float | None = None, global_clipnorm: float | None = None, use_ema: bool = False,
                 ema_momentum: float = 0.99, ema_overwrite_frequency: int | None = None,
                 loss_scale_factor: float | None = None, gradient_accumulation_steps: int | None = None,
                 name: str | None = None, **kwargs: Any) -> None:
        super().__init__(checked_name(name, type(self).__name__) or unique_name(snake_case(type(self).__name__)),
                         kwargs.pop("lr", learning_rate))
        if kwargs.pop("decay", None) is not None:
            warn(f"{self.name}: decay is gone from Keras and does nothing; use schedules.InverseTimeDecay as the "
                 "learning rate.")
        kwargs.pop("jit_compile", None)
        if kwargs:
            refuse_unknown(kwargs, type(self).__name__, parameters(type(self)))  # type: ignore[arg-type]
        self.clipnorm = self._limit(clipnorm, "clipnorm")
        self.clipvalue = self._limit(clipvalue, "clipvalue")
        self.global_clipnorm = self._limit(global_clipnorm, "global_clipnorm")
        self._limits()
        self.weight_decay = optional(number, weight_decay, f"{self.name}: weight_decay", 0)
        self.use_ema = flag(use_ema, f"{self.name}: use_ema")
        self.ema_momentum = number(ema_momentum, f"{self.name}: ema_momentum", 0, 1)
        self.ema_overwrite_frequency = optional(whole, ema_overwrite_frequency, f"{self.name}: ema_overwrite_frequency")
        self.loss_scale_factor = self._limit(loss_scale_factor, "loss_scale_factor")
        self.gradient_accumulation_steps = optional(whole, gradient_accumulation_steps,
                                                    f"{self.name}: gradient_accumulation_steps", 2)
        self._undecayed: tuple[Variable, ...] = ()
        self._undecayed_names: tuple[str, ...] = ()
        self._reach_checked = False

    def _limit(self, value: Any, name: str) -> float | None:
        """A number > 0, or None."""
        return optional(number, value, f"{self.name}: {name}", 0, above=True)  # type: ignore[no-any-return]

    # ---- what a subclass writes -------------------------------------------------------------------------------

    def before_step(self, lr: Tensor, iterations: Tensor) -> None:
        """Update single numbers, once a step, however many weights there are."""

    # ---- steps ------------------------------------------------------------------------------------------------

    @section_scope("update")
    def apply(self, grads: Sequence[Tensor | None], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step with a gradient for each variable: scaling, clipping, decay, the update, average, constraints.

        A weight whose gradient is None stays as it is, and the first time a warning names it. ValueError where all are.
        """
        variables = self._known() if trainable_variables is None else list(trainable_variables)
        if not variables:
            return
        reached = [i for i, (gradient, _) in enumerate(zip(grads, variables, strict=True)) if gradient is not None]
        if not reached:
            raise ValueError(f"{self.name}: got no gradient for any of {len(variables)} weights; needs a loss that "
                             "depends on them.")
        self._warn_of([v for i, v in enumerate(variables) if i not in reached], len(variables))
        self.prepare(variables)     # which may set attributes
        note(self)
        self._take(grads)
        if self.schedule is not None:
            copy(self._rate, scheduled_rate(self.schedule, self._iterations))
        if self.gradient_accumulation_steps:
            self._accumulate(reached, self.gradient_accumulation_steps)
        else:
            self._update(reached)
        self._average()
        advance(self._iterations, by=1)
        if self.gradient_accumulation_steps:
            copy(self.iterations, ops.floor_divide(self._batches, self.gradient_accumulation_steps))
        for i in reached:
            constraint = self._trained[i].constraint
            if constraint is not None:
                note(constraint)
                copy(self._trained[i], constraint(self._trained[i]))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """One step from (gradient, variable) pairs, as in a custom training loop. → iterations."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self.iterations

    def _known(self) -> list[Variable]:
        if not self.built:
            raise ValueError(f"{self.name}: got gradients without variables; needs apply(grads, variables), or "
                             "build(variables) before.")
        return self._trained

    def _warn_of(self, left_out: Sequence[Variable], count: int) -> None:
        if left_out and not self._reach_checked:
            warn(f"{self.name}: the loss does not reach {len(left_out)} of {count} weights, which stay as they are: "
                 f"{', '.join(v.name for v in left_out[:5])}{', …' * (len(left_out) > 5)}.")
        self._reach_checked = True

    def _take(self, grads: Sequence[Tensor | None]) -> None:
        """Copy the gradients into their block."""
        assert self.gradients is not None
        for gradient, own in zip(grads, self._parts["gradients"]):
            if gradient is None:
                fill(own, value=0.0)
            else:
                copy(own, gradient)
        if self.loss_scale_factor is not None:
            copy(self.gradients.flat, scale(self.gradients.flat, factor=1 / self.loss_scale_factor))

    def _update(self, reached: list[int]) -> None:
        """Clipping, decay and the step, for the weights that have gradients."""
        self._clip()
        self._decay(reached)
        self.before_step(self._rate, self.iterations)
        for w, g, slots in self._places(reached):
            if self._by_weight:
                self.update_step(g, w, self._rate)  # type: ignore[arg-type]
            else:
                self.step(w, g, slots, self._rate, self.iterations)

    def _places(self, reached: list[int]) -> Iterator[tuple[Tensor, Tensor, dict[str, Tensor]]]:
        """(weights, gradients, slots) of each call: of all weights at once where that may be."""
        assert self.block is not None and self.gradients is not None
        flat = not self.apart and len(reached) == len(self._trained)
        if not self._by_weight and (self.together or flat):
            yield self.block.flat, self.gradients.flat, {name: self.slot_blocks[name].flat for name in self.slots}
        else:
            for i in reached:
                yield self._trained[i], self._parts["gradients"][i], {name: self._parts[name][i] for name in self.slots}

    def _accumulate(self, reached: list[int], steps: int) -> None:
        """Add up the gradients; the step is computed for every batch, and stays where it is due."""
        assert self.block is not None and self.gradients is not None
        due = ops.equal(ops.mod(ops.add(self._batches, 1), steps), 0)
        total, gradients = self.slot_blocks[ACCUMULATED].flat, self.gradients.flat
        copy(total, ops.add(total, gradients))
        copy(gradients, ops.divide(total, steps))
        slots = [self.slot_blocks[name].flat for name in self.slots]
        written = [self.block.flat, *slots, *self._numbers.values(), *self._own]
        before = [scale(each, factor=1.0) for each in written]
        self._update(reached)
        for each, old in zip(written, before):
            copy(each, ops.where(due, each, old))
        copy(total, ops.where(due, 0.0, total))

    def scale_loss(self, loss: Any) -> Any:
        """loss · loss_scale_factor: what the gradients are to be taken of."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # ---- clipping and decay -----------------------------------------------------------------------------------

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
            else:
                for each in self._parts["gradients"] if kind == "clipnorm" else [self.gradients.flat]:
                    clip_norm_step(each, norm=limit)

    def exclude_from_weight_decay(self, var_list: Sequence[Variable] | None = None,
                                  var_names: Sequence[str] | None = None) -> None:
        """No weight decay for these variables, nor for those in whose name one of var_names is found (regular
        expressions): `optimizer.exclude_from_weight_decay(var_names=["bias"])`. It replaces what was said before."""
        self._undecayed = tuple(var_list or ())
        self._undecayed_names = tuple(patterns(var_names, f"{self.name}: var_names"))

    def excluded(self, variable: Variable) -> bool:
        """Whether exclude_from_weight_decay names it."""
        return (any(re.search(name, variable.name) for name in self._undecayed_names)
                or any(variable is v for v in self._undecayed))

    def decay_of(self, variable: Variable) -> float | None:
        """The weight decay of a variable."""
        return None if self.excluded(variable) else self.weight_decay

    def _decay(self, reached: list[int]) -> None:
        assert self.block is not None
        rates = [self.decay_of(v) for v in self._trained]
        if rates[0] and len(set(rates)) == 1 and len(reached) == len(rates):
            decay_step(self.block.flat, self._rate, rate=rates[0])
            return
        for i in reached:
            rate = rates[i]
            if rate:
                decay_step(self._trained[i], self._rate, rate=rate)

    # ---- averages ---------------------------------------------------------------------------------------------

    def _average(self) -> None:
        """average = ema_momentum·average + (1 - ema_momentum)·w, but w itself in the first step."""
        if not self.use_ema:
            return
        assert self.block is not None
        average, w = self.slot_blocks[AVERAGE].flat, self.block.flat
        copy(average, ops.where(ops.equal(self.iterations, 0), w, average))
        ema_step(average, w, momentum=self.ema_momentum)
        if self.ema_overwrite_frequency:
            due = ops.equal(ops.mod(ops.add(self.iterations, 1), self.ema_overwrite_frequency), 0)
            copy(w, ops.where(due, average, w))

    @property
    def finalizes(self) -> bool:
        """Whether the end of a fit has something to finalize."""
        finalize = getattr(self.finalize_variable_values, "__func__", None)     # None where it is this optimizer's own
        return AVERAGE in self._parts or finalize is not Optimizer.finalize_variable_values

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """With use_ema, let the variables become their averages; fit does it at its end."""
        averages = {id(v): average for v, average in zip(self._trained, self._parts.get(AVERAGE, ()))}
        for v in var_list:
            if id(v) in averages:
                v.assign(averages[id(v)].numpy())

    def _argument(self, name: str) -> Any:
        """The learning rate is its schedule, or the number that it is now."""
        if name == "learning_rate":
            return float(self._rate) if self.schedule is None else getattr(self.schedule, "function", self.schedule)
        return super()._argument(name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({brief(self, always='learning_rate')})"
