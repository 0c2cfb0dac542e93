"""The doctor finds each illness in a net made ill on purpose, and none in its healthy twin."""

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers, optimizers
from fastnn.reporting.finding import CHAPTERS
from fastnn.teaching import Diagnosis

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(300, 4)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(np.int32)
Y3 = (Y + (X[:, 3] > 0.5)).astype(np.int32)
MEASURED = X @ np.array([1, -2, 0.5, 1], np.float32)
NOISE = RANDOM.integers(0, 2, 40)


def net(*hidden: Any, units: int = 1, last: str = "sigmoid", loss: Any = "binary_crossentropy",
        optimizer: Any = None, **options: Any) -> Any:
    fastnn.random.set_seed(7)
    inner = hidden or (layers.Dense(8, activation="relu"),)
    model = Sequential([Input((4,)), *inner, layers.Dense(units, activation=last, **options)])
    model.compile(optimizer or optimizers.Adam(0.01), loss)
    return model


def seen(model: Any, x: Any = X, y: Any = Y, held: Any = None, epochs: int = 0, **options: Any) -> Diagnosis:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if epochs:
            model.fit(x, y, epochs=epochs, verbose=0, validation_data=held, **options)
        return fastnn.doctor(model, x, y, held)


def dense(units: int = 8, activation: str = "relu", **options: Any) -> Any:
    return layers.Dense(units, activation=activation, **options)


def softmax(optimizer: Any = None, *hidden: Any) -> Any:
    return net(*hidden, units=3, last="softmax", loss="sparse_categorical_crossentropy", optimizer=optimizer)


def with_nan() -> Any:
    model = net()
    model.layers[0].kernel.assign(np.full((4, 8), np.nan))
    return model


def overfitted(**options: Any) -> Diagnosis:
    model = net(dense(256), dense(256), optimizer=optimizers.Adam(0.01))
    held = X[40:], RANDOM.integers(0, 2, 260)
    return seen(model, X[:40], NOISE, held, epochs=30, **options)


def unreached() -> Any:
    fastnn.random.set_seed(7)
    inputs = Input((4,))
    kept = layers.Dense(8, activation="relu")(inputs)
    lost = layers.Dense(8)(inputs)
    out = layers.Dense(1)(layers.Add()([kept, layers.Rescaling(0.0)(lost)]))
    model = fastnn.Model(inputs, out)
    model.compile("adam", "mse")
    return model


def deep(activation: str, initializer: str) -> Any:
    return net(*(dense(16, activation, kernel_initializer=initializer) for _ in range(10)))


def sorted_data() -> tuple[Any, Any]:
    order = np.argsort(Y3, kind="stable")
    return X[order], Y3[order]


CONSTANT = np.concatenate([X, np.full((300, 1), 3, np.float32)], axis=1)[:, [0, 1, 2, 4]]
DUPLICATE = np.concatenate([X[:, :3], X[:, :1] * 2.54 + 1], axis=1)
RARE = np.where(np.arange(300) < 6, 1, 0)

# illness: (the ill, the healthy twin, a word of the evidence)
ILL: dict[str, tuple[Callable[[], Diagnosis], Callable[[], Diagnosis], str]] = {
    "inputs not scaled": (lambda: seen(net(), X * 1000), lambda: seen(net()), r"x reaches 3\.\d+e\+03"),
    "constant inputs": (lambda: seen(net(), CONSTANT), lambda: seen(net()), "column 3 of x is 3 in all 300 rows"),
    "duplicate inputs": (lambda: seen(net(), DUPLICATE), lambda: seen(net()), "column 3 of x says what column 0"),
    "ordered samples": (lambda: seen(softmax(), *sorted_data()), lambda: seen(softmax(), X, Y3), "class changes 2 tim"),
    "other validation data": (
        lambda: seen(net(), X, Y, (X[:50] * 255, Y[:50])),
        lambda: seen(net(), X, Y, (X[:50], Y[:50])),
        "validation data is"),
    "one class": (lambda: seen(net(), X, 0 * Y), lambda: seen(net()), "one class only, 0"),
    "class imbalance": (lambda: seen(net(), X, RARE), lambda: seen(net()), "class 1 has 6 of 300 samples"),
    "refused": (lambda: seen(softmax(), X, Y3 + 1), lambda: seen(softmax(), X, Y3), r"labels 1\.\.3 but .* 3 classes"),
    "targets out of range": (
        lambda: seen(net(loss="mse"), X, MEASURED),
        lambda: seen(net(last="linear", loss="mse"), X, MEASURED),
        "sigmoid gives 0 to 1"),
    "output against loss": (lambda: seen(net(last="linear")), lambda: seen(net()), "last layer is linear"),
    "symmetric units": (lambda: seen(net(dense(kernel_initializer="ones"))), lambda: seen(net(dense())), "stay alike"),
    "loss at the start": (
        lambda: seen(softmax(None, dense(64, kernel_initializer=fastnn.initializers.RandomNormal(0, 9))), X, Y3),
        lambda: seen(softmax(), X, Y3),
        "ln 3 = 1.1"),
    "dropout too high": (
        lambda: seen(net(dense(), layers.Dropout(0.9))),
        lambda: seen(net(dense(), layers.Dropout(0.3))),
        "drops 90% of"),
    "dead units": (
        lambda: seen(net(dense(16, bias_initializer=fastnn.initializers.Constant(-20)))),
        lambda: seen(net(dense(16))),
        "16 of 16 units of dense"),
    "saturated units": (
        lambda: seen(net(dense(16, "tanh", kernel_initializer=fastnn.initializers.RandomNormal(0, 300)))),
        lambda: seen(net(dense(16, "tanh"))),
        "at an end of tanh"),
    "vanishing gradient": (
        lambda: seen(deep("sigmoid", "glorot_uniform")),
        lambda: seen(deep("relu", "he_normal")),
        "times as large"),
    "exploding gradient": (
        lambda: seen(net(last="linear", loss="mse", optimizer="sgd"), X, MEASURED * 10000.0),
        lambda: seen(net(last="linear", loss="mse", optimizer="sgd"), X, MEASURED),
        "norm of"),
    "weights that never move": (
        lambda: seen(unreached(), X, MEASURED),
        lambda: seen(net(last="linear", loss="mse"), X, MEASURED),
        "exactly 0 for dense"),
    "not a number": (lambda: seen(with_nan()), lambda: seen(net()), "first result that is not finite is that of dense"),
    "learning rate too high": (
        lambda: seen(net(optimizer=optimizers.Adam(3.0))),
        lambda: seen(net()),
        "one step turns"),
    "learning rate too low": (
        lambda: seen(net(optimizer=optimizers.Adam(1e-09))),
        lambda: seen(net()),
        "a step moves no"),
    "batch norm not settled": (
        lambda: seen(net(layers.Rescaling(30.0), layers.BatchNormalization(), dense()), epochs=1),
        lambda: seen(net(layers.BatchNormalization(momentum=0.5), dense()), epochs=5),
        "after 10 steps the moving averages"),
    "same answer for all": (
        lambda: seen(net(dense(16, "tanh"), layers.Rescaling(0.0), dense(4, "tanh")), epochs=8),
        lambda: seen(net(dense(16, "tanh")), epochs=8),
        "all 256 samples get the answer"),
    "overfitting": (
        overfitted,
        lambda: seen(net(), X[:250], Y[:250], (X[250:], Y[250:]), epochs=30),
        "val_loss was low"),
    "underfitting": (
        lambda: seen(net(dense(1, "linear")), X, (X[:, 0] * X[:, 1] > 0).astype(int), epochs=20),
        lambda: seen(net(dense(32)), X, (X[:, 0] * X[:, 1] > 0).astype(int), epochs=20),
        "always answering"),
    "accuracy of a regression": (
        lambda: seen(regression(["accuracy"]), X, MEASURED),
        lambda: seen(regression(["mae"]), X, MEASURED),
        "never"),
}


def regression(metrics: Any) -> Any:
    model = net(last="linear", loss="mse")
    model.compile("adam", "mse", metrics=metrics)
    return model


def test_every_illness_of_the_table_is_made() -> None:
    assert ILL.keys() == CHAPTERS.keys()
    assert all(1 <= chapter <= 57 and topic for chapter, topic in CHAPTERS.values())


@pytest.mark.parametrize("name", ILL)
def test_the_ill_net_is_found_and_its_healthy_twin_is_not(name: str) -> None:
    ill, healthy, evidence = ILL[name]
    found = ill()
    assert name in found.names, f"{found}"
    finding = found[name]
    assert finding.remedy and finding.chapter == CHAPTERS[name][0]
    assert re.search(evidence, finding.evidence), finding.evidence
    twin = healthy()
    assert not twin.names, f"{twin}"
