"""Rows for fastnn/reference/norm.py: few and many rows and channels, a mean far larger than the spread."""

from typing import Any

from tests.cases._case import Case, floats
from tests.cases.batch_norm import ROWS, VECTORS, WRONG, E, far


def _statistics(*dims: Any) -> dict[str, Any]:
    return {"mean": floats(*dims, low=-1, high=1), "rstd": floats(*dims, low=0.3, high=3)}


MEANS: Any = [(dict(mean=(3,), rstd=(3,)), "rows"), (dict(dy=(4, 3)), "equal")]

CASES = [
    Case("layer_norm", x=floats(*ROWS), **VECTORS, **E, bad=[*WRONG[:1], (dict(x=(3, 3, 1)), "rows")]),
    Case("layer_norm", x=floats("n", 1300), gamma=floats(1300), beta=floats(1300), epsilon=1e-5),
    Case("layer_norm", x=floats("n", 300), gamma=floats(300), beta=floats(300), **E, fix=far, grad=False),
    Case("layer_norm_grad", dy=floats(*ROWS), x=floats(*ROWS), gamma=floats("c"), **_statistics("n"), bad=MEANS),
    Case("layer_norm_grad", dy=floats("n", 1300), x=floats("n", 1300), gamma=floats(1300), **_statistics("n")),
    Case("group_norm", x=floats("b", 3, "n", 6), gamma=floats(6), beta=floats(6), groups=2, **E,
         bad=[(dict(x=(2, 5), gamma=(5,), beta=(5,)), "divide"), (dict(gamma=(4,)), "one value per channel")]),
    Case("group_norm", x=floats("b", "n", "c"), **VECTORS, groups=1, **E),
    Case("group_norm", x=floats("b", 3, "n", 68), gamma=floats(68), beta=floats(68), groups=68, **E),
    Case("group_norm", x=floats("b", "n", 260), gamma=floats(260), beta=floats(260), groups=2, **E),
    Case("group_norm", x=floats("b", 100, 64), gamma=floats(64), beta=floats(64), groups=4, **E, fix=far, grad=False),
    *(Case("group_norm_grad", dy=floats("b", "n", c), x=floats("b", "n", c), gamma=floats(c),
           **_statistics("b", groups), bad=[(dict(mean=(3, 2), rstd=(3, 2)), "rows")] if groups == 2 and c == 6 else ())
      for c, groups in ((6, 2), (68, 68), (260, 2), (130, 26))),
]
