"""Data and weights with which a network trains, and badly: one warning each, none for healthy ones."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers
from tests.test_messages import IMAGES, Y3, X, Y, net

MEASURED = X[:, 1] * 1.7 + 0.1


def zeroed() -> Any:
    model = net()
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    return model


def begun_with(layer: Any) -> Any:
    model = Sequential([Input((4,)), layer, layers.Dense(1)])
    model.compile("adam", "mse")
    return model


ODD: dict[str, tuple[Callable[[], Any], Any, Any, str]] = {
    "large inputs": (net, X * 1e5, Y, r"x reaches 9\.97e\+04.*x\.std\(0\)"),
    "pixels": (net, (X * 255).astype("uint8"), Y, r"x reaches 254; .*Rescaling\(1 / 255\)"),
    "accuracy of a regression": (lambda: net(1, "linear", "mse", metrics=["accuracy"]), X, MEASURED, r"\['mae'"),
    "beyond a sigmoid": (lambda: net(1, "sigmoid", "mse"), X, MEASURED * 9, r"the last layer's sigmoid gives 0 to 1"),
    "beyond a relu": (lambda: net(1, "relu", "mse"), X, -MEASURED, r"the last layer's relu gives 0 to inf"),
    "cross-entropy of a relu": (lambda: net(1, "relu"), X, Y, r"activation='sigmoid'"),
    "one class": (net, X, 0 * Y, r"one class only, 0;"),
    "one class of three": (lambda: net(3, "softmax", "sparse_categorical_crossentropy"), X, 0 * Y3 + 2, r"only, 2;"),
    "zero weights": (zeroed, X, Y, r"all weights are zero"),
}
HEALTHY: dict[str, tuple[Callable[[], Any], Any, Any]] = {
    "plain": (net, X, Y),
    "three classes": (lambda: net(3, "softmax", "sparse_categorical_crossentropy", metrics=["accuracy"]), X, Y3),
    "a regression": (lambda: net(1, "linear", "mse", metrics=["mae"]), X, MEASURED * 1000),
    "a perceptron": (lambda: Sequential([Input((4,)), layers.Dense(1, kernel_initializer="zeros")]), X, MEASURED),
    "rescaled": (lambda: begun_with(layers.Rescaling(1 / 255)), X * 255, MEASURED),
    "normalized": (lambda: begun_with(layers.BatchNormalization()), X * 255, MEASURED),
    "whole numbers": (lambda: net(1, "linear", "mse", metrics=["accuracy"]), X, Y),
    "few samples": (net, X[:4] * 1e5, Y[:4]),
    "words": (lambda: Sequential([Input((4,)), layers.Embedding(1000, 2), layers.Flatten(), layers.Dense(1)]),
              (X * 999).astype("int32"), MEASURED),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_said_once(name: str) -> None:
    make, x, y, pattern = ODD[name]
    model = make()
    with pytest.warns(UserWarning, match=pattern) as caught:
        model.fit(x, y, verbose=0)
    assert len(caught) == 1 and caught[0].filename == __file__, [str(each.message) for each in caught]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, verbose=0)


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_said_of_the_healthy(name: str) -> None:
    make, x, y = HEALTHY[name]
    model = make()
    if model.compiled is None:
        model.compile("adam", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, epochs=2, verbose=0)


class Dividing(layers.Layer):
    def call(self, x: Any) -> Any:
        return x / 255


class Subclass(fastnn.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.dense(x / 255)


def graph(scaled: Callable[[Any], Any]) -> Any:
    x = Input((4,))
    return fastnn.Model(x, layers.Dense(1)(scaled(layers.Dropout(0.1)(x))))


SCALED: dict[str, Callable[[], Any]] = {
    "an op": lambda: graph(lambda x: x / 255),
    "a model in it": lambda: graph(Sequential([Input((4,)), layers.Rescaling(1 / 255)])),
    "a Lambda": lambda: graph(layers.Lambda(lambda x: x / 255)),
    "a layer of the user's": lambda: graph(Dividing()),
    "a subclass": Subclass,
}


@pytest.mark.parametrize("name", SCALED)
def test_nothing_is_said_of_numbers_that_the_model_may_scale(name: str) -> None:
    model = SCALED[name]()
    model.compile("adam", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X * 255, MEASURED, verbose=0)


def test_what_leaves_numbers_as_large_as_they_are_is_passed() -> None:
    model = graph(layers.Reshape((4,)))
    model.compile("adam", "mse")
    with pytest.warns(UserWarning, match="x reaches"):
        model.fit(X * 255, MEASURED, verbose=0)


def test_inputs_of_a_graph_are_named() -> None:
    a, b = Input((8, 8)), Input((4,))
    model = fastnn.Model([a, b], layers.Dense(1)(layers.Concatenate()([layers.Flatten()(a), b])))
    model.compile("adam", "mse")
    with pytest.warns(UserWarning, match=r"x\[1\] reaches"):
        model.fit([IMAGES, X * 1e3], MEASURED, verbose=0)


def test_a_loss_that_runs_away() -> None:
    model = Sequential([Input((4,)), layers.Dense(1)])
    model.compile(fastnn.optimizers.SGD(0.7), "mse")
    with pytest.warns(RuntimeWarning, match=r"grew from .* to .*; the learning rate, 0\.7, is too high"):
        history = model.fit(X, MEASURED, epochs=8, batch_size=16, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_the_momentum_that_is_proposed_moves_the_averages() -> None:
    """Of many steps it was 1, which moves nothing."""
    model = Sequential([Input((4,)), layers.BatchNormalization(momentum=0.999), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match=r"after 240 steps .*79% what they began.*ization\(momentum=0\.9\)\."):
        model.fit(X * 20 + 50, MEASURED, batch_size=1 + (len(X) - 1) // 8, epochs=30, verbose=0,
                  validation_data=(X * 20 + 50, MEASURED))
