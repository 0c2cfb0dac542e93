"""Arithmetic and functions of numbers, element by element; shapes are repeated to fit, as in NumPy. Floor 2."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.arguments import whole as whole_number
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.ops._convert import floats, is_number, number_like, tensor, together, widened
from fastnn.ops.rows import compare, elementwise, functions, whole
from fastnn.ops.rows.dense import add_bias
from fastnn.ops.rows.whole import WHOLE

__all__ = [
    "abs", "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "ceil",
    "clip", "cos", "cosh", "deg2rad", "divide", "divide_no_nan", "exp", "exp2", "expm1", "floor", "floor_divide",
    "hypot", "log", "log1p", "log2", "log10", "logaddexp", "maximum", "minimum", "mod", "multiply", "nan_to_num",
    "negative", "power", "rad2deg", "reciprocal", "round", "sign", "sin", "sinh", "sqrt", "square", "subtract", "tan",
    "true_divide", "trunc",
]


def _floating(x: Any) -> bool:
    return isinstance(x, Tensor) and x.dtype not in WHOLE


def _fit(x1: TensorLike, x2: TensorLike) -> bool:
    """Whether both are tensors of floats of one shape, as nearly always: there is nothing to convert or repeat."""
    return (isinstance(x1, Tensor) and isinstance(x2, Tensor) and x1.shape == x2.shape and x1.dtype == x2.dtype
            and x1.dtype not in WHOLE)


def _by_dtype(name: str, of_floats: Any, of_whole: Any, x1: TensorLike, x2: TensorLike, of_bools: Any = None) -> Tensor:
    """The row for the dtype that both meet in; bools count as 0 and 1 where there is no row for them."""
    a, b = together(name, x1, x2)
    if a.dtype not in WHOLE:
        y: Tensor = of_floats(a, b)
    elif a.dtype != "bool":
        y = of_whole(a, b)
    elif of_bools is not None:
        y = of_bools(a, b)
    else:
        y = of_whole(widened(a, "int32"), widened(b, "int32"))
    return y


def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 + x2. A vector that fits the last axis is added as a bias."""
    if _fit(x1, x2):
        return elementwise.add(x1, x2)  # type: ignore[no-any-return]
    for x, y in ((x1, x2), (x2, x1)):
        if _floating(x) and is_number(y):
            return elementwise.add_constant(x, value=float(y))  # type: ignore[arg-type, no-any-return]
    if _floating(x1) and _floating(x2) and x2.ndim == 1 < x1.ndim and x1.shape[-1] == x2.shape[0]:  # type: ignore
        return add_bias(x1, x2)  # type: ignore[no-any-return]
    return _by_dtype("add", elementwise.add, whole.whole_add, x1, x2, whole.bitwise_or)


def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 - x2."""
    if _fit(x1, x2):
        return elementwise.subtract(x1, x2)  # type: ignore[no-any-return]
    if _floating(x1) and is_number(x2):
        return elementwise.add_constant(x1, value=-float(x2))  # type: ignore[arg-type, no-any-return]
    if _floating(x2) and is_number(x1):
        return elementwise.add_constant(elementwise.negative(x2), value=float(x1))  # type: ignore
    return _by_dtype("subtract", elementwise.subtract, whole.whole_subtract, x1, x2)


def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 · x2."""
    if _fit(x1, x2):
        return elementwise.multiply(x1, x2)  # type: ignore[no-any-return]
    for x, y in ((x1, x2), (x2, x1)):
        if _floating(x) and is_number(y):
            return elementwise.scale(x, factor=float(y))  # type: ignore[arg-type, no-any-return]
    return _by_dtype("multiply", elementwise.multiply, whole.whole_multiply, x1, x2, whole.bitwise_and)


def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 / x2, in floats also for whole numbers; ±∞ and NaN where x2 is 0."""
    if _fit(x1, x2):
        return elementwise.divide(x1, x2)  # type: ignore[no-any-return]
    if _floating(x1) and is_number(x2) and float(x2):  # type: ignore[arg-type]
        return elementwise.scale(x1, factor=1.0 / float(x2))  # type: ignore[arg-type, no-any-return]
    return elementwise.divide(*map(floats, together("divide", x1, x2)))  # type: ignore[no-any-return]


true_divide = divide


def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 / x2, and 0 where x2 is 0."""
    return elementwise.divide_no_nan(*map(floats, together("divide_no_nan", x1, x2)))  # type: ignore[no-any-return]


def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """⌊x1 / x2⌋; the gradient is 0. Whole numbers give 0 where x2 is 0."""
    return _by_dtype("floor_divide", functions.floor_divide, whole.whole_floor_divide, x1, x2)


def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 - ⌊x1 / x2⌋ · x2: what is left, with the sign of x2."""
    return _by_dtype("mod", functions.mod, whole.whole_mod, x1, x2)


def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of the two, x1's at a tie; NaN where either is."""
    if _fit(x1, x2):
        return elementwise.maximum(x1, x2)  # type: ignore[no-any-return]
    return _by_dtype("maximum", elementwise.maximum, whole.whole_maximum, x1, x2, whole.whole_maximum)


def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of the two, x1's at a tie; NaN where either is."""
    if _fit(x1, x2):
        return elementwise.minimum(x1, x2)  # type: ignore[no-any-return]
    return _by_dtype("minimum", elementwise.minimum, whole.whole_minimum, x1, x2, whole.whole_minimum)


def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 to the power of x2. Whole numbers stay whole; their exponents are 0 or more."""
    if _floating(x1) and is_number(x2):
        x2 = float(x2)  # type: ignore[arg-type]
        return elementwise.square(x1) if x2 == 2 else elementwise.power(x1, exponent=x2)  # type: ignore[no-any-return]
    a, b = together("power", x1, x2)
    if a.dtype not in WHOLE:
        return functions.pow(a, b)  # type: ignore[no-any-return]
    a, b = (widened(t, "int32") if t.dtype == "bool" else t for t in (a, b))
    if is_number(x2) and int(x2) > 0:  # type: ignore[arg-type]
        return functools.reduce(multiply, [a] * min(int(x2), 62 + int(x2) % 2))  # type: ignore[arg-type]
    return _whole_power(a, b)


def _whole_power(a: Tensor, b: Tensor) -> Tensor:
    """aᵇ of whole numbers, for which floats have too few digits: the product of those of a, a², a⁴, … whose exponents
    add up to b. Beyond 63 only the powers of 0, 1 and -1 have room."""
    ones, square_of_it = together("power", 1, a)[0], a
    y, left = ones, minimum(b, add(mod(b, 2), 62))
    for i in range(6):
        square_of_it = multiply(square_of_it, square_of_it) if i else a
        y = multiply(y, compare.where(widened(mod(left, 2), "bool"), square_of_it, ones))
        left = floor_divide(left, 2)
    rounded = widened(functions.round(functions.pow(floats(a), floats(b))), a.dtype)
    return compare.where(compare.less(*together("power", b, 0)), rounded, y)  # type: ignore[no-any-return]


def arctan2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The angle in [-π, π] of the point with height x1 and width x2."""
    return functions.arctan2(*map(floats, together("arctan2", x1, x2)))  # type: ignore[no-any-return]


def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """ln(eˣ¹ + eˣ²), without overflow. Where both are equal, infinite too, each has half of the gradient."""
    a, b = map(floats, together("logaddexp", x1, x2))
    same, zero = compare.equal(a, b), together("logaddexp", 0.0, a)[0]
    highest = compare.where(same, add(multiply(a, 0.5), multiply(b, 0.5)), maximum(a, b))
    apart = absolute(subtract(*(compare.where(same, zero, each) for each in (a, b))))
    return add(highest, log1p(exp(negative(apart))))


def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """√(x1² + x2²)."""
    return sqrt(add(square(floats(tensor(x1))), square(floats(tensor(x2)))))


def _signed(x: TensorLike) -> Tensor:
    x = tensor(x)
    return widened(x, "int32") if x.dtype in ("bool", "uint8") else x


def negative(x: TensorLike) -> Tensor:
    """-x."""
    x = _signed(x)
    return subtract(0, x) if x.dtype in WHOLE else elementwise.negative(x)  # type: ignore[no-any-return]


def absolute(x: TensorLike) -> Tensor:
    """|x|."""
    x = tensor(x)
    if x.dtype in ("bool", "uint8"):
        return x
    return maximum(x, negative(x)) if x.dtype in WHOLE else elementwise.absolute(x)  # type: ignore[no-any-return]


abs = absolute


def sign(x: TensorLike) -> Tensor:
    """1, 0 or -1: the sign of x; the gradient is 0."""
    x = _signed(x)
    return minimum(1, maximum(-1, x)) if x.dtype in WHOLE else elementwise.sign(x)  # type: ignore[no-any-return]


def square(x: TensorLike) -> Tensor:
    """x²."""
    x = _signed(x)
    return multiply(x, x) if x.dtype in WHOLE else elementwise.square(x)  # type: ignore[no-any-return]


def clip(x: TensorLike, x_min: TensorLike, x_max: TensorLike) -> Tensor:
    """x kept within [x_min, x_max]; its gradient is 0 outside."""
    x = _signed(x)
    if x.dtype not in WHOLE and is_number(x_min) and is_number(x_max):
        return elementwise.clip(x, low=float(x_min), high=float(x_max))  # type: ignore
    return minimum(maximum(x, x_min), x_max)


def unary(name: str, row: Callable[[Tensor], Any], whole_too: bool = False) -> Callable[[TensorLike], Tensor]:
    """A public function of one argument, of floats; with `whole_too` whole numbers are what they are."""
    def function(x: TensorLike) -> Tensor:
        x = tensor(x)
        if whole_too and x.dtype in WHOLE:
            return x
        y: Tensor = row(floats(x))
        return y
    function.__name__ = function.__qualname__ = name
    function.__doc__ = row.__doc__
    return function


sqrt = unary("sqrt", elementwise.sqrt)
exp = unary("exp", elementwise.exp)
exp2 = unary("exp2", elementwise.exp2)
log = unary("log", elementwise.log)
ceil = unary("ceil", functions.ceil)
floor = unary("floor", functions.floor)
trunc = unary("trunc", functions.trunc, True)
sin = unary("sin", functions.sin)
cos = unary("cos", functions.cos)
tan = unary("tan", functions.tan)
arcsin = unary("arcsin", functions.arcsin)
arccos = unary("arccos", functions.arccos)
arctan = unary("arctan", functions.arctan)
sinh = unary("sinh", functions.sinh)
cosh = unary("cosh", functions.cosh)
arcsinh = unary("arcsinh", functions.arcsinh)
arccosh = unary("arccosh", functions.arccosh)
arctanh = unary("arctanh", functions.arctanh)
log1p = unary("log1p", functions.log1p)
expm1 = unary("expm1", functions.expm1)
log2 = unary("log2", functions.log2)
log10 = unary("log10", functions.log10)


def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """x to so many decimals; of two equally near the even one. The gradient is 0."""
    x, decimals = tensor(x), whole_number(decimals, "round: decimals", None)
    if x.dtype in WHOLE and decimals >= 0:
        return widened(x, "int32") if x.dtype == "bool" else x
    factor = 10.0 ** decimals
    y: Tensor = functions.round(floats(x) if decimals == 0 else multiply(floats(x), factor))
    return widened(y if decimals == 0 else divide(y, factor), x.dtype)


def reciprocal(x: TensorLike) -> Tensor:
    """1 / x."""
    return divide(1.0, x)


def deg2rad(x: TensorLike) -> Tensor:
    """Degrees as radians: x·π/180."""
    return multiply(floats(tensor(x)), math.pi / 180)


def rad2deg(x: TensorLike) -> Tensor:
    """Radians as degrees: x·180/π."""
    return multiply(floats(tensor(x)), 180 / math.pi)


def cbrt(x: TensorLike) -> Tensor:
    """The cube root of x."""
    x = floats(tensor(x))
    return multiply(sign(x), power(absolute(x), 1 / 3))


def nan_to_num(x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """x with numbers for NaN, +∞ and -∞: `nan`, and the largest and smallest float unless given."""
    y = tensor(x)
    if y.dtype in WHOLE:
        return y
    limit = float(np.finfo(y.dtype).max)
    high, low = (compare.greater(*together("nan_to_num", *pair)) for pair in ((y, limit), (-limit, y)))
    for place, value in ((compare.isnan(y), nan), (high, limit if posinf is None else posinf),
                         (low, -limit if neginf is None else neginf)):
        y = compare.where(place, *together("nan_to_num", number_like(value, y.dtype), y))
    return y
