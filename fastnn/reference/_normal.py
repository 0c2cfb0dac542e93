"""What all normalizations compute. NumPy only."""

import numpy as np

from fastnn.reference._types import Array


def deviations(x: Array, mean: Array, rstd: Array) -> Array:
    """x̂ = (x - mean)·rstd in float64."""
    return (x.astype(np.float64) - mean) * rstd
