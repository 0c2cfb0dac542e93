"""Rows for fastnn/reference/softmax.py."""

from tests.cases._case import Case, floats

BAD_Y = [(dict(dy=(2, 3), y=(3, 2)), "must be equal")]
ROWS = floats("b", "n", low=-8, high=8)

CASES = [
    Case("softmax", x=ROWS, bad=[(dict(x=()), "last axis")]),
    Case("softmax", x=floats("a", "b", 10)),
    Case("softmax", x=floats("b", 10, low=-1e30, high=1e30), grad=False),
    Case("softmax_grad", dy=floats("b", "n"), y=floats("b", "n", low=0, high=1), bad=BAD_Y),
    Case("log_softmax", x=ROWS, bad=[(dict(x=()), "last axis")]),
    Case("log_softmax_grad", dy=floats("b", "n"), y=floats("b", "n", low=-8, high=0), bad=BAD_Y),
]
