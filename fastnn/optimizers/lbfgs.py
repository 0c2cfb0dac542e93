"""L-BFGS for small full batches, in ops. Floor 3."""

from typing import ClassVar, Unpack

from fastnn import ops
from fastnn.arguments import whole
from fastnn.engine.kinds import Rate
from fastnn.engine.tensor import Tensor
from fastnn.ops.rows.data import copy
from fastnn.optimizers._options import OptimizerOptions
from fastnn.optimizers.optimizer import Optimizer

__all__ = ["LBFGS"]

CURVATURE = 0.9         # of the slope at the start, which a step may have at its end: Wolfe's second condition
SHORTEST, LONGEST = 0.1, 0.5        # of a step that was too long, for the next try


class LBFGS(Optimizer):
    """w += t·d, d = -H·g, with H the inverse Hessian as the last history_size steps s and changes y of the gradient
    tell it: the two loops of Nocedal 1980. For small networks and all rows in one batch: fit(…, batch_size=len(x)).

    Each training step asks for one gradient. Where the loss rises again at the end of w + t·d, more steeply than 0.9
    times the slope it began with, the step was too long: the next one tries a shorter t, where the slope would be 0 if
    it were a straight line. t is learning_rate (1.0) at first, and in the very first step at most 1/Σ|g|.
    Beyond Keras. Source: Nocedal & Wright, Numerical Optimization, chapter 7.
    """
    numbers: ClassVar[dict[str, float]] = {"length": 0.0}
    together = True

    def __init__(self, learning_rate: Rate = 1.0, history_size: int = 10, **kwargs: Unpack[OptimizerOptions]) -> None:
        super().__init__(learning_rate, **kwargs)
        if self.weight_decay:
            raise ValueError(f"LBFGS: weight_decay is {self.weight_decay:g}; needs None: decay is no part of the loss "
                             "whose curve it follows.\nUse kernel_regularizer=L2(…) in the layers, which is.")
        self.history_size = whole(history_size, "LBFGS: history_size", 1)
        pairs = [f"{kind}{i}" for i in range(self.history_size) for kind in ("s", "y")]
        self.slots = ("start", "gradient", "direction", *pairs)

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """Judge the step that led here; go on from here, or from its start once more."""
        start, before, d, t = slots["start"], slots["gradient"], slots["direction"], self._numbers["length"]
        first = ops.equal(iterations, 0)
        begun, ends = _dot(before, d), _dot(g, d)
        good = ops.logical_or(first, ops.less_equal(ends, ops.absolute(begun) * CURVATURE))     # NaN is none
        self._remember(slots, ops.where(good, w - start, 0.0), ops.where(good, g - before, 0.0), first)
        copy(start, ops.where(good, w, start))
        copy(before, ops.where(good, g, before))
        ahead = self._direction(slots, g)
        ahead = ops.where(ops.less(_dot(ahead, g), 0.0), ahead, ops.negative(g))
        copy(d, ops.where(good, ahead, d))
        near = ops.divide_no_nan(ops.negative(begun), ends - begun)
        near = ops.where(ops.isfinite(near), ops.clip(near, SHORTEST, LONGEST), SHORTEST)
        careful = ops.minimum(lr, ops.divide_no_nan(lr, ops.sum(ops.absolute(g))))
        copy(t, ops.where(good, ops.where(first, careful, lr), t * near))
        copy(w, start + d * t)

    def _remember(self, slots: dict[str, Tensor], s: Tensor, y: Tensor, first: Tensor) -> None:
        """Take a pair in where it says something: y·s > 0, so that H stays positive definite."""
        told = ops.logical_and(ops.greater(_dot(y, s), _dot(y, y) * 1e-10), ops.logical_not(first))
        for kind, newest in (("s", s), ("y", y)):
            own = [slots[f"{kind}{i}"] for i in range(self.history_size)]
            for older, newer in zip(own, [*own[1:], newest]):
                copy(older, ops.where(told, newer, older))

    def _direction(self, slots: dict[str, Tensor], g: Tensor) -> Tensor:
        """-H·g."""
        pairs = [(slots[f"s{i}"], slots[f"y{i}"]) for i in range(self.history_size)]
        weights = [ops.divide_no_nan(1.0, _dot(y, s)) for s, y in pairs]        # 0 for a pair that is not there yet
        q, shares = g, []
        for (s, y), weight in zip(pairs[::-1], weights[::-1]):
            shares.append(_dot(s, q) * weight)
            q = q - y * shares[-1]
        s, y = pairs[-1]
        known = ops.greater(_dot(y, y), 0.0)
        q = q * ops.where(known, ops.divide_no_nan(_dot(s, y), _dot(y, y)), 1.0)
        for (s, y), weight, part in zip(pairs, weights, shares[::-1]):
            q = q + s * (part - _dot(y, q) * weight)
        return ops.negative(q)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Σ a·b."""
    return ops.sum(a * b)
