"""Rows of a table by number, as for words, and their way back. NumPy only."""

import numpy as np

from fastnn.reference._types import Array


def embedding(ids: Array, table: Array) -> Array:
    """y[..., :] = table[ids[...], :]; NaN for an id that is no row. ids (...) int32, table (rows, width)
    → y (..., width)."""
    inside = (ids >= 0) & (ids < len(table))
    none = np.full((1, table.shape[1]), np.nan, table.dtype)
    return np.concatenate([table, none])[np.where(inside, ids, len(table))]


def embedding_grad(dy: Array, ids: Array, *, rows: int) -> Array:
    """dtable[r] = Σ dy over the places where ids is r. dy (..., width), ids (...) int32 → dtable (rows, width)."""
    dtable = np.zeros((rows, dy.shape[-1]), dy.dtype)
    inside = (ids >= 0) & (ids < rows)
    np.add.at(dtable, ids[inside], dy[inside])
    return dtable
