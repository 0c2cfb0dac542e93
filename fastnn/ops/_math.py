"""Functions and sums that NumPy has not: what is `keras.ops`' own. Floor 2."""

import math

import numpy as np

from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.ops._arithmetic import add, exp, log, negative, subtract, unary
from fastnn.ops._compare import equal, isfinite, less, where
from fastnn.ops._convert import axes_of, axis_of, floats, ids, reshaped, tensor
from fastnn.ops._reduction import max, sum
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import data, functions, index

__all__ = ["erf", "erfc", "in_top_k", "logsumexp", "rsqrt", "segment_max", "segment_sum", "top_k"]

rsqrt = unary("rsqrt", functions.rsqrt)
erf = unary("erf", functions.erf)


def erfc(x: TensorLike) -> Tensor:
    """1 - erf(x)."""
    return subtract(1.0, erf(x))


@of_any_size
def logsumexp(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """ln Σ eˣ, without overflow."""
    x = floats(x)
    axes = axes_of(x, axis)
    highest: Tensor = data.stop_gradient(max(x, axis, keepdims=True))
    highest = where(isfinite(highest), highest, 0.0)  # type: ignore[assignment]
    y = add(log(sum(exp(subtract(x, highest)), axis, keepdims=True)), highest)
    return y if keepdims else reshaped(y, [n for i, n in enumerate(x.shape) if i not in axes])


def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest of each row, from the largest on, and their indices (int32)."""
    x = tensor(x)
    last = axis_of(x, -1)
    if not 0 <= k <= (x.shape[last] or k):
        raise ValueError(f"top_k: k is {k} and x {x.shape}; needs 0 <= k <= {x.shape[last]}.")
    places = data.slice(index.argsort(negative(x)), axis=last, begin=0, end=int(k))
    return index.take_along(x, places, axis=last), places


@of_any_size
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Whether the target's prediction is among the k largest of its row: fewer than k are larger."""
    predictions, targets = floats(predictions), ids(targets)
    own = index.take_along(predictions, reshaped(targets, (*targets.shape, 1)), axis=predictions.ndim - 1)
    return less(sum(less(own, predictions), axis=-1), k)


def segment_sum(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None,
                sorted: bool = False) -> Tensor:
    """y[k] = Σ data[i] over all i with segment_ids[i] = k."""
    rows, places = tensor(data), ids(segment_ids)
    count = int(places.numpy().max()) + 1 if num_segments is None else num_segments
    return index.take_grad(rows, places, axis=0, size=count)  # type: ignore[no-any-return]


def segment_max(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None,
                sorted: bool = False) -> Tensor:
    """y[k] = the largest data[i] over all i with segment_ids[i] = k; -∞ where there is none."""
    rows, places = floats(data), ids(segment_ids)
    count = int(places.numpy().max()) + 1 if num_segments is None else num_segments
    own = Tensor(np.arange(count, dtype=np.int32).reshape(-1, 1), constant=True)
    hit = reshaped(equal(own, places), (count, places.shape[0], *[1] * (rows.ndim - 1)))
    return max(where(hit, rows, -math.inf), axis=1)
