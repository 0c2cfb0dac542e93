"""Rows for fastnn/reference/batch_norm.py: few and many rows and channels, a mean far larger than the spread."""

from typing import Any

from tests.cases._case import Case, floats


def far(arrays: dict[str, Any]) -> None:
    """x around 10,000: sums of squares would lose everything."""
    arrays["x"] += 10_000


E: dict[str, Any] = {"epsilon": 1e-3}
VECTORS: dict[str, Any] = {"gamma": floats("c"), "beta": floats("c")}
VARIANCE = floats("c", low=0.1, high=4)
GIVEN: dict[str, Any] = {"gamma": floats("c"), "mean": floats("c"), "variance": VARIANCE}
NONE: dict[str, Any] = {"moving_mean": floats(0), "moving_variance": floats(0)}
ROWS, IMAGE = ("n", "c"), (3, 5, "n", "c")
WRONG: Any = [(dict(gamma=(2,)), "one value per channel"), (dict(x=(3,)), "batch")]
UNEQUAL: Any = [(dict(dy=(2, 3)), "equal"), (dict(mean=(7,)), "one value per channel")]

CASES = [
    *(Case("batch_norm", x=floats(*dims), **VECTORS, **NONE, **E, bad=WRONG if dims is ROWS else ())
      for dims in (ROWS, IMAGE)),
    Case("batch_norm", x=floats(300, "c"), **VECTORS, **NONE, epsilon=1e-5),
    Case("batch_norm", x=floats(300, "c"), **VECTORS, **NONE, **E, fix=far, grad=False),
    *(Case("batch_norm_grad", dy=floats(*dims), x=floats(*dims), **GIVEN, **E, bad=UNEQUAL if dims is ROWS else ())
      for dims in (ROWS, IMAGE)),
    *(Case("batch_norm", x=floats(*dims), **VECTORS, moving_mean=floats("c"), moving_variance=VARIANCE, **E,
           bad=[*WRONG[:1], (dict(moving_mean=(7,)), "one value per channel")] if dims is ROWS else ())
      for dims in (ROWS, IMAGE)),
]
