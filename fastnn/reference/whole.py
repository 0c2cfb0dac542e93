"""Arithmetic on whole numbers: int32, int64, uint8 or bool, both arrays of one; results wrap around. NumPy only."""

import numpy as np

from fastnn.reference._types import Array


def whole_add(a: Array, b: Array) -> Array:
    """y = a + b. Whole numbers of one shape and dtype → the same."""
    return np.add(a, b)


def whole_subtract(a: Array, b: Array) -> Array:
    """y = a - b. Whole numbers of one shape and dtype → the same."""
    return np.subtract(a, b)


def whole_multiply(a: Array, b: Array) -> Array:
    """y = a·b. Whole numbers of one shape and dtype → the same."""
    return np.multiply(a, b)


def whole_floor_divide(a: Array, b: Array) -> Array:
    """y = ⌊a / b⌋, 0 where b is 0. Whole numbers of one shape and dtype → the same."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.floor_divide(a, b)


def whole_mod(a: Array, b: Array) -> Array:
    """y = a - ⌊a / b⌋·b, with the sign of b; 0 where b is 0. Whole numbers of one shape and dtype → the same."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.mod(a, b)


def whole_maximum(a: Array, b: Array) -> Array:
    """y = the larger of a and b. Whole numbers of one shape and dtype → the same."""
    return np.maximum(a, b)


def whole_minimum(a: Array, b: Array) -> Array:
    """y = the smaller of a and b. Whole numbers of one shape and dtype → the same."""
    return np.minimum(a, b)


def bitwise_and(a: Array, b: Array) -> Array:
    """y = the bits set in both; for bools: whether both are. Whole numbers of one shape and dtype → the same."""
    return np.bitwise_and(a, b)


def bitwise_or(a: Array, b: Array) -> Array:
    """y = the bits set in either; for bools: whether either is. Whole numbers of one shape and dtype → the same."""
    return np.bitwise_or(a, b)


def bitwise_xor(a: Array, b: Array) -> Array:
    """y = the bits set in one; for bools: whether one alone is. Whole numbers of one shape and dtype → the same."""
    return np.bitwise_xor(a, b)


def left_shift(a: Array, b: Array) -> Array:
    """y = a·2ᵇ; 0 where b is as large as the number of bits. Whole numbers of one shape and dtype → the same."""
    return np.left_shift(a, b)


def right_shift(a: Array, b: Array) -> Array:
    """y = ⌊a / 2ᵇ⌋. Whole numbers of one shape and dtype → the same."""
    return np.right_shift(a, b)


def whole_sum(x: Array, *, axes: tuple[int, ...]) -> Array:
    """y = Σ x over `axes`. Whole numbers of any shape → the same dtype without these axes."""
    return np.sum(x, axis=axes, dtype=x.dtype)


def whole_max(x: Array, *, axes: tuple[int, ...]) -> Array:
    """y = the largest x along `axes`. Whole numbers of any shape → the same dtype without these axes."""
    return np.max(x, axis=axes)


def whole_min(x: Array, *, axes: tuple[int, ...]) -> Array:
    """y = the smallest x along `axes`. Whole numbers of any shape → the same dtype without these axes."""
    return np.min(x, axis=axes)
