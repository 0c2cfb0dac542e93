"""Whole numbers, bytes and bools: kept where a layer takes them, floats where it computes; never read as other bits."""

import itertools
from typing import Any

import numpy as np
import pytest

from fastnn import ops
from fastnn.engine.program import Program, recording
from fastnn.engine.tensor import Tensor, backward
from fastnn.ops import data, elementwise

RNG = np.random.default_rng(0)
ARRAYS = {
    "bool": RNG.integers(0, 2, (3, 4)).astype(bool), "uint8": RNG.integers(0, 256, (3, 4)).astype("uint8"),
    "int32": RNG.integers(-9, 9, (3, 4)).astype("int32"), "int64": RNG.integers(-9, 9, (3, 4)),
    "float32": RNG.normal(size=(3, 4)).astype("float32"),
}


@pytest.mark.parametrize("a, b", list(itertools.product(ARRAYS, repeat=2)))
def test_concatenate_meets_in_the_widest_dtype(a: str, b: str, any_backend: str) -> None:
    got = data.concatenate(Tensor(ARRAYS[a]), Tensor(ARRAYS[b]), axis=0)
    want = np.concatenate([ARRAYS[a], ARRAYS[b]])
    assert got.dtype == max(a, b, key=list(ARRAYS).index)
    np.testing.assert_array_equal(got.data, want.astype(got.dtype))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
def test_ops_that_compute_in_floats_take_whole_numbers(dtype: str, any_backend: str) -> None:
    """Tensors, arrays, inside a program: as NumPy with floats."""
    x, f = ARRAYS[dtype], ARRAYS["float32"]
    with recording() as calls:
        results = [ops.matmul(Tensor(x), f.T), ops.add(Tensor(x), f), ops.add(f, Tensor(x)),
                   ops.sqrt(ops.abs(Tensor(x))), ops.sum(Tensor(x), axis=1), ops.matmul(x, f.T)]
    wide = x.astype("float32")
    wanted = [wide @ f.T, wide + f, f + wide, np.sqrt(np.abs(wide)), wide.sum(axis=1), wide @ f.T]
    program = Program(calls, keep=results)
    program.run()
    for got, again, want in zip(results, program.results, wanted, strict=True):
        assert got.dtype == "float32"
        np.testing.assert_allclose(got.data, want, rtol=1e-5, atol=1e-5)
        assert got.data.tobytes() == again.data.tobytes()


def test_gradients_stop_at_whole_numbers() -> None:
    x = Tensor(ARRAYS["float32"], tracked=True)
    whole = elementwise.cast(x, dtype="int32")
    with pytest.raises(TypeError, match=r"cast: has no gradient to int32"):
        backward(ops.sum(elementwise.scale(whole, factor=1.0)), [x])


def as_ids(value: Any) -> Tensor:
    return ops.as_tensor(value, "int32")


def test_ids_beyond_int32_or_with_a_fraction_are_refused_by_row() -> None:
    np.testing.assert_array_equal(as_ids(np.array([1, 2 ** 31 - 1])).data, [1, 2 ** 31 - 1])
    np.testing.assert_array_equal(as_ids([1.0, 7.0]).data, [1, 7])
    with pytest.raises(ValueError, match=r"2147483648 at \[1, 0\].*int32"):
        as_ids(np.array([[1, 2], [2 ** 31, 3]]))
    with pytest.raises(ValueError, match=r"2\.5 at \[1\].*whole"):
        as_ids([1.0, 2.5])
    with pytest.raises(ValueError, match=r"nan at \[0\]"):
        as_ids([np.nan, 2.5])
