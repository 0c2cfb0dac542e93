"""Rows for fastnn/reference/embedding.py. Ids from -1 on: one that is no row gives NaN and takes no gradient."""

from tests.cases._case import Case, floats, ints

CASES = [
    Case("embedding", ids=ints("m", low=-1, high="v"), table=floats("v", "n"), exact=True, bits=True, grad=False,
         bad=[(dict(ids=(2,), table=(3,)), "one row for each id")]),
    Case("embedding", ids=ints("b", "t", low=0, high=9), table=floats(9, "n"), exact=True, bits=True),
    Case("embedding_grad", dy=floats("b", "t", "n"), ids=ints("b", "t", low=-1, high=9), rows=9, exact=True, grad=False,
         bad=[(dict(dy=(2, 3, 4), ids=(2, 4)), "a row for each id")]),
    Case("embedding_grad", dy=floats("m", 7), ids=ints("m", low=0, high=200), rows=200, exact=True),
]
