"""The learning rate: a number that can be set, a schedule of the step, or a function of yours. Floor 3."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.arguments import number
from fastnn.engine import backend
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor, Variable
from fastnn.engine.watch import note
from fastnn.errors import ShapeError
from fastnn.optimizers.schedules import LearningRateSchedule


class LearningRate(Variable):
    """A 0-d variable that takes finite numbers >= 0 only."""
    __slots__ = ("owner",)
    owner: str

    def assign(self, value: object) -> "LearningRate":
        """Set it. TypeError or ValueError, before anything changes."""
        super().assign(number(value, f"{self.owner}: learning_rate", 0))
        return self


class RateFunction(LearningRateSchedule):
    """A function as a schedule: of the step, or of nothing, as Keras takes it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        try:
            asked = inspect.signature(function).parameters.values()
        except ValueError:      # a function in C that does not say
            self.of_the_step = True
        else:
            self.of_the_step = any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
                                   for p in asked)

    def __call__(self, step: TensorLike) -> Tensor:
        """What the function gives."""
        return self.function(step) if self.of_the_step else self.function()  # type: ignore[no-any-return]


class Given(Tensor):
    """A rate that Python has computed: it may be another at the next step, so no replay goes on with it."""
    __slots__ = ()
    momentary = True


def scheduled_rate(schedule: LearningRateSchedule, step: TensorLike) -> Tensor:
    """What a schedule gives at a step: a 0-d tensor. TypeError, ValueError or ShapeError for anything but a number."""
    note(schedule)
    value: Any = schedule(step)
    who = getattr(getattr(schedule, "function", None), "__name__", type(schedule).__name__)
    if not isinstance(value, Tensor):
        rate = number(value, f"{who}: the learning rate it gives", 0)
        return Given(np.array(rate, backend.floatx()), f"the learning rate that {who} gives as a number of Python")
    if value.shape != ():
        raise ShapeError(f"{who}: the learning rate it gives has shape {value.shape}; needs a single number, of shape "
                         "().")
    return value
