"""Functions of numbers, element by element, and their derivatives. Floor 2.

A rule that gives None says that the derivative is 0 wherever there is one: nothing flows back.
"""

import math
from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.ops._op import Op, same, same_shapes
from fastnn.ops.rows.compare import greater, where
from fastnn.ops.rows.elementwise import add, add_constant, divide, exp, log, multiply, negative, scale, square

LIBRARY = 8.0       # nanoseconds of a function of the C library


def _stepped(name: str) -> Op:
    """A function that is flat between its steps."""
    return Op(name, shape=same, vjp=dict(x=lambda: None))


def _smooth(name: str, rule: Any, **bound: Any) -> Op:
    """A function whose derivative by x is rule(x, y)."""
    return Op(name, shape=same, vjp=dict(x=lambda dy, x, y: multiply(dy, rule(x, y))), **{"cost": LIBRARY, **bound})


def _pair(name: str, first: str = "a", second: str = "b", **bound: Any) -> Op:
    """A function of two arrays of one shape."""
    def shape(**shapes: Any) -> Any:
        return same_shapes(name, **shapes)
    rules = {("a", "b"): lambda a, b: shape(a=a, b=b),
             ("base", "exponent"): lambda base, exponent: shape(base=base, exponent=exponent)}
    return Op(name, shape=rules[first, second], **{"cost": LIBRARY, **bound})


def _one_minus_square(x: Tensor, sign: float = -1.0) -> Any:
    return add_constant(scale(square(x), factor=sign), value=1.0)


floor = _stepped("floor")
ceil = _stepped("ceil")
round = _stepped("round")
trunc = _stepped("trunc")
rsqrt = _smooth("rsqrt", lambda x, y: scale(multiply(y, square(y)), factor=-0.5), cost=0.3)
sin = _smooth("sin", lambda x, y: cos(x))
cos = _smooth("cos", lambda x, y: negative(sin(x)))
tan = _smooth("tan", lambda x, y: _one_minus_square(y, 1.0))
arcsin = _smooth("arcsin", lambda x, y: rsqrt(_one_minus_square(x)))
arccos = _smooth("arccos", lambda x, y: negative(rsqrt(_one_minus_square(x))))
arctan = Op("arctan", shape=same, vjp=dict(x=lambda dy, x: divide(dy, _one_minus_square(x, 1.0))), cost=LIBRARY)
sinh = _smooth("sinh", lambda x, y: cosh(x))
cosh = _smooth("cosh", lambda x, y: sinh(x))
arcsinh = _smooth("arcsinh", lambda x, y: rsqrt(_one_minus_square(x, 1.0)))
arccosh = _smooth("arccosh", lambda x, y: rsqrt(add_constant(square(x), value=-1.0)))
arctanh = Op("arctanh", shape=same, vjp=dict(x=lambda dy, x: divide(dy, _one_minus_square(x))), cost=LIBRARY)
log1p = Op("log1p", shape=same, vjp=dict(x=lambda dy, x: divide(dy, add_constant(x, value=1.0))), cost=LIBRARY)
expm1 = _smooth("expm1", lambda x, y: add_constant(y, value=1.0))
log2 = Op("log2", shape=same, vjp=dict(x=lambda dy, x: divide(dy, scale(x, factor=math.log(2)))), cost=LIBRARY)
log10 = Op("log10", shape=same, vjp=dict(x=lambda dy, x: divide(dy, scale(x, factor=math.log(10)))), cost=LIBRARY)
erf = _smooth("erf", lambda x, y: scale(exp(negative(square(x))), factor=2 / math.sqrt(math.pi)))


def _log_or_zero(base: Tensor) -> Any:
    zero = Tensor(np.zeros(base.shape, base.dtype), "zeros", constant=True)
    return where(greater(base, zero), log(base), zero)


arctan2 = _pair("arctan2",
                cost=12, shared=dict(each=lambda dy, a, b: divide(dy, add(square(a), square(b)))),
                vjp=dict(a=lambda each, b: multiply(each, b), b=lambda each, a: negative(multiply(each, a))))

pow: Op = _pair("pow", "base", "exponent", cost=15, vjp=dict(
    base=lambda dy, base, exponent: multiply(dy, multiply(exponent, pow(base, add_constant(exponent, value=-1.0)))),
    exponent=lambda dy, base, y: multiply(dy, multiply(y, _log_or_zero(base)))))

floor_divide = _pair("floor_divide", vjp=dict(a=lambda: None, b=lambda: None))

mod = _pair("mod", magnitude=lambda y, b: np.abs(y) + np.abs(b),
            vjp=dict(a=lambda dy: dy, b=lambda dy, a, b: negative(multiply(dy, floor(divide(a, b))))))
