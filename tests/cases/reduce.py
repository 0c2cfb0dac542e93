"""Rows for fastnn/reference/reduce.py: every pattern of kept and reduced axes."""

from typing import Any

from tests.cases._case import Case, floats, ints, wide


def _apart(arrays: dict[str, Any]) -> None:
    """No two values closer than 0.05, so that a numerical gradient sees no kink."""
    x = arrays["x"]
    x.reshape(-1)[:] = x.reshape(-1).argsort().argsort() * 0.05


def _largest(axes: tuple[int, ...]) -> Any:
    """Makes y the maximum of x."""
    def fix(arrays: dict[str, Any]) -> None:
        arrays["y"] = arrays["x"].max(axis=axes)
    return fix


def _nan(arrays: dict[str, Any]) -> None:
    arrays["x"].reshape(-1)[::7] = float("nan")


VECTOR, MATRIX, CUBE, FOUR = ("n",), ("m", "n"), ("m", 3, "n"), (3, "m", 2, "n")
PATTERNS: list[tuple[tuple[int | str, ...], tuple[int, ...]]] = [
    (VECTOR, (0,)), ((), ()), (MATRIX, (0,)), (MATRIX, (1,)), (MATRIX, (0, 1)), (MATRIX, ()), (CUBE, (1,)),
    (CUBE, (0, 2)), (CUBE, (0, 1)), (CUBE, (1, 2)), (FOUR, (0, 2)), (FOUR, (1, 3)), (("n", 3), (0,)), ((257, 5), (0,)),
    ((2, 300, 3, 2), (1, 3)), ((2, 300, 3, 5), (0, 1)), ((100, 100), (0, 1)),
]
TIED = wide(ints("m", 3, "n", low=0, high=3), "float32")

CASES = [
    *(Case("sum", x=floats(*dims), axes=axes, exact=True) for dims, axes in PATTERNS),
    *(Case("mean", x=floats(*dims), axes=axes) for dims, axes in PATTERNS),
    *(Case("max", x=floats(*dims), axes=axes, bits=True, exact=True, fix=_apart) for dims, axes in PATTERNS),
    *(Case("length", x=floats(*dims), axes=axes) for dims, axes in PATTERNS if dims and axes),
    *(Case("root_mean_square", x=floats(*dims), axes=axes, epsilon=1e-3) for dims, axes in PATTERNS),
    Case("max", x=floats("m", 3, "n"), axes=(1, 2), fix=_nan, grad=False),
    Case("max", x=floats("m", 3, "n"), axes=(1,), fix=_nan, grad=False),
    Case("sum", x=floats(2, 3), axes=(1,), bad=[(shape, "increasing") for shape in (dict(x=(2,)), dict(x=()))]),
    Case("max_grad", dy=floats("m", "n"), x=TIED, y=floats("m", "n"), axes=(1,), fix=_largest((1,)), bits=True),
    Case("max_grad", dy=floats("m"), x=TIED, y=floats("m"), axes=(1, 2), fix=_largest((1, 2)), bits=True),
    Case("max_grad", dy=floats(3), x=TIED, y=floats(3), axes=(0, 2), fix=_largest((0, 2)), bits=True),
    Case("max_grad", dy=floats(), x=TIED, y=floats(), axes=(0, 1, 2), fix=_largest((0, 1, 2)), bits=True),
    Case("expand", x=floats(3, 5), shape=(3, 4, 5), axes=(1,), bits=True, exact=True,
         bad=[(dict(x=(3, 4)), "without axes"), (dict(x=(3,)), "without axes")]),
    Case("expand", x=floats(), shape=(7, 33), axes=(0, 1), bits=True),
    Case("expand", x=floats(5), shape=(5, 66), axes=(1,), bits=True),
    *(Case("expand", x=ints(3, 2, high=2, dtype=dtype), shape=(3, 5, 2, 4), axes=(1, 3), bits=True)
      for dtype in ("bool", "uint8", "int32", "int64")),
    Case("expand", x=ints(66, dtype="int64"), shape=(5, 66), axes=(0,), bits=True),
    Case("expand", x=floats(66), shape=(5, 66), axes=(0,), bits=True),
    Case("expand", x=floats(3, 2), shape=(3, 5, 2, 4), axes=(1, 3), bits=True),
    Case("expand", x=floats(5, 4), shape=(3, 5, 2, 4), axes=(0, 2), bits=True),
    Case("expand", x=floats(2, 3), shape=(2, 3), axes=(), bits=True),
    Case("argmax", x=floats("m", "n"), bits=True, bad=[(dict(x=()), "last axis"), (dict(x=(2, 0)), "last axis")]),
    Case("argmax", x=TIED, bits=True),
    Case("argmax", x=floats("m", "n"), bits=True, fix=_nan),
]
