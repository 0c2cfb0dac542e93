"""Batches out of the rows of a data set, in an order that is shuffled, and results put back. NumPy only."""

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


def shuffle_step(order: Array, keys: Array, counter: Array, *, seed: int, stream: int) -> tuple[Array, Array]:
    """order = the permutation that sorts n random numbers; keys = these, sorted, each with its index in the low half.

    order (n,) int32, keys (n,) int64, counter 0-d int64 (the epoch) → order, keys. The old values do not matter.
    """
    n = len(order)
    bits = _philox.bits(n, int(counter), seed, stream).astype(np.int64)
    keys = np.sort((bits >> 1) << 32 | np.arange(n))
    return (keys & 0xFFFFFFFF).astype(np.int32), keys
