"""Models that take text: an Input of dtype "string" is read by one layer, before anything is computed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, layers, models
from fastnn.errors import KindError, ShapeError
from tests.errors import assert_good_error

TEXTS = ["a good film", "a bad film", "very good", "very bad", "good!", "bad."] * 4
Y = np.array([1, 0, 1, 0, 1, 0] * 4, np.float32)
WORDS = ["good", "bad", "very", "film"]


def reader(**more: Any) -> Any:
    return layers.TextVectorization(**{"vocabulary": WORDS, "output_sequence_length": 3, **more})


def net(*first: Any, **more: Any) -> Any:
    fastnn.random.set_seed(5)
    model = Sequential([*first, reader(**more), layers.Embedding(6, 4), layers.GlobalAveragePooling1D(),
                        layers.Dense(1, "sigmoid")])
    model.compile(fastnn.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    return model


def numbers_net() -> Any:
    fastnn.random.set_seed(5)
    model = Sequential([Input((3,), dtype="int32"), layers.Embedding(6, 4), layers.GlobalAveragePooling1D(),
                        layers.Dense(1, "sigmoid")])
    model.compile(fastnn.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("first", [[], [Input((1,), dtype="string")], [Input((), dtype="string")]],
                         ids=["no Input", "(1,)", "()"])
@pytest.mark.parametrize("form", [list, np.array, lambda t: np.array(t, object), lambda t: np.array(t)[:, None],
                                  lambda t: [w.encode() for w in t]], ids=["list", "str", "object", "column", "bytes"])
def test_training_on_text_is_training_on_its_numbers(first: Any, form: Any, any_backend: str) -> None:
    """The same bits, whatever form the text has; evaluate, predict and calls as well."""
    x, numbers = form(TEXTS), np.asarray(reader()(TEXTS))
    model, plain = net(*first), numbers_net()
    got = model.fit(x, Y, batch_size=5, epochs=3, verbose=0, validation_split=0.25)
    want = plain.fit(numbers, Y, batch_size=5, epochs=3, verbose=0, validation_split=0.25)
    assert got.history == want.history
    np.testing.assert_array_equal(model.predict(x, verbose=0), plain.predict(numbers, verbose=0))
    np.testing.assert_array_equal(model(x), plain(numbers))
    assert model.evaluate(x, Y, verbose=0) == plain.evaluate(numbers, Y, verbose=0)
    assert model.train_on_batch(x[:4], Y[:4]) == plain.train_on_batch(numbers[:4], Y[:4])
    np.testing.assert_array_equal(model.predict(x[:1], verbose=0), plain.predict(numbers[:1], verbose=0))


def test_batches_of_text() -> None:
    model = net()
    batches = ((np.array(TEXTS[i:i + 6]), Y[i:i + 6]) for _ in range(20) for i in range(0, 24, 6))
    history = model.fit(batches, steps_per_epoch=4, epochs=8, verbose=0)
    assert history.history["accuracy"][-1] == 1
    np.testing.assert_allclose(model.predict(["good", "bad"], verbose=0).ravel(), [1, 0], atol=0.5)


def test_columns_of_text_and_numbers(tmp_path: Path, any_backend: str) -> None:
    """A table with its dict of columns; from a file it reads the same."""
    city, size, code = Input((1,), dtype="string", name="city"), Input((2,), name="size"), Input(
        (1,), dtype="int64", name="code")
    joined = layers.Concatenate()([
        layers.StringLookup(vocabulary=["Rome", "Oslo"], output_mode="one_hot")(city), size,
        layers.IntegerLookup(vocabulary=[7, 9], output_mode="one_hot")(code),
        layers.Hashing(3, output_mode="one_hot")(again := Input((1,), dtype="string", name="again"))])
    model = Model([city, size, code, again], layers.Dense(1)(joined))
    table = {"city": np.array(["Rome", "Bonn", "Oslo"]), "size": np.ones((3, 2)), "code": [7, 8, 9],
             "again": np.array(["Rome", "Bonn", "Oslo"])}
    model.compile("sgd", "mse")
    losses = model.fit(table, [1.0, 2.0, 3.0], epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    first = np.eye(3)[[1, 0, 2]]
    x = np.concatenate([first, np.ones((3, 2)), first, np.eye(3)[np.asarray(layers.Hashing(3)(table["again"]))]], 1)
    kernel, bias = model.layers[-1].get_weights()
    np.testing.assert_allclose(model.predict(table, verbose=0), x @ kernel + bias, rtol=1e-5)
    np.testing.assert_array_equal(model(table), model.predict(table, verbose=0))
    for name in ("m.keras", "m.safetensors"):
        model.save(tmp_path / name)
        np.testing.assert_array_equal(models.load_model(tmp_path / name).predict(table, verbose=0),
                                      model.predict(table, verbose=0))
    np.testing.assert_array_equal(models.clone_model(model).layers[-1].kernel.shape, kernel.shape)


def test_a_trained_model_behind_a_reader() -> None:
    """As models are exported that take text: the reader, then the model of numbers."""
    inner = numbers_net()
    outer = Sequential([reader(), inner])
    np.testing.assert_array_equal(outer.predict(TEXTS, verbose=0), inner(reader()(TEXTS)))


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 2), (1, 1)])
@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("make", [lambda mode: layers.StringLookup(vocabulary=["a"], output_mode=mode),
                                  lambda mode: layers.Hashing(3, output_mode=mode)], ids=["StringLookup", "Hashing"])
def test_shapes_in_a_model_are_those_of_the_numbers(make: Any, mode: str, shape: tuple[int, ...]) -> None:
    layer, text = make(mode), np.full((5, *shape), "a")
    assert layer.compute_output_shape((None, *shape)) == (None, *layer(text).shape[1:])
    symbol = layer(Input(shape, dtype="string"))
    assert symbol.shape == (None, *layer(text).shape[1:]) and symbol.dtype == layer(text).dtype


def test_text_that_goes_astray() -> None:
    model = net(Input((1,), dtype="string", name="words"))
    assert_good_error(lambda: model.fit(np.ones((24, 1)), Y, verbose=0), KindError, "fit(): x", "1.0", "text")
    assert_good_error(lambda: model.predict(["a", None], verbose=0), KindError, "predict(): x", "None", "text")
    assert_good_error(lambda: model.predict(np.array([["a", "b"]]), verbose=0), ShapeError, "(1, 2)", "(None, 1)")
    assert_good_error(lambda: model(np.ones((2, 1))), KindError, "words", "1.0", "text")
    assert_good_error(lambda: layers.Dense(2)(Input((1,), dtype="string")), KindError, "dense", "text", "StringLookup")
    assert_good_error(lambda: reader()(Input((3,), dtype="string")), ShapeError, "(None, 3)", "Input((")
    assert_good_error(lambda: reader()(Input((1,))), KindError, "float32", "text")
    plain = Sequential([layers.Dense(2)])
    assert_good_error(lambda: plain.predict(TEXTS, verbose=0), TypeError, "text", "TextVectorization", "dtype 'string'")
    x = Input((1,), dtype="string", name="words")
    lookups = [layers.StringLookup(vocabulary=["a"], name=name)(x) for name in ("one", "two")]
    assert_good_error(lambda: Model(x, layers.Concatenate()(lookups)), ValueError, "words", "one", "two", "an Input")
    assert_good_error(lambda: Model(x, x), ValueError, "words", "StringLookup")


def test_text_by_name_and_alone_in_a_list() -> None:
    model = net(Input((1,), dtype="string"))
    x = np.array(TEXTS)[:, None]
    np.testing.assert_array_equal(model(inputs=x), model(x))
    np.testing.assert_array_equal(model([x]), model(x))
    np.testing.assert_array_equal(model.predict([x], verbose=0), model.predict(x, verbose=0))
    a, b = (Input((1,), dtype="string", name=name) for name in "ab")
    both = Model([a, b], layers.Concatenate()([reader()(a), reader()(b)]))
    np.testing.assert_array_equal(both(inputs={"b": x, "a": x[::-1]}), both([x[::-1], x]))
