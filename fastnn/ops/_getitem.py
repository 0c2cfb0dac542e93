"""tensor[key], as NumPy. Floor 2."""

import builtins
import math
from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import PlaceError, shown
from fastnn.ops._arithmetic import add, multiply
from fastnn.ops._compare import less, where
from fastnn.ops._convert import ids, is_one, reshaped
from fastnn.ops._indexing import take, within
from fastnn.ops._rules import unlike
from fastnn.ops._shaping import expand_dims, taken
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import data, index


def getitem(x: Tensor, key: Any) -> Tensor:
    """x[key], as NumPy: whole numbers, slices with steps, None, ..., lists and arrays of numbers, masks."""
    keys = list(key) if isinstance(key, tuple) else [key]
    keys = [np.asarray(k.numpy()) if isinstance(k, Tensor) and k.dtype == "bool" else np.asarray(k) if isinstance(
        k, (list, np.ndarray)) else k for k in keys]
    used = builtins.sum(k.ndim if _is_mask(k) else k is not None and k is not Ellipsis for k in keys)
    if used > x.ndim:
        raise PlaceError(f"tensor[{shown(key)}]: got {used} indices for shape {x.shape}; needs at most {x.ndim}.")
    dots = [i for i, k in enumerate(keys) if k is Ellipsis]
    if len(dots) > 1:
        raise PlaceError(f"tensor[{shown(key)}]: got two '...'; needs at most one.")
    place = dots[0] if dots else len(keys)
    keys[place:place + 1] = [builtins.slice(None)] * (x.ndim - used)
    arrays: list[Tensor] = []
    first = axis = 0
    for k in keys:
        if k is None:
            x = expand_dims(x, axis)
            axis += 1
        elif isinstance(k, builtins.slice):
            if k != builtins.slice(None):
                cut = _sliced if x.shape[axis] is not None else _sliced_unknown
                x = cut(x, axis, k.start, k.stop, k.step)
            axis += 1
        elif isinstance(k, (Tensor, np.ndarray)) and k.ndim:
            if _is_mask(k) and unlike(k.shape, x.shape[axis:axis + k.ndim]):
                raise PlaceError(f"tensor[mask]: the mask is {k.shape} and the axes {x.shape[axis:axis + k.ndim]}; "
                                 "they must be equal.")
            if arrays and first + len(arrays) != axis:
                raise TypeError(f"tensor[{shown(key)}]: needs index arrays side by side; use ops.take twice.")
            first = first if arrays else axis
            found = [ids(i) for i in np.nonzero(k)] if _is_mask(k) else [ids(k)]
            arrays += found
            axis += len(found)
        elif is_one(k) and not isinstance(k, (bool, np.bool_)):
            x = (_at if x.shape.count(None) < 2 and x.shape[axis] is not None else _at_unknown)(x, axis, k)
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
    if not -size <= number < size:
        raise PlaceError(f"tensor[{number}]: axis {axis} has length {size}.")
    begin = number + size if number < 0 else number
    cut = data.slice(x, axis=axis, begin=begin, end=begin + 1)
    return reshaped(cut, [n for i, n in enumerate(cut.shape) if i != axis])


def _sliced(x: Tensor, axis: int, begin: Any, end: Any, step: Any) -> Tensor:
    """What x[begin:end:step] is of lists, along an axis."""
    begin, end, step = builtins.slice(begin, end, step).indices(x.shape[axis])
    if step == 1:
        return data.slice(x, axis=axis, begin=begin, end=max(begin, end))  # type: ignore[no-any-return]
    places = range(begin, end, step)
    return taken(x, list(places), axis) if len(places) else data.slice(  # type: ignore[no-any-return]
        x, axis=axis, begin=0, end=0)


_at_unknown, _sliced_unknown = of_any_size(_at), of_any_size(_sliced)


@of_any_size
def _gathered(x: Tensor, first: int, arrays: list[Tensor]) -> Tensor:
    """Neighbouring axes, from `first` on, indexed by arrays that are repeated to one shape."""
    sizes = x.shape[first:first + len(arrays)]
    for a, n in zip(arrays, sizes):
        within("tensor[array]", a, n)
    flat: Tensor | None = None
    for a, n in zip(arrays, sizes):
        counted = where(less(a, 0), add(a, n), a)
        flat = counted if flat is None else add(multiply(flat, n), counted)  # type: ignore[assignment]
    rows = reshaped(x, (*x.shape[:first], math.prod(sizes), *x.shape[first + len(arrays):]))
    return index.take(rows, flat, axis=first)  # type: ignore[no-any-return]
