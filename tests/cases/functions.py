"""Rows for fastnn/reference/functions.py, within what the C library promises."""

from typing import Any

from tests.cases._case import Case, floats

NAN, INF = float("nan"), float("inf")


def _special(arrays: dict[str, Any]) -> None:
    x = arrays["x"].reshape(-1)
    for i, value in enumerate([NAN, 0.0, -0.0, INF, -INF, 0.5, 1.5, -0.5, 1.0, -1.0]):
        x[i:i + 1] = value


def _special_pair(arrays: dict[str, Any]) -> None:
    """Signs, zeros and infinities on either side."""
    a, b = arrays["a"].reshape(-1), arrays["b"].reshape(-1)
    for i, (p, q) in enumerate([(5.0, 3.0), (-5.0, 3.0), (5.0, -3.0), (-5.0, -3.0), (6.0, 3.0), (-6.0, 3.0), (0.0, 2.0),
                                (1.0, 0.0), (0.0, 0.0), (NAN, 1.0), (1.0, NAN), (INF, 2.0), (2.0, INF), (-2.0, INF)]):
        a[i:i + 1], b[i:i + 1] = p, q


X = floats("n", low=-3, high=3)
HALVES = floats("n", low=-4, high=4, avoid=(-4, -3.5, -3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4))
INSIDE, ABOVE = floats("n", low=-0.9, high=0.9), floats("n", low=1.1, high=9.0)
POSITIVE = floats("n", low=0.1, high=9.0)
BAD = [(dict(a=(2, 3), b=(3, 2)), "must be equal")]

CASES = [
    *(Case(name, x=HALVES, bits=True, grad=False) for name in ("floor", "ceil", "round", "trunc")),
    *(Case(name, x=X, bits=True, grad=False, fix=_special) for name in ("floor", "ceil", "round", "trunc")),
    *(Case(name, x=X) for name in ("sin", "cos", "arctan", "sinh", "cosh", "arcsinh", "expm1", "erf")),
    *(Case(name, x=X, grad=False, fix=_special) for name in ("sin", "cos", "tan", "arctan", "sinh", "cosh", "arcsinh",
                                                             "expm1", "erf", "rsqrt", "log1p", "log2", "log10")),
    Case("tan", x=floats("n", low=-1.2, high=1.2)),
    *(Case(name, x=INSIDE) for name in ("arcsin", "arccos", "arctanh", "log1p")),
    *(Case(name, x=X, grad=False) for name in ("arcsin", "arccos", "arctanh", "arccosh")),
    Case("arccosh", x=ABOVE),
    *(Case(name, x=POSITIVE) for name in ("rsqrt", "log2", "log10")),
    Case("arctan2", a=floats("n", avoid=(0,)), b=floats("n", avoid=(0,)), bad=BAD),
    Case("arctan2", a=X, b=X, grad=False, fix=_special_pair),
    Case("pow", base=POSITIVE, exponent=X, bad=[(dict(base=(2, 3), exponent=(3, 2)), "must be equal")]),
    Case("pow", base=X, exponent=X, grad=False),
    Case("floor_divide", a=floats("n", low=-30, high=30), b=floats("n", avoid=(0,)), grad=False, bits=True, bad=BAD),
    Case("floor_divide", a=X, b=X, grad=False, fix=_special_pair),
    Case("mod", a=floats("n", low=-3, high=-2.8), b=floats("n", low=0.81, high=0.85), bad=BAD),
    Case("mod", a=floats("n", low=-30, high=30), b=floats("n", avoid=(0,)), grad=False, bits=True),
    Case("mod", a=X, b=X, grad=False, fix=_special_pair),
]
