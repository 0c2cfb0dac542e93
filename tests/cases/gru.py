"""Rows for fastnn/reference/gru.py."""

from tests.cases._case import Case, floats
from tests.cases.recurrent import NONE, UNITS, WEIGHTS, gates, mask


def gru(n: int, way: str, reverse: bool) -> list[Case]:
    u, dh = floats(n, 3 * n, **WEIGHTS), NONE if reverse else floats("b", "t", n)
    given = dict(z=floats("b", "t", 3 * n), u=u, h0=floats("b", n), mask=mask(way), reverse=reverse)
    back = dict(dh=dh, dh_last=floats("b", n), u=u, before=floats("b", "t", n, low=-1, high=1),
                gates=gates(4 * n, -0.95), mask=mask(way), reverse=reverse)
    return [Case("gru_after_steps", b=floats(3 * n), **given, bad=[(dict(b=(3 * n + 1,)), "one value a column")]),
            Case("gru_after_steps_grad", **back),
            Case("gru_before_steps", **given, bad=[(dict(z=(2, 3, 3 * n), h0=(2, n + 1)), "h0")]),
            Case("gru_before_steps_grad", **back)]


CASES = [case for n in UNITS for way in ("none", "mask") for case in gru(n, way, n in (5, 16))]
