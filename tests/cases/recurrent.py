"""Rows for fastnn/reference/recurrent.py. Small recurrent weights: a step does not enlarge an error in the state."""

from typing import Any

import numpy as np

from tests.cases._case import Case, Source, floats, ints

UNITS = (1, 5, 16, 33)
WEIGHTS = dict(low=-0.15, high=0.15)
NONE = Source(lambda rng, sizes, integers: np.zeros(0, np.float32), (0,))
NO_MASK = Source(lambda rng, sizes, integers: np.zeros(0, np.uint8), (0,))


def mask(way: str) -> Source:
    return NO_MASK if way == "none" else ints("b", "t", high=2, dtype="uint8")


def gates(n: int, low: float = 0.05) -> Source:
    return floats("b", "t", n, low=low, high=0.95)


def rnn(n: int, way: str, **constants: Any) -> list[Case]:
    u = floats(n, n, **WEIGHTS)
    return [Case("rnn_steps", z=floats("b", "t", n), u=u, h0=floats("b", n), mask=mask(way), **constants,
                 grad=constants["activation"] != "relu",
                 bad=[(dict(z=(2, 3, n + 1), h0=(2, n)), "as wide as u"), (dict(z=(2, 0, n), h0=(2, n)), "length 0"),
                      (dict(z=(2, 3, n), h0=(3, n)), "one row a sequence")]),
            Case("rnn_steps_grad", dh=floats("b", "t", n), dh_last=floats("b", n), u=u,
                 h=floats("b", "t", n, low=-1, high=1), mask=mask(way), **constants)]


def lstm(n: int, way: str, reverse: bool) -> list[Case]:
    u = floats(n, 4 * n, **WEIGHTS)
    return [Case("lstm_steps", z=floats("b", "t", 4 * n), u=u, h0=floats("b", n), c0=floats("b", n), mask=mask(way),
                 reverse=reverse, bad=[(dict(z=(2, 3, 4 * n), h0=(2, n), c0=(2, n + 1)), "c0"),
                                       (dict(u=(n, 4 * n + 1)), "recurrent weights"),
                                       (dict(z=(2, 3, 4 * n), h0=(2, n), c0=(2, n), mask=(2, 4)), "one value a step")]),
            Case("lstm_steps_grad", dh=NONE if reverse else floats("b", "t", n), dh_last=floats("b", n),
                 dc_last=NONE if n == 5 else floats("b", n), u=u, c0=floats("b", n), c=floats("b", "t", n),
                 gates=gates(4 * n), mask=mask(way), reverse=reverse)]


CASES = [
    *(case for n, way, reverse, activation in ((1, "none", False, "tanh"), (5, "mask", True, "sigmoid"),
                                               (16, "none", True, "relu"), (33, "mask", False, "linear"))
      for case in rnn(n, way, activation=activation, reverse=reverse)),
    *(case for n in UNITS for way in ("none", "mask") for case in lstm(n, way, n in (5, 16))),
]
