"""Rows for fastnn/reference/index.py. Moving is exact: bits=True."""

from typing import Any

from tests.cases._case import Case, floats, ints, wide

NAN, INF = float("nan"), float("inf")


def _ties(arrays: dict[str, Any]) -> None:
    """Equal numbers, NaN, infinities, zeros of both signs."""
    x = arrays["x"].reshape(-1)
    for i, value in enumerate([NAN, 1.0, 0.0, -0.0, INF, 1.0, -INF, NAN, 1.0]):
        x[i:i + 1] = value


ANY = ints("m", 3, low=-9, high=9)        # below the front and beyond the end, too
AXIS = [(dict(x=()), "axis")]

CASES = [
    Case("take", x=floats("n", 4), indices=ANY, axis=0, bits=True, exact=True, bad=AXIS),
    Case("take", x=floats(3, "n", 2), indices=ints("m", low=-9, high=200), axis=1, bits=True, exact=True),
    Case("take", x=floats("m", "n"), indices=ints(low=0, high=5), axis=1, bits=True),
    Case("take", x=ints("n", 3, high=256, dtype="uint8"), indices=ANY, axis=0, bits=True),
    Case("take", x=ints("n", 3, dtype="int64"), indices=ANY, axis=1, bits=True),
    Case("take", x=ints("n", high=2, dtype="bool"), indices=ANY, axis=0, bits=True),
    Case("take_grad", dy=floats("m", 3, 4), indices=ANY, axis=0, size=7, exact=True,
         bad=[(dict(dy=(2, 2, 4), indices=(2, 3)), "equal")]),
    Case("take_grad", dy=floats(3, "m", 130), indices=ints("m", low=-9, high=9), axis=1, size=5, exact=True),
    Case("take_grad", dy=ints("m", 3), indices=ANY, axis=0, size=4, bits=True),
    Case("take_grad", dy=ints(2, "m", dtype="int64"), indices=ints("m"), axis=1, size=9, bits=True),
    Case("take_along", x=floats(4, "n"), indices=ints(4, "m", low=-9, high=99), axis=1, bits=True, exact=True,
         bad=[(dict(x=(2, 3), indices=(3, 3)), "all axes but")]),
    Case("take_along", x=floats("n", 3, 2), indices=ints("m", 3, 2, low=-9, high=9), axis=0, bits=True, exact=True),
    Case("take_along", x=ints(4, "n", dtype="int64"), indices=ints(4, "m"), axis=1, bits=True),
    Case("take_along", x=ints(4, "n", high=256, dtype="uint8"), indices=ints(4, "m"), axis=1, bits=True),
    Case("take_along_grad", dy=floats(4, "m"), indices=ints(4, "m", low=-9, high=9), axis=1, size=6, exact=True,
         bad=[(dict(dy=(2, 3), indices=(3, 3)), "equal")]),
    Case("take_along_grad", dy=floats("m", 3, 2), indices=ints("m", 3, 2), axis=0, size=11, exact=True),
    Case("argsort", x=floats("m", "n"), bits=True, bad=[(dict(x=()), "axis")]),
    Case("argsort", x=floats("m", "n"), bits=True, fix=_ties),
    Case("argsort", x=ints("m", "n", high=5), bits=True),
    Case("argsort", x=ints("n", low=2 ** 40, high=2 ** 40 + 5, dtype="int64"), bits=True),
    Case("argsort", x=ints("m", "n", high=256, dtype="uint8"), bits=True),
    Case("argsort", x=wide(floats("n")), bits=True),
    Case("cumsum", x=floats("m", "n"), axis=1, reverse=False, exact=True, bad=AXIS),
    Case("cumsum", x=floats(2, "n", 70), axis=1, reverse=True, exact=True),
    Case("cumsum", x=ints("m", "n"), axis=0, reverse=False, bits=True),
    Case("cumsum", x=ints("n", dtype="int64"), axis=0, reverse=True, bits=True),
    Case("cumprod", x=floats("m", 7), axis=1),
    Case("cumprod", x=floats(5, "n"), axis=0),
    Case("cumprod", x=ints("m", 5), axis=1, bits=True),
    Case("cumprod_grad", dy=floats("m", 6), x=floats("m", 6), axis=1, bad=[(dict(dy=(2, 3), x=(3, 3)), "equal")]),
    Case("cumprod_grad", dy=floats(4, "n"), x=wide(ints(4, "n", low=-1, high=3), "float32"), axis=0),
]
