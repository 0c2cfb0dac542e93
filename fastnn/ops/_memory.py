"""The arrays that ops make, and what to say where this machine has no memory for one. Floor 2."""

import contextlib
import contextvars
import math
from collections.abc import Iterator

import numpy as np

from fastnn.engine.context import current_layer
from fastnn.engine.plan import machine_memory
from fastnn.ops._rules import Shape

MANY = 2 ** 16      # elements
_trying: contextvars.ContextVar[frozenset[str]] = contextvars.ContextVar("trying sizes", default=frozenset())


def sizes_are_tried() -> bool:
    """Whether the sizes of symbolic tensors, beside the batch, are examples in place of unknown ones."""
    return "axes" in _trying.get()


def batch_is_tried() -> bool:
    """Whether the batch is an example in place of an unknown one."""
    return "batch" in _trying.get()


def is_made_up(shape: Shape) -> bool:
    """Whether such an array is so large that it comes of sizes that are tried: nobody wants its numbers."""
    return bool(_trying.get()) and None not in shape and math.prod(shape) > MANY  # type: ignore[arg-type]


@contextlib.contextmanager
def trying(*what: str) -> Iterator[None]:
    """In the `with` block sizes are made up, of the "batch" or other "axes": no complaint about memory."""
    token = _trying.set(_trying.get() | frozenset(what))
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
    if size > 2 ** 30 and size >= machine_memory() and not _trying.get():
        raise _too_large(op, shape, dtype)


def _bytes(shape: Shape, dtype: str) -> int:
    return math.prod([1 if n is None else n for n in shape]) * np.dtype(dtype).itemsize


def _too_large(op: str, shape: Shape, dtype: str) -> MemoryError:
    where = f" in layer {current_layer()!r}" if current_layer() else ""
    each = " a sample" if None in shape else ""
    return MemoryError(f"{op}{where}: no memory for an output of shape {shape}: {_bytes(shape, dtype) / 2**30:,.1f} GiB"
                       f"{each}; use a smaller batch or layer.")
