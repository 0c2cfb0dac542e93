"""Sums, means and maxima over axes, and their way back. NumPy only.

`axes` is an increasing tuple of axis numbers, none negative; these axes vanish from the result.
"""

import numpy as np

from fastnn.reference._types import Array, double


def sum(x: Array, *, axes: tuple[int, ...]) -> Array:
    """y = Σ x over `axes`. x any shape → y its shape without these axes."""
    return np.sum(x, axis=axes, dtype=double(x)).astype(x.dtype)


def mean(x: Array, *, axes: tuple[int, ...]) -> Array:
    """y = (1/n) Σ x over `axes`, n the number of terms. x any shape → y its shape without these axes."""
    count = np.prod([x.shape[axis] for axis in axes], dtype=np.int64)
    with np.errstate(invalid="ignore"):
        return np.divide(np.sum(x, axis=axes, dtype=double(x)), count).astype(x.dtype)


def length(x: Array, *, axes: tuple[int, ...]) -> Array:
    """y = √Σx² over `axes`, of any size that y can be. x any shape → y its shape without these axes."""
    return np.sqrt(np.sum(np.square(x, dtype=np.float64), axis=axes)).astype(x.dtype)


def root_mean_square(x: Array, *, axes: tuple[int, ...], epsilon: float) -> Array:
    """y = √((1/n) Σx² + ε) over `axes`, n the number of terms, of any size that y can be. Shapes as length."""
    count = np.prod([x.shape[axis] for axis in axes], dtype=np.int64)
    with np.errstate(invalid="ignore"):
        mean_square = np.divide(np.sum(np.square(x, dtype=np.float64), axis=axes), count)
    return np.sqrt(mean_square + epsilon).astype(x.dtype)


def max(x: Array, *, axes: tuple[int, ...]) -> Array:
    """y = the largest x along `axes`; NaN where there is one. x any shape → y its shape without these axes."""
    return np.max(x, axis=axes)


def max_grad(dy: Array, x: Array, y: Array, *, axes: tuple[int, ...]) -> Array:
    """dx = dy / (number of ties) where x is the maximum y, else 0. dy, y without the axes → dx as x. As TensorFlow."""
    ties = x == np.expand_dims(y, axes)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.expand_dims(dy, axes) / np.sum(ties, axis=axes, keepdims=True).astype(x.dtype)
    return np.where(ties, each, np.zeros_like(x))


def expand(x: Array, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    """y = x repeated along new `axes`. x is `shape` without the axes → y `shape`. The adjoint of `sum`."""
    return np.broadcast_to(np.expand_dims(x, axes), shape).copy()


def argmax(x: Array) -> Array:
    """y = the index of the largest x of a row; the first at a tie, the first NaN if any. x (…, n) → y (…) int32."""
    return np.argmax(x, axis=-1).astype(np.int32)
