"""Comparisons and what is chosen by them: results are bool. Both arrays are of one shape and dtype. NumPy only."""

import numpy as np

from fastnn.reference._types import Array


def equal(a: Array, b: Array) -> Array:
    """y = whether a = b; False where either is NaN. Any one shape and dtype → bool."""
    return np.equal(a, b)


def not_equal(a: Array, b: Array) -> Array:
    """y = whether a ≠ b; True where either is NaN. Any one shape and dtype → bool."""
    return np.not_equal(a, b)


def less(a: Array, b: Array) -> Array:
    """y = whether a < b. Any one shape and dtype → bool."""
    return np.less(a, b)


def less_equal(a: Array, b: Array) -> Array:
    """y = whether a ≤ b. Any one shape and dtype → bool."""
    return np.less_equal(a, b)


def greater(a: Array, b: Array) -> Array:
    """y = whether a > b. Any one shape and dtype → bool."""
    return np.greater(a, b)


def greater_equal(a: Array, b: Array) -> Array:
    """y = whether a ≥ b. Any one shape and dtype → bool."""
    return np.greater_equal(a, b)


def logical_not(x: Array) -> Array:
    """y = whether x is False. bool → bool."""
    return np.logical_not(x)


def isnan(x: Array) -> Array:
    """y = whether x is NaN. Floats → bool."""
    return np.isnan(x)


def isinf(x: Array) -> Array:
    """y = whether x is +∞ or -∞. Floats → bool."""
    return np.isinf(x)


def isfinite(x: Array) -> Array:
    """y = whether x is neither NaN nor infinite. Floats → bool."""
    return np.isfinite(x)


def where(condition: Array, a: Array, b: Array) -> Array:
    """y = a where condition, else b. condition bool, a and b of any dtype, all of one shape → y as a."""
    return np.where(condition, a, b)
