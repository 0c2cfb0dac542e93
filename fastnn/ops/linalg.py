"""Lengths of vectors and matrices: `keras.ops.linalg`. Floor 2."""

from fastnn.ops._reduction import (
    norm,
)

__all__ = [
    "norm",
]
