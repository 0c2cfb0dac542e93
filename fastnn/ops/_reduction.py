"""Sums, means, extremes and counts over axes, and along one. axis: a number, several, or None for all. Floor 2."""

import builtins
import math
from typing import Any

from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._arithmetic import add, divide, maximum, minimum, multiply, negative, square, subtract
from fastnn.ops._compare import equal, less, not_equal
from fastnn.ops._convert import (
    alike,
    axes_of,
    axis_of,
    broadcast_to,
    dtype_of,
    floats,
    is_one,
    reshaped,
    tensor,
    widened,
)
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import data, index, reduce, whole
from fastnn.ops.rows.whole import WHOLE

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "count_nonzero", "cumprod", "cumsum", "digitize",
    "max", "mean", "min", "prod", "ptp", "std", "sum", "var",
]


@of_any_size
def _kept(y: Tensor, x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """y, with axes of length 1 where it was reduced if so asked."""
    return reshaped(y, [1 if i in axes else n for i, n in enumerate(x.shape)]) if keepdims else y


def _counted(x: Tensor) -> Tensor:
    """Small whole numbers as int32, in which their sums fit."""
    return widened(x, "int32") if x.dtype in ("bool", "uint8") else x


def sum(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Σ x."""
    x = _counted(tensor(x))
    axes = axes_of(x, axis)
    return _kept((whole.whole_sum if x.dtype in WHOLE else reduce.sum)(x, axes=axes), x, axes, keepdims)


def mean(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """(1/n) Σ x, in floats."""
    x = floats(x)
    axes = axes_of(x, axis)
    return _kept(reduce.mean(x, axes=axes), x, axes, keepdims)


def max(x: TensorLike, axis: Axes = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The largest x, and `initial` if given."""
    x = tensor(x)
    axes = axes_of(x, axis)
    if initial is not None and builtins.any(x.shape[a] == 0 for a in axes):
        shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
        return _kept(reduce.sum(floats(broadcast_to(initial, shape)), axes=axes), x, axes, keepdims)
    y = _kept((whole.whole_max if x.dtype in WHOLE else reduce.max)(x, axes=axes), x, axes, keepdims)
    if initial is None:
        return y
    return maximum(y, initial)


def min(x: TensorLike, axis: Axes = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The smallest x, and `initial` if given."""
    x = tensor(x)
    if x.dtype not in WHOLE:
        return negative(max(negative(x), axis, keepdims, None if initial is None else -initial))
    axes = axes_of(x, axis)
    y = _kept(whole.whole_min(x, axes=axes), x, axes, keepdims)
    return y if initial is None else minimum(y, initial)


amax, amin = max, min


def ptp(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """max(x) - min(x)."""
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


def any(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether any x is true."""
    x = widened(tensor(x), "bool")
    if 0 in [x.shape[a] for a in axes_of(x, axis)]:
        return not_equal(sum(x, axis, keepdims), 0)
    return max(x, axis, keepdims)


def all(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether all x are true."""
    x = widened(tensor(x), "bool")
    if 0 in [x.shape[a] for a in axes_of(x, axis)]:
        return equal(sum(x, axis, keepdims), 0)
    return min(x, axis, keepdims)


def count_nonzero(x: TensorLike, axis: Axes = None) -> Tensor:
    """How many x are not 0: int32."""
    return sum(not_equal(x, 0), axis)


def in_a_row(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """x with these axes at the end, as one."""
    order = [i for i in range(x.ndim) if i not in axes] + list(axes)
    moved = x if order == list(range(x.ndim)) else data.transpose(x, axes=tuple(order))
    kept = [moved.shape[i] for i in range(x.ndim - len(axes))]
    terms = math.prod(x.shape[a] for a in axes)
    y: Tensor = data.reshape(moved, shape=(*(-1 if n is None else n for n in kept), terms))
    return y


@of_any_size
def prod(x: TensorLike, axis: Axes = None, keepdims: bool = False, dtype: str | None = None) -> Tensor:
    """Π x."""
    x = _counted(tensor(x) if dtype is None else widened(tensor(x), dtype_of(dtype)))
    axes = axes_of(x, axis)
    flat = in_a_row(x, axes)
    last, size = flat.ndim - 1, flat.shape[-1]
    if size == 0:
        ones = add(reduce.sum(floats(flat), axes=(last,)), 1.0)
        return _kept(widened(ones, x.dtype), x, axes, keepdims)
    y = data.slice(index.cumprod(flat, axis=last), axis=last, begin=size - 1, end=size)
    return _kept(reshaped(y, flat.shape[:-1]), x, axes, keepdims)


def var(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """mean((x - mean(x))²)."""
    x = floats(x)
    return mean(square(subtract(x, mean(x, axis, keepdims=True))), axis, keepdims)


def std(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """√var(x)."""
    x = floats(x)
    return root_mean_square(subtract(x, mean(x, axis, keepdims=True)), axis, keepdims)


def root_mean_square(x: TensorLike, axis: Axes = None, keepdims: bool = False, epsilon: float = 0.0) -> Tensor:
    """√(mean(x²) + epsilon), also of numbers whose squares are too large or too small."""
    x = floats(x)
    axes = axes_of(x, axis)
    return _kept(reduce.root_mean_square(x, axes=axes, epsilon=float(epsilon)), x, axes, keepdims)


def length(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """√Σx², also of numbers whose squares are too large or too small."""
    x = floats(x)
    axes = axes_of(x, axis)
    return _kept(reduce.length(x, axes=axes), x, axes, keepdims)


@of_any_size
def _argument(x: TensorLike, axis: int | None, keepdims: bool) -> Tensor:
    x = tensor(x)
    along = x if axis is not None else reshaped(x, (-1,))
    place = axis_of(along, -1 if axis is None else axis)
    y: Tensor = reduce.argmax(in_a_row(floats(along), (place,)))
    return reshaped(y, [1 if axis is None or i == place else n for i, n in enumerate(x.shape)]) if keepdims else y


def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the largest x along the axis, of all x for None: the first at a tie, the first NaN if any. int32."""
    x = tensor(x)
    return _argument(equal(x, max(x, axis, keepdims=True)) if x.dtype in WHOLE else x, axis, keepdims)


def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest x along the axis, of all x for None: the first at a tie or of NaN. int32."""
    x = tensor(x)
    return _argument(equal(x, min(x, axis, keepdims=True)) if x.dtype in WHOLE else negative(x), axis, keepdims)


def _scanned(x: TensorLike, axis: int | None, dtype: str | None) -> tuple[Tensor, int]:
    x = tensor(x) if dtype is None else widened(tensor(x), dtype_of(dtype))
    x = _counted(x)
    if isinstance(axis, (tuple, list)) and len(axis) == 1:
        axis = axis[0]
    return (reshaped(x, (-1,)), 0) if axis is None else (x, axis_of(x, axis))


def cumsum(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Each element and all before it along the axis, added up; of all elements in a row for None."""
    x, place = _scanned(x, axis, dtype)
    return index.cumsum(x, axis=place, reverse=False)  # type: ignore[no-any-return]


def cumprod(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Each element and all before it along the axis, multiplied; of all elements in a row for None."""
    x, place = _scanned(x, axis, dtype)
    return index.cumprod(x, axis=place)  # type: ignore[no-any-return]


@of_any_size
def average(x: TensorLike, axis: Axes = None, weights: TensorLike | None = None) -> Tensor:
    """Σ w·x / Σ w; the mean without weights, which are of x's shape or one for each place along the axis."""
    if weights is None:
        return mean(x, axis)
    x, w = floats(x), floats(weights)
    if w.ndim == 1 < x.ndim and is_one(axis):
        w = reshaped(w, [w.shape[0] if i == axis_of(x, axis) else 1 for i in range(x.ndim)])
    w = broadcast_to(w, x.shape)
    return divide(sum(multiply(x, w), axis), sum(w, axis))


@of_any_size
def digitize(x: TensorLike, bins: Any) -> Tensor:
    """For each x how many of the increasing bins are at or below it: int32."""
    x, edges = alike(x, bins)
    if edges.ndim != 1:
        raise ShapeError(f"digitize: bins are {edges.shape}; needs a vector of increasing numbers.")
    wide = reshaped(x, (*x.shape, 1))
    return sum(equal(less(wide, edges), False), axis=-1)
