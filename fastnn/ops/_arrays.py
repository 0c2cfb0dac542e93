"""Arrays, lists and numbers as tensors: which dtype they get, and what cannot be one. Floor 2; imports engine."""

from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.tensor import Tensor, Variable


def as_tensor(value: Any, kind: str = "float") -> Tensor:
    """A Tensor from an array, list or number; `kind` as in Op's dtypes. Arrays are copied only when they must be."""
    if isinstance(value, Tensor):
        return value
    array = np.asarray(value)
    dtype = backend.floatx() if kind == "float" else kept_dtype(array) if kind in ("any", "alike") else kind
    if array.dtype.kind not in "fiub":
        raise TypeError(f"got an array of dtype {array.dtype}; needs numbers.")
    if dtype == "int32" and array.dtype.kind in "fiu" and array.dtype != np.int32:
        check_whole(array)
    return Tensor(np.require(array, dtype=dtype, requirements=["C", "A"]), constant=True)


def as_now(tensors: tuple[Tensor, ...], cast: Any) -> tuple[Tensor, ...]:
    """What a call reads whose gradient will be asked for, with copies in the place of states: these may have been
    overwritten by then, as a mean is that goes on with each batch."""
    states = [isinstance(t, Variable) and not t.tracked and t.dtype.startswith("float") for t in tensors]
    if not any(states):
        return tensors
    return tuple(cast(t, dtype=t.dtype) if state else t for t, state in zip(tensors, states))


def zeros(like: Tensor) -> Tensor:
    """0 in the shape and dtype of another."""
    return Tensor(np.zeros(like.shape, like.dtype), "zeros", constant=True)


def check_whole(array: np.ndarray) -> None:
    """ValueError at the first number that int32 cannot hold."""
    bad = (array < -2 ** 31) | (array >= 2 ** 31)
    if array.dtype.kind == "f":
        bad |= array != np.floor(array)
    if bad.any():
        first = tuple(np.argwhere(bad)[0].tolist())
        raise ValueError(f"got the number {array[first]:.17g} at {list(first)} ({int(bad.sum())} bad); needs whole "
                         "numbers from -2147483648 to 2147483647, as int32 holds.")


def kept_dtype(array: np.ndarray) -> Any:
    """The dtype of ours that keeps an array's numbers: floats are floatx, whole numbers int32 where they fit."""
    if array.dtype.kind == "f":
        return backend.floatx()
    if array.dtype.kind not in "iu" or array.dtype in (np.uint8, np.int32):
        return array.dtype
    return np.int32 if not array.size or (array.min() >= -2 ** 31 and array.max() < 2 ** 31) else np.int64
