"""The arrays that ops make, and what to say where this machine has no memory for one. Floor 2."""

import contextlib
import contextvars
import math
from collections.abc import Iterator

import numpy as np

from fastnn.engine.context import current_layer
from fastnn.engine.plan import machine_memory
from fastnn.ops._rules import Shape

_trying: contextvars.ContextVar[bool] = contextvars.ContextVar("trying sizes", default=False)


def sizes_are_tried() -> bool:
    """Whether the sizes of symbolic tensors are examples in place of unknown ones."""
    return _trying.get()


@contextlib.contextmanager
def any_size() -> Iterator[None]:
    """No complaint about memory in the `with` block: the sizes are made up."""
    token = _trying.set(True)
    try:
        yield
    finally:
        _trying.reset(token)


def new(op: str, shape: Shape, dtype: str) -> np.ndarray:
    """A new array. MemoryError, which names the op, where there is no memory for it."""
    check(op, shape, dtype)
    try:
        return np.empty(shape, dtype)  # type: ignore[arg-type]
    except (MemoryError, ValueError):
        raise _too_large(op, shape, dtype) from None


def check(op: str, shape: Shape, dtype: str) -> None:
    """MemoryError where this machine could not hold such an output, of one sample if the batch is not known."""
    size = _bytes(shape, dtype)
    if size > 2 ** 30 and size >= machine_memory() and not sizes_are_tried():
        raise _too_large(op, shape, dtype)


def _bytes(shape: Shape, dtype: str) -> int:
    return math.prod([1 if n is None else n for n in shape]) * np.dtype(dtype).itemsize


def _too_large(op: str, shape: Shape, dtype: str) -> MemoryError:
    where = f" in layer {current_layer()!r}" if current_layer() else ""
    each = " a sample" if None in shape else ""
    return MemoryError(f"{op}{where}: no memory for an output of shape {shape}: {_bytes(shape, dtype) / 2**30:,.1f} GiB"
                       f"{each}; use a smaller batch or layer.")
