"""Rates that fall like half a cosine, once or again and again. Loshchilov & Hutter 2017 (SGDR). Floor 3."""

import math

from fastnn import ops
from fastnn.arguments import number
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

ROUNDING = 1e-5     # of a logarithm, which must not come out just below a whole number at the very step of a restart


class CosineDecay(LearningRateSchedule):
    """top·((1 - alpha)·(1 + cos(π·t / decay_steps)) / 2 + alpha): half a cosine from the top to alpha times it, and
    there it stays. The top is initial_learning_rate.

    warmup_target: first, in warmup_steps, a straight line from initial_learning_rate to this, which is the top then; t
    in the cosine counts from the line's end. Source: keras.optimizers.schedules.CosineDecay.

    >>> round(float(CosineDecay(0.1, decay_steps=10)(5)), 6)
    0.05
    """

    def __init__(self, initial_learning_rate: float, decay_steps: float, alpha: float = 0.0, name: str = "CosineDecay",
                 warmup_target: float | None = None, warmup_steps: float = 0) -> None:
        self._named(name)
        self.initial_learning_rate = not_negative(initial_learning_rate, name, "initial_learning_rate")
        self.decay_steps = positive(decay_steps, name, "decay_steps")
        self.alpha = not_negative(alpha, name, "alpha")
        self.warmup_target = None if warmup_target is None else not_negative(warmup_target, name, "warmup_target")
        self.warmup_steps = not_negative(warmup_steps, name, "warmup_steps")

    def __call__(self, step: TensorLike) -> Tensor:
        """The rate at `step`."""
        t = floats(step)
        if self.warmup_target is None:
            return self._falling(t, self.initial_learning_rate)
        falling = self._falling(ops.subtract(t, self.warmup_steps), self.warmup_target)
        if not self.warmup_steps:
            return falling
        slope = (self.warmup_target - self.initial_learning_rate) / self.warmup_steps
        rising = ops.add(ops.multiply(t, slope), self.initial_learning_rate)
        return ops.where(ops.less(t, self.warmup_steps), rising, falling)

    def _falling(self, t: Tensor, top: float) -> Tensor:
        return half_cosine(ops.clip(quotient(t, self.decay_steps), 0.0, 1.0), top, self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """CosineDecay again and again: the first takes first_decay_steps, each further one t_mul times as many steps as the
    one before, and begins at m_mul times its rate. Source: keras.optimizers.schedules.CosineDecayRestarts.

    >>> [round(float(CosineDecayRestarts(0.1, first_decay_steps=10)(t)), 6) for t in (0, 5, 10, 20)]
    [0.1, 0.05, 0.1, 0.05]
    """

    def __init__(self, initial_learning_rate: float, first_decay_steps: float, t_mul: float = 2.0, m_mul: float = 1.0,
                 alpha: float = 0.0, name: str = "SGDRDecay") -> None:
        self._named(name)
        self.initial_learning_rate = not_negative(initial_learning_rate, name, "initial_learning_rate")
        self.first_decay_steps = positive(first_decay_steps, name, "first_decay_steps")
        self.t_mul = number(t_mul, f"{name}: t_mul", 1)
        self.m_mul = positive(m_mul, name, "m_mul")
        self.alpha = not_negative(alpha, name, "alpha")

    def __call__(self, step: TensorLike) -> Tensor:
        """The rate at `step`."""
        part = quotient(floats(step), self.first_decay_steps)     # in lengths of the first
        if self.t_mul == 1:
            restarts = ops.floor(part)
            part = ops.subtract(part, restarts)
        else:       # restart n is at (t_mulⁿ - 1) / (t_mul - 1), and t_mulⁿ long
            length = ops.add(ops.multiply(part, self.t_mul - 1), 1.0)
            restarts = ops.floor(ops.add(ops.divide(ops.log(length), math.log(self.t_mul)), ROUNDING))
            length = grown(self.t_mul, restarts)
            begun = ops.divide(ops.subtract(length, 1.0), self.t_mul - 1)
            part = ops.clip(ops.divide(ops.subtract(part, begun), length), 0.0, 1.0)
        rate = half_cosine(part, self.initial_learning_rate, 0.0)
        # Keras' alpha is a part of the first top, whatever m_mul has made of the later ones.
        top = rate if self.m_mul == 1 else ops.multiply(rate, grown(self.m_mul, restarts))
        return ops.add(ops.multiply(top, 1 - self.alpha), self.alpha * self.initial_learning_rate)
