"""Inputs and outputs in any structure: InputLayer, optional inputs, dicts, nested lists; in graphs and subclasses."""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers, models, ops
from fastnn.layers import Add, Dense, InputLayer, Layer
from tests.errors import assert_good_error

RNG = np.random.default_rng(0)
A, B = RNG.random((6, 2), np.float32), RNG.random((6, 3), np.float32)
Y = np.zeros((6, 1), np.float32)


# ---- InputLayer -----------------------------------------------------------------------------------------------------


def test_a_graphs_inputs_are_layers() -> None:
    a, b = Input((2,), name="a"), Input((3,), name="b")
    late = Dense(4, name="late")(Dense(4, name="h")(a))
    model = Model([a, b], Add()([late, Dense(4, name="k")(b)]))
    assert [layer.name for layer in model.layers] == ["a", "h", "b", "late", "k", "add"]
    first = model.layers[0]
    assert isinstance(first, InputLayer) and first.output is a and first.batch_shape == (None, 2)
    assert first.dtype == "float32" and model.get_layer(index=2).name == "b" and first.get_weights() == []
    inner = Model(model.get_layer("late").input, model.output.source.args[0][0])
    assert [type(layer).__name__ for layer in inner.layers] == ["InputLayer", "Dense"]
    text: list[str] = []
    model.summary(print_fn=text.append)
    assert any("a (InputLayer)" in line and "(None, 2)" in line for line in text)


def test_a_chain_may_begin_with_one() -> None:
    for layer in (InputLayer(shape=(2,)), InputLayer(batch_shape=(None, 2)), InputLayer(input_tensor=Input((2,)))):
        model = Sequential([layer, Dense(1)])
        assert model.built and len(model.layers) == 1 and model(A).shape == (6, 1)
        again = Sequential.from_config(model.get_config())
        assert again.get_config() == model.get_config()
    made = InputLayer.from_config(InputLayer((2,), dtype="int32", name="ids", optional=True).get_config())
    assert (made.batch_shape, made.dtype, made.name, made.optional) == ((None, 2), "int32", "ids", True)


def test_what_an_input_cannot_be() -> None:
    x = Input((3,), batch_size=2)
    for wrong, word in ((dict(shape=(2, 3), batch_shape=(4, 2, 3)), "batch_shape"),
                        (dict(batch_size=4, batch_shape=(4, 2)), "batch_shape"), (dict(), "no shape"),
                        (dict(shape=(2,), sparse=True), "sparse"), (dict(shape=(2,), ragged=True), "ragged"),
                        (dict(input_tensor=np.zeros((2, 3))), "symbolic"),
                        (dict(input_tensor=x, shape=(4,)), "shape"), (dict(input_tensor=x, batch_size=5), "batch_size"),
                        (dict(input_tensor=x, batch_shape=(2, 4)), "batch_shape"),
                        (dict(input_tensor=x, dtype="int32"), "dtype")):
        assert_good_error(lambda wrong=wrong: InputLayer(**wrong), ValueError, "Input", word, "needs")
    assert InputLayer(input_tensor=x, shape=(3,), batch_size=2, dtype="float32").output is x
    with pytest.warns(UserWarning, match="input_shape"):
        assert InputLayer(input_shape=(3,)).batch_shape == (None, 3)
    with pytest.raises(ValueError, match="two layers are named 'a'"):
        Model([Input((2,), name="a"), (b := Input((2,), name="a"))], Dense(1)(b))


# ---- optional inputs ------------------------------------------------------------------------------------------------


class Maybe(Layer):
    """x, or x + y where y is given."""

    def call(self, x: Any, y: Any = None) -> Any:
        return x if y is None else x + y


@pytest.mark.parametrize("form", ["list", "dict"])
def test_an_optional_input_may_be_none(form: str) -> None:
    x, y = Input((2,), name="x"), Input((2,), name="y", optional=True)
    model = Model([x, y] if form == "list" else {"x": x, "y": y}, Maybe()(x, y))

    def given(first: Any, second: Any) -> Any:
        return [first, second] if form == "list" else {"x": first, "y": second}

    np.testing.assert_array_equal(model(given(A, A)), A + A)
    np.testing.assert_array_equal(model(given(A, None)), A)
    np.testing.assert_array_equal(model.predict(given(A, None), verbose=0), A)
    np.testing.assert_array_equal(model.predict(given(A, A), verbose=0), A + A)
    model.compile("sgd", "mse")
    np.testing.assert_allclose(model.evaluate(given(A, None), A, verbose=0), 0)
    np.testing.assert_allclose(model.evaluate(given(A, A), A, verbose=0), np.square(A).mean(), rtol=1e-5)

    def batches() -> Iterator[Any]:
        yield given(A, None), 2 * A
        yield given(A, A), 2 * A

    np.testing.assert_allclose(model.evaluate(batches(), verbose=0), np.square(A).mean() / 2, rtol=1e-5)
    assert_good_error(lambda: model(given(None, A)), ValueError, "'x'", "not optional")
    assert_good_error(lambda: model.predict(given(None, A)), ValueError, "'x'", "not optional")
    again = models.clone_model(model)
    np.testing.assert_array_equal(again(given(A, None)), A)


# ---- structures of graphs -------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    a: Any
    b: Any


def _graph(form: Any) -> Model:
    a, b = Input((2,), name="in_a"), Input((3,), name="in_b")
    h = Add()([Dense(4)(a), Dense(4)(b)])
    return Model(form(a, b), form(Dense(1, name="one")(h), Dense(2, name="two")(h)))


FORMS = {"list": lambda a, b: [a, b], "tuple": lambda a, b: (a, b), "dict": lambda a, b: {"p": a, "q": b},
         "nested": lambda a, b: {"p": [a], "q": {"r": (b,)}}, "namedtuple": Pair}


@pytest.mark.parametrize("name", FORMS)
def test_a_graph_takes_and_gives_its_structure(name: str) -> None:
    form = FORMS[name]
    model = _graph(form)
    given = form(A, B)
    called, predicted = model(given), model.predict(given, batch_size=4, verbose=0)
    assert type(called) is type(given) and type(predicted) is type(given)
    one, two = (np.asarray(t) for t in _leaves(called))
    assert one.shape == (6, 1) and two.shape == (6, 2)
    np.testing.assert_allclose(_leaves(predicted)[1], two, atol=1e-6)
    if name != "dict":      # a list of what it holds
        np.testing.assert_allclose(_leaves(model({"in_a": A, "in_b": B}))[0], one, atol=1e-6)
    symbolic = model(form(Input((2,)), Input((3,))))
    assert type(symbolic) is type(given) and [t.shape for t in _leaves(symbolic)] == [(None, 1), (None, 2)]


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for item in value for leaf in _leaves(item)] if isinstance(value, (list, tuple)) else [value]


def test_other_structures_are_said_or_refused() -> None:
    model = _graph(FORMS["dict"])
    want = np.asarray(model({"p": A, "q": B})["p"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(_graph(FORMS["list"])((A, B))[0].shape, (6, 1))
    with pytest.warns(UserWarning, match="come as a list"):
        np.testing.assert_allclose(model.predict([A, B], verbose=0)["p"], want, atol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")      # said once
        model([A, B])
    with pytest.warns(UserWarning, match="'more'"):
        _graph(FORMS["dict"])({"p": A, "q": B, "more": A})
    for bad in ({"p": A}, [A], [A, B, B], A):
        assert_good_error(lambda bad=bad: model(bad), ValueError, "Model: got", "['p', 'q']")
        assert_good_error(lambda bad=bad: model.predict(bad), ValueError, "predict(): x", "['p', 'q']")
    a, b = Input((2,)), Input((2,))
    turned = Model({"later": a, "before": b}, ops.subtract(a, b))
    assert_good_error(lambda: turned([A, A]), ValueError, "structure")      # which of them is the first?
    alone = Model(a, Dense(1)(a))
    np.testing.assert_array_equal(alone([A]), alone(A))
    assert_good_error(lambda: alone([A, A]), ValueError, "got the inputs 2", "1")


# ---- subclasses -----------------------------------------------------------------------------------------------------


class Own(Model):
    """Takes and gives dicts."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Dense(1, name="first"), Dense(2, name="second")

    def call(self, x: Any) -> Any:
        h = ops.concatenate([x["a"], *x["more"]], axis=-1)
        return {"one": self.first(h), "two": self.second(h)}


@pytest.mark.parametrize("given", ["arrays", "batches"])
def test_subclasses_take_and_give_dicts(given: str) -> None:
    model = Own()
    x, y = {"a": A, "more": [B, B]}, {"one": Y, "two": np.zeros((6, 2), np.float32)}
    found = model.predict(x, verbose=0)
    assert set(found) == {"one", "two"} and found["two"].shape == (6, 2)
    np.testing.assert_allclose(model(x)["one"], found["one"], atol=1e-6)
    model.compile("sgd", {"one": "mse", "two": "mae"}, metrics={"two": ["mse"]})
    want = np.square(found["one"]).mean() + np.abs(found["two"]).mean()
    source = {"x": x, "y": y} if given == "arrays" else {"x": iter([(x, y)])}
    logs = model.evaluate(**source, return_dict=True, verbose=0)
    np.testing.assert_allclose(logs["loss"], want, rtol=1e-5)
    assert set(logs) == {"loss", "one_loss", "two_loss", "two_mse"}
    history = model.fit(x, y, batch_size=4, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    np.testing.assert_allclose(model.predict_on_batch(x)["one"], model(x)["one"], atol=1e-6)


def test_layers_of_lists_train_inside_subclasses() -> None:
    class Sum(Model):
        def __init__(self) -> None:
            super().__init__()
            self.add, self.out = Add(), Dense(1)

        def call(self, x: Any) -> Any:
            return self.out(self.add(x))

    model = Sum()
    model.compile("sgd", "mse")
    model.fit(iter([([ops.convert_to_tensor(A), ops.convert_to_tensor(A)], Y)]), verbose=0)
    np.testing.assert_allclose(model.predict([A, A], verbose=0), model((A, A)), atol=1e-6)


def test_a_loss_may_stand_in_a_list_of_its_own() -> None:
    a = Input((2,))
    model = Model(a, [Dense(1, name="p")(a), Dense(1, name="q")(a)])
    model.compile("sgd", ["mse", ["mae"]])
    assert set(model.evaluate(A, [Y, Y], verbose=0, return_dict=True)) == {"loss", "p_loss", "q_loss"}
    single = Model(a, Dense(1)(a))
    single.compile("sgd", ["mse"])
    assert single.evaluate(A, Y, verbose=0) >= 0
    assert layers.InputLayer is InputLayer


# ---- chains ---------------------------------------------------------------------------------------------------------


def test_a_chain_without_input_takes_what_its_layers_take() -> None:
    class Twice(Layer):
        def call(self, x: Any) -> Any:
            return {key: 2 * value for key, value in x.items()} if isinstance(x, dict) else [2 * value for value in x]

    for x in ({"a": A, "b": B}, [A, B]):
        model = Sequential([Twice(), Twice()])
        y = model(x)
        assert type(y) is type(x) and len(model.layers) == 2
        np.testing.assert_array_equal(_leaves(y)[1], 4 * B)

    def batches() -> Iterator[Any]:
        for steps in (12, 20, 12):
            yield np.ones((2, steps, 2), np.float32), np.zeros((2, steps // 4, 8), np.float32)

    model = Sequential([layers.Reshape((-1, 8)), Dense(8, kernel_initializer="identity")])
    model.compile("sgd", "mse")
    assert model.fit(batches(), verbose=0).history["loss"][0] > 0
    assert [len(model.predict(np.ones((1, n, 2)), verbose=0)[0]) for n in (12, 20, 24)] == [3, 5, 6]
    assert_good_error(lambda: model.predict(np.ones((1, 5, 2)), verbose=0), ValueError, "(1, 5, 2)", "needs")
    fixed = Sequential([Input((12, 2)), layers.Reshape((-1, 8))])
    assert_good_error(lambda: fixed.predict(np.ones((1, 20, 2)), verbose=0), ValueError, "(1, 20, 2)", "needs")
    assert_good_error(lambda: fixed.build((None, 20, 2)), ValueError, "(None, 20, 2)", "needs")
    fixed.build((3, 12, 2))
    assert_good_error(lambda: Sequential()(A), ValueError, "no layers", "needs")


def test_an_own_loss_takes_a_y_of_any_shape() -> None:
    """As many numbers a sample as it likes: here a mean and a deviation for one target."""
    def likelihood(y: Any, p: Any) -> Any:
        mean, log_scale = p[:, :1], p[:, 1:]
        return ops.mean(log_scale + ops.square((y - mean) * ops.exp(-log_scale)) / 2)

    model = Sequential([Input((2,)), Dense(2, kernel_initializer="zeros")])
    model.compile("sgd", likelihood)
    y = A[:, :1]
    np.testing.assert_allclose(model.evaluate(A, y, verbose=0), np.square(y).mean() / 2, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(A, np.tile(y, 3), verbose=0), np.square(y).mean() / 2, rtol=1e-5)
    model.compile("sgd", "mse")
    assert_good_error(lambda: model.evaluate(A, y, verbose=0), ValueError, "(6, 1)", "(N, 2)")


def test_shapes_that_a_class_says_itself() -> None:
    """call may need numbers, where compute_output_shape or compute_output_spec is written."""
    class Says(Layer):
        def call(self, x: Any) -> Any:
            return ops.convert_to_tensor(np.flip(x.numpy(), -1).copy())

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    x = Input((2,))
    model = Model(x, Says()(x))
    assert model.output_shape == (None, 2) and Says().compute_output_spec(x).shape == (None, 2)
    np.testing.assert_array_equal(model(A), A[:, ::-1])

    class Pairs(Says):
        def compute_output_shape(self, input_shape: Any) -> Any:
            return {"a": input_shape, "b": [input_shape, (None, 7)]}

    found = Pairs()(x)
    assert found["a"].shape == (None, 2) and found["b"][1].shape == (None, 7)
