"""Rates that rise and fall. Beyond Keras. Floor 3."""

from fastnn import ops
from fastnn.arguments import choice, share
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.optimizers.schedules.schedule import (
    LearningRateSchedule,
    floats,
    grown,
    half_cosine,
    not_negative,
    positive,
    quotient,
)

MODES = ("triangular", "triangular2", "exp_range")


class CyclicalLearningRate(LearningRateSchedule):
    """Up from initial to maximal in step_size steps, down again in as many, for ever. Smith 2017.

    mode: 'triangular'; 'triangular2': each peak half as high above the initial rate as the one before; 'exp_range':
    gamma^t times as high. The study guide's chapter 48.

    >>> [round(float(CyclicalLearningRate(0.0, 0.1, step_size=10)(t)), 6) for t in (0, 5, 10, 20, 30)]
    [0.0, 0.05, 0.1, 0.0, 0.1]
    """

    def __init__(self, initial_learning_rate: float, maximal_learning_rate: float, step_size: float,
                 mode: str = "triangular", gamma: float = 0.9999, name: str = "CyclicalLearningRate") -> None:
        self._named(name)
        self.initial_learning_rate = not_negative(initial_learning_rate, name, "initial_learning_rate")
        self.maximal_learning_rate = not_negative(maximal_learning_rate, name, "maximal_learning_rate")
        self.step_size = positive(step_size, name, "step_size")
        self.mode = choice(mode, f"{name}: mode", MODES)
        self.gamma = positive(gamma, name, "gamma")

    def __call__(self, step: TensorLike) -> Tensor:
        """The rate at `step`."""
        t = floats(step)
        cycle = ops.floor(quotient(t, 2 * self.step_size))
        place = ops.subtract(quotient(t, self.step_size), ops.multiply(cycle, 2.0))      # 0 to 2, the peak at 1
        height = ops.subtract(1.0, ops.absolute(ops.subtract(place, 1.0)))
        if self.mode == "triangular2":
            height = ops.multiply(height, grown(0.5, cycle))
        elif self.mode == "exp_range":
            height = ops.multiply(height, grown(self.gamma, t))
        span = self.maximal_learning_rate - self.initial_learning_rate
        return ops.add(ops.multiply(height, span), self.initial_learning_rate)


class OneCycle(LearningRateSchedule):
    """Once up and once down: half a cosine from maximal / start_divisor to maximal in the share `rise` (0.3) of
    total_steps, then half a cosine down to maximal / end_divisor, where it stays. Smith & Topin 2018.

    >>> [round(float(OneCycle(0.1, total_steps=100)(t)), 6) for t in (0, 30, 100)]
    [0.004, 0.1, 1e-05]
    """

    def __init__(self, maximal_learning_rate: float, total_steps: float, rise: float = 0.3, start_divisor: float = 25.0,
                 end_divisor: float = 1e4, name: str = "OneCycle") -> None:
        self._named(name)
        self.maximal_learning_rate = not_negative(maximal_learning_rate, name, "maximal_learning_rate")
        self.total_steps = positive(total_steps, name, "total_steps")
        self.rise = share(rise, f"{name}: rise")
        self.start_divisor = positive(start_divisor, name, "start_divisor")
        self.end_divisor = positive(end_divisor, name, "end_divisor")

    def __call__(self, step: TensorLike) -> Tensor:
        """The rate at `step`."""
        t, top, rising = floats(step), self.maximal_learning_rate, self.rise * self.total_steps
        down = ops.clip(quotient(ops.subtract(t, rising), self.total_steps - rising), 0.0, 1.0)
        falling = half_cosine(down, top, 1 / self.end_divisor)
        if not rising:
            return falling
        up = ops.subtract(1.0, ops.clip(quotient(t, rising), 0.0, 1.0))
        return ops.where(ops.less(t, rising), half_cosine(up, top, 1 / self.start_divisor), falling)
