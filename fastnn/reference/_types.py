"""The one type of the reference: a NumPy array; and what floats and complex numbers share."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
F64 = np.float64


def double(x: Array) -> np.dtype:
    """The dtype of sums: float64, or complex128 where somebody takes a complex step."""
    return np.result_type(x, F64)


def size(x: Array) -> Array:
    """|x| so that complex steps pass through: x or -x, by the sign of the real part."""
    return np.where(x < 0, -x, x)
