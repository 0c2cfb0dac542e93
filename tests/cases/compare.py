"""Rows for fastnn/reference/compare.py. There is only one right answer: bits=True."""

from typing import Any

from tests.cases._case import Case, floats, ints, wide

NAN, INF = float("nan"), float("inf")


def _special(arrays: dict[str, Any]) -> None:
    """What comparisons get wrong: NaN on either side, infinities, ties, signed zeros."""
    a, b = (arrays[name].reshape(-1) for name in ("a", "b"))
    for i, (x, y) in enumerate([(NAN, 1.0), (1.0, NAN), (0.0, -0.0), (-0.0, 0.0), (INF, -INF), (2.0, 2.0), (NAN, NAN)]):
        a[i:i + 1], b[i:i + 1] = x, y


def _special_x(arrays: dict[str, Any]) -> None:
    x = arrays["x"].reshape(-1)
    for i, value in enumerate([NAN, -NAN, 0.0, INF, -INF, 3e38]):
        x[i:i + 1] = value


BAD = [(dict(a=(2, 3), b=(3, 2)), "must be equal"), (dict(a=(2, 1), b=(2, 3)), "must be equal")]
A, B, X = floats("n"), floats("n"), floats("n")
BOOL = ints("n", high=2, dtype="bool")
SOME = [floats("n"), wide(ints("n", low=-2, high=3)), BOOL, ints("n", low=-2, high=3), ints("n", high=4, dtype="uint8"),
        ints("n", low=2 ** 40, high=2 ** 40 + 3, dtype="int64")]
RELATIONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")

CASES = [
    *(Case(name, a=A, b=B, bits=True, fix=_special, bad=BAD) for name in RELATIONS),
    *(Case(name, a=x, b=x, bits=True) for name in RELATIONS for x in SOME[1:]),
    Case("logical_not", x=BOOL, bits=True),
    *(Case(name, x=X, bits=True, fix=_special_x) for name in ("isnan", "isinf", "isfinite")),
    *(Case("where", condition=BOOL, a=x, b=x, bits=True, bad=[(dict(condition=(2,), a=(3,), b=(3,)), "must be equal")])
      for x in SOME),
]
