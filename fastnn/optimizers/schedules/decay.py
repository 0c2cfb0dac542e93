"""Rates that only fall: exponentially, like 1 / t, in steps, like a polynomial. Floor 3."""

from collections.abc import Sequence

from fastnn import ops
from fastnn.arguments import flag, is_sequence
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, shown
from fastnn.optimizers.schedules.schedule import LearningRateSchedule, floats, grown, not_negative, positive, quotient


class ExponentialDecay(LearningRateSchedule):
    """initial · decay_rate^(t / decay_steps); staircase: the exponent is cut to a whole number.

    Source: keras.optimizers.schedules.ExponentialDecay.

    >>> round(float(ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(10)), 6)
    0.05
    """

    def __init__(self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
                 name: str = "ExponentialDecay") -> None:
        self._named(name)
        self.initial_learning_rate = not_negative(initial_learning_rate, name, "initial_learning_rate")
        self.decay_steps = positive(decay_steps, name, "decay_steps")
        self.decay_rate = positive(decay_rate, name, "decay_rate")
        self.staircase = flag(staircase, f"{name}: staircase")

    def __call__(self, step: TensorLike) -> Tensor:
        """The rate at `step`."""
        exponent = quotient(floats(step), self.decay_steps)
        exponent = ops.floor(exponent) if self.staircase else exponent
        return ops.multiply(grown(self.decay_rate, exponent), self.initial_learning_rate)


class InverseTimeDecay(LearningRateSchedule):
    """initial / (1 + decay_rate · t / decay_steps); staircase: t / decay_steps is cut to a whole number.

    The study guide's α₀ / (1 + λt), chapter 48, is decay_steps=1, decay_rate=λ; t counts steps, not epochs.
    Source: keras.optimizers.schedules.InverseTimeDecay.

    >>> round(float(InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.5)(2)), 6)
    0.05
    """

    def __init__(self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
                 name: str = "InverseTimeDecay") -> None:
        self._named(name)
        self.initial_learning_rate = not_negative(initial_learning_rate, name, "initial_learning_rate")
        self.decay_steps = positive(decay_steps, name, "decay_steps")
        self.decay_rate = not_negative(decay_rate, name, "decay_rate")
        self.staircase = flag(staircase, f"{name}: staircase")

    def __call__(self, step: TensorLike) -> Tensor:
        """The rate at `step`."""
        part = quotient(floats(step), self.decay_steps)
        part = ops.floor(part) if self.staircase else part
        return ops.divide(self.initial_learning_rate, ops.add(ops.multiply(part, self.decay_rate), 1.0))


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] as long as t <= boundaries[0], then values[1] as long as t <= boundaries[1], …, values[-1] in the end.

    One value more than boundaries, which increase. Source: keras.optimizers.schedules.PiecewiseConstantDecay.

    >>> round(float(PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])(101)), 6)
    0.01
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        self._named(name)
        for what, given in (("boundaries", boundaries), ("values", values)):
            if not is_sequence(given):
                raise KindError(f"{name}: {what} is {shown(given)}; needs a list of numbers.")
        self.boundaries = [not_negative(b, name, "boundaries") for b in boundaries]
        self.values = [not_negative(v, name, "values") for v in values]
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(f"{name}: got {len(self.boundaries)} boundaries and {len(self.values)} values; needs one "
                             "value more than boundaries.")
        if self.boundaries != sorted(set(self.boundaries)):
            raise ValueError(f"{name}: boundaries are {shown(boundaries)}; needs them in increasing order.")

    def __call__(self, step: TensorLike) -> Tensor:
        """The rate at `step`."""
        t = floats(step)
        rate = ops.convert_to_tensor(self.values[0])
        for boundary, value in zip(self.boundaries, self.values[1:]):
            rate = ops.where(ops.greater(t, boundary), value, rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """(initial - end)·(1 - t / decay_steps)^power + end, the end from decay_steps on.

    power=1 is a straight line. cycle: it begins anew, with decay_steps as much longer, each time t passes their end.
    Source: keras.optimizers.schedules.PolynomialDecay.

    >>> round(float(PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(5)), 6)
    0.05
    """

    def __init__(self, initial_learning_rate: float, decay_steps: float, end_learning_rate: float = 0.0001,
                 power: float = 1.0, cycle: bool = False, name: str = "PolynomialDecay") -> None:
        self._named(name)
        self.initial_learning_rate = not_negative(initial_learning_rate, name, "initial_learning_rate")
        self.decay_steps = positive(decay_steps, name, "decay_steps")
        self.end_learning_rate = not_negative(end_learning_rate, name, "end_learning_rate")
        self.power = not_negative(power, name, "power")
        self.cycle = flag(cycle, f"{name}: cycle")

    def __call__(self, step: TensorLike) -> Tensor:
        """The rate at `step`."""
        t = floats(step)
        if self.cycle:
            cycles = ops.maximum(ops.ceil(quotient(t, self.decay_steps)), 1.0)
            part = ops.divide(t, ops.multiply(cycles, self.decay_steps))
        else:
            part = quotient(ops.minimum(t, self.decay_steps), self.decay_steps)
        left = ops.subtract(1.0, part)
        left = left if self.power == 1 else ops.power(left, self.power)
        return ops.add(ops.multiply(left, self.initial_learning_rate - self.end_learning_rate), self.end_learning_rate)
