"""Functions of numbers, element by element: rounding, roots, angles, logarithms; powers and remainders. NumPy only."""

import math

import numpy as np

from fastnn.reference._types import Array


def floor(x: Array) -> Array:
    """y = the largest whole number ≤ x."""
    return np.floor(x)


def ceil(x: Array) -> Array:
    """y = the smallest whole number ≥ x."""
    return np.ceil(x)


def round(x: Array) -> Array:
    """y = the whole number nearest to x; of two, the even one."""
    return np.rint(x)


def trunc(x: Array) -> Array:
    """y = x without its fraction."""
    return np.trunc(x)


def rsqrt(x: Array) -> Array:
    """y = 1/√x; ∞ at 0, NaN for negative x."""
    with np.errstate(all="ignore"):
        return 1 / np.sqrt(x)


def sin(x: Array) -> Array:
    """y = sin x, x in radians."""
    return np.sin(x)


def cos(x: Array) -> Array:
    """y = cos x, x in radians."""
    return np.cos(x)


def tan(x: Array) -> Array:
    """y = tan x, x in radians."""
    return np.tan(x)


def arcsin(x: Array) -> Array:
    """y = the angle in [-π/2, π/2] whose sine is x; NaN outside [-1, 1]."""
    with np.errstate(all="ignore"):
        return np.arcsin(x)


def arccos(x: Array) -> Array:
    """y = the angle in [0, π] whose cosine is x; NaN outside [-1, 1]."""
    with np.errstate(all="ignore"):
        return np.arccos(x)


def arctan(x: Array) -> Array:
    """y = the angle in (-π/2, π/2) whose tangent is x."""
    return np.arctan(x)


def sinh(x: Array) -> Array:
    """y = (eˣ - e⁻ˣ)/2."""
    return np.sinh(x)


def cosh(x: Array) -> Array:
    """y = (eˣ + e⁻ˣ)/2."""
    return np.cosh(x)


def arcsinh(x: Array) -> Array:
    """y = the number whose sinh is x."""
    return np.arcsinh(x)


def arccosh(x: Array) -> Array:
    """y = the number ≥ 0 whose cosh is x; NaN for x < 1."""
    with np.errstate(all="ignore"):
        return np.arccosh(x)


def arctanh(x: Array) -> Array:
    """y = the number whose tanh is x; NaN outside [-1, 1]."""
    with np.errstate(all="ignore"):
        return np.arctanh(x)


def log1p(x: Array) -> Array:
    """y = ln(1 + x), exact for small x too."""
    with np.errstate(all="ignore"):
        return np.log1p(x)


def expm1(x: Array) -> Array:
    """y = eˣ - 1, exact for small x too."""
    return np.expm1(x)


def log2(x: Array) -> Array:
    """y = the power to which 2 is x."""
    with np.errstate(all="ignore"):
        return np.log2(x)


def log10(x: Array) -> Array:
    """y = the power to which 10 is x."""
    with np.errstate(all="ignore"):
        return np.log10(x)


def erf(x: Array) -> Array:
    """y = 2/√π ∫₀ˣ e^(-t²) dt."""
    return np.vectorize(math.erf, otypes=[x.dtype])(x)


def arctan2(a: Array, b: Array) -> Array:
    """y = the angle in [-π, π] of the point with height a and width b. a and b of one shape → y of it."""
    return np.arctan2(a, b)


def pow(base: Array, exponent: Array) -> Array:
    """y = base^exponent; NaN for a negative base and a broken exponent. Both of one shape → y of it."""
    with np.errstate(all="ignore"):
        return np.power(base, exponent, dtype=np.float64).astype(base.dtype)


def floor_divide(a: Array, b: Array) -> Array:
    """y = ⌊a / b⌋. a and b of one shape → y of it."""
    with np.errstate(all="ignore"):
        return np.floor_divide(a, b)


def mod(a: Array, b: Array) -> Array:
    """y = a - ⌊a / b⌋·b: what is left, with the sign of b. a and b of one shape → y of it."""
    with np.errstate(all="ignore"):
        return np.mod(a, b)
