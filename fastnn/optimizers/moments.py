"""Relatives of Adam: Adamax, Nadam, Lion and Lamb, each a few ops. Floor 3."""

import math
from typing import ClassVar, Unpack

from fastnn import ops
from fastnn.arguments import number, share
from fastnn.engine.kinds import Rate
from fastnn.engine.tensor import Tensor
from fastnn.ops.rows.data import copy
from fastnn.optimizers._options import OptimizerOptions
from fastnn.optimizers.optimizer import Optimizer

__all__ = ["Adamax", "Lamb", "Lion", "Nadam"]


class _Moments(Optimizer):
    """Two moving averages of the gradient: beta_1=0.9, beta_2=0.999, epsilon=1e-7."""

    def __init__(self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
                 **kwargs: Unpack[OptimizerOptions]) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = share(beta_1, f"{type(self).__name__}: beta_1")
        self.beta_2 = share(beta_2, f"{type(self).__name__}: beta_2")
        self.epsilon = number(epsilon, f"{type(self).__name__}: epsilon", 1e-38)


class Adamax(_Moments):
    """m += (1-β₁)(g-m); u = max(β₂·u, |g|); w -= lr / (1-β₁ᵗ) · m / (u + epsilon): Adam with the largest gradient so
    far in place of the root of the mean square.

    learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7. Kingma & Ba 2015, section 7.
    """
    slots = ("momentum", "norm")

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """The formula, in ops."""
        m, u = slots["momentum"], slots["norm"]
        copy(m, m + (g - m) * (1 - self.beta_1))
        copy(u, ops.maximum(u * self.beta_2, ops.absolute(g)))
        copy(w, w - m * (lr / one_minus_power(self.beta_1, steps(iterations))) / (u + self.epsilon))


class Nadam(_Moments):
    """Adam with Nesterov's look ahead: μₜ = β₁·(1 - 0.96ᵗ/2); m and v as Adam's; w -= lr · m̂ / (sqrt(v / (1-β₂ᵗ)) +
    epsilon), m̂ = μₜ₊₁·m / (1 - μ₁…μₜ₊₁) + (1-μₜ)·g / (1 - μ₁…μₜ).

    learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7. Dozat 2016.
    """
    slots = ("momentum", "velocity")
    numbers: ClassVar[dict[str, float]] = {"momentum_product": 1.0}

    def _momentum(self, t: Tensor) -> Tensor:
        """μ of a step."""
        return (1.0 - ops.power(0.96, t) * 0.5) * self.beta_1

    def before_step(self, lr: Tensor, iterations: Tensor) -> None:
        """μ₁…μₜ."""
        product = self._numbers["momentum_product"]
        copy(product, product * self._momentum(steps(iterations)))

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """The formula, in ops."""
        m, v, t, product = slots["momentum"], slots["velocity"], steps(iterations), self._numbers["momentum_product"]
        now, ahead = self._momentum(t), self._momentum(t + 1.0)
        copy(m, m + (g - m) * (1 - self.beta_1))
        copy(v, v + (ops.square(g) - v) * (1 - self.beta_2))
        mean = m * (ahead / (1.0 - product * ahead)) + g * ((1.0 - now) / (1.0 - product))
        copy(w, w - mean * lr / (ops.sqrt(v / one_minus_power(self.beta_2, t)) + self.epsilon))


class Lion(Optimizer):
    """w -= lr·sign(β₁·m + (1-β₁)·g); m = β₂·m + (1-β₂)·g: every weight moves by the rate itself, up or down.

    learning_rate=0.001 (a tenth of Adam's is usual), beta_1=0.9 (> 0, up to 1), beta_2=0.99. Chen et al. 2023.
    """
    slots = ("momentum",)

    def __init__(self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.99,
                 **kwargs: Unpack[OptimizerOptions]) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = number(beta_1, "Lion: beta_1", 0, 1, above=True)
        self.beta_2 = number(beta_2, "Lion: beta_2", 0, 1)

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """The formula, in ops."""
        m = slots["momentum"]
        copy(w, w - ops.sign(m * self.beta_1 + g * (1 - self.beta_1)) * lr)
        copy(m, m * self.beta_2 + g * (1 - self.beta_2))


class Lamb(_Moments):
    """step = m̂ / (sqrt(v̂) + epsilon) with m̂ = m / (1-β₁ᵗ), v̂ = v / (1-β₂ᵗ), m and v as Adam's; w -= lr·‖w‖/‖step‖·step
    for each weight by itself (lr·step where a norm is 0): for large batches.

    learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7. You et al. 2020.
    """
    slots = ("momentum", "velocity")
    apart = True

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """The formula, in ops."""
        m, v, t = slots["momentum"], slots["velocity"], steps(iterations)
        copy(m, m + (g - m) * (1 - self.beta_1))
        copy(v, v + (ops.square(g) - v) * (1 - self.beta_2))
        spread = ops.sqrt(v / one_minus_power(self.beta_2, t)) + self.epsilon
        change = m / one_minus_power(self.beta_1, t) / spread
        length, way = ops.norm(w), ops.norm(change)
        both = ops.logical_and(ops.greater(length, 0.0), ops.greater(way, 0.0))
        copy(w, w - change * (ops.where(both, ops.divide_no_nan(length, way), 1.0) * lr))


def steps(iterations: Tensor) -> Tensor:
    """t, the number of this step, from 1, as a float."""
    return ops.cast(iterations, "float") + 1.0


def one_minus_power(beta: float, t: Tensor) -> Tensor:
    """1 - betaᵗ, also where that is nearly 0."""
    return ops.negative(ops.expm1(t * math.log(beta))) if beta else ops.ones_like(t)
