"""New arrays. Floats are floatx unless a dtype is given. Floor 2."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.ops._arithmetic import add, divide, multiply, power, subtract
from fastnn.ops._convert import (
    axis_of,
    broadcast_to,
    dtype_of,
    floats,
    tensor,
    together,
    whole_numbers,
    widened,
)
from fastnn.ops._core import cast, convert_to_tensor
from fastnn.ops._memory import is_made_up
from fastnn.ops._shaping import expand_dims
from fastnn.ops._sizes import has_unknown, of_any_size
from fastnn.ops.rows.elementwise import cast as _cast

__all__ = [
    "arange", "array", "copy", "empty", "empty_like", "eye", "full", "full_like", "identity", "linspace", "logspace",
    "ones", "ones_like", "tri", "zeros", "zeros_like",
]

Shape = int | Sequence[int]


def _made(array: Any, dtype: Any) -> Tensor:
    """A constant of an array, in a dtype that fastnn has."""
    array = np.asarray(array)
    name = dtype_of(dtype) if dtype is not None else backend.floatx() if array.dtype.kind == "f" else None
    return Tensor(np.ascontiguousarray(array, name).reshape(array.shape), constant=True)


def array(x: TensorLike, dtype: str | None = None) -> Tensor:
    """x as a Tensor (Keras' name)."""
    return convert_to_tensor(x, dtype)


def copy(x: TensorLike) -> Tensor:
    """The same numbers in memory of their own."""
    x = tensor(x)
    return _cast(x, dtype=x.dtype)  # type: ignore[no-any-return]


def _dims(shape: Shape) -> tuple[int, ...]:
    if isinstance(shape, (list, tuple)) and None in shape:
        raise TypeError(f"got shape {shape}, in which a size is not known yet; needs whole numbers; make the array in "
                        "a layer's call, where it is known, or by ones_like of a tensor.")
    return tuple(whole_numbers("shape", shape))


def _filled(value: int, shape: Shape, dtype: str | None) -> Tensor:
    dims, name = _dims(shape), dtype_of(dtype or "float")
    if is_made_up(dims):
        return Tensor(None, shape=dims, dtype=name)
    return Tensor(np.full(dims, value, name), constant=True)


def zeros(shape: Shape, dtype: str | None = None) -> Tensor:
    """0 everywhere."""
    return _filled(0, shape, dtype)


def ones(shape: Shape, dtype: str | None = None) -> Tensor:
    """1 everywhere."""
    return _filled(1, shape, dtype)


empty = zeros


def full(shape: Shape, fill_value: TensorLike, dtype: str | None = None) -> Tensor:
    """One value everywhere, or an array repeated to the shape."""
    value = tensor(fill_value) if dtype is None else cast(fill_value, dtype)
    return broadcast_to(value, _dims(shape))


def zeros_like(x: TensorLike, dtype: str | None = None) -> Tensor:
    """0 in x's shape and dtype."""
    return full_like(x, 0, dtype)


def ones_like(x: TensorLike, dtype: str | None = None) -> Tensor:
    """1 in x's shape and dtype."""
    return full_like(x, 1, dtype)


empty_like = zeros_like


def full_like(x: TensorLike, fill_value: TensorLike, dtype: str | None = None) -> Tensor:
    """One value in x's shape and dtype."""
    x = tensor(x)
    name = x.dtype if dtype is None else dtype_of(dtype)
    if has_unknown([x]):
        return _full_like(x, fill_value, name)
    value = fill_value if isinstance(fill_value, Tensor) else Tensor(np.asarray(fill_value).astype(name), constant=True)
    return broadcast_to(widened(value, name), x.shape)


_full_like = of_any_size(full_like)


def eye(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> Tensor:
    """1 on the diagonal that is k to the right of the main one of N rows and M columns (N unless given), else 0."""
    rows, columns, place = whole_numbers("eye", (N, N if M is None else M, k))
    return _made(np.eye(rows, columns, place), dtype)


def identity(n: int, dtype: str | None = None) -> Tensor:
    """The n × n matrix with 1 on its diagonal."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> Tensor:
    """1 on and below the diagonal that is k to the right of the main one, else 0."""
    rows, columns, place = whole_numbers("tri", (N, N if M is None else M, k))
    return _made(np.tri(rows, columns, place), dtype)


def arange(start: float, stop: float | None = None, step: float = 1, dtype: str | None = None) -> Tensor:
    """start, start + step, … below stop; from 0 to `start` with one number. Whole numbers give int32."""
    numbers = [_number(n) for n in ((0, start) if stop is None else (start, stop))] + [_number(step)]
    if dtype is None:
        dtype = "int32" if all(isinstance(n, int) for n in numbers) else "float"
    return _made(np.arange(*numbers), dtype)


def _number(x: Any) -> Any:
    value = x.numpy().item() if isinstance(x, Tensor) else x
    if value is None:
        raise TypeError("arange: got None, a size that is not known yet; needs numbers; in a layer's call it is known.")
    return value.item() if isinstance(value, np.generic) else value


def linspace(start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, retstep: bool = False,
             dtype: str | None = None, axis: int = 0) -> Any:
    """num numbers from start to stop, equally far apart; without stop if not `endpoint`; and how far, if `retstep`."""
    if any(isinstance(x, Tensor) and not x.constant for x in (start, stop)):
        return _spread(start, stop, num, endpoint, retstep, dtype, axis)
    begin, end = (np.asarray(tensor(x).numpy(), np.float64) for x in (start, stop))
    made, step = np.linspace(begin, end, num, endpoint, retstep=True, axis=axis)
    return (_made(made, dtype), _made(np.asarray(step), dtype)) if retstep else _made(made, dtype)


def _spread(start: TensorLike, stop: TensorLike, num: int, endpoint: bool, retstep: bool, dtype: str | None,
            axis: int) -> Any:
    """linspace of what is computed: start·(1 - t) + stop·t, with gradients."""
    begin, end = together("linspace", floats(start), floats(stop))
    place = axis_of(begin, axis, 1)
    t = np.linspace(0, 1, num, endpoint).reshape([-1 if i == place else 1 for i in range(begin.ndim + 1)])
    a, b = expand_dims(begin, place), expand_dims(end, place)
    y = add(multiply(a, 1 - t), multiply(b, t))
    steps = num - 1 if endpoint else num
    made = y if dtype is None else cast(y, dtype)
    return (made, divide(subtract(end, begin), float(steps))) if retstep else made


def logspace(start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, base: float = 10,
             dtype: str | None = None, axis: int = 0) -> Tensor:
    """base to the powers of linspace(start, stop, num)."""
    if any(isinstance(x, Tensor) and not x.constant for x in (start, stop)):
        return power(float(base), _spread(start, stop, num, endpoint, False, dtype, axis))
    begin, end = (np.asarray(tensor(x).numpy(), np.float64) for x in (start, stop))
    return _made(np.logspace(begin, end, num, endpoint, base, axis=axis), dtype)
