"""The ops as users write them: axis arguments, numbers mixed with tensors, broadcasting made visible. Floor 2.

Each function picks rows of the op tables; kernels themselves never broadcast.
"""

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor, operators
from fastnn.errors import ShapeError
from fastnn.ops._assign import assign, assign_add
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import activation, compare, data, elementwise, reduce, stacking
from fastnn.ops.rows.dense import add_bias
from fastnn.ops.rows.dense import matmul as matmul_row


def convert_to_tensor(x: TensorLike, dtype: str | None = None) -> Tensor:
    """A Tensor of an array, list or number; floatx unless dtype says otherwise."""
    return as_tensor(x, dtype or "float")


def shape(x: TensorLike) -> tuple[int | None, ...]:
    """The shape; None for axes that are not known yet."""
    return tuple(as_tensor(x, "any").shape)


def broadcast_to(x: TensorLike, shape: Sequence[int | None]) -> Tensor:
    """x repeated to `shape`: axes are added in front, axes of length 1 are repeated."""
    x, shape = as_tensor(x, "any"), tuple(shape)
    if tuple(x.shape) == shape:
        return x
    lead = len(shape) - x.ndim
    axes = [i for i in range(len(shape)) if i < lead or (x.shape[i - lead] == 1 and shape[i] != 1)]
    kept = tuple(n for i, n in enumerate(x.shape) if i + lead not in axes)
    if lead < 0 or any(n != shape[i] for i, n in zip([i for i in range(len(shape)) if i not in axes], kept)):
        raise ShapeError(f"broadcast_to: got shape {x.shape}; cannot become {shape}.")
    flat = x if len(kept) == x.ndim else data.reshape(x, shape=tuple(-1 if n is None else n for n in kept))
    return reduce.expand(flat, shape=shape, axes=tuple(axes))


def _pair(name: str, a: TensorLike, b: TensorLike) -> tuple[Tensor, Tensor]:
    """Both with one shape. Only one of the two may grow: (N,) with (N, 1) would silently become (N, N)."""
    a, b = as_tensor(a), as_tensor(b)
    if a.shape == b.shape:
        return a, b
    rank = builtins.max(a.ndim, b.ndim)
    left, right = (1,) * (rank - a.ndim) + tuple(a.shape), (1,) * (rank - b.ndim) + tuple(b.shape)
    common = tuple(n if m == 1 else m for m, n in zip(left, right))
    fits = builtins.all(m == n or 1 in (m, n) or None in (m, n) for m, n in zip(left, right))
    if not fits or (common != left and common != right) or (tuple(a.shape) != common and tuple(b.shape) != common):
        raise ShapeError(f"{name}: got shapes {a.shape} and {b.shape}; only one of the two may be repeated to fit the "
                         "other; reshape one of them.")
    return (broadcast_to(a, common), b) if tuple(b.shape) == common else (a, broadcast_to(b, common))


def _number(x: TensorLike) -> float | None:
    """The value of a plain number, which becomes a constant of the kernel."""
    return float(x) if isinstance(x, (int, float, np.number)) and not isinstance(x, bool) else None


def add(a: TensorLike, b: TensorLike) -> Tensor:
    """a + b. A vector that fits the last axis is added as a bias."""
    for x, y in ((a, b), (b, a)):
        if _number(y) is not None:
            return elementwise.add_constant(x, value=_number(y))
    a, b = as_tensor(a), as_tensor(b)
    if b.ndim == 1 and a.ndim > 1 and a.shape[-1] == b.shape[0]:
        return add_bias(a, b)
    return elementwise.add(*_pair("add", a, b))


def subtract(a: TensorLike, b: TensorLike) -> Tensor:
    """a - b."""
    first, second = _number(a), _number(b)
    if second is not None:
        return elementwise.add_constant(a, value=-second)
    if first is not None:
        return elementwise.add_constant(elementwise.negative(b), value=first)
    return elementwise.subtract(*_pair("subtract", a, b))


def multiply(a: TensorLike, b: TensorLike) -> Tensor:
    """a · b, element by element."""
    for x, y in ((a, b), (b, a)):
        if _number(y) is not None:
            return elementwise.scale(x, factor=_number(y))
    return elementwise.multiply(*_pair("multiply", a, b))


def divide(a: TensorLike, b: TensorLike) -> Tensor:
    """a / b, element by element."""
    number = _number(b)
    if number:
        return elementwise.scale(a, factor=1.0 / number)
    return elementwise.divide(*_pair("divide", a, b))


def maximum(a: TensorLike, b: TensorLike) -> Tensor:
    """The larger of two, element by element; a's at a tie."""
    return elementwise.maximum(*_pair("maximum", a, b))


def minimum(a: TensorLike, b: TensorLike) -> Tensor:
    """The smaller of two, element by element."""
    return elementwise.minimum(*_pair("minimum", a, b))


def greater(a: TensorLike, b: TensorLike) -> Tensor:
    """1 where a > b, else 0."""
    return compare.greater(*_pair("greater", a, b))


def equal(a: TensorLike, b: TensorLike) -> Tensor:
    """1 where a == b, else 0."""
    return compare.equal(*_pair("equal", a, b))


def where(condition: TensorLike, a: TensorLike, b: TensorLike) -> Tensor:
    """a where condition is not 0, else b."""
    a, b = _pair("where", a, b)
    condition = as_tensor(condition, "any")
    if condition.dtype != "bool":
        condition = elementwise.cast(condition, dtype="bool")
    return compare.where(broadcast_to(condition, a.shape), a, b)


def power(x: TensorLike, exponent: float) -> Tensor:
    """x to a constant power."""
    return elementwise.square(x) if exponent == 2 else elementwise.power(x, exponent=float(exponent))


def clip(x: TensorLike, x_min: float, x_max: float) -> Tensor:
    """x limited to [x_min, x_max]; the gradient is 0 outside."""
    return elementwise.clip(x, low=float(x_min), high=float(x_max))


def matmul(a: TensorLike, b: TensorLike) -> Tensor:
    """a b. a may have more axes than two; they are rows then."""
    a, b = as_tensor(a), as_tensor(b)
    if a.ndim > 2 and b.ndim == 2:
        rows = data.reshape(a, shape=(-1, a.shape[-1]))
        return data.reshape(matmul_row(rows, b), shape=(-1, *a.shape[1:-1], b.shape[1]))
    if a.ndim == 2 and b.ndim == 1:
        return data.reshape(matmul_row(a, data.reshape(b, shape=(b.shape[0], 1))), shape=(-1,))
    return matmul_row(a, b)


def _axes(x: Tensor, axis: Axes) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    wanted = axis if isinstance(axis, (tuple, list)) else (axis,)
    for a in wanted:
        if not -x.ndim <= a < x.ndim:
            raise ShapeError(f"axis {a} of a tensor of shape {x.shape}; needs an axis from {-x.ndim} to {x.ndim - 1}.")
    return tuple(sorted({a % x.ndim for a in wanted}))


def _reduced(op: Callable[..., Tensor], x: TensorLike, axis: Axes, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    axes = _axes(x, axis)
    y = op(x, axes=axes)
    if keepdims:
        y = data.reshape(y, shape=tuple(1 if i in axes else -1 if n is None else n for i, n in enumerate(x.shape)))
    return y


def sum(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The sum over all elements, or over an axis or several."""
    return _reduced(reduce.sum, x, axis, keepdims)


def mean(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The mean over all elements, or over an axis or several."""
    return _reduced(reduce.mean, x, axis, keepdims)


def max(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The largest element, or the largest along an axis or several."""
    return _reduced(reduce.max, x, axis, keepdims)


def min(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The smallest element, or the smallest along an axis or several."""
    return elementwise.negative(max(elementwise.negative(x), axis, keepdims))


def reshape(x: TensorLike, newshape: Sequence[int]) -> Tensor:
    """The same numbers in another shape; one -1 is worked out."""
    return data.reshape(as_tensor(x), shape=tuple(newshape))


def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order; reversed unless given."""
    x = as_tensor(x)
    return data.transpose(x, axes=tuple(axes) if axes is not None else tuple(range(x.ndim))[::-1])


def concatenate(xs: Sequence[Any], axis: int = -1) -> Tensor:
    """Tensors joined along an axis."""
    return stacking.concatenate(*(as_tensor(x) for x in xs), axis=axis)


def expand_dims(x: TensorLike, axis: int) -> Tensor:
    """An axis of length 1 more."""
    x = as_tensor(x)
    dims = [-1 if n is None else n for n in x.shape]
    dims.insert(axis if axis >= 0 else axis + x.ndim + 1, 1)
    return data.reshape(x, shape=tuple(dims))


def one_hot(x: TensorLike, num_classes: int) -> Tensor:
    """Rows with a 1 at the label."""
    return data.one_hot(as_tensor(x, "int32"), depth=num_classes)


def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """x where x > 0, else negative_slope·x."""
    return activation.leaky_relu(x, slope=float(negative_slope))


def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha·(exp(x) - 1)."""
    return activation.elu(x, alpha=float(alpha))


def getitem(x: Tensor, key: Any) -> Tensor:
    """x[key] for whole numbers and slices without a step."""
    keys = key if isinstance(key, tuple) else (key,)
    dropped = []
    for axis, k in enumerate(keys):
        size = x.shape[axis]
        if isinstance(k, int):
            begin = k + size if k < 0 else k
            end = begin + 1
            dropped.append(axis)
        elif isinstance(k, slice) and k.step in (None, 1):
            if k == slice(None):
                continue
            begin, end, _ = k.indices(size)
        else:
            raise TypeError(f"tensor[{key!r}]: needs whole numbers and slices without a step; use ops.gather or NumPy.")
        if not 0 <= begin <= end <= size:
            raise IndexError(f"tensor[{key!r}]: axis {axis} has length {size}.")
        x = data.slice(x, axis=axis, begin=begin, end=end)
    if dropped:
        x = data.reshape(x, shape=tuple(-1 if n is None else n for i, n in enumerate(x.shape) if i not in dropped))
    return x


def size(x: TensorLike) -> int:
    """How many elements."""
    return math.prod(n or 0 for n in as_tensor(x).shape)


operators.update({"+": add, "-": subtract, "*": multiply, "/": divide, "@": matmul, "**": power, "[]": getitem,
                  "-x": elementwise.negative, "|x|": elementwise.absolute, "=": assign, "+=": assign_add})
