"""What all normalizations compute. NumPy only."""

import math

import numpy as np

from fastnn.reference._types import Array, double


def moments(x: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Mean and (biased) variance over the axes, in float64, deviations in a second pass; NaN of no values."""
    count = math.prod(x.shape[axis] for axis in axes)
    with np.errstate(invalid="ignore"):
        mean = np.divide(np.sum(x, axis=axes, dtype=double(x), keepdims=True), count)
        variance = np.divide(np.sum(np.square(x - mean), axis=axes), count)
    return np.squeeze(mean, axes), variance


def deviations(x: Array, mean: Array, rstd: Array) -> Array:
    """x̂ = (x - mean)·rstd in float64."""
    return (x.astype(double(x)) - mean) * rstd
