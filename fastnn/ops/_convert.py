"""What every public op does first: values to tensors, two dtypes to one, two shapes to one. Floor 2.

Tensors and arrays keep their dtype, but floats are floatx; Python's numbers take the dtype of what they meet. Of two
dtypes the wider one holds: bool, uint8, int32, int64, floats.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.context import is_recording
from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, shown
from fastnn.ops._op import WIDENING
from fastnn.ops._sizes import by_rule, has_unknown, of_any_size, symbol
from fastnn.ops.rows import data, reduce
from fastnn.ops.rows.elementwise import cast
from fastnn.ops.rows.whole import WHOLE

__all__ = ["broadcast_to"]

DTYPES = {"float": None, "int": "int32", "int8": "int32", "int16": "int32", "uint16": "int32", "uint32": "int64",
          "float16": None, "bfloat16": None, **{name: name for name in WIDENING}}


def dtype_of(dtype: Any) -> str:
    """The name of a dtype that fastnn has: halves are floatx, small whole numbers int32. ValueError for others.

    float64 is kept, but where floatx is float32 what is computed of it is float32."""
    name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    if name not in DTYPES:
        raise ValueError(f"got dtype {shown(dtype)}; needs one of {', '.join(WIDENING)}; choose one of these.")
    return DTYPES[name] or backend.floatx()


def tensor(x: TensorLike) -> Tensor:
    """x as a Tensor that keeps its dtype: floats are floatx, whole numbers of lists int32 where they fit."""
    if isinstance(x, Tensor):
        return x
    array = np.asarray(x)
    kind = array.dtype.kind
    if kind not in "fiub":
        if isinstance(x, int):
            raise ValueError(_too_large(x, "int64"))
        raise TypeError(f"got {shown(x)}; needs numbers; convert it, or take the numbers out.")
    if array.dtype == np.uint64 and array.size and array.max() >= 2 ** 63:
        raise ValueError(_too_large(array.max(), "int64"))
    if kind == "f":
        dtype: Any = backend.floatx()
    elif kind == "b" or array.dtype == np.uint8 or (isinstance(x, (np.ndarray, np.generic)) and array.itemsize == 8):
        dtype = np.int64 if array.dtype == np.uint64 else array.dtype
    else:
        fits = not array.size or (array.min() >= -2 ** 31 and array.max() < 2 ** 31)
        dtype = np.int32 if fits else np.int64
    return Tensor(np.require(array, dtype=dtype, requirements=["C", "A"]), constant=True)


def floats(x: TensorLike) -> Tensor:
    """x as a Tensor of floats."""
    x = tensor(x)
    return x if x.dtype.startswith("float") else cast(x, dtype=backend.floatx())


def ids(x: TensorLike) -> Tensor:
    """x as a Tensor of int32: indices. KindError for fractions, where they are known now."""
    x = tensor(x)
    if x.dtype.startswith("float") and x.data is not None and not is_recording() and (x.data != np.floor(x.data)).any():
        raise KindError(f"got {shown(x.data)} for indices; needs whole numbers.\nOr round them first: ops.round(x).")
    return x if x.dtype == "int32" else cast(x, dtype="int32")


def widened(x: Tensor, dtype: str) -> Tensor:
    """x in another dtype; itself where it has it."""
    return x if x.dtype == dtype else cast(x, dtype=dtype)


def is_number(x: Any) -> bool:
    """Whether x is a number of Python or NumPy's, which has no dtype of its own."""
    return isinstance(x, (int, float, np.number, np.bool_)) and not isinstance(x, np.ndarray)


def is_one(x: Any) -> bool:
    """Whether x is one whole number, a tensor or an array without axes too, and no sequence of them."""
    return hasattr(x, "__index__") and not getattr(x, "ndim", 0)


def whole_numbers(name: str, values: Any) -> list[int]:
    """One whole number or several as a list: sizes, places, counts. KindError for what is none: nothing is cut off."""
    try:
        return [operator.index(n) for n in ([values] if is_one(values) else values)]
    except TypeError:
        raise KindError(f"{name}: got {shown(values)}; needs whole numbers; round them, as by // or int().") from None


def number_like(value: Any, like: str) -> Tensor:
    """A number as a 0-d tensor of the dtype of what it meets, or the narrowest one above that holds it."""
    dtype = like
    if isinstance(value, (float, np.floating)) and like in WHOLE:
        dtype = backend.floatx()
    elif not isinstance(value, (bool, np.bool_)) and like == "bool":
        dtype = "int32"
    if dtype in WHOLE and dtype != "bool" and not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
        raise ValueError(_too_large(value, dtype))
    return Tensor(np.array(value).astype(dtype), constant=True)


def _too_large(value: Any, dtype: str) -> str:
    bounds = np.iinfo(dtype)
    return (f"got {shown(int(value))} for numbers of {dtype}; needs a whole number from {bounds.min} to {bounds.max}; "
            "cast the tensor it meets to floats, or to a wider dtype.")


def alike(*xs: TensorLike) -> list[Tensor]:
    """All as tensors of the widest dtype among them."""
    known = [x for x in xs if not is_number(x)]
    made = [tensor(x) for x in known] or [tensor(xs[0])]
    widest = max((t.dtype for t in made), key=WIDENING.index)
    found = [number_like(x, widest) if is_number(x) else tensor(x) for x in xs]
    widest = max((t.dtype for t in found), key=WIDENING.index)
    return [widened(t, widest) for t in found]


def common_shape(name: str, *shapes: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The shape to which all can be repeated, as in NumPy. ShapeError naming them."""
    rank = max(map(len, shapes))
    result: list[int | None] = []
    for sizes in zip(*[(1,) * (rank - len(s)) + tuple(s) for s in shapes]):
        wanted = {n for n in sizes if n != 1}
        known = wanted - {None}
        if len(known) > 1:
            given = " and ".join(str(tuple(s)) for s in shapes)
            raise ShapeError(f"{name}: got shapes {given}; needs axes that are equal or of length 1, counted from the "
                             "last one; reshape one of them.")
        result.append(known.pop() if known else None if wanted else 1)     # what is not known is repeated, or is it
    return tuple(result)


def broadcast_to(x: TensorLike, shape: Sequence[int | None]) -> Tensor:
    """x repeated to `shape`: axes are added in front, axes of length 1 are repeated. ShapeError where it does not fit.

    >>> broadcast_to([1., 2.], (3, 2)).shape
    (3, 2)
    """
    x, shape = tensor(x), tuple(shape)
    if tuple(x.shape) == shape:
        return x
    lead = len(shape) - x.ndim
    axes = [i for i in range(len(shape)) if i < lead or (x.shape[i - lead] == 1 and shape[i] != 1)]
    kept = tuple(n for i, n in enumerate(x.shape) if i + lead not in axes)
    rest = [n for i, n in enumerate(shape) if i not in axes]
    if lead < 0 or any(n != m and None not in (m, n) for m, n in zip(rest, kept)):
        raise ShapeError(f"broadcast_to: got shape {x.shape}; cannot become {shape}; reshape it first.")
    if any(m is None and n is not None for n, m in zip(rest, kept)):
        return _broadcast_unknown(x, shape)
    if not axes:
        return x
    flat = x if len(kept) == x.ndim else data.reshape(x, shape=tuple(-1 if n is None else n for n in kept))
    y: Tensor = reduce.expand(flat, shape=shape, axes=tuple(axes))
    return y


_broadcast_unknown = of_any_size(broadcast_to)


def together(name: str, *xs: TensorLike) -> list[Tensor]:
    """All in one dtype and one shape."""
    first = xs[0]
    if all(isinstance(x, Tensor) for x in xs) and all(
            x.shape == first.shape and x.dtype == first.dtype for x in xs[1:]):  # type: ignore[union-attr]
        return list(xs)  # type: ignore[arg-type]
    return fitted(name, alike(*xs))


def fitted(name: str, tensors: list[Tensor]) -> list[Tensor]:
    """All in one shape: repeated to fit."""
    shape = common_shape(name, *(t.shape for t in tensors))
    if None in shape and all(t.ndim == len(shape) and all(n == m or n != 1 for n, m in zip(t.shape, shape))
                             for t in tensors):
        return tensors      # nothing is repeated
    return _repeated(name, tensors)


def _in_one_shape(name: str, tensors: list[Tensor]) -> list[Tensor] | None:
    if not has_unknown(tensors):
        return None
    shape = common_shape(name, *(t.shape for t in tensors))
    return [symbol(shape, t.dtype) for t in tensors]


@by_rule(_in_one_shape)
def _repeated(name: str, tensors: list[Tensor]) -> list[Tensor]:
    shape = common_shape(name, *(t.shape for t in tensors))
    return [broadcast_to(t, shape) for t in tensors]


def axes_of(x: Tensor, axis: Axes) -> tuple[int, ...]:
    """The axes, counted from the front, in order; all for None. ShapeError for one that x does not have."""
    if axis is None:
        return tuple(range(x.ndim))
    wanted = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(sorted({axis_of(x, a) for a in wanted}))


def axis_of(x: Tensor, axis: Any, more: int = 0) -> int:
    """The axis, counted from the front, of x with `more` axes more."""
    rank = x.ndim + more
    if isinstance(axis, bool) or not is_one(axis):
        raise TypeError(f"axis is {shown(axis)}; needs a whole number.")
    if not -rank <= axis < rank:
        raise ShapeError(f"axis {axis} of a tensor of shape {x.shape}; needs an axis from {-rank} to {rank - 1}.")
    return int(axis) % rank


def known(shape: Sequence[int | None]) -> tuple[int, ...]:
    """The shape with -1 for what is not known, as reshape takes it."""
    return tuple(-1 if n is None else n for n in shape)


def reshaped(x: Tensor, shape: Sequence[int | None]) -> Tensor:
    """x in a shape in which one size may be None: whatever is left."""
    y: Tensor = data.reshape(x, shape=known(shape))
    return y
