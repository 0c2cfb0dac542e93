"""Rows of a table by number, as for words, and their way back. NumPy only."""

import numpy as np

from fastnn.reference._types import Array


def embedding(ids: Array, table: Array) -> Array:
    """y[..., :] = table[ids[...], :]; NaN for an id that is no row. ids (...) int32, table (rows, width)
    → y (..., width)."""
    inside = (ids >= 0) & (ids < len(table))
    y: Array = np.where(inside[..., None], table[np.where(inside, ids, 0)], np.full((), np.nan, table.dtype))
    return y


def embedding_grad(dy: Array, ids: Array, *, rows: int) -> Array:
    """dtable[r] = Σ dy over the places where ids is r. dy (..., width), ids (...) int32 → dtable (rows, width)."""
    dtable = np.zeros((rows, dy.shape[-1]), dy.dtype)
    inside = (ids >= 0) & (ids < rows)
    np.add.at(dtable, ids[inside], dy[inside])
    return dtable
