"""Whole numbers, bytes and bools: kept where a layer takes them, floats where it computes; never read as other bits."""

import itertools
from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, ops
from fastnn.engine.context import recording
from fastnn.engine.gradient import GradientTape, backward
from fastnn.engine.program import Program
from fastnn.engine.tensor import Tensor
from fastnn.layers import Add, BatchNormalization, Concatenate, Dense, Flatten, Layer, Rescaling
from fastnn.ops.rows import elementwise, stacking

pytestmark = pytest.mark.filterwarnings("ignore:.*nothing to train")
RNG = np.random.default_rng(0)
ARRAYS = {
    "bool": RNG.integers(0, 2, (3, 4)).astype(bool), "uint8": RNG.integers(0, 256, (3, 4)).astype("uint8"),
    "int32": RNG.integers(-9, 9, (3, 4)).astype("int32"), "int64": RNG.integers(-9, 9, (3, 4)),
    "float32": RNG.normal(size=(3, 4)).astype("float32"),
}


@pytest.mark.parametrize("a, b", list(itertools.product(ARRAYS, repeat=2)))
def test_concatenate_meets_in_the_widest_dtype(a: str, b: str, any_backend: str) -> None:
    got = stacking.concatenate(Tensor(ARRAYS[a]), Tensor(ARRAYS[b]), axis=0)
    want = np.concatenate([ARRAYS[a], ARRAYS[b]])
    assert got.dtype == max(a, b, key=list(ARRAYS).index)
    np.testing.assert_array_equal(got.data, want.astype(got.dtype))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
def test_ops_that_compute_in_floats_take_whole_numbers(dtype: str, any_backend: str) -> None:
    """Tensors, arrays, inside a program: as NumPy with floats."""
    x, f = ARRAYS[dtype], ARRAYS["float32"]
    with recording() as calls:
        results = [ops.matmul(Tensor(x), f.T), ops.add(Tensor(x), f), ops.add(f, Tensor(x)),
                   ops.sqrt(ops.abs(Tensor(x))), ops.mean(Tensor(x), axis=1), ops.matmul(x, f.T)]
    wide = x.astype("float32")
    wanted = [wide @ f.T, wide + f, f + wide, np.sqrt(np.abs(wide)), wide.mean(axis=1), wide @ f.T]
    program = Program(calls, keep=results)
    program.run()
    for got, again, want in zip(results, program.results, wanted, strict=True):
        assert got.dtype == "float32"
        np.testing.assert_allclose(got.data, want, rtol=1e-5, atol=1e-5)
        assert got.data.tobytes() == again.data.tobytes()


def test_gradients_stop_at_whole_numbers() -> None:
    x = Tensor(ARRAYS["float32"], tracked=True)
    with GradientTape():
        y = ops.sum(elementwise.scale(elementwise.cast(x, dtype="int32"), factor=1.0))
    assert backward(y, [x]) == [None]


class Kind(Layer):
    """Says which dtypes reach it; gives x as floats."""
    takes_integers = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seen: set[str] = set()

    def call(self, x: Tensor) -> Tensor:
        if x.data is not None:
            self.seen.add(x.dtype)
        return elementwise.cast(x, dtype="float32")


DATA = {
    "uint8": RNG.integers(0, 256, (8, 3)).astype("uint8"), "int32": RNG.integers(-9, 9, (8, 3)).astype("int32"),
    "int64": RNG.integers(-9, 9, (8, 3)), "float64": RNG.integers(-9, 9, (8, 3)).astype("float64"),
    "bool": RNG.integers(0, 2, (8, 3)).astype(bool), "int8": RNG.integers(-9, 9, (8, 3)).astype("int8"),
    "uint32": RNG.integers(0, 9, (8, 3)).astype("uint32"), "float16": RNG.normal(size=(8, 3)).astype("float16"),
}
INSIDE = {"int64": "int32", "int8": "int32", "uint32": "int32", "float64": "float32", "float16": "float32"}


def ways(model: Any, x: Any) -> dict[str, np.ndarray]:
    """The outputs for x by every way in."""
    y = np.zeros((len(x), 3), "float32")
    model.compile("sgd", "mse")
    mean = model.evaluate(x, y, verbose=0), float(np.mean(model.predict(x, batch_size=5, verbose=0) ** 2))
    assert mean[0] == pytest.approx(mean[1], rel=1e-5)
    one = np.concatenate([model.predict(x[i:i + 1], verbose=0) for i in range(len(x))])
    few = [model.predict(x, verbose=0) for _ in range(3)]
    for other in few[1:]:
        assert other.tobytes() == few[0].tobytes()
    batches = model.predict((x[i:i + 4] for i in range(0, len(x), 4)), verbose=0)
    return {"call": model(x).numpy(), "predict": model.predict(x, batch_size=3, verbose=0), "few": few[0], "one": one,
            "batches": batches, "evaluate": model.predict_on_batch(x)}


@pytest.mark.filterwarnings("ignore:fit.*reaches")
@pytest.mark.parametrize("dtype", DATA)
def test_inputs_keep_their_dtype(dtype: str, any_backend: str) -> None:
    kind = Kind()
    model = Sequential([Input((3,), dtype=dtype), kind])
    assert model.inputs[0].dtype == INSIDE.get(dtype, dtype)
    for way, got in ways(model, DATA[dtype]).items():
        np.testing.assert_array_equal(got, DATA[dtype].astype("float32"), err_msg=way)
    model.fit(DATA[dtype], np.zeros((8, 3)), verbose=0)
    model.fit(([DATA[dtype], np.zeros((8, 3))] for _ in range(2)), verbose=0)
    assert kind.seen == {INSIDE.get(dtype, dtype)}


@pytest.mark.parametrize("given", DATA)
@pytest.mark.parametrize("wanted", ["float32", "int32", "bool"])
def test_inputs_convert_what_they_are_given(given: str, wanted: str, any_backend: str) -> None:
    if given == "float16" and wanted == "int32":
        return
    x, y = Input((3,), dtype=wanted), Kind()
    model = Model(x, y(x))
    for way, got in ways(model, DATA[given]).items():
        np.testing.assert_array_equal(got, DATA[given].astype(wanted).astype("float32"), err_msg=way)
    assert y.seen == {wanted}


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
def test_models_without_an_input(dtype: str, any_backend: str) -> None:
    """A Sequential takes floats, as Keras', unless its first layer takes whole numbers; a subclass sees the data."""
    class Own(Model):
        def __init__(self) -> None:
            super().__init__()
            self.kind = Kind()

        def call(self, x: Tensor) -> Tensor:
            return self.kind(x)

    class Floats(Kind):
        takes_integers = False

    for model, wanted in ((Own(), INSIDE.get(dtype, dtype)), (Sequential([Kind()]), INSIDE.get(dtype, dtype)),
                          (Sequential([Floats()]), "float32")):
        for way, got in ways(model, DATA[dtype]).items():
            np.testing.assert_array_equal(got, DATA[dtype].astype("float32"), err_msg=way)
        assert model.layers[0].seen == {wanted}


@pytest.mark.parametrize("dtype", DATA)
def test_layers_that_compute_take_any_numbers(dtype: str, any_backend: str) -> None:
    """Arrays and tensors, called directly: Dense, a merge, a normalization see floats; Flatten moves what there is."""
    x = DATA[dtype]
    dense = Dense(4, activation="tanh")
    want = dense(x.astype("float32")).numpy()
    for given in (x, x.tolist(), ops.as_tensor(x, "any")):
        np.testing.assert_array_equal(dense(given).numpy(), want)
    np.testing.assert_array_equal(Add()([x, np.ones((8, 3), "float32")]).numpy(), x.astype("float32") + 1)
    np.testing.assert_array_equal(BatchNormalization()(x).numpy(), BatchNormalization()(x.astype("float32")).numpy())
    assert Flatten()(x).dtype == INSIDE.get(dtype, dtype)
    assert Concatenate()([x, x]).dtype == INSIDE.get(dtype, dtype)


@pytest.mark.parametrize("way", ["fit", "evaluate", "predict", "few", "batches"])
def test_numbers_that_an_input_cannot_hold_are_refused_by_name(way: str) -> None:
    model = Sequential([Input((3,), dtype="int64"), Kind()])
    model.compile("sgd", "mse")
    y = np.zeros((8, 3))
    x = np.arange(24).reshape(8, 3)
    run = {"fit": lambda x: model.fit(x, y, verbose=0), "evaluate": lambda x: model.evaluate(x, y, verbose=0),
           "predict": lambda x: model.predict(x, batch_size=2, verbose=0), "few": lambda x: model.predict(x, verbose=0),
           "batches": lambda x: model.fit(iter([(x, y)]), verbose=0)}[way]
    for _ in range(3):
        run(x)      # the few-rows way is recorded by now
    for value, text in ((2 ** 31, "2147483648"), (-2 ** 31 - 1, "-2147483649"), (1.5, "1.5"), (np.nan, "nan")):
        bad = x.astype("float64" if isinstance(value, float) else "int64")
        bad[4, 2] = value
        with pytest.raises(ValueError, match=rf"{text} at row 4, column 2 \(1 bad\); the input takes int32"):
            run(bad)
    run(x)


def test_a_model_called_on_fractions_for_whole_numbers_refuses_them() -> None:
    model = Sequential([Input((3,), dtype="int32"), Kind()])
    np.testing.assert_array_equal(model(np.ones((2, 3))).numpy(), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"0\.5 at \[1, 0\]"):
        model(np.array([[1, 2, 3], [0.5, 2, 3]]))


def test_dtypes_that_no_input_has() -> None:
    assert Input((3,), dtype=np.int16).dtype == Input((3,), dtype=np.dtype("int64")).dtype == "int32"
    with pytest.raises(ValueError, match=r"(?s)Input: got dtype 'complex64'; .*float32.*uint8"):
        Input((3,), dtype="complex64")
    with pytest.raises(ValueError, match=r"did you mean 'uint8'"):
        Input((3,), dtype="unit8")


@pytest.mark.filterwarnings("ignore:fit.*reaches")
def test_bytes_are_gathered_and_turned_into_floats_in_one_pass() -> None:
    """Images stay bytes in memory; a Rescaling reads them in the same pass as before Inputs had dtypes."""
    x = RNG.integers(0, 256, (8, 3)).astype("uint8")
    for first, texts in (([Dense(2)], ["scale=1,"]), ([Rescaling(0.5), Dense(2)], ["scale=0.5,"])):
        for begin in ([Input((3,))], [Input((3,), dtype="uint8")]):
            model = Sequential([*begin, *first])
            model.compile("sgd", "mse")
            model.fit(x, np.zeros((8, 2)), batch_size=4, verbose=0)
            (step,) = [str(p) for p in model.programs if "train step" in str(p)]
            if begin[0].dtype == "float32" or len(first) > 1:
                assert "gather_rows_rescaled" in step and all(t in step for t in texts) and "cast(" not in step, step


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
