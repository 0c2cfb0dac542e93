"""Base of the schedules. They are written with ops on the step counter, so they are part of the recorded program.
Floor 3."""

import math
from typing import Any

import numpy as np

from fastnn import ops
from fastnn.arguments import number, text, whole
from fastnn.configuration import Configurable
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import Watched


class LearningRateSchedule(Configurable, Watched):
    """Base of the schedules: `__call__(step)` gives a 0-d float tensor from the 0-d step counter, which is t in the
    formulas: the number of steps done so far.

    Own ones: subclass it and write `__call__` with fastnn.ops; it is recorded once and replayed. One that computes with
    Python's numbers works too, but then every training step runs in Python, with a warning.

    >>> class Halves(LearningRateSchedule):
    ...     def __call__(self, step): return ops.divide(0.1, ops.add(step, 1))
    """

    def _named(self, name: str) -> None:
        """Take the name, a text, which errors begin with."""
        self.name = text(name, f"{type(self).__name__}: name")

    def __call__(self, step: TensorLike) -> Tensor:
        """The learning rate at `step`."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, step).")

    def plot(self, steps: int = 1000, path: Any = None) -> Any:
        """A figure of the rate over the first `steps` steps; saved under `path` where given."""
        from fastnn.plotting.curves import learning_rate_curve
        return learning_rate_curve(self.over(steps), path, title=getattr(self, "name", type(self).__name__))

    def over(self, steps: int) -> np.ndarray:
        """The rates of the first so many steps."""
        count = whole(steps, f"{type(self).__name__}: steps")
        return np.array([float(self(np.int64(t))) for t in range(count)])


def not_negative(value: Any, schedule: str, name: str) -> float:
    """A number >= 0: a rate, a factor."""
    return number(value, f"{schedule}: {name}", 0)


def positive(value: Any, schedule: str, name: str) -> float:
    """A number > 0: how many steps, a divisor."""
    return number(value, f"{schedule}: {name}", 0, above=True)


def floats(step: TensorLike) -> Tensor:
    """The step counter as floats."""
    return ops.cast(step, "float")


def quotient(t: Tensor, steps: float) -> Tensor:
    """t / steps, rounded once, so that it is whole at whole multiples: t times 1 / steps need not be."""
    return ops.divide(t, ops.convert_to_tensor(steps))


def grown(base: float, exponent: Tensor) -> Tensor:
    """base^exponent, for a base > 0."""
    return ops.exp(ops.multiply(exponent, math.log(base)))


def half_cosine(part: Tensor, top: float, alpha: float) -> Tensor:
    """top·((1 - alpha)·(1 + cos(π·part)) / 2 + alpha): from top at part 0 to alpha·top at part 1."""
    half = ops.multiply(ops.add(ops.cos(ops.multiply(part, math.pi)), 1.0), 0.5 * (1 - alpha))
    return ops.multiply(ops.add(half, alpha), top)
