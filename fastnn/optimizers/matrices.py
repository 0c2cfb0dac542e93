"""Optimizers that look at a weight as a matrix: Adafactor and Muon, in ops. Floor 3."""

import re
from collections.abc import Sequence
from typing import Unpack

from fastnn import ops
from fastnn.arguments import flag, number, optional, share, whole
from fastnn.engine.kinds import Rate
from fastnn.engine.tensor import Tensor, Variable
from fastnn.ops._reduction import root_mean_square
from fastnn.ops.rows.data import copy
from fastnn.ops.rows.optimizer import adam_step
from fastnn.optimizers._options import DecayedOptions, OptimizerOptions
from fastnn.optimizers.moments import steps
from fastnn.optimizers.optimizer import Optimizer, patterns

__all__ = ["Adafactor", "Muon"]


class Adafactor(Optimizer):
    """Adam's second moment of a matrix from its row and column means alone, without a first moment.

    β = 1 - t^beta_2_decay; r, c: means of g² + epsilon_1 over rows and columns, averaged with β; v = r·c / mean(r) (for
    fewer than two axes v itself is averaged); u = g / sqrt(v), divided by max(1, rms(u) / clip_threshold);
    w -= max(epsilon_2, rms(w)) · min(lr, 1/sqrt(t)) · u. relative_step changes nothing, as in Keras: 1/sqrt(t) is the
    limit either way. learning_rate=0.001, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3, clip_threshold=1.0.
    Shazeer & Stern 2018.
    """
    slots = ("row", "column", "velocity")
    apart = True

    def __init__(self, learning_rate: Rate = 0.001, beta_2_decay: float = -0.8, epsilon_1: float = 1e-30,
                 epsilon_2: float = 1e-3, clip_threshold: float = 1.0, relative_step: bool = True,
                 **kwargs: Unpack[OptimizerOptions]) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_2_decay = number(beta_2_decay, "Adafactor: beta_2_decay", high=0)
        self.epsilon_1 = number(epsilon_1, "Adafactor: epsilon_1", 1e-38)
        self.epsilon_2 = number(epsilon_2, "Adafactor: epsilon_2", 0)
        self.clip_threshold = number(clip_threshold, "Adafactor: clip_threshold", 0, above=True)
        self.relative_step = flag(relative_step, "Adafactor: relative_step")

    def slot_shape(self, name: str, variable: Variable) -> tuple[int, ...]:
        """Means over the last axis, over the one before it; the velocity only where there are none."""
        shape = tuple(variable.shape)
        if len(shape) < 2:
            return shape if name == "velocity" else (0,)
        return {"row": shape[:-1], "column": (*shape[:-2], shape[-1]), "velocity": (0,)}[name]

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """The formula, in ops."""
        t = steps(iterations)
        rate = ops.maximum(root_mean_square(w), self.epsilon_2) * ops.minimum(lr, ops.rsqrt(t))
        rest = ops.exp(ops.log(t) * self.beta_2_decay)      # 1 - β
        square = ops.square(g) + self.epsilon_1
        if len(w.shape) < 2:
            v = _averaged(slots["velocity"], square, rest)
        else:
            r = _averaged(slots["row"], ops.mean(square, axis=-1), rest)
            c = _averaged(slots["column"], ops.mean(square, axis=-2), rest)
            v = ops.expand_dims(r / ops.mean(r, axis=-1, keepdims=True), -1) * ops.expand_dims(c, -2)
        u = g / ops.sqrt(v)
        copy(w, w - u / ops.maximum(root_mean_square(u) * (1 / self.clip_threshold), 1.0) * rate)


def _averaged(slot: Tensor, value: Tensor, rest: Tensor) -> Tensor:
    """slot = (1 - rest)·slot + rest·value."""
    copy(slot, slot * (1.0 - rest) + value * rest)
    return slot


class Muon(Optimizer):
    """Momentum whose matrix is made orthogonal before each step: m = momentum·m + g; x = g + momentum·m (nesterov, else
    m), x / ‖x‖, then ns_steps times x = a·x + (b·A + c·A²)·x with A = x·xᵀ; w -= lr·x·sqrt(longer side)·rms_rate.

    Other weights than matrices, embeddings (exclude_embeddings) and those in whose path one of exclude_layers is found
    (regular expressions) take a step of Adam with lr·adam_lr_ratio, adam_beta_1, adam_beta_2, epsilon and
    adam_weight_decay. rms_rate=None: without the last two factors. Jordan et al. 2024. Source: keras.optimizers.Muon.
    """
    slots = ("momentum", "velocity")
    apart = True

    def __init__(self, learning_rate: Rate = 0.001, adam_beta_1: float = 0.9, adam_beta_2: float = 0.999,
                 adam_weight_decay: float | None = 0.004, epsilon: float = 1e-7, weight_decay: float | None = 0.004,
                 exclude_layers: Sequence[str] | None = None, exclude_embeddings: bool = True, muon_a: float = 3.4445,
                 muon_b: float = -4.7750, muon_c: float = 2.0315, adam_lr_ratio: float = 1.0, momentum: float = 0.95,
                 ns_steps: int = 5, nesterov: bool = True, rms_rate: float | None = 0.2,
                 **kwargs: Unpack[DecayedOptions]) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.adam_beta_1 = share(adam_beta_1, "Muon: adam_beta_1")
        self.adam_beta_2 = share(adam_beta_2, "Muon: adam_beta_2")
        self.adam_weight_decay = optional(number, adam_weight_decay, "Muon: adam_weight_decay", 0)
        self.epsilon = number(epsilon, "Muon: epsilon", 1e-38)
        self.exclude_layers = patterns(exclude_layers, "Muon: exclude_layers")
        self.exclude_embeddings = flag(exclude_embeddings, "Muon: exclude_embeddings")
        self.muon_a, self.muon_b = number(muon_a, "Muon: muon_a"), number(muon_b, "Muon: muon_b")
        self.muon_c = number(muon_c, "Muon: muon_c")
        self.adam_lr_ratio = number(adam_lr_ratio, "Muon: adam_lr_ratio", 0)
        self.momentum = number(momentum, "Muon: momentum", 0, 1)
        self.ns_steps = whole(ns_steps, "Muon: ns_steps")
        self.nesterov = flag(nesterov, "Muon: nesterov")
        self.rms_rate = optional(number, rms_rate, "Muon: rms_rate", 0)

    def by_adam(self, variable: Variable) -> bool:
        """Whether Adam's rule is for this weight."""
        path = variable.path
        return (len(variable.shape) != 2 or (self.exclude_embeddings and "embedding" in path.lower())
                or any(re.search(pattern, path) for pattern in self.exclude_layers))

    def slot_shape(self, name: str, variable: Variable) -> tuple[int, ...]:
        """Momentum for all, a second moment for Adam's."""
        return tuple(variable.shape) if name == "momentum" or self.by_adam(variable) else (0,)

    def decay_of(self, variable: Variable) -> float | None:
        """The weight decay of a variable."""
        return self.adam_weight_decay if self.by_adam(variable) and not self.excluded(variable) else super().decay_of(
            variable)

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """adam_step, or the formula, in ops."""
        m = slots["momentum"]
        if isinstance(w, Variable) and self.by_adam(w):
            adam_step(w, g, m, slots["velocity"], lr * self.adam_lr_ratio, iterations, beta_1=self.adam_beta_1,
                      beta_2=self.adam_beta_2, epsilon=self.epsilon)
            return
        copy(m, m * self.momentum + g)
        x = self._orthogonal(g + m * self.momentum if self.nesterov else m)
        factor = 1.0 if self.rms_rate is None else max(w.shape) ** 0.5 * self.rms_rate
        copy(w, w - x * factor * lr)

    def _orthogonal(self, x: Tensor) -> Tensor:
        """A matrix whose singular values are all near 1, with the singular vectors of x (Newton and Schulz)."""
        tall = x.shape[0] > x.shape[1]
        x = ops.transpose(x) if tall else x
        x = x / (ops.norm(x) + 1e-7)
        for _ in range(self.ns_steps):
            square = ops.matmul(x, ops.transpose(x))
            x = x * self.muon_a + ops.matmul(square * self.muon_b + ops.matmul(square, square) * self.muon_c, x)
        return ops.transpose(x) if tall else x
