"""Rows for fastnn/reference/batch.py. Moving is exact: bits=True but where numbers are rescaled."""

from typing import Any

from tests.cases._case import Case, floats, ints, permutation, scalar, wide

START = scalar(0, "int64")


def _set(**sizes: Any) -> Any:
    """Puts scalars in place that must fit the drawn sizes."""
    def fix(arrays: dict[str, Any]) -> None:
        for name, rule in sizes.items():
            arrays[name][...] = rule(arrays)
    return fix


END = _set(cursor=lambda a: len(a["result"]) - len(a["rows"]))
BAD_ROWS = [(dict(x=(5, 2), order=(1,), cursor=()), "batch"), (dict(x=(), order=(3,), cursor=()), "rows")]

CASES = [
    Case("gather_rows", x=floats(70, "n"), order=ints(70, high=70), cursor=scalar(37, "int64"), batch=32, bits=True,
         bad=BAD_ROWS),
    Case("gather_rows", x=floats(70), order=ints(70, high=70), cursor=scalar(3, "int64"), batch=5, bits=True),
    Case("gather_rows", x=ints(9, "m", "n", high=256, dtype="uint8"), order=ints(9, high=9), cursor=START, batch=9,
         bits=True),
    Case("gather_rows", x=ints(9, "n", dtype="int32"), order=ints(9, high=9), cursor=START, batch=4, bits=True),
    Case("gather_rows", x=ints(9, "n", dtype="int64"), order=ints(9, high=9), cursor=START, batch=4, bits=True),
    Case("gather_rows_rescaled", x=ints(70, "n", high=256, dtype="uint8"), order=ints(70, high=70),
         cursor=scalar(37, "int64"), batch=32, scale=1 / 255, offset=-0.5, bad=BAD_ROWS),
    Case("gather_rows_rescaled", x=floats(9, "m", "n"), order=ints(9, high=9), cursor=START, batch=9, scale=3.0,
         offset=0.25),
    Case("store_step", result=floats(99, "n"), rows=floats(31, "n"), cursor=START, bits=True, fix=END,
         bad=[(dict(result=(9, 2), rows=(3, 3), cursor=()), "one shape")]),
    Case("store_step", result=ints(9), rows=ints(3), cursor=START, bits=True, fix=END),
    Case("store_step", result=wide(floats(9)), rows=wide(floats(3)), cursor=START, bits=True, fix=END),
    Case("shuffle_step", order=permutation("n"), keys=ints("n", dtype="int64"), counter=scalar(3, "int64"), seed=5,
         stream=2, bits=True, bad=[(dict(order=(3,), keys=(4,), counter=()), "must be equal")]),
    Case("shuffle_step", order=ints(5000), keys=ints(5000, dtype="int64"), counter=scalar(2 ** 33, "int64"),
         seed=2 ** 62 + 1, stream=2 ** 31 - 1, bits=True),
]
