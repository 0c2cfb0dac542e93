"""Bad arguments of compile, last layers that contradict the loss, and models edited after compile."""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, metrics
from fastnn.engine.tensor import Variable
from fastnn.errors import ShapeError
from fastnn.layers import Dense, Softmax
from tests.errors import assert_good_error, digest, weights_hash
from tests.test_bad_fit import X, Y, binary, regression

CASES: list[tuple[Callable[[], Any], str]] = [
    (lambda: Sequential([Input((3,)), Dense(2)]).compile("adm", "mse"), "'adam'"),
    (lambda: Sequential([Input((3,)), Dense(2)]).compile("adam", "msee"), "'mse'"),
    (lambda: Sequential([Input((3,)), Dense(2)]).compile("adam", "mse", metrics=["acuracy"]), "'accuracy'"),
    (lambda: Sequential([Input((3,)), Dense(2)]).compile("adam", "mse", weighted_metrics=[["maee"]]), "'mae'"),
]


@pytest.mark.parametrize("call, nearest", CASES)
def test_unknown_names(call: Callable[[], Any], nearest: str) -> None:
    assert_good_error(call, ValueError, nearest)


@pytest.mark.parametrize("name", ["loss", "val_loss"])
def test_a_metric_named_as_the_loss(name: str) -> None:
    metric = metrics.MeanSquaredError(name=name)
    for given in ({"metrics": [metric]}, {"weighted_metrics": [[metric]]}):
        assert_good_error(lambda given=given: Sequential([Input((3,)), Dense(2)]).compile("sgd", "mse", **given),
                          ValueError, name, "name='my_loss'")


def test_accuracy_of_outputs_that_are_independent() -> None:
    y = np.tile(np.float32([1, 0, 1]), (20, 1))
    for activation, loss, warns in (("sigmoid", "binary_crossentropy", True), ("sigmoid", "mse", False),
                                    ("softmax", "categorical_crossentropy", False)):
        model = Sequential([Input((3,)), Dense(3, activation=activation)])
        model.compile("sgd", loss, metrics=["acc"])
        expected = pytest.warns(UserWarning, match="use 'binary_accuracy'") if warns else contextlib.nullcontext()
        with expected:
            model.fit(X, y / (2 if activation == "softmax" else 1), verbose=0)
    model.compile("sgd", "binary_crossentropy", metrics=["binary_accuracy"])


def test_wrong_kinds_at_compile() -> None:
    model = Sequential([Input((3,)), Dense(2)])
    for arguments in ({"optimizer": 3}, {"loss": 3}, {"metrics": [3]}):
        assert_good_error(lambda a=arguments: model.compile(**{"optimizer": "sgd", "loss": "mse", **a}), TypeError)
    assert_good_error(lambda: model.fit(X, X), RuntimeError, "compile")
    assert_good_error(lambda: model.evaluate(X, X), RuntimeError, "compile")
    model.compile("sgd")
    assert_good_error(lambda: model.fit(X, X[:, :2], verbose=0), ValueError, "loss")
    model.compile("sgd", ["mse", "mse"])
    assert_good_error(lambda: model.fit(X, X[:, :2], verbose=0), ValueError, "2", "1 outputs")
    assert_good_error(lambda: regression().fit(X, Y, verbose=7), ValueError, "verbose")
    assert_good_error(lambda: regression().fit(X, Y, callbacks=[3]), TypeError, "callbacks")


@pytest.mark.parametrize("layers, loss, words", [
    ([Dense(3, activation="softmax")], fastnn.losses.SparseCategoricalCrossentropy(from_logits=True), "twice"),
    ([Dense(3), Softmax()], fastnn.losses.SparseCategoricalCrossentropy(from_logits=True), "twice"),
    ([Dense(1, activation="sigmoid")], fastnn.losses.BinaryCrossentropy(from_logits=True), "twice"),
    ([Dense(3)], "sparse_categorical_crossentropy", "probabilities"), ([Dense(1)], "binary_crossentropy", "linear"),
    ([Dense(3, activation="sigmoid")], "sparse_categorical_crossentropy", "sum to 1"),
    ([Dense(1, activation="softmax")], "binary_crossentropy", "always 1.0"),
    ([Dense(1, activation="softmax")], "mse", "always 1.0"),
])
def test_heads_that_contradict_the_loss(layers: list[Any], loss: Any, words: str) -> None:
    model = Sequential([Input((3,)), *layers])
    model.compile("sgd", loss)
    with pytest.warns(UserWarning, match=words):
        model.fit(X, Y[:, 0], verbose=0)
    model.fit(X, Y[:, 0], verbose=0)        # once


def predicted(model: Any) -> np.ndarray:
    """The outputs, worked out in NumPy from the weights as they are now."""
    y = X
    for layer in (each for each in model.layers if each.weights):
        y = y @ layer.kernel.numpy() + layer.bias.numpy()
        y = np.tanh(y) if layer.activation is fastnn.activations.tanh else y
    return y


def trains(model: Any, y: Any = Y) -> None:
    """fit, evaluate, predict and one-row predict all run on the weights of now."""
    if not model.weights or any(not layer.built for layer in model.layers):
        model.predict(X, verbose=0)
    before = [w.copy() for w in model.get_weights()]
    model.fit(X, y, epochs=3, verbose=0)
    after = model.get_weights()
    for v, a, b in zip(model.weights, before, after, strict=True):
        assert (digest(a) != digest(b)) == any(v is t for t in model.trainable_weights), v.name
    np.testing.assert_allclose(model.predict(X, verbose=0), predicted(model), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(X[:1]), predicted(model)[:1], rtol=1e-5, atol=1e-6)
    loss = np.mean((predicted(model) - np.reshape(y, predicted(model).shape)) ** 2)
    np.testing.assert_allclose(model.evaluate(X, y, verbose=0), loss, rtol=1e-5)


def test_a_layer_added_or_popped_after_fit(any_backend: str) -> None:
    model = regression()
    trains(model)
    model.add(Dense(2))
    trains(model, X[:, :2])
    model.pop()
    trains(model)


def test_another_head_of_the_same_name(any_backend: str) -> None:
    model = Sequential([Input((3,)), Dense(4, name="body"), Dense(1, activation="sigmoid", name="head")])
    model.compile("adam", "mse", metrics=["accuracy"])
    model.fit(X, Y, verbose=0)
    model.pop()
    model.add(Dense(3, activation="softmax", name="head"))
    y = np.eye(3)[np.arange(20) % 3]
    accuracy = model.fit(X, y, verbose=0, epochs=2).history["accuracy"]
    assert model.evaluate(X, y, verbose=0)[1] == np.mean(model.predict(X, verbose=0).argmax(1) == y.argmax(1))
    assert all(0 <= a <= 1 for a in accuracy)


def test_weights_frozen_and_thawed_after_fit(any_backend: str) -> None:
    model = regression()
    trains(model)
    model.layers[0].trainable = False
    trains(model)
    model.layers[0].trainable = True
    trains(model)
    model.trainable = False
    before = weights_hash(model)
    model.fit(X, Y, verbose=0)
    assert weights_hash(model) == before
    model.trainable = True
    trains(model)


def test_an_activation_exchanged_after_fit(any_backend: str) -> None:
    model = regression()
    trains(model)
    model.layers[0].activation = fastnn.activations.linear
    trains(model)


def test_weights_set_after_fit(any_backend: str) -> None:
    model = regression()
    trains(model)
    model.set_weights([w * 2 for w in model.get_weights()])
    trains(model)
    model.layers[0].kernel.assign(np.ones((3, 4)))
    trains(model)
    model.layers[0].kernel.data = np.full((3, 4), 0.5, np.float32)      # not the public way, yet not lost
    trains(model)


def test_a_variable_replaced_by_one_of_another_shape(any_backend: str) -> None:
    model = regression()
    trains(model)
    first, second = model.layers
    first.kernel, first.bias = Variable(np.full((3, 6), 0.1), "kernel"), Variable(np.zeros(6), "bias")
    assert_good_error(lambda: model.fit(X, Y, verbose=0), ShapeError, "dense_1", "6", "4", unchanged=model)
    second.kernel = Variable(np.full((6, 1), 0.1), "kernel")
    assert [v.shape for v in model.weights] == [(3, 6), (6,), (6, 1), (1,)]
    trains(model)
    first.kernel.data = np.ones((2, 2), np.float32)
    assert_good_error(lambda: model.fit(X, Y, verbose=0), ShapeError, "assign")


def test_a_sublayer_replaced(any_backend: str) -> None:
    class Net(Model):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = Dense(4, activation="tanh"), Dense(1)

        def call(self, x: Any) -> Any:
            return self.head(self.body(x))

    model = Net()
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.head = Dense(1)
    assert model.layers == [model.body, model.head]
    trains(model)
    assert len(model.weights) == 4
    model.body, model.head = Dense(4, activation="tanh"), Dense(1)     # nothing is left that the optimizer knows
    assert_good_error(lambda: model.fit(X, Y, verbose=0), RuntimeError, "compile with a new one")
    model.compile("adam", "mse")
    trains(model)


def test_compiled_again(any_backend: str) -> None:
    model = regression()
    trains(model)
    weights = weights_hash(model)
    model.compile("sgd", "mae", metrics=["mse"])
    assert weights_hash(model) == weights
    assert sorted(model.fit(X, Y, verbose=0).history) == ["loss", "mse"]


def test_a_failed_compile_leaves_the_model_compiled() -> None:
    model = binary()
    before = model.compiled, model.optimizer
    assert_good_error(lambda: model.compile("adam", "msee"), ValueError, "mse")
    assert (model.compiled, model.optimizer) == before


def test_two_models_that_share_layers_train_in_turn(any_backend: str) -> None:
    x = Input((3,))
    shared = Dense(4, activation="tanh")
    a, b = Model(x, Dense(1)(shared(x))), Model(x, Dense(1)(shared(x)))
    for model in (a, b):
        model.compile("adam", "mse")
    for _ in range(3):
        for model in (a, b):
            trains(model)
    np.testing.assert_array_equal(a.get_weights()[0], b.get_weights()[0])
