"""Rows for fastnn/reference/pool.py: windows side by side, overlapping, with gaps, padded, and of over 256 cells."""

from typing import Any

from tests.cases._case import Case, floats, ints


def _apart(arrays: dict[str, Any]) -> None:
    """No two values closer than 0.05, so that a numerical gradient sees no kink."""
    x = arrays["x"]
    x.reshape(-1)[:] = x.reshape(-1).argsort().argsort() * 0.05


def _nan(arrays: dict[str, Any]) -> None:
    arrays["x"].reshape(-1)[::7] = float("nan")


def _lowest(arrays: dict[str, Any]) -> None:
    """Windows of nothing but -inf, whose largest cell must still be one inside the image."""
    arrays["x"][:, :3] = float("-inf")


# (pool, strides, pads, windows of a 6 x 7 image)
NONE = (0, 0, 0, 0)
HALVES: Any = (2, 2), (2, 2), NONE, (3, 3)
PATTERNS: list[Any] = [
    HALVES, ((2, 2), (2, 2), (0, 0, 0, 1), (3, 4)), ((2, 2), (1, 1), (0, 1, 0, 1), (6, 7)),
    ((1, 4), (2, 1), NONE, (3, 4)), ((2, 1), (3, 3), (1, 1, 0, 0), (3, 3)),
]
THREES: list[Any] = [((4, 2), (1, 4), (1, 2, 0, 1), (6, 2)), ((3, 3), (2, 2), (1, 1, 1, 1), (3, 4)),
                     ((3, 2), (1, 2), (1, 1, 0, 1), (6, 4)), ((6, 7), (1, 1), NONE, (1, 1)),
                     ((3, 3), (3, 3), (2, 1, 0, 2), (3, 3))]
LARGE: Any = (17, 16), (5, 6), (0, 2, 3, 0), (2, 2)       # of a 20 x 20 image; 272 cells


def _constants(pattern: Any) -> dict[str, Any]:
    return dict(zip(("pool", "strides", "pads"), pattern))


def _windows(pattern: Any) -> Any:
    return floats("b", *pattern[3], "c")


def _chosen(pattern: Any) -> Any:
    (kh, kw), dtype = pattern[0], "uint8" if pattern is not LARGE else "int32"
    return ints("b", *pattern[3], "c", high=kh * kw, dtype=dtype)


BAD: Any = [(dict(x=(2, 6, 7)), "images"), (dict(x=(2, 1, 7, 3)), "within the image")]
BAD_GRAD: Any = [(dict(dy=(2, 3, 2, 1), argmax=(2, 3, 2, 1)), "windows"), (dict(dy=(2, 3), argmax=(2, 3)), "windows"),
                 (dict(dy=(2, 3, 3, 1), argmax=(2, 3, 3, 2)), "equal")]
IMAGE = floats("b", 6, 7, "c")

CASES = [
    *(Case("max_pool", x=IMAGE, fix=_apart, bits=True, exact=True, bad=BAD if p is HALVES else (), **_constants(p))
      for p in PATTERNS + THREES),
    Case("max_pool", x=floats("b", 20, 20, 3), fix=_apart, bits=True, **_constants(LARGE)),
    Case("max_pool", x=ints("b", 6, 7, "c", high=3, dtype="float32"), bits=True, grad=False,
         **_constants(PATTERNS[2])),
    Case("max_pool", x=IMAGE, fix=_nan, bits=True, grad=False, **_constants(THREES[1])),
    Case("max_pool", x=IMAGE, fix=_lowest, bits=True, grad=False, **_constants(THREES[4])),
    *(Case("max_pool_grad", dy=_windows(p), argmax=_chosen(p), shape=(6, 7), exact=True,
           bad=BAD_GRAD if p is HALVES else (), **_constants(p)) for p in PATTERNS + THREES),
    Case("max_pool_grad", dy=_windows(LARGE), argmax=_chosen(LARGE), shape=(20, 20), exact=True, **_constants(LARGE)),
    *(Case("average_pool", x=IMAGE, exact=True, bad=BAD if p is HALVES else (), **_constants(p)) for p in PATTERNS),
    *(Case("average_pool", x=IMAGE, **_constants(p)) for p in THREES),
    *(Case("average_pool_grad", dy=_windows(p), shape=(6, 7), exact=True, **_constants(p),
           bad=[(dict(dy=(2, 3, 2, 1)), "windows")] if p is HALVES else ()) for p in PATTERNS),
    *(Case("average_pool_grad", dy=_windows(p), shape=(6, 7), **_constants(p)) for p in THREES),
]
