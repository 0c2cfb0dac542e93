"""Functions and sums that NumPy has not: what is `keras.ops`' own. Floor 2."""

import math
from typing import Any

import numpy as np

from fastnn.arguments import whole
from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._arithmetic import add, exp, log, negative, subtract, unary
from fastnn.ops._compare import equal, isfinite, less, less_equal, logical_and, where
from fastnn.ops._convert import axes_of, axis_of, floats, ids, reshaped, tensor
from fastnn.ops._reduction import length, max, min, prod, sum
from fastnn.ops._shaping import expand_dims
from fastnn.ops._sizes import by_rule, of_any_size, symbol
from fastnn.ops.rows import data as _data
from fastnn.ops.rows import functions, index

__all__ = [
    "cdist", "erf", "erfc", "in_top_k", "logsumexp", "rsqrt", "segment_max", "segment_min", "segment_prod",
    "segment_sum", "top_k",
]

rsqrt = unary("rsqrt", functions.rsqrt)
erf = unary("erf", functions.erf)


def erfc(x: TensorLike) -> Tensor:
    """1 - erf(x)."""
    return subtract(1.0, erf(x))


@of_any_size
def cdist(x: TensorLike, y: TensorLike) -> Tensor:
    """How far each vector of x is from each of y, √Σ(x - y)²: (…, m, d) and (…, n, d) → (…, m, n).

    >>> cdist([[0., 0.], [3., 4.]], [[0., 0.]]).numpy()
    array([[0.],
           [5.]], dtype=float32)
    """
    x, y = floats(x), floats(y)
    if few := [t.shape for t in (x, y) if t.ndim < 2]:
        raise ShapeError(f"cdist: got shape {few[0]}; needs (…, vectors, numbers).")
    return length(subtract(expand_dims(x, -2), expand_dims(y, -3)), -1)


@of_any_size
def logsumexp(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """ln Σ eˣ, without overflow."""
    x = floats(x)
    axes = axes_of(x, axis)
    highest: Tensor = _data.stop_gradient(max(x, axis, keepdims=True))
    highest = where(isfinite(highest), highest, 0.0)  # type: ignore[assignment]
    y = add(log(sum(exp(subtract(x, highest)), axis, keepdims=True)), highest)
    return y if keepdims else reshaped(y, [n for i, n in enumerate(x.shape) if i not in axes])


def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest of each row, from the largest on, and their indices (int32)."""
    x, k = tensor(x), whole(k, "top_k: k", None)
    last = axis_of(x, -1)
    if not 0 <= k <= (x.shape[last] or k):
        raise ValueError(f"top_k: k is {k} and x {x.shape}; needs 0 <= k <= {x.shape[last]}.")
    places = _data.slice(index.argsort(negative(x)), axis=last, begin=0, end=k)
    return index.take_along(x, places, axis=last), places


@of_any_size
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Whether the target's prediction is finite and among the k largest of its row: fewer than k are larger."""
    predictions, targets = floats(predictions), ids(targets)
    own = index.take_along(predictions, reshaped(targets, (*targets.shape, 1)), axis=predictions.ndim - 1)
    among = less(sum(less(own, predictions), axis=-1), whole(k, "in_top_k: k", None))
    return logical_and(among, isfinite(reshaped(own, targets.shape)))


def _counted(data: TensorLike, segment_ids: TensorLike, num_segments: int | None) -> tuple[Tensor, Tensor, int]:
    """The rows, the segment of each, num_segments for one that is none, and how many segments there are."""
    rows, places = tensor(data), ids(segment_ids)
    _check_leading(rows, places)
    count = int(places.numpy().max()) + 1 if num_segments is None else whole(num_segments, "num_segments", 0)
    inside = logical_and(less_equal(0, places), less(places, count))
    return rows, where(inside, places, count), count  # type: ignore[return-value]


def _check_leading(rows: Tensor, places: Tensor) -> None:
    if not rows.ndim or places.ndim != 1 or (rows.shape[0] != places.shape[0] and None not in (rows.shape[0],
                                                                                             places.shape[0])):
        raise ShapeError(f"segment: data are {rows.shape} and segment_ids {places.shape}; needs one number for each "
                         "row.")


def _of_segments(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None,
                 sorted: bool = False) -> Any:
    """How many segments there are depends on the numbers, unless it is said."""
    rows, places = tensor(data), tensor(segment_ids)
    _check_leading(rows, places)
    return symbol((num_segments, *rows.shape[1:]), rows.dtype)


@by_rule(_of_segments)
def segment_sum(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None,
                sorted: bool = False) -> Tensor:
    """y[k] = Σ data[i] over all i with segment_ids[i] = k; a row whose number is no segment's counts for none."""
    rows, places, count = _counted(data, segment_ids, num_segments)
    y = index.take_grad(rows, places, axis=0, size=count + 1)
    return _data.slice(y, axis=0, begin=0, end=count)  # type: ignore[no-any-return]


def _by_segments(rows: Tensor, places: Tensor, count: int, fill: float) -> Tensor:
    """(count, n, …): each row in its segment, `fill` in the others."""
    own = Tensor(np.arange(count, dtype=np.int32).reshape(-1, 1), constant=True)
    hit = reshaped(equal(own, places), (count, places.shape[0], *[1] * (rows.ndim - 1)))
    return where(hit, rows, fill)  # type: ignore[return-value]


def _limits(dtype: str) -> tuple[float, float]:
    """The smallest and the largest number of a dtype."""
    if dtype.startswith("float"):
        return -math.inf, math.inf
    return (False, True) if dtype == "bool" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))


@by_rule(_of_segments)
def segment_max(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None,
                sorted: bool = False) -> Tensor:
    """y[k] = the largest data[i] over all i with segment_ids[i] = k; -∞, or the least whole number, for none."""
    rows, places, count = _counted(data, segment_ids, num_segments)
    return max(_by_segments(rows, places, count, _limits(rows.dtype)[0]), axis=1)


@by_rule(_of_segments)
def segment_min(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None,
                sorted: bool = False) -> Tensor:
    """y[k] = the smallest data[i] over all i with segment_ids[i] = k; ∞, or the largest whole number, for none."""
    rows, places, count = _counted(data, segment_ids, num_segments)
    return min(_by_segments(rows, places, count, _limits(rows.dtype)[1]), axis=1)


@by_rule(_of_segments)
def segment_prod(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None,
                 sorted: bool = False) -> Tensor:
    """y[k] = Π data[i] over all i with segment_ids[i] = k; 1 where there is none."""
    rows, places, count = _counted(data, segment_ids, num_segments)
    return prod(_by_segments(rows, places, count, 1), axis=1)
