"""The same numbers in every layout and type give the same results, and are left as they were."""

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential
from fastnn.layers import Dense, Dropout
from tests.conftest import alike
from tests.errors import weights_hash

WHOLE = np.random.default_rng(3).integers(-8, 9, size=(24, 6)).astype(np.float32)      # exact in every type
TARGET = (WHOLE.sum(1, keepdims=True) > 0).astype(np.float32)


class Subclass(np.ndarray):
    """An ndarray with another idea of what + means."""

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("fastnn computes with its own kernels")


class Wrapper:
    """Not an array, but it can become one."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.array if dtype is None else self.array.astype(dtype)


def strided(a: np.ndarray) -> np.ndarray:
    room = np.full((2 * a.shape[0], 3 * a.shape[1]), np.nan, a.dtype)
    room[::2, ::3] = a
    return room[::2, ::3]


def unaligned(a: np.ndarray) -> np.ndarray:
    memory = np.zeros(a.nbytes + 1, np.uint8)
    view = memory[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def read_only(a: np.ndarray) -> np.ndarray:
    a = a.copy()
    a.flags.writeable = False
    return a


def memmap(a: np.ndarray) -> np.ndarray:
    with tempfile.NamedTemporaryFile() as file:
        a.tofile(file.name)
        return np.memmap(file.name, a.dtype, "r", shape=a.shape)


def frame(a: np.ndarray) -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(a, columns=list("abcdefgh")[:a.shape[1]], index=np.arange(len(a))[::-1])


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "F order": np.asfortranarray, "strided": strided, "backwards": lambda a: a[::-1].copy()[::-1],
    "columns backwards": lambda a: a[:, ::-1].copy()[:, ::-1], "unaligned": unaligned, "read-only": read_only,
    "memmap": memmap, "subclass": lambda a: a.view(Subclass), "__array__": Wrapper,
    "list of lists": lambda a: a.tolist(), "tuple of lists": lambda a: tuple(a.tolist()), "list of arrays": list,
    "pandas": frame,
    "matrix slice": lambda a: np.concatenate([a, a], 1)[:, :a.shape[1]], "tensor": fastnn.ops.convert_to_tensor,
    **{f"dtype {d}": (lambda a, d=d: a.astype(d)) for d in
       ("f2", ">f2", ">f4", "f8", ">f8", "i1", "i2", ">i2", "i4", ">i4", "i8", ">i8", "longdouble")},
}


def trained(x: Any, y: Any) -> tuple[str, bytes, Any]:
    fastnn.random.set_seed(7)
    model = Sequential([Input((6,)), Dense(9, activation="relu"), Dropout(0.3), Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=7, epochs=3, verbose=0)
    return weights_hash(model), model.predict(x, verbose=0).tobytes(), model.evaluate(x, y, verbose=0)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("name", LAYOUTS)
def test_same_bits_in_every_layout(any_backend: str, name: str) -> None:
    x, y = LAYOUTS[name](WHOLE), LAYOUTS[name](TARGET)
    before = np.array(x, copy=True).tobytes(), np.array(y, copy=True).tobytes()
    assert trained(x, y) == trained(WHOLE, TARGET)
    assert (np.array(x, copy=True).tobytes(), np.array(y, copy=True).tobytes()) == before


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "?"])
def test_same_bits_in_unsigned_types(any_backend: str, dtype: str) -> None:
    small = (WHOLE > 0) if dtype == "?" else WHOLE + 8
    assert trained(small.astype(dtype), TARGET.astype(dtype)) == trained(small.astype(np.float32), TARGET)


def test_one_row_in_every_layout(any_backend: str) -> None:
    model = Sequential([Input((6,)), Dense(3, activation="tanh")])
    expected = model.predict(WHOLE, verbose=0)
    for name, layout in LAYOUTS.items():
        x = layout(WHOLE[4:5])
        assert alike(model.predict(x), expected[4:5]), name


def test_a_broadcast_row(any_backend: str) -> None:
    x = np.broadcast_to(WHOLE[:1], (24, 6))
    assert trained(x, TARGET) == trained(np.array(x), TARGET)


def test_x_may_be_y(any_backend: str) -> None:
    found = []
    for y in (WHOLE, WHOLE.copy()):
        fastnn.random.set_seed(7)
        model = Sequential([Input((6,)), Dense(2), Dense(6)])
        model.compile("sgd", "mse")
        model.fit(WHOLE, y, epochs=2, verbose=0)
        found.append(weights_hash(model))
    assert found[0] == found[1]


def test_rank_one(any_backend: str) -> None:
    x = np.linspace(-1, 1, 20)
    found = []
    for given in (x, x[:, None], x.tolist(), x.astype(np.float32)):
        fastnn.random.set_seed(7)
        model = Sequential([Dense(4, activation="tanh", input_shape=[1]), Dense(1)])
        model.compile("sgd", "mse")
        model.fit(given, np.asarray(given).reshape(-1) * 2, epochs=3, verbose=0)
        found.append((weights_hash(model), model.predict(given, verbose=0).shape))
    assert len(set(found)) == 1 and found[0][1] == (20, 1)


def test_pandas_series_and_frames_of_mixed_numbers(any_backend: str) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1, 2, 3, 4], "b": [0.5, 1.5, 2.5, 3.5], "c": [True, False, True, False]})
    model = Sequential([Input((3,)), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(table.astype(float), table["b"], verbose=0, sample_weight=pandas.Series([1, 2, 3, 4]))
    model.fit(table, table["b"], verbose=0)
    table["c"] = pandas.array([1, None, 3, 4], "Int64")
    with pytest.raises(ValueError, match="row 1, column 2"):
        model.fit(table, table["b"], verbose=0)
    table["c"] = pandas.array([1, 2, 3, 4], "Int64")
    model.fit(table, table["b"], verbose=0)
    assert model.predict(table, verbose=0).shape == (4, 1)


def test_the_users_arrays_are_let_go(any_backend: str) -> None:
    import gc
    import weakref
    x = WHOLE.copy()
    gone = weakref.ref(x)
    model = Sequential([Input((6,)), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, TARGET, validation_data=(x, TARGET), epochs=3, verbose=0)
    model.evaluate(x, TARGET, verbose=0)
    model.predict(x, verbose=0)
    del x
    gc.collect()
    assert gone() is None
