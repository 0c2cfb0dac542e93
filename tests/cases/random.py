"""Rows for fastnn/reference/random.py: C and the reference draw the same bits."""

from typing import Any

from tests.cases._case import Case, floats, values

KEY: dict[str, Any] = dict(key=values([7, 3, 1], "int64"), bits=True)
FAR: dict[str, Any] = dict(key=values([2 ** 63 - 1, 2 ** 40 + 5, 2 ** 31 - 1], "int64"), bits=True)
BAD = [(dict(key=(1,)), "seed, draws, stream")]
BAD_DROPOUT = [(dict(x=(3,), key=(1,)), "seed, draws, stream")]
SHAPES: list[tuple[int, ...]] = [(), (1,), (63,), (5, 13), (257, 33), (3, 0)]

CASES = [
    *(Case(name, state=values(state, "int64"), bits=True, bad=[(dict(state=(3,)), "seed, place")])
      for name in ("draw_key", "draw_step") for state in ([7, 3], [2 ** 63 - 1, 2 ** 63 - 9])),
    *(Case("random_bits", shape=shape, **KEY, bad=BAD) for shape in SHAPES),
    Case("random_bits", shape=(99,), **FAR),
    *(Case("random_uniform", shape=shape, low=-0.05, high=0.05, **KEY, bad=BAD) for shape in SHAPES),
    Case("random_uniform", shape=(99,), low=0.0, high=1.0, **FAR),
    *(Case("random_normal", shape=shape, mean=0.1, stddev=0.05, **KEY, bad=BAD) for shape in SHAPES),
    Case("random_normal", shape=(9999,), mean=0.0, stddev=1.0, **FAR),
    *(Case("truncated_normal", shape=shape, mean=0.1, stddev=0.05, **KEY, bad=BAD) for shape in SHAPES),
    Case("truncated_normal", shape=(9999,), mean=0.0, stddev=1.0, **FAR),
    Case("dropout", x=floats("m", "n"), rate=0.3, stream=0, **KEY, bad=BAD_DROPOUT),
    Case("dropout", x=floats("n"), rate=0.5, stream=0, **FAR),
    Case("dropout", x=floats("n"), rate=0.0, stream=3 << 16, **KEY),
    Case("dropout_grad", dy=floats("m", "n"), rate=0.3, stream=0, **KEY),
]
