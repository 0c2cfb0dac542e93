"""Rows for fastnn/reference/data.py. Moving is exact: bits=True everywhere."""

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
    Case("advance", counter=scalar(41, "int64"), by=32, bits=True),
    Case("copy", target=floats("m", "n"), source=floats("m", "n"), bits=True,
         bad=[(dict(target=(2, 3), source=(3, 2)), "must be equal")]),
    Case("copy", target=ints("n"), source=ints("n"), bits=True),
    Case("copy", target=scalar(2.0, "float64"), source=scalar(1.0, "float64"), bits=True),
    Case("fill", target=floats("n"), value=0.1, bits=True),
    Case("fill", target=scalar(1.0, "float64"), value=0.1, bits=True),
    Case("fill", target=scalar(1, "int64"), value=7, bits=True),
    Case("fill", target=ints("n"), value=-7, bits=True),
    Case("slice", x=floats("n", 9), axis=1, begin=2, end=7, bits=True, exact=True,
         bad=[(dict(x=(2, 3)), "along axis"), (dict(x=(2,)), "axis")]),
    Case("slice", x=floats(9, "n"), axis=0, begin=0, end=4, bits=True, exact=True),
    Case("slice", x=ints(3, 9, "n"), axis=-2, begin=8, end=9, bits=True),
    Case("slice_grad", dy=floats("n", 5), axis=1, begin=2, size=9, bits=True, exact=True,
         bad=[(dict(dy=(2, 8)), "within size")]),
    Case("slice_grad", dy=floats(3, 4, "n"), axis=-2, begin=0, size=4, bits=True, exact=True),
    Case("transpose", x=floats("m", "n"), axes=(1, 0), bits=True, exact=True,
         bad=[(dict(x=(2, 3, 4)), "each of"), (dict(x=(2,)), "each of")]),
    Case("transpose", x=floats(3, "m", "n"), axes=(0, 2, 1), bits=True, exact=True),
    Case("transpose", x=floats(3, "m", 2, "n"), axes=(0, 2, 1, 3), bits=True, exact=True),
    Case("transpose", x=floats(3, "m", 2, "n"), axes=(3, 1, 2, 0), bits=True, exact=True),
    Case("transpose", x=floats("m", 3, "n"), axes=(2, 0, 1), bits=True, exact=True),
    Case("transpose", x=floats("m", 1, "n"), axes=(0, 1, 2), bits=True, exact=True),
    Case("transpose", x=ints("m", "n", high=256, dtype="uint8"), axes=(1, 0), bits=True),
    Case("transpose", x=wide(floats("m", "n", 2)), axes=(2, 1, 0), bits=True, grad=False),
    Case("reshape", x=floats("n", 6), shape=(-1, 2, 3), bits=True, exact=True,
         bad=[(dict(x=(2, 4)), "divided"), (dict(x=(5,)), "divided")]),
    Case("reshape", x=floats(4, 6), shape=(24,), bits=True, exact=True, bad=[(dict(x=(5, 5)), "number of elements")]),
    Case("stop_gradient", x=floats("n", 6), bits=True, exact=True, grad=False),
    Case("stop_gradient", x=ints("n"), bits=True),
    Case("shuffle_step", order=permutation("n"), keys=ints("n", dtype="int64"), counter=scalar(3, "int64"), seed=5,
         stream=2, bits=True, bad=[(dict(order=(3,), keys=(4,), counter=()), "must be equal")]),
    Case("shuffle_step", order=ints(5000), keys=ints(5000, dtype="int64"), counter=scalar(2 ** 33, "int64"),
         seed=2 ** 62 + 1, stream=2 ** 31 - 1, bits=True),
    Case("one_hot", labels=ints("m", low=-1, high=12), depth=10, bits=True),
    Case("one_hot", labels=ints("m", 3, high=2), depth=2, bits=True),
]
