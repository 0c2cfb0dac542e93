"""Rows for fastnn/reference/random.py: C and the reference draw the same bits."""

from typing import Any

from tests.cases._case import Case, floats, scalar

KEY: dict[str, Any] = dict(counter=scalar(3, "int64"), seed=7, stream=1, bits=True)
FAR: dict[str, Any] = dict(counter=scalar(2 ** 40 + 5, "int64"), seed=2 ** 63 - 1, stream=2 ** 31 - 1, bits=True)
BAD = [(dict(counter=(1,)), "0-d counter")]
BAD_DROPOUT = [(dict(x=(3,), counter=(1,)), "0-d counter")]
SHAPES: list[tuple[int, ...]] = [(), (1,), (63,), (5, 13), (257, 33), (3, 0)]

CASES = [
    *(Case("random_bits", shape=shape, **KEY, bad=BAD) for shape in SHAPES),
    Case("random_bits", shape=(99,), **FAR),
    *(Case("random_uniform", shape=shape, low=-0.05, high=0.05, **KEY, bad=BAD) for shape in SHAPES),
    Case("random_uniform", shape=(99,), low=0.0, high=1.0, **FAR),
    *(Case("random_normal", shape=shape, mean=0.1, stddev=0.05, **KEY, bad=BAD) for shape in SHAPES),
    Case("random_normal", shape=(9999,), mean=0.0, stddev=1.0, **FAR),
    *(Case("truncated_normal", shape=shape, mean=0.1, stddev=0.05, **KEY, bad=BAD) for shape in SHAPES),
    Case("truncated_normal", shape=(9999,), mean=0.0, stddev=1.0, **FAR),
    Case("dropout", x=floats("m", "n"), rate=0.3, **KEY, bad=BAD_DROPOUT),
    Case("dropout", x=floats("n"), rate=0.5, **FAR),
    Case("dropout", x=floats("n"), rate=0.0, **KEY),
    Case("dropout_grad", dy=floats("m", "n"), rate=0.3, **KEY),
]
