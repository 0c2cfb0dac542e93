"""Elements by number, in order, above and below the diagonal; and put back. Floor 2."""

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.engine.program import is_recording
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._arithmetic import add, multiply, negative
from fastnn.ops._compare import equal, less, less_equal, where
from fastnn.ops._convert import alike, axis_of, broadcast_to, floats, ids, reshaped, tensor, widened
from fastnn.ops._reduction import sum
from fastnn.ops._shaping import concatenate, moveaxis, ravel, taken
from fastnn.ops.rows import data, index


def _within(name: str, places: Tensor, size: int | None) -> None:
    """IndexError for an index that is none, where the numbers are known now."""
    if places.data is None or size is None or is_recording() or not places.data.size:
        return
    low, high = int(places.data.min()), int(places.data.max())
    if low < -size or high >= size:
        wrong = high if high >= size else low
        raise IndexError(f"{name}: got index {wrong}; needs numbers from {-size} to {size - 1}.")


def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """x's elements with these numbers along the axis, of all elements in a row for None; below 0 from the end.

    IndexError for a number that there is none of; in a recorded step the nearest one is taken."""
    x = ravel(x) if axis is None else tensor(x)
    place, places = axis_of(x, axis or 0), ids(indices)
    _within("take", places, x.shape[place])
    return index.take(x, places, axis=place)  # type: ignore[no-any-return]


def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """For each place the element with its number along the axis: y[i, j] = x[i, indices[i, j]] for axis 1."""
    x, places = tensor(x), ids(indices)
    if axis is None:
        x, places, axis = ravel(x), ravel(places), 0
    place = axis_of(x, axis)
    _within("take_along_axis", places, x.shape[place])
    rest = [n if i == place or n != 1 else m for i, (n, m) in enumerate(zip(places.shape, x.shape))]
    return index.take_along(x, broadcast_to(places, rest), axis=place)  # type: ignore[no-any-return]


def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """The indices that sort x along the axis, equal numbers in their order, NaN last; of all in a row for None."""
    x = ravel(x) if axis is None else tensor(x)
    place = axis_of(x, -1 if axis is None else axis)
    return moveaxis(index.argsort(moveaxis(x, place, -1)), -1, place)


def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """x in increasing order along the axis, NaN last; all in a row for None."""
    x = ravel(x) if axis is None else tensor(x)
    place = axis_of(x, -1 if axis is None else axis)
    return index.take_along(x, argsort(x, place), axis=place)  # type: ignore[no-any-return]


def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest of each row, from the largest on, and their indices (int32)."""
    x = tensor(x)
    last = axis_of(x, -1)
    if not 0 <= k <= (x.shape[last] or k):
        raise ValueError(f"top_k: k is {k} and x {x.shape}; needs 0 <= k <= {x.shape[last]}.")
    places = data.slice(index.argsort(negative(x)), axis=last, begin=0, end=int(k))
    return index.take_along(x, places, axis=last), places


def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Whether the target's prediction is among the k largest of its row: fewer than k are larger."""
    predictions, targets = floats(predictions), ids(targets)
    own = index.take_along(predictions, reshaped(targets, (*targets.shape, 1)), axis=predictions.ndim - 1)
    return less(sum(less(own, predictions), axis=-1), k)


def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where in the increasing vector each value belongs: after what is smaller, or not larger for "right". int32."""
    ordered, v = alike(sorted_sequence, values)
    if ordered.ndim != 1 or side not in ("left", "right"):
        raise ValueError(f"searchsorted: got a sequence of shape {ordered.shape} and side {shown(side)}; needs a "
                         "vector, and 'left' or 'right'.")
    wide = reshaped(v, (*v.shape, 1))
    return sum(less(ordered, wide) if side == "left" else less_equal(ordered, wide), axis=-1)


def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each number from 0 on is in a row of x, or the sum of its weights; `minlength` numbers at least."""
    x = ids(x)
    if x.data is None:
        raise ValueError("bincount: x is symbolic; the result's length depends on its numbers; use one_hot and sum.")
    length = max(minlength, int(x.numpy().max()) + 1 if x.data.size else 0)
    w = broadcast_to(1, x.shape) if weights is None else tensor(weights)
    if x.ndim == 1:
        return index.take_grad(w, x, axis=0, size=length)  # type: ignore[no-any-return]
    hot = widened(widened(data.one_hot(x, depth=length), "bool"), w.dtype)
    return sum(multiply(hot, reshaped(w, (*w.shape, 1))), axis=-2)


def nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """The indices of what is not 0, a vector for each axis. Its length depends on numbers: it is not recorded."""
    return tuple(Tensor(np.ascontiguousarray(i, np.int32)) for i in np.nonzero(tensor(x).numpy()))


def unique(x: TensorLike) -> Tensor:
    """The different numbers in increasing order. Its length depends on numbers: it is not recorded."""
    return tensor(np.unique(tensor(x).numpy()))


def _places(x: Tensor, k: int) -> tuple[np.ndarray, Tensor]:
    rows, columns = x.shape[-2:]
    if rows is None or columns is None:
        raise ShapeError(f"tril, triu: x is {x.shape}; needs two known axes at the end.")
    kept = np.tri(rows, columns, k, dtype=bool)
    return kept, Tensor(kept, constant=True)


def tril(x: TensorLike, k: int = 0) -> Tensor:
    """x, with 0 above the diagonal that is k to the right of the main one."""
    x = tensor(x)
    return where(_places(x, k)[1], x, 0)  # type: ignore[return-value]


def triu(x: TensorLike, k: int = 0) -> Tensor:
    """x, with 0 below the diagonal that is k to the right of the main one."""
    x = tensor(x)
    return where(Tensor(~_places(x, k - 1)[0], constant=True), x, 0)  # type: ignore[return-value]


def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements on the diagonal that is `offset` to the right of the main one, along a new last axis."""
    x = tensor(x)
    x = moveaxis(x, (axis_of(x, axis1), axis_of(x, axis2)), (-2, -1))
    rows, columns = x.shape[-2:]
    along = np.arange(max(0, min(rows + min(offset, 0), columns - max(offset, 0))))
    flat = reshaped(x, (*x.shape[:-2], rows * columns))
    return taken(flat, (along - min(offset, 0)) * columns + along + max(offset, 0), flat.ndim - 1)


def diag(x: TensorLike, k: int = 0) -> Tensor:
    """A vector as a matrix's diagonal, k to the right of the main one; of a matrix that diagonal."""
    x = tensor(x)
    if x.ndim == 2:
        return diagonal(x, k)
    n = x.shape[0] + abs(k)
    along = np.arange(x.shape[0])
    places = Tensor(np.asarray((along - min(k, 0)) * n + along + max(k, 0), np.int32), constant=True)
    wide = widened(x, "int32") if x.dtype in ("bool", "uint8") else x
    return widened(reshaped(index.take_grad(wide, places, axis=0, size=n * n), (n, n)), x.dtype)


def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """All elements in a row as a diagonal."""
    return diag(ravel(x), k)


def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of the diagonal."""
    return sum(diagonal(x, offset, axis1, axis2), axis=-1)


def one_hot(x: TensorLike, num_classes: int, axis: int = -1, dtype: str | None = None, sparse: bool = False) -> Tensor:
    """1 at the number's place along a new axis, 0 elsewhere; only 0 for a number outside."""
    x = ids(x)
    y = data.one_hot(x, depth=int(num_classes))
    if axis not in (-1, x.ndim):
        y = moveaxis(y, -1, axis)
    from fastnn.ops._creation import cast
    return y if dtype is None else cast(y, dtype)


def multi_hot(inputs: TensorLike, num_classes: int, axis: int = -1, dtype: str | None = None,
              sparse: bool = False) -> Tensor:
    """1 at the place of each number of a row, 0 elsewhere."""
    from fastnn.ops._reduction import max as largest
    x = ids(inputs)
    return largest(one_hot(x, num_classes, axis, dtype), axis=max(x.ndim - 1, 0) if x.ndim > 1 else 0)


def _flat_places(indices: TensorLike, shape: Sequence[int]) -> Tensor:
    """(n, k) index rows as (n,) places in the first k axes of `shape`, those in a row."""
    places = ids(indices)
    k = places.shape[-1]
    strides = [math.prod(shape[i + 1:k]) for i in range(k)]
    return sum(multiply(places, Tensor(np.array(strides, np.int32), constant=True)), axis=-1)


def scatter(indices: TensorLike, values: TensorLike, shape: Sequence[int]) -> Tensor:
    """Zeros of `shape` with values added at the places that the rows of `indices` name."""
    places, values = _flat_places(indices, shape), tensor(values)
    k = ids(indices).shape[-1]
    y = index.take_grad(values, places, axis=0, size=math.prod(shape[:k]))
    return reshaped(y, shape)


def scatter_update(inputs: TensorLike, indices: TensorLike, updates: TensorLike) -> Tensor:
    """The inputs with the updates at the places that the rows of `indices` name, each place once."""
    inputs, updates = alike(inputs, updates)
    ones = broadcast_to(1.0, updates.shape)
    hit = less(0.0, scatter(indices, ones, inputs.shape))
    return where(hit, scatter(indices, updates, inputs.shape), inputs)  # type: ignore[return-value]


def slice(inputs: TensorLike, start_indices: Sequence[int], shape: Sequence[int]) -> Tensor:
    """The part of `shape` that begins at these indices; -1 is up to the end."""
    x = tensor(inputs)
    for axis, (begin, n) in enumerate(zip([int(i) for i in start_indices], shape, strict=True)):
        x = data.slice(x, axis=axis, begin=begin, end=x.shape[axis] if n == -1 else begin + int(n))
    return x


def slice_update(inputs: TensorLike, start_indices: Sequence[int], updates: TensorLike) -> Tensor:
    """The inputs with the updates in the place that begins at these indices."""
    x, new = alike(inputs, updates)
    for axis, begin in list(enumerate(int(i) for i in start_indices))[::-1]:
        rest = x
        for other, start in list(enumerate(int(i) for i in start_indices))[:axis]:
            rest = data.slice(rest, axis=other, begin=start, end=start + new.shape[other])
        end = begin + new.shape[axis]
        new = concatenate([data.slice(rest, axis=axis, begin=0, end=begin), new,
                           data.slice(rest, axis=axis, begin=end, end=rest.shape[axis])], axis)
    return new


def segment_sum(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None,
                sorted: bool = False) -> Tensor:
    """y[k] = Σ data[i] over all i with segment_ids[i] = k."""
    rows, places = tensor(data), ids(segment_ids)
    count = int(places.numpy().max()) + 1 if num_segments is None else num_segments
    return index.take_grad(rows, places, axis=0, size=count)  # type: ignore[no-any-return]


def segment_max(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None,
                sorted: bool = False) -> Tensor:
    """y[k] = the largest data[i] over all i with segment_ids[i] = k; -∞ where there is none."""
    from fastnn.ops._reduction import max as largest
    rows, places = floats(data), ids(segment_ids)
    count = int(places.numpy().max()) + 1 if num_segments is None else num_segments
    own = Tensor(np.arange(count, dtype=np.int32).reshape(-1, 1), constant=True)
    hit = reshaped(equal(own, places), (count, places.shape[0], *[1] * (rows.ndim - 1)))
    return largest(where(hit, rows, -math.inf), axis=1)


def getitem(x: Tensor, key: Any) -> Tensor:
    """x[key], as NumPy: whole numbers, slices with steps, None, ..., lists and arrays of numbers, masks."""
    keys = list(key) if isinstance(key, tuple) else [key]
    keys = [np.asarray(k.numpy()) if isinstance(k, Tensor) and k.dtype == "bool" else np.asarray(k) if isinstance(
        k, (list, np.ndarray)) else k for k in keys]
    used = builtins.sum(k.ndim if _is_mask(k) else k is not None and k is not Ellipsis for k in keys)
    if used > x.ndim:
        raise IndexError(f"tensor[{shown(key)}]: got {used} indices for shape {x.shape}; needs at most {x.ndim}.")
    dots = [i for i, k in enumerate(keys) if k is Ellipsis]
    if len(dots) > 1:
        raise IndexError(f"tensor[{shown(key)}]: got two '...'; needs at most one.")
    place = dots[0] if dots else len(keys)
    keys[place:place + 1] = [builtins.slice(None)] * (x.ndim - used)
    arrays: list[Tensor] = []
    first = axis = 0
    for k in keys:
        if k is None:
            x = reshaped(x, (*x.shape[:axis], 1, *x.shape[axis:]))
            axis += 1
        elif isinstance(k, builtins.slice):
            x = _sliced(x, axis, k)
            axis += 1
        elif isinstance(k, (Tensor, np.ndarray)) and k.ndim:
            if _is_mask(k) and tuple(k.shape) != tuple(x.shape[axis:axis + k.ndim]):
                raise IndexError(f"tensor[mask]: the mask is {k.shape} and the axes {x.shape[axis:axis + k.ndim]}; "
                                 "they must be equal.")
            if arrays and first + len(arrays) != axis:
                raise TypeError(f"tensor[{shown(key)}]: needs index arrays side by side; use ops.take twice.")
            first = first if arrays else axis
            found = [ids(i) for i in np.nonzero(k)] if _is_mask(k) else [ids(k)]
            arrays += found
            axis += len(found)
        elif hasattr(k, "__index__") or isinstance(k, Tensor):
            x = _at(x, axis, k)
        else:
            raise TypeError(f"tensor[{shown(key)}]: got {shown(k)}; needs whole numbers, slices, None, ..., arrays of "
                            "numbers or a mask.")
    return _gathered(x, first, arrays) if arrays else x


def _is_mask(k: Any) -> bool:
    return isinstance(k, np.ndarray) and k.dtype == bool


def _at(x: Tensor, axis: int, k: Any) -> Tensor:
    """One place along the axis, which goes."""
    if isinstance(k, Tensor) and k.ndim == 0:
        return take(x, k, axis)
    size, number = x.shape[axis], int(k)
    if size is None and number < 0:
        raise IndexError(f"tensor[{number}] of axis {axis} of shape {x.shape}; its length is not known yet; count from "
                         "the front.")
    if size is not None and not -size <= number < size:
        raise IndexError(f"tensor[{number}]: axis {axis} has length {size}.")
    begin = number + size if number < 0 else number
    cut = data.slice(x, axis=axis, begin=begin, end=begin + 1)
    return reshaped(cut, [n for i, n in enumerate(cut.shape) if i != axis])


def _sliced(x: Tensor, axis: int, k: Any) -> Tensor:
    if k == builtins.slice(None):
        return x
    size = x.shape[axis]
    if size is None:
        raise IndexError(f"tensor[{k}] of axis {axis} of shape {x.shape}; its length is not known yet; use ':' there.")
    begin, end, step = k.indices(size)
    if step == 1:
        return data.slice(x, axis=axis, begin=begin, end=max(begin, end))  # type: ignore[no-any-return]
    places = range(begin, end, step)
    return taken(x, list(places), axis) if len(places) else data.slice(  # type: ignore[no-any-return]
        x, axis=axis, begin=0, end=0)


def _gathered(x: Tensor, first: int, arrays: list[Tensor]) -> Tensor:
    """Neighbouring axes, from `first` on, indexed by arrays that are repeated to one shape."""
    sizes = x.shape[first:first + len(arrays)]
    for a, n in zip(arrays, sizes):
        _within("tensor[array]", a, n)
    flat: Tensor | None = None
    for a, n in zip(arrays, sizes):
        counted = where(less(a, 0), add(a, n), a)
        flat = counted if flat is None else add(multiply(flat, n), counted)  # type: ignore[assignment]
    rows = reshaped(x, (*x.shape[:first], math.prod(sizes), *x.shape[first + len(arrays):]))
    return index.take(rows, flat, axis=first)  # type: ignore[no-any-return]
