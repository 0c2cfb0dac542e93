"""Arithmetic on arrays of one shape; nothing broadcasts. NumPy only.

Every function takes arrays of any one shape and returns an array of that shape.
"""

import numpy as np

from fastnn.reference._types import Array


def add(a: Array, b: Array) -> Array:
    """y = a + b."""
    return np.add(a, b)


def subtract(a: Array, b: Array) -> Array:
    """y = a - b."""
    return np.subtract(a, b)


def multiply(a: Array, b: Array) -> Array:
    """y = a·b, element by element (Hadamard product)."""
    return np.multiply(a, b)


def divide(a: Array, b: Array) -> Array:
    """y = a / b; ±inf where only b is 0, NaN where both are."""
    with np.errstate(all="ignore"):
        return np.divide(a, b)


def divide_no_nan(a: Array, b: Array) -> Array:
    """y = a / b, and 0 where b = 0. As tf.math.divide_no_nan."""
    with np.errstate(all="ignore"):
        return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def maximum(a: Array, b: Array) -> Array:
    """y = max(a, b); NaN where either is."""
    return np.maximum(a, b)


def minimum(a: Array, b: Array) -> Array:
    """y = min(a, b); NaN where either is."""
    return np.minimum(a, b)


def maximum_grad(dy: Array, a: Array, b: Array) -> Array:
    """da = dy where a ≥ b, else 0; b gets the rest, dy - da. A tie goes to a, as in TensorFlow."""
    return np.where(a >= b, dy, np.zeros_like(dy))


def power(x: Array, *, exponent: float) -> Array:
    """y = x^exponent; NaN for negative x and a broken exponent."""
    with np.errstate(all="ignore"):
        return np.power(x, np.float64(exponent), dtype=np.float64).astype(x.dtype)


def negative(x: Array) -> Array:
    """y = -x."""
    return np.negative(x)


def absolute(x: Array) -> Array:
    """y = |x|."""
    return np.abs(x)


def sign(x: Array) -> Array:
    """y = 1, 0 or -1: the sign of x, 0 at 0."""
    return np.sign(x)


def square(x: Array) -> Array:
    """y = x²."""
    return np.square(x)


def sqrt(x: Array) -> Array:
    """y = √x; NaN for negative x."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(x)


def exp(x: Array) -> Array:
    """y = eˣ."""
    with np.errstate(over="ignore", under="ignore"):
        return np.exp(x)


def exp2(x: Array) -> Array:
    """y = 2ˣ."""
    with np.errstate(over="ignore", under="ignore"):
        return np.exp2(x)


def log(x: Array) -> Array:
    """y = ln x; -inf at 0, NaN for negative x."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(x)


def scale(x: Array, *, factor: float) -> Array:
    """y = factor·x."""
    return np.multiply(x, x.dtype.type(factor))


def add_constant(x: Array, *, value: float) -> Array:
    """y = x + value."""
    return np.add(x, x.dtype.type(value))


def clip(x: Array, *, low: float, high: float) -> Array:
    """y = x kept within [low, high]."""
    return np.clip(x, x.dtype.type(low), x.dtype.type(high))


def clip_grad(dy: Array, x: Array, *, low: float, high: float) -> Array:
    """dx = dy where low ≤ x ≤ high, else 0; dy also at the bounds, as tf.clip_by_value."""
    outside = (x < x.dtype.type(low)) | (x > x.dtype.type(high))
    return np.where(outside, np.zeros_like(dy), dy)


def cast(x: Array, *, dtype: str) -> Array:
    """y = x as another dtype. Floats are cut towards 0 and kept within the whole numbers of dtype, NaN becomes 0; whole
    numbers beyond dtype's wrap around; bool is x ≠ 0. Any shape → the same.
    """
    if x.dtype.kind != "f" or np.dtype(dtype).kind in "fb":
        return x.astype(dtype)
    limits = np.iinfo(dtype)
    top = min(float(limits.max), 2.0 ** 63 - 1024)     # the largest float64 below 2**63
    return np.clip(np.trunc(np.nan_to_num(x.astype(np.float64))), float(limits.min), top).astype(dtype)
