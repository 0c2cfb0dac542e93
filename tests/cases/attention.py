"""Rows for fastnn/reference/attention.py."""

from typing import Any

import numpy as np

from fastnn.reference import attention as reference
from tests.cases._case import Case, Source, floats, ints

NO_MASK = Source(lambda rng, sizes, integers: np.zeros(0, np.uint8), (0,))


def rows(heads: int, depth: int, width: int, *, masked: bool, causal: bool) -> list[Case]:
    constants: Any = dict(heads=heads, scale=depth ** -0.5, causal=causal)
    q, k, v = floats("b", "m", heads * depth), floats("b", "n", heads * depth), floats("b", "n", heads * width)
    mask = ints("b", "m", "n", high=2, dtype="uint8") if masked else NO_MASK

    def forward(arrays: dict[str, np.ndarray]) -> None:
        """y and log_sum are what the forward pass makes of the others."""
        given = [arrays[name].astype(np.float64) for name in "qkv"]
        y, log_sum = reference.attention(*given, arrays["mask"], **constants)
        arrays["y"], arrays["log_sum"] = y.astype(np.float32), log_sum.astype(np.float32)

    def looking(arrays: dict[str, np.ndarray]) -> None:
        """Every query may look at the first key."""
        if masked:
            arrays["mask"][:, :, 0] = 1

    empty = floats(0)
    def shapes(keys: int, values: int, of_mask: tuple[int, ...] = (0,)) -> dict[str, tuple[int, ...]]:
        return dict(q=(2, 3, heads * depth), k=(2, keys, heads * depth), v=(2, values, heads * width), mask=of_mask)

    return [Case("attention", q=q, k=k, v=v, mask=mask, **constants, fix=looking,
                 bad=[(shapes(4, 5), "check"), (shapes(4, 4, (2, 4)), "mask"), (shapes(0, 0), "keys")]),
            Case("attention", q=q, k=k, v=v, mask=mask, grad=False, **constants),     # some queries may look nowhere
            Case("attention_grad", dy=floats("b", "m", heads * width), q=q, k=k, v=v, mask=mask, y=empty, log_sum=empty,
                 fix=forward, **constants)]


CASES = [case for heads, depth, width, masked, causal in
         ((1, 4, 4, False, False), (2, 16, 16, False, True), (3, 5, 7, True, False), (2, 8, 16, True, True))
         for case in rows(heads, depth, width, masked=masked, causal=causal)]
