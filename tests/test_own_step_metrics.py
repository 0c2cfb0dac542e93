"""Metrics in steps of one's own: inside each other, reset, asked for their results."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import GradientTape, Input, Sequential, layers, metrics, ops
from tests.test_own_steps import Net, X, Y


class F1(metrics.Metric):
    """Of metrics inside a metric."""

    def __init__(self) -> None:
        super().__init__(name="f1")
        self.precision, self.recall = metrics.Precision(), metrics.Recall()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.precision.update_state(y_true, y_pred)
        self.recall.update_state(y_true, y_pred)

    def result(self) -> Any:
        p, r = self.precision.result(), self.recall.result()
        return 2 * p * r / (p + r + 1e-7)


class Kept(metrics.Sum):
    """Never starts again."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        super().update_state(ops.sum(0.0 * y_pred + 1.0, axis=-1))

    def reset_state(self) -> None:
        pass


@pytest.mark.parametrize("verbose", [0, 2])
def test_metrics_inside_metrics_and_own_resets(any_backend: str, verbose: int, capsys: Any) -> None:
    fastnn.random.set_seed(2)
    model = Sequential([Input((6,)), layers.Dense(1, activation="sigmoid")])
    y = (X[:, :1] > 0).astype(np.float32)
    shown = [F1(), metrics.Precision(), metrics.Recall(), Kept(name="kept")]
    model.compile("sgd", "binary_crossentropy", metrics=shown)
    history = model.fit(X, y, epochs=4, batch_size=16, verbose=verbose).history
    p, r = np.array(history["precision"]), np.array(history["recall"])
    np.testing.assert_allclose(history["f1"], 2 * p * r / (p + r + 1e-7), rtol=1e-6)
    assert history["kept"] == [50.0, 100.0, 150.0, 200.0]
    capsys.readouterr()


class Results(Net):
    """As Keras' newest guides write it."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = metrics.Mean(name="largest")

    def train_step(self, data: Any) -> Any:
        x, y = data
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        self.largest.update_state(ops.max(y_pred, axis=-1))
        self.compute_metrics(x, y, y_pred)
        return self.get_metrics_result()


def test_results_of_all_metrics() -> None:
    model = Results()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X, Y, batch_size=25, epochs=2, verbose=0).history
    assert set(history) == {"loss", "accuracy", "largest"} and 1 / 3 < history["largest"][-1] < 1
    found = model.get_metrics_result()
    assert float(found["accuracy"]) == pytest.approx(history["accuracy"][-1])
    model.reset_metrics()
    assert float(model.largest.result()) == 0 and float(model.get_metrics_result()["accuracy"]) == 0


def test_results_and_resets_of_ones_own_are_asked() -> None:
    class Own(Net):
        resets = 0

        def get_metrics_result(self) -> Any:
            return {**super().get_metrics_result(), "one": 1.0}

        def reset_metrics(self) -> None:
            self.resets += 1
            super().reset_metrics()

    model = Own()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X, Y, batch_size=25, epochs=3, verbose=0).history
    assert history["one"] == [1.0] * 3 and model.resets == 3
    assert model.evaluate(X, Y, verbose=0, return_dict=True)["one"] == 1.0


def test_resets_of_ones_own_are_asked_in_every_epoch() -> None:
    class Own(Sequential):
        resets = 0

        def reset_metrics(self) -> None:
            self.resets += 1
            if self.resets % 2:
                super().reset_metrics()

    def fitted(kind: Any, callbacks: Any = None) -> Any:
        fastnn.random.set_seed(2)
        model = kind([Input(X.shape[1:]), layers.Dense(3, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(X, Y, batch_size=25, epochs=6, shuffle=False, verbose=0, callbacks=callbacks)
        return model

    own, plain = fitted(Own), fitted(Sequential).history.history["loss"]
    assert own.resets == 6
    np.testing.assert_allclose(own.history.history["loss"][::2], plain[::2])
    np.testing.assert_allclose(own.history.history["loss"][1::2], np.add(plain[::2], plain[1::2]) / 2)


@pytest.mark.parametrize("before", [True, False], ids=["before", "between fits"])
def test_methods_given_to_one_model_are_its_own(before: bool) -> None:
    model: Any = Sequential([Input(X.shape[1:]), layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    if not before:
        model.fit(X, Y, verbose=0)
        model.evaluate(X, Y, verbose=0)
        model.predict(X, verbose=0)
    resets: list[int] = []
    model.train_step = lambda data: {"loss": ops.sum(data[1]) * 0.0 + 7.0}
    model.test_step = lambda data: {"loss": ops.sum(data[1]) * 0.0 + 8.0}
    model.predict_step = lambda data: ops.zeros_like(data[0])
    model.reset_metrics = lambda: resets.append(1)
    weights = model.get_weights()
    assert model.fit(X, Y, epochs=4, verbose=0).history["loss"] == [7.0] * 4 and len(resets) == 4
    assert model.evaluate(X, Y, verbose=0) == 8.0
    assert not model.predict(X, verbose=0).any() and model.predict(X, verbose=0).shape == X.shape
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
