"""Rows for fastnn/reference/whole.py. There is only one right answer: bits=True."""

from typing import Any

from tests.cases._case import Case, ints

LIMIT = {"int32": 2 ** 31 - 1, "int64": 2 ** 63 - 1, "uint8": 255}
PAIR = [(dict(a=(2, 3), b=(3, 2)), "must be equal")]


def _edges(arrays: dict[str, Any]) -> None:
    """The ends of the dtype, where sums wrap around; signs and zeros on either side."""
    a, b = arrays["a"].reshape(-1), arrays["b"].reshape(-1)
    top, low = LIMIT[a.dtype.name], 0 if a.dtype == "uint8" else -LIMIT[a.dtype.name]
    for i, (p, q) in enumerate([(top, 1), (low, top), (7, 0), (7, 3), (low, 2), (top, 5), (0, 4), (top, top)]):
        a[i:i + 1], b[i:i + 1] = p, q
    if a.dtype != "uint8":
        for i, (p, q) in enumerate([(-7, 3), (7, -3), (-7, -3), (-6, 3), (5, -1), (low, -1)], 8):
            a[i:i + 1], b[i:i + 1] = p, q


def _x(dtype: str) -> Any:
    return ints("m", "n", low=0 if dtype == "uint8" else -90, high=90, dtype=dtype)


CASES = [
    *(Case(name, a=_x(dtype), b=_x(dtype), bits=True, fix=_edges, bad=PAIR) for dtype in LIMIT for name in (
        "whole_add", "whole_subtract", "whole_multiply", "whole_floor_divide", "whole_mod", "whole_maximum",
        "whole_minimum", "bitwise_and", "bitwise_or", "bitwise_xor")),
    *(Case(name, a=ints("n", high=2, dtype="bool"), b=ints("n", high=2, dtype="bool"), bits=True)
      for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "whole_maximum", "whole_minimum")),
    *(Case(name, a=_x(dtype), b=ints("m", "n", high=70, dtype=dtype), bits=True) for dtype in LIMIT
      for name in ("left_shift", "right_shift")),
    *(Case(name, x=ints("m", 3, "n", low=0 if dtype == "uint8" else -90, high=90, dtype=dtype), axes=axes, bits=True,
           bad=[(dict(x=(2,)), "axis numbers")])
      for name in ("whole_sum", "whole_max", "whole_min") for dtype in LIMIT for axes in ((0, 2), (1,), (2,))),
    Case("whole_max", x=ints("m", "n", high=2, dtype="bool"), axes=(0, 1), bits=True),
    Case("whole_min", x=ints("m", "n", high=2, dtype="bool"), axes=(1,), bits=True),
]
