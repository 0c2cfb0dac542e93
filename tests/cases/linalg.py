"""Rows for fastnn/reference/linalg.py."""

from typing import Any

import numpy as np

from tests.cases._case import Case, floats


def _well(arrays: dict[str, Any]) -> None:
    """Matrices far from singular, the gaps between their singular values and eigenvalues about 1."""
    x = arrays.get("x", arrays.get("a"))
    if x is None or not x.size:
        return
    m, n = x.shape[-2:]
    x *= 0.1 / max(m, n)
    x += np.eye(m, n, dtype=x.dtype) * (1 + np.arange(n, dtype=x.dtype))


SQUARE = [(dict(x=(3, 4)), "square"), (dict(x=(3,)), "square")]

CASES = [
    Case("cholesky", x=floats("n", "n"), fix=_well, bad=SQUARE),
    Case("cholesky", x=floats(2, 3, 3), fix=_well),
    Case("solve", a=floats("n", "n"), b=floats("n", 2), fix=_well,
         bad=[(dict(a=(3, 4), b=(3, 2)), "square"), (dict(a=(3, 3), b=(4, 2)), "as many of both")]),
    Case("solve", a=floats(2, 3, 3), b=floats(2, 3, 1), fix=_well),
    *(Case("svd", x=floats(*shape), full=False, fix=_well, grad=False,
           bad=[(dict(x=(3,)), "matrices of known size")]) for shape in (("n", 3), (3, "n"), (2, 4, 3))),
    Case("svd", x=floats(3, 4), full=True, fix=_well, grad=False),
    Case("eigh", x=floats("n", "n"), fix=_well, grad=False, bad=SQUARE),
    *(Case("qr", x=floats(*shape), full=full, fix=_well, grad=False,
           bad=[(dict(x=(3,)), "matrices of known size")]) for shape in (("n", 3), (2, 4, 3))
      for full in (False, True)),
    Case("slogdet", x=floats("n", "n"), fix=_well, grad=False, bad=SQUARE),
    Case("slogdet", x=floats(2, 3, 3), fix=_well, grad=False),
    Case("lu_factor", x=floats("n", "n"), fix=_well, grad=False, bad=[(dict(x=(3,)), "matrices of known size")]),
    *(Case("lu_factor", x=floats(2, *shape), grad=False) for shape in ((3, 3), (4, 3), (2, 3))),
]
