"""Stochastic gradient descent. Floor 3."""

from typing import Unpack

from fastnn.arguments import flag, number
from fastnn.engine.kinds import Rate
from fastnn.engine.tensor import Tensor
from fastnn.ops.rows.optimizer import momentum_step, sgd_step
from fastnn.optimizers._options import OptimizerOptions
from fastnn.optimizers.optimizer import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """w -= lr·g; with momentum v = momentum·v - lr·g, w += v; Nesterov: w += momentum·v - lr·g with the new v.

    learning_rate=0.01, momentum=0.0 (in [0, 1]), nesterov=False.
    """

    def __init__(self, learning_rate: Rate = 0.01, momentum: float = 0.0, nesterov: bool = False,
                 **kwargs: Unpack[OptimizerOptions]) -> None:
        super().__init__(learning_rate, **kwargs)
        self.momentum = number(momentum, "SGD: momentum", 0, 1)
        self.nesterov = flag(nesterov, "SGD: nesterov")
        self.slots = ("momentum",) if self.momentum else ()

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """sgd_step, or momentum_step."""
        if self.momentum:
            momentum_step(w, g, slots["momentum"], lr, momentum=self.momentum, nesterov=self.nesterov)
        else:
            sgd_step(w, g, lr)
