"""Moving numbers without computing: batches, copies, cuts, shapes. NumPy only."""

import numpy as np

from fastnn.reference import _philox
from fastnn.reference._types import Array


def gather_rows(x: Array, order: Array, cursor: Array, *, batch: int) -> Array:
    """y = x[order[cursor : cursor + batch]]. x (n, …), order (n,) int32, cursor 0-d → y (batch, …)."""
    begin = int(cursor)
    return x[order[begin:begin + batch]]


def gather_rows_rescaled(x: Array, order: Array, cursor: Array, *, batch: int, scale: float, offset: float) -> Array:
    """y = scale·x[order[cursor : cursor + batch]] + offset. x (n, …) float or uint8 → y (batch, …) float."""
    rows = gather_rows(x, order, cursor, batch=batch)
    rows = rows.astype(np.float32) if x.dtype == np.uint8 else rows
    return rows * rows.dtype.type(scale) + rows.dtype.type(offset)


def store_step(result: Array, rows: Array, cursor: Array) -> Array:
    """result[cursor : cursor + len(rows)] = rows. result (n, …), rows (batch, …), cursor 0-d → result."""
    result, begin = result.copy(), int(cursor)
    result[begin:begin + len(rows)] = rows
    return result


def advance(counter: Array, *, by: int) -> Array:
    """counter = counter + by. 0-d int64 → the same."""
    return np.add(counter, by, dtype=counter.dtype)


def copy(target: Array, source: Array) -> Array:
    """target = source. Both any one shape and dtype → target."""
    return source.astype(target.dtype)


def fill(target: Array, *, value: float) -> Array:
    """target = value, in every element. Any shape → target."""
    return np.full_like(target, value)


def slice(x: Array, *, axis: int, begin: int, end: int) -> Array:
    """y = x[begin:end] along `axis`. x any shape → y with size end - begin there."""
    return np.take(x, np.arange(begin, end), axis=axis)


def slice_grad(dy: Array, *, axis: int, begin: int, size: int) -> Array:
    """dx = 0, and dy from `begin` on along `axis`. dy any shape → dx with `size` there. The adjoint of `slice`."""
    widths = [(0, 0)] * dy.ndim
    widths[axis] = (begin, size - begin - dy.shape[axis])
    return np.pad(dy, widths)


def transpose(x: Array, *, axes: tuple[int, ...]) -> Array:
    """Axis k of y is axis axes[k] of x."""
    return np.ascontiguousarray(np.transpose(x, axes)).reshape([x.shape[axis] for axis in axes])


def reshape(x: Array, *, shape: tuple[int, ...]) -> Array:
    """y = the elements of x, in order, in another shape; one size may be -1: whatever is left. Shares x's memory."""
    return x.reshape(shape)


def stop_gradient(x: Array) -> Array:
    """y = x, which is a constant for whoever asks for gradients. Shares x's memory."""
    return x


def shuffle_step(order: Array, keys: Array, counter: Array, *, seed: int, stream: int) -> tuple[Array, Array]:
    """order = the permutation that sorts n random numbers; keys = these, sorted, each with its index in the low half.

    order (n,) int32, keys (n,) int64, counter 0-d int64 (the epoch) → order, keys. The old values do not matter.
    """
    n = len(order)
    bits = _philox.bits(n, int(counter), seed, stream).astype(np.int64)
    keys = np.sort((bits >> 1) << 32 | np.arange(n))
    return (keys & 0xFFFFFFFF).astype(np.int32), keys


def one_hot(labels: Array, *, depth: int) -> Array:
    """y[…, k] = 1 where k is the label, else 0; a row of zeros for a label outside. labels int32 (…) → y (…, depth)."""
    return (labels[..., np.newaxis] == np.arange(depth)).astype(np.float32)
