"""Rows for fastnn/reference/elementwise.py. One correctly rounded operation has only one right answer: bits=True."""

from typing import Any

from tests.cases._case import Case, floats, ints, wide

NAN, INF = float("nan"), float("inf")


def _zeros(arrays: dict[str, Any]) -> None:
    """Every third divisor is 0."""
    arrays["b"].reshape(-1)[::3] = 0


def _special(arrays: dict[str, Any]) -> None:
    """What comparisons get wrong: NaN on either side, infinities, ties, signed zeros."""
    a, b = (arrays[name].reshape(-1) for name in ("a", "b"))
    for i, (x, y) in enumerate([(NAN, 1.0), (1.0, NAN), (0.0, -0.0), (-0.0, 0.0), (INF, -INF), (2.0, 2.0)]):
        a[i:i + 1], b[i:i + 1] = x, y


def _apart(arrays: dict[str, Any]) -> None:
    """a and b differ by at least 0.05, so that a numerical gradient sees no kink."""
    a, b = arrays["a"], arrays["b"]
    a += (abs(a - b) < 0.05) * 0.2


def _special_x(arrays: dict[str, Any]) -> None:
    x = arrays["x"].reshape(-1)
    for i, value in enumerate([NAN, 0.0, -0.0, INF, -INF, -1.0, 1.0]):
        x[i:i + 1] = value


BAD = [(dict(a=(2, 3), b=(3, 2)), "must be equal"), (dict(a=(2, 1), b=(2, 3)), "must be equal")]
A, B, X = floats("n"), floats("n"), floats("n")

CASES = [
    Case("add", a=floats("m", "n"), b=floats("m", "n"), bits=True, exact=True, bad=BAD),
    Case("subtract", a=A, b=B, bits=True, exact=True, bad=BAD),
    Case("multiply", a=A, b=B, bits=True, exact=True, bad=BAD),
    Case("divide", a=A, b=floats("n", avoid=(0,)), bits=True, bad=BAD),
    Case("divide", a=A, b=B, bits=True, grad=False, fix=_zeros),
    Case("divide_no_nan", a=A, b=floats("n", avoid=(0,)), bits=True, bad=BAD),
    Case("divide_no_nan", a=A, b=B, bits=True, grad=False, fix=_zeros),
    Case("maximum", a=A, b=B, bits=True, exact=True, fix=_apart, bad=BAD),
    Case("maximum", a=A, b=B, grad=False, fix=_special),
    Case("minimum", a=A, b=B, bits=True, exact=True, fix=_apart, bad=BAD),
    Case("minimum", a=A, b=B, grad=False, fix=_special),
    Case("maximum_grad", dy=floats("n"), a=A, b=B, bits=True, exact=True, fix=_special),
    Case("power", x=floats("n", low=0.1), exponent=0.7),
    Case("power", x=floats("n", avoid=(0,)), exponent=3.0),
    Case("power", x=floats("n", avoid=(0,)), exponent=2.0),
    Case("power", x=floats("n", avoid=(0,)), exponent=-1.0),
    Case("power", x=floats("n", avoid=(0,)), exponent=-3),
    Case("power", x=floats("n", low=0.1), exponent=0.5),
    Case("power", x=floats("n", low=0.1, high=4.0), exponent=30.1),
    Case("negative", x=X, bits=True, exact=True),
    Case("absolute", x=floats("n", avoid=(0,)), bits=True, exact=True),
    Case("sign", x=X, bits=True, exact=True, grad=False),
    Case("sign", x=X, grad=False, fix=_special_x),
    Case("square", x=X, bits=True, exact=True),
    Case("sqrt", x=floats("n", low=0.1), bits=True),
    Case("exp", x=X),
    Case("exp", x=floats("n", low=-86.0, high=88.0), grad=False),
    Case("exp", x=X, grad=False, fix=_special_x),
    Case("exp2", x=X),
    Case("exp2", x=floats("n", low=-125.0, high=127.9), grad=False),
    Case("exp2", x=X, grad=False, fix=_special_x),
    Case("log", x=floats("n", low=0.1)),
    Case("log", x=floats("n", low=1e-30, high=1e30), grad=False),
    Case("log", x=X, grad=False, fix=_special_x),
    Case("scale", x=X, factor=0.1, bits=True),
    Case("scale", x=X, factor=-3.0, bits=True, exact=True),
    Case("add_constant", x=X, value=0.3, bits=True),
    Case("clip", x=floats("n", avoid=(-1, 0.5)), low=-1.0, high=0.5, bits=True),
    Case("clip", x=X, low=-INF, high=INF, bits=True, exact=True),
    Case("clip", x=X, low=-1.0, high=0.5, grad=False, fix=_special_x),
    Case("clip_grad", dy=floats("n"), x=wide(ints("n", low=-3, high=4), "float32"), low=-1.0, high=2.0, bits=True),
    Case("cast", x=X, dtype="int32", fix=_special_x, grad=False, bits=True),
    Case("cast", x=floats("m", "n", low=-300, high=300), dtype="uint8", grad=False, bits=True),
    Case("cast", x=floats("n", low=-1e30, high=1e30), dtype="int64", grad=False, bits=True),
    Case("cast", x=X, dtype="bool", fix=_special_x, grad=False, bits=True),
    Case("cast", x=X, dtype="float64", grad=False, bits=True),
    Case("cast", x=wide(X), dtype="float32", bits=True, grad=False),
    Case("cast", x=X, dtype="float64"),
    *(Case("cast", x=ints("n", low=-300, high=300, dtype=given), dtype=wanted, grad=False, bits=True)
      for given in ("int32", "int64") for wanted in ("float32", "float64", "int32", "int64", "uint8", "bool")),
    *(Case("cast", x=ints("n", high=256, dtype="uint8"), dtype=wanted, grad=False, bits=True)
      for wanted in ("float32", "int32", "int64", "uint8", "bool")),
    *(Case("cast", x=ints("n", high=2, dtype="bool"), dtype=wanted, grad=False, bits=True)
      for wanted in ("float32", "int32")),
    Case("cast", x=ints("n", low=-2 ** 62, high=2 ** 62, dtype="int64"), dtype="int32", grad=False, bits=True),
    Case("cast", x=ints("n", low=-2 ** 62, high=2 ** 62, dtype="int64"), dtype="float32", grad=False, bits=True),
]
