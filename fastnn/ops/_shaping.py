"""Shapes: other ones for the same numbers, arrays put together, cut, turned and repeated. Floor 2."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, shown
from fastnn.ops._convert import alike, axes_of, axis_of, broadcast_to, is_one, reshaped, tensor, whole_numbers
from fastnn.ops._sizes import FUNCTIONS, by_rule, of_any_size, symbol
from fastnn.ops.rows import data, image, index, stacking

__all__ = [
    "append", "concatenate", "expand_dims", "flip", "meshgrid", "moveaxis", "ndim", "pad",
    "ravel", "repeat", "reshape", "roll", "rot90", "size", "squeeze", "stack", "swapaxes", "tile",
    "transpose",
]


def ndim(x: TensorLike) -> int:
    """How many axes."""
    return tensor(x).ndim


def size(x: TensorLike) -> Any:
    """How many elements; a symbolic tensor where an axis is not known yet."""
    x = tensor(x)
    return _counted(x) if None in x.shape else math.prod(x.shape)


@by_rule(lambda x: symbol((), "int32"))
def _counted(x: Tensor) -> Tensor:
    return Tensor(np.array(math.prod(x.shape), np.int32))


def reshape(x: TensorLike, newshape: int | Sequence[int | None] | Tensor) -> Tensor:
    """The same numbers in another shape; one -1 is worked out. A None, from a shape with an axis that is not known yet,
    is the one such axis of x. ShapeError where x has several and the None does not follow from the rest. In a graph
    sizes may be computed: symbolic tensors, which data say; a step that reads them runs eagerly."""
    x = tensor(x)
    if isinstance(newshape, Tensor) and newshape.symbolic and newshape.ndim:
        newshape = [newshape[i] for i in range(newshape.shape[0])]
    if isinstance(newshape, (list, tuple)) and any(isinstance(n, Tensor) and n.symbolic for n in newshape):
        return _reshaped_by(x, newshape)
    if not isinstance(newshape, (list, tuple)) or None not in newshape:
        return reshaped(x, whole_numbers("reshape", newshape))
    sizes: list[int | None] = list(newshape)
    if sizes.count(None) + sizes.count(-1) == 1:
        return reshaped(x, sizes)
    if x.shape.count(None) != 1 or sizes.count(None) != 1:
        raise ShapeError(f"reshape: x is {x.shape} and the shape {tuple(sizes)}; needs to know which size each None "
                         "is; reshape in a layer's call, where all are known.")
    return _reshaped_as(x, sizes, x.shape.index(None))


@by_rule(lambda x, sizes: symbol([n if type(n) is int and n >= 0 else None for n in sizes], x.dtype))
def _reshaped_by(x: Tensor, sizes: Sequence[Any]) -> Tensor:
    """x in a shape whose sizes are numbers that the data say."""
    return reshape(x, whole_numbers("reshape", sizes))


@of_any_size
def _reshaped_as(x: Tensor, sizes: Sequence[int | None], axis: int) -> Tensor:
    """x in a shape in which None is the size of this axis."""
    return reshaped(x, [x.shape[axis] if n is None else n for n in sizes])


def ravel(x: TensorLike) -> Tensor:
    """All elements in a row."""
    return reshaped(tensor(x), (-1,))


def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order; reversed unless given."""
    x = tensor(x)
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(axis_of(x, a) for a in axes)
    return x if order == tuple(range(x.ndim)) else data.transpose(x, axes=order)  # type: ignore[no-any-return]


def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Two axes in each other's place."""
    x = tensor(x)
    order = list(range(x.ndim))
    a, b = axis_of(x, axis1), axis_of(x, axis2)
    order[a], order[b] = b, a
    return transpose(x, order)


def moveaxis(x: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Axes put in other places; the rest keep their order."""
    x = tensor(x)
    begin, end = ([axis_of(x, a) for a in ([each] if is_one(each) else each)]  # type: ignore[list-item, union-attr]
                  for each in (source, destination))
    order = [i for i in range(x.ndim) if i not in begin]
    for place, axis in sorted(zip(end, begin, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


@of_any_size
def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """Axes of length 1 more, in these places of the result."""
    x = tensor(x)
    wanted = [axis] if is_one(axis) else list(axis)  # type: ignore[arg-type]
    places = {axis_of(x, a, len(wanted)) for a in wanted}
    rest = iter(x.shape)
    return reshaped(x, [1 if i in places else next(rest) for i in range(x.ndim + len(wanted))])


def squeeze(x: TensorLike, axis: int | Sequence[int] | None = None) -> Tensor:
    """Without the axes of length 1, all or these. In a graph an axis that is not known yet stays unless it is named, so
    that one sample keeps its batch. ShapeError for one that is longer."""
    x = tensor(x)
    return _squeezed(x, [i for i, n in enumerate(x.shape) if n == 1] if axis is None else axis)


@of_any_size
def _squeezed(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    places = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else list(axes_of(x, axis))
    if any(x.shape[i] not in (1, None) for i in places):
        raise ShapeError(f"squeeze: x is {x.shape} and axis {axis}; needs axes of length 1; choose another.")
    return reshaped(x, [n for i, n in enumerate(x.shape) if i not in places])


FUNCTIONS["squeeze"] = FUNCTIONS["_squeezed"]       # in models that were saved by that name


def concatenate(xs: Sequence[TensorLike], axis: int | None = 0) -> Tensor:
    """Arrays one after the other along an axis, in the widest of their dtypes; all in a row for None."""
    made = alike(*xs) if axis is not None else [ravel(x) for x in alike(*xs)]
    axis = axis or 0
    return stacking.concatenate(*made, axis=axis_of(made[0], axis))  # type: ignore[no-any-return]


def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """x2 after x1 along the axis; both in a row for None."""
    return concatenate([ravel(x1), ravel(x2)]) if axis is None else concatenate([x1, x2], axis)


def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Arrays of one shape along a new axis."""
    made = alike(*x)
    return stacking.stack(*made, axis=axis_of(made[0], axis, 1))  # type: ignore[no-any-return]


def taken(x: Tensor, places: Any, axis: int) -> Tensor:
    """x's elements at these places along an axis, known now."""
    numbers = Tensor(np.asarray(places, np.int32), constant=True)
    y: Tensor = index.take(x, numbers, axis=axis)
    return y


@of_any_size
def flip(x: TensorLike, axis: int | Sequence[int] | None = None) -> Tensor:
    """In reverse order along these axes, all for None."""
    x = tensor(x)
    for place in axes_of(x, axis):
        if x.shape[place]:
            x = taken(x, np.arange(x.shape[place])[::-1], place)
    return x


@of_any_size
def roll(x: TensorLike, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Tensor:
    """Elements moved on by `shift` places along the axis; what falls off comes in again. All in a row for None."""
    x = tensor(x)
    if axis is None:
        return reshaped(roll(ravel(x), shift, 0), x.shape)
    axes = [axis] if is_one(axis) else list(axis)  # type: ignore[arg-type]
    shifts = [shift] * len(axes) if is_one(shift) else list(shift)  # type: ignore[arg-type]
    for by, a in zip(shifts, axes, strict=True):
        place = axis_of(x, a)
        if x.shape[place]:
            x = taken(x, np.roll(np.arange(x.shape[place]), by), place)
    return x


@of_any_size
def repeat(x: TensorLike, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Each element so many times along the axis; of all elements in a row for None."""
    x = tensor(x)
    if axis is None:
        x, axis = ravel(x), 0
    place, times = axis_of(x, axis), np.asarray(whole_numbers("repeat", repeats))
    if times.size not in (1, x.shape[place]):
        raise ShapeError(f"repeat: x is {x.shape} and repeats has {times.size} numbers; needs one, or one for each "
                         f"element along axis {place}.")
    return taken(x, np.repeat(np.arange(x.shape[place]), times), place)


@of_any_size
def tile(x: TensorLike, repeats: int | Sequence[int]) -> Tensor:
    """The whole of x so many times along each axis."""
    x = tensor(x)
    times = whole_numbers("tile", repeats)
    times = [1] * (x.ndim - len(times)) + times
    x = reshaped(x, [1] * (len(times) - x.ndim) + list(x.shape))
    if 0 in times:
        return data.slice(x, axis=times.index(0), begin=0, end=0) if x.ndim == 1 else broadcast_to(
            data.slice(x, axis=times.index(0), begin=0, end=0), [n * t for n, t in zip(x.shape, times)])
    wide = broadcast_to(reshaped(x, [d for n in x.shape for d in (1, n)]),
                        [d for n, t in zip(x.shape, times) for d in (t, n)])
    return reshaped(wide, [None if n is None else n * t for n, t in zip(x.shape, times)])


@of_any_size
def pad(x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Tensor:
    """x with borders: a number for all, (before, after), or such a pair for each axis. mode: "constant" (0 unless
    given), "reflect" (the edge once), "symmetric" (the edge twice), "edge"."""
    x = tensor(x)
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    if widths.dtype.kind not in "iu":
        raise KindError(f"pad: pad_width is {shown(pad_width)}; needs whole numbers.")
    if mode not in ("constant", "reflect", "symmetric", "edge") or (mode != "constant" and constant_values is not None):
        raise ValueError(f"pad: got mode {shown(mode)} and constant_values {shown(constant_values)}; needs 'constant', "
                         "'reflect', 'symmetric' or 'edge', and a value for 'constant' only.")
    if mode == "constant" and x.dtype.startswith("float"):
        return image.pad(x, before=tuple(int(n) for n in widths[:, 0]),  # type: ignore[no-any-return]
                         after=tuple(int(n) for n in widths[:, 1]), value=float(constant_values or 0))
    for axis, (before, after) in enumerate(widths.tolist()):
        if before or after:
            if mode == "constant":
                edges = [broadcast_to(np.asarray(constant_values or 0).astype(x.dtype),
                                      [n if i == axis else m for i, m in enumerate(x.shape)]) for n in (before, after)]
                x = concatenate([edges[0], x, edges[1]], axis)
            else:
                x = taken(x, np.pad(np.arange(x.shape[axis]), (before, after), mode=mode), axis)  # type: ignore
    return x


@of_any_size
def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[Tensor]:
    """Vectors as a grid: each repeated along the axes of the others; "xy" swaps the first two axes, "ij" does not."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing is {shown(indexing)}; needs 'xy' or 'ij'.")
    vectors = [ravel(each) for each in x]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        order[:2] = [1, 0]
    grid = [0] * len(vectors)
    for i, v in enumerate(vectors):
        grid[order[i]] = v.shape[0]
    return [broadcast_to(reshaped(v, [v.shape[0] if order[i] == j else 1 for j in range(len(grid))]), grid)
            for i, v in enumerate(vectors)]


@of_any_size
def rot90(array: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Turned by 90 degrees k times, from the first of the axes towards the second."""
    x = tensor(array)
    a, b = (axis_of(x, axis) for axis in axes)
    if a == b:
        raise ValueError(f"rot90: axes are {axes}; needs two axes, to turn from one towards the other.")
    (k,) = whole_numbers("rot90", k)
    if k % 4 == 0:
        return x
    if k % 4 == 2:
        return flip(x, (a, b))
    return swapaxes(flip(x, b), a, b) if k % 4 == 1 else flip(swapaxes(x, a, b), b)


def channels_moved(name: str, x: Tensor, data_format: str | None, source: int, destination: int) -> Tensor:
    """x, and where data_format is "channels_first" with the axis of channels in the other place."""
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(f"{name}: got data_format {shown(data_format)}; needs 'channels_last' or 'channels_first'.")
    return moveaxis(x, source, destination) if data_format == "channels_first" else x
