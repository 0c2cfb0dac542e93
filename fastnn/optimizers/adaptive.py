"""Optimizers with a step size per weight: RMSprop, Adam, AdamW, Adagrad, Adadelta, Ftrl. Floor 3."""

from typing import Unpack

from fastnn import ops
from fastnn.arguments import flag, number, share
from fastnn.engine.kinds import Rate
from fastnn.engine.tensor import Tensor
from fastnn.ops.rows.data import copy
from fastnn.ops.rows.optimizer import adagrad_step, adam_amsgrad_step, adam_step, rmsprop_full_step, rmsprop_step
from fastnn.optimizers._options import DecayedOptions, OptimizerOptions
from fastnn.optimizers.optimizer import Optimizer

__all__ = ["Adadelta", "Adagrad", "Adam", "AdamW", "Ftrl", "RMSprop"]


class RMSprop(Optimizer):
    """v = rho·v + (1-rho)·g²; w -= lr·g / sqrt(v + epsilon). centered: v minus the square of the mean gradient;
    momentum m = momentum·m + step, w -= m. learning_rate=0.001, rho=0.9. Tieleman & Hinton 2012."""

    def __init__(self, learning_rate: Rate = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7,
                 centered: bool = False, **kwargs: Unpack[OptimizerOptions]) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = share(rho, "RMSprop: rho")
        self.momentum = number(momentum, "RMSprop: momentum", 0, 1)
        self.epsilon = number(epsilon, "RMSprop: epsilon", 1e-38)
        self.centered = flag(centered, "RMSprop: centered")
        full = self.momentum > 0 or self.centered
        self.slots = ("velocity", "average_gradient", "momentum") if full else ("velocity",)

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """rmsprop_step, or rmsprop_full_step where centered or with momentum."""
        if len(slots) == 1:
            rmsprop_step(w, g, slots["velocity"], lr, rho=self.rho, epsilon=self.epsilon)
        else:
            rmsprop_full_step(w, g, slots["velocity"], slots["average_gradient"], slots["momentum"], lr, rho=self.rho,
                              momentum=self.momentum, epsilon=self.epsilon, centered=self.centered)


class Adam(Optimizer):
    """m += (1-β₁)(g-m); v += (1-β₂)(g²-v); w -= lr·sqrt(1-β₂ᵗ)/(1-β₁ᵗ) · m / (sqrt(v) + epsilon).

    learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False (the largest v so far in place of v).
    Kingma & Ba 2015, with Keras' epsilon: it is added to the uncorrected sqrt(v).
    """

    def __init__(self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
                 amsgrad: bool = False, **kwargs: Unpack[OptimizerOptions]) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = share(beta_1, f"{type(self).__name__}: beta_1")
        self.beta_2 = share(beta_2, f"{type(self).__name__}: beta_2")
        self.epsilon = number(epsilon, f"{type(self).__name__}: epsilon", 1e-38)
        self.amsgrad = flag(amsgrad, f"{type(self).__name__}: amsgrad")
        self.slots = ("m", "v", "largest_v") if self.amsgrad else ("m", "v")

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """adam_step, or adam_amsgrad_step."""
        constants = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        if self.amsgrad:
            adam_amsgrad_step(w, g, slots["m"], slots["v"], slots["largest_v"], lr, iterations, **constants)
        else:
            adam_step(w, g, slots["m"], slots["v"], lr, iterations, **constants)


class AdamW(Adam):
    """Adam with decoupled weight decay, 0.004 unless given. Loshchilov & Hutter 2019."""

    def __init__(self, learning_rate: Rate = 0.001, weight_decay: float = 0.004, beta_1: float = 0.9,
                 beta_2: float = 0.999, epsilon: float = 1e-7, amsgrad: bool = False,
                 **kwargs: Unpack[DecayedOptions]) -> None:
        if weight_decay is None:
            raise ValueError("AdamW: weight_decay is None; needs a number >= 0; Adam is AdamW without it.")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)


class Adagrad(Optimizer):
    """a += g²; w -= lr·g / sqrt(a + epsilon). learning_rate=0.001, initial_accumulator_value=0.1. Duchi et al. 2011."""
    slots = ("accumulator",)

    def __init__(self, learning_rate: Rate = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7,
                 **kwargs: Unpack[OptimizerOptions]) -> None:
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value = number(initial_accumulator_value, "Adagrad: initial_accumulator_value", 0)
        self.epsilon = number(epsilon, "Adagrad: epsilon", 1e-38)

    def initial_slot(self, name: str) -> float:
        """initial_accumulator_value."""
        return self.initial_accumulator_value

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """adagrad_step."""
        adagrad_step(w, g, slots["accumulator"], lr, epsilon=self.epsilon)


class Adadelta(Optimizer):
    """a = rho·a + (1-rho)·g²; step = g·sqrt(d + epsilon) / sqrt(a + epsilon); d = rho·d + (1-rho)·step²; w -= lr·step.

    learning_rate=0.001, rho=0.95, epsilon=1e-7. The paper's rate is 1. Zeiler 2012.
    """
    slots = ("accumulated_grad", "accumulated_delta_var")

    def __init__(self, learning_rate: Rate = 0.001, rho: float = 0.95, epsilon: float = 1e-7,
                 **kwargs: Unpack[OptimizerOptions]) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = share(rho, "Adadelta: rho")
        self.epsilon = number(epsilon, "Adadelta: epsilon", 1e-38)

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """The formula, in ops."""
        a, d = slots["accumulated_grad"], slots["accumulated_delta_var"]
        copy(a, a * self.rho + ops.square(g) * (1 - self.rho))
        change = g * ops.sqrt(d + self.epsilon) / ops.sqrt(a + self.epsilon)
        copy(d, d * self.rho + ops.square(change) * (1 - self.rho))
        copy(w, w - change * lr)


class Ftrl(Optimizer):
    """a' = a + g²; z += g + 2·shrinkage·w - (a'^-power - a^-power)/lr·w; w = (clip(z, ±l1) - z) / (a'^-power/lr +
    2·l2 + beta/lr): "follow the regularized leader", which keeps weights at exactly 0 with l1.

    learning_rate=0.001, learning_rate_power=-0.5, initial_accumulator_value=0.1, l1_, l2_ and
    l2_shrinkage_regularization_strength=0.0, beta=0.0. McMahan et al. 2013.
    """
    slots = ("accumulator", "linear")

    def __init__(self, learning_rate: Rate = 0.001, learning_rate_power: float = -0.5,
                 initial_accumulator_value: float = 0.1, l1_regularization_strength: float = 0.0,
                 l2_regularization_strength: float = 0.0, l2_shrinkage_regularization_strength: float = 0.0,
                 beta: float = 0.0, **kwargs: Unpack[OptimizerOptions]) -> None:
        super().__init__(learning_rate, **kwargs)
        self.learning_rate_power = number(learning_rate_power, "Ftrl: learning_rate_power", high=0)
        self.initial_accumulator_value = number(initial_accumulator_value, "Ftrl: initial_accumulator_value", 0)
        self.l1_regularization_strength = number(l1_regularization_strength, "Ftrl: l1_regularization_strength", 0)
        self.l2_regularization_strength = number(l2_regularization_strength, "Ftrl: l2_regularization_strength", 0)
        self.l2_shrinkage_regularization_strength = number(l2_shrinkage_regularization_strength,
                                                           "Ftrl: l2_shrinkage_regularization_strength", 0)
        self.beta = number(beta, "Ftrl: beta", 0)

    def initial_slot(self, name: str) -> float:
        """initial_accumulator_value; 0 of the other."""
        return self.initial_accumulator_value if name == "accumulator" else 0.0

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """The formula, in ops; where a, lr and l2 leave nothing to divide by, w is 0."""
        a, z, l1 = slots["accumulator"], slots["linear"], self.l1_regularization_strength
        grown = a + ops.square(g)
        root = ops.power(grown, -self.learning_rate_power)
        pull = (root - ops.power(a, -self.learning_rate_power)) / lr
        copy(z, z + g + w * (2 * self.l2_shrinkage_regularization_strength) - pull * w)
        weight = (root + self.beta) / lr + 2 * self.l2_regularization_strength
        copy(w, ops.divide_no_nan(ops.clip(z, -l1, l1) - z, weight))
        copy(a, grown)
