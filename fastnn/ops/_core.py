"""Dtypes, the way to NumPy and back, and parts of arrays by place: what is `keras.ops`' own. Floor 2."""

import math
from collections.abc import Sequence

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.ops._arithmetic import clip, multiply
from fastnn.ops._compare import less, where
from fastnn.ops._convert import alike, axis_of, broadcast_to, dtype_of, ids, reshaped, tensor, widened
from fastnn.ops._reduction import sum
from fastnn.ops._shaping import concatenate
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import data, index, stacking

__all__ = [
    "cast", "convert_to_numpy", "convert_to_tensor", "dtype", "is_tensor", "saturate_cast", "scatter",
    "scatter_update", "shape", "slice", "slice_update", "stop_gradient", "unstack",
]


def convert_to_tensor(x: TensorLike, dtype: str | None = None, sparse: bool | None = None) -> Tensor:
    """x as a Tensor: floats are floatx, whole numbers and bools stay what they are unless dtype says otherwise."""
    return tensor(x) if dtype is None else cast(x, dtype)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """A copy of the numbers as a NumPy array."""
    return tensor(x).numpy()


def is_tensor(x: object) -> bool:
    """Whether x is a Tensor."""
    return isinstance(x, Tensor)


def dtype(x: TensorLike) -> str:
    """The name of x's dtype."""
    return tensor(x).dtype


def cast(x: TensorLike, dtype: str) -> Tensor:
    """x in another dtype. Floats are cut towards 0 for whole numbers; what is not 0 is True."""
    if not isinstance(x, Tensor) and np.asarray(x).dtype.kind == "f" and np.dtype(dtype_of(dtype)).kind != "f":
        return Tensor(np.asarray(x).astype(dtype_of(dtype)), constant=True)
    return widened(tensor(x), dtype_of(dtype))


def saturate_cast(x: TensorLike, dtype: str) -> Tensor:
    """x in another dtype, kept within what that can hold."""
    name = dtype_of(dtype)
    if np.dtype(name).kind not in "iu":
        return cast(x, name)
    limits = np.iinfo(name)
    x = tensor(x)
    if x.dtype.startswith("float"):
        return cast(x, name)        # a cast keeps floats within the limits
    return cast(clip(cast(x, "int64"), int(limits.min), int(limits.max)), name)


def stop_gradient(variable: TensorLike) -> Tensor:
    """The same numbers, through which no gradient flows."""
    return data.stop_gradient(tensor(variable))  # type: ignore[no-any-return]


def shape(x: TensorLike) -> tuple[int | None, ...]:
    """The shape; None for axes that are not known yet."""
    return tuple(tensor(x).shape)


def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The arrays along an axis, which they lose."""
    x = tensor(x)
    return list(stacking.unstack(x, axis=axis_of(x, axis)))


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


@of_any_size
def scatter_update(inputs: TensorLike, indices: TensorLike, updates: TensorLike) -> Tensor:
    """The inputs with the updates at the places that the rows of `indices` name, each place once."""
    inputs, updates = alike(inputs, updates)
    ones = broadcast_to(1.0, updates.shape)
    hit = less(0.0, scatter(indices, ones, inputs.shape))
    return where(hit, scatter(indices, updates, inputs.shape), inputs)  # type: ignore[return-value]


@of_any_size
def slice(inputs: TensorLike, start_indices: Sequence[int], shape: Sequence[int]) -> Tensor:
    """The part of `shape` that begins at these indices; -1 is up to the end."""
    x = tensor(inputs)
    for axis, (begin, n) in enumerate(zip([int(i) for i in start_indices], shape, strict=True)):
        x = data.slice(x, axis=axis, begin=begin, end=x.shape[axis] if n == -1 else begin + int(n))
    return x


@of_any_size
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
