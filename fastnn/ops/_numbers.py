"""Functions of numbers that few networks use, element by element, and questions about numbers. Floor 2."""

import math

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.ops._arithmetic import (
    absolute,
    add,
    divide,
    exp,
    exp2,
    logaddexp,
    maximum,
    minimum,
    mod,
    multiply,
    sign,
    sin,
    sqrt,
    square,
    subtract,
    trunc,
)
from fastnn.ops._compare import equal, isnan, less, logical_and, logical_not, logical_or, where
from fastnn.ops._convert import broadcast_to, floats, reshaped, tensor, together
from fastnn.ops._creation import ones_like, zeros_like
from fastnn.ops._reduction import any
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows.whole import WHOLE

__all__ = [
    "angle", "conj", "conjugate", "fabs", "fmax", "fmin", "fmod", "heaviside", "i0", "imag", "isin", "isneginf",
    "isposinf", "isreal", "ldexp", "logaddexp2", "real", "signbit", "sinc",
]


def real(x: TensorLike) -> Tensor:
    """x: all numbers are real ones."""
    return tensor(x)


conj = conjugate = real


def imag(x: TensorLike) -> Tensor:
    """0: all numbers are real ones."""
    return zeros_like(x)


def isreal(x: TensorLike) -> Tensor:
    """True: all numbers are real ones."""
    return ones_like(x, dtype="bool")


def angle(x: TensorLike) -> Tensor:
    """0, and π for x < 0 and -0."""
    x = floats(x)
    return where(isnan(x), x, where(signbit(x), math.pi, 0.0))  # type: ignore[arg-type, return-value]


def fabs(x: TensorLike) -> Tensor:
    """|x| in floats."""
    return absolute(floats(x))


def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of the two; of NaN and a number the number."""
    return _passing_nan(maximum(x1, x2), x1, x2)


def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of the two; of NaN and a number the number."""
    return _passing_nan(minimum(x1, x2), x1, x2)


def _passing_nan(found: Tensor, x1: TensorLike, x2: TensorLike) -> Tensor:
    a, b = together("fmax, fmin", x1, x2)
    if found.dtype in WHOLE:
        return found
    return where(isnan(a), b, where(isnan(b), a, found))  # type: ignore[arg-type, return-value]


def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 - trunc(x1 / x2)·x2: what is left, with the sign of x1."""
    a, b = together("fmod", x1, x2)
    if a.dtype in WHOLE:
        return multiply(sign(a), mod(absolute(a), absolute(b)))
    return subtract(a, multiply(trunc(divide(a, b)), b))


def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """0 where x1 < 0, x2 where it is 0, 1 where it is larger."""
    x, middle = map(floats, together("heaviside", x1, x2))
    y = where(less(x, 0.0), 0.0, where(equal(x, 0.0), middle, 1.0))  # type: ignore[arg-type]
    return where(isnan(x), x, y)  # type: ignore[return-value]


def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1·2^x2."""
    return multiply(floats(x1), exp2(x2))


def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log₂(2^x1 + 2^x2), without overflow."""
    a, b = (multiply(floats(x), math.log(2)) for x in (x1, x2))
    return divide(logaddexp(a, b), math.log(2))


def signbit(x: TensorLike) -> Tensor:
    """Whether x < 0, or -0."""
    x = tensor(x)
    if x.dtype in WHOLE:
        return less(x, 0)
    return logical_or(less(x, 0.0), logical_and(equal(x, 0.0), less(divide(1.0, x), 0.0)))


def sinc(x: TensorLike) -> Tensor:
    """sin(πx)/(πx), 1 at 0."""
    x = multiply(floats(x), math.pi)
    zero = equal(x, 0.0)
    return where(zero, 1.0, divide(sin(x), where(zero, 1.0, x)))  # type: ignore[return-value]


def isposinf(x: TensorLike) -> Tensor:
    """Whether x is +∞."""
    return equal(floats(x), math.inf)


def isneginf(x: TensorLike) -> Tensor:
    """Whether x is -∞."""
    return equal(floats(x), -math.inf)


@of_any_size
def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each of x1 is among x2; `invert`: whether it is not."""
    a, b = tensor(x1), reshaped(tensor(x2), (-1,))
    found = any(equal(reshaped(a, (-1, 1)), b), axis=-1) if b.shape[0] else broadcast_to(False, (math.prod(a.shape),))
    found = reshaped(found, a.shape)
    return logical_not(found) if invert else found


_SMALL = (1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813)
_LARGE = (0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537, -0.01647633, 0.00392377)


def i0(x: TensorLike) -> Tensor:
    """The modified Bessel function of the first kind of order 0, within 2e-7 of itself. Abramowitz and Stegun 1964,
    9.8.1 and 9.8.2."""
    x = absolute(floats(x))
    small = less(x, 3.75)
    inner, outer = where(small, x, 0.0), where(small, 3.75, x)
    below = _polynomial(square(divide(inner, 3.75)), _SMALL)
    above = multiply(divide(exp(outer), sqrt(outer)), _polynomial(divide(3.75, outer), _LARGE))
    return where(small, below, above)  # type: ignore[return-value]


def _polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    y = multiply(x, 0.0)
    for c in coefficients[::-1]:
        y = add(multiply(y, x), c)
    return y


