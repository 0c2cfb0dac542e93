"""Options of fit: which epochs are validated, the training data evaluated, several outputs, one record of many fits."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, callbacks, layers, metrics
from fastnn.callbacks import History, LambdaCallback
from fastnn.utils import PyDataset
from tests.errors import assert_good_error, weights_hash
from tests.golden.common import wave

X, Y = wave(40, 5), wave(40, 1, phase=0.4)
VX, VY = wave(20, 5, phase=0.1), wave(20, 1, phase=0.3)


def network(dropout: float = 0.0) -> Any:
    fastnn.random.set_seed(5)
    model = fastnn.Sequential([Input((5,)), layers.Dense(6, activation="tanh"), layers.Dropout(dropout),
                               layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize(("frequency", "epochs"), [(1, [0, 1, 2, 3, 4]), (2, [1, 3]), ([1, 4], [0, 3]), ((5, 99), [4]),
                                                   ({2}, [1]), (range(3, 5), [2, 3]), ([], [])])
def test_the_epochs_that_are_validated(frequency: Any, epochs: list[int], any_backend: str) -> None:
    model = network()
    heard: list[int] = []
    count = LambdaCallback(on_epoch_end=lambda epoch, logs: heard.append(epoch) if "val_loss" in logs else None)
    record = model.fit(X, Y, epochs=5, verbose=0, validation_data=(VX, VY), validation_freq=frequency,
                       callbacks=[count])
    assert heard == epochs
    column = record.column("val_mae") if epochs else [None] * 5
    assert [i for i, value in enumerate(column) if value is not None] == epochs
    silent = network()
    silent.fit(X, Y, epochs=5, verbose=0, validation_data=(VX, VY), validation_freq=frequency)
    assert silent.history.history == record.history and weights_hash(silent) == weights_hash(model)


@pytest.mark.parametrize("wrong", [0, -1, [0], [1, -2], 1.5, ["a"], "2", [True]])
def test_other_frequencies_are_refused(wrong: Any) -> None:
    model = network()
    assert_good_error(lambda: model.fit(X, Y, validation_data=(VX, VY), validation_freq=wrong, verbose=0),
                      (TypeError, ValueError), "validation_freq", unchanged=model)


@pytest.mark.parametrize("listened", [False, True])
def test_the_training_data_evaluated_after_each_epoch(listened: bool, any_backend: str) -> None:
    """train_loss_end is what evaluate gives; the weights are those of a fit without it."""
    model, plain = network(0.5), network(0.5)
    found: list[list[float]] = []
    look = [LambdaCallback(on_epoch_end=lambda epoch, logs: found.append(
        model.evaluate(X, Y, batch_size=16, verbose=0)))]
    arguments: dict[str, Any] = {"epochs": 4, "batch_size": 16, "verbose": 0, "validation_data": (VX, VY)}
    record = model.fit(X, Y, **arguments, evaluate_train=True, callbacks=look * listened)
    plain.fit(X, Y, **arguments)
    assert set(record.history) == {"loss", "mae", "val_loss", "val_mae", "train_loss_end", "train_mae_end"}
    assert weights_hash(model) == weights_hash(plain)
    assert {k: v for k, v in record.history.items() if "train" not in k} == plain.history.history
    assert [record["train_loss_end"][-1], record["train_mae_end"][-1]] == model.evaluate(X, Y, batch_size=16, verbose=0)
    if listened:
        assert [list(pair) for pair in zip(record["train_loss_end"], record["train_mae_end"])] == found
    assert record["train_loss_end"][0] != record["loss"][0]


class Rows(PyDataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, i: int) -> Any:
        return X[i * 10:i * 10 + 10], Y[i * 10:i * 10 + 10]


def test_data_sets_can_be_read_again_and_generators_cannot() -> None:
    model = network()
    record = model.fit(Rows(), epochs=2, verbose=0, evaluate_train=True)
    assert record["train_loss_end"][-1] == model.evaluate(Rows(), verbose=0)[0]
    assert_good_error(lambda: model.fit(((X, Y) for _ in range(3)), verbose=0, evaluate_train=True), ValueError,
                      "evaluate_train", "once")


def test_one_record_of_several_fits() -> None:
    model, record = network(), History()
    for epochs in (2, 3):
        model.fit(X, Y, epochs=epochs, verbose=0, callbacks=[record])
    assert record.epoch == [0, 1, 0, 1, 2] and record.runs == [0, 2] and model.history is record
    assert model.fit(X, Y, verbose=0).epoch == [0]      # without it, a record of its own


def test_several_outputs_with_weights_and_weighted_metrics(any_backend: str) -> None:
    x = Input((5,))
    h = layers.Dense(4, activation="tanh")(x)
    model = Model(x, {"a": layers.Dense(1, name="a")(h), "b": layers.Dense(2, name="b")(h)})
    model.compile("sgd", {"a": "mse", "b": "mae"}, loss_weights={"a": 0.5, "b": 2.0},
                  metrics={"a": ["mae"]}, weighted_metrics={"b": [metrics.MeanSquaredError(name="mse")]})
    targets = {"a": Y, "b": wave(40, 2, phase=0.2)}
    weight = {"a": np.linspace(0, 1, 40, dtype=np.float32), "b": np.linspace(1, 2, 40, dtype=np.float32)}
    record = model.fit(X, targets, sample_weight=weight, epochs=2, batch_size=40, verbose=0, shuffle=False)
    assert set(record.history) == {"loss", "a_loss", "b_loss", "a_mae", "b_mse"}
    logs = model.evaluate(X, targets, sample_weight=weight, batch_size=40, verbose=0, return_dict=True)
    p = model.predict(X, verbose=0)
    a = np.mean(weight["a"] * np.mean((p["a"] - Y) ** 2, 1))
    b = np.mean(weight["b"] * np.mean(np.abs(p["b"] - targets["b"]), 1))
    want = {"loss": 0.5 * a + 2 * b, "a_loss": a, "b_loss": b, "a_mae": np.mean(np.abs(p["a"] - Y)),
            "b_mse": np.average(np.mean((p["b"] - targets["b"]) ** 2, 1), weights=weight["b"])}
    assert logs == pytest.approx(want, rel=1e-5)


def test_predict_stops_when_it_is_told_to() -> None:
    model = network()
    stop = LambdaCallback(on_predict_batch_end=lambda batch, logs: setattr(model, "stop_predicting", batch == 1))
    assert model.predict(X, batch_size=10, verbose=0, callbacks=[stop]).shape == (20, 1)
    assert model.predict(((X[:8],) for _ in range(5)), verbose=0, callbacks=[stop]).shape == (16, 1)
    assert model.predict(X, batch_size=10, verbose=0).shape == (40, 1)


class Heard(callbacks.Callback):
    """The batches that the hooks are called with."""

    def __init__(self) -> None:
        super().__init__()
        self.begins: list[int] = []
        self.ends: list[int] = []
        self.tested: list[int] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.begins.append(batch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.ends.append(batch)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.tested.append(batch)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_steps_per_execution_is_how_often_hooks_on_batches_are_called(run_eagerly: bool) -> None:
    """Seven steps, the last of fewer rows; the same weights whoever listens."""
    x = np.random.default_rng(0).random((100, 4), np.float32)
    found = []
    for count in (1, 3, 101, "auto"):
        fastnn.random.set_seed(1)
        model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(1)])
        model.compile("sgd", "mse", steps_per_execution=count, run_eagerly=run_eagerly)
        heard = Heard()
        model.fit(x, x[:, :1], batch_size=16, epochs=2, verbose=0, callbacks=[heard], validation_data=(x, x[:, :1]))
        n = 1 if count == "auto" else int(count)
        begins = list(range(0, 7, n))
        assert heard.begins == 2 * begins and heard.ends == heard.tested == 2 * [b + n - 1 for b in begins]
        found.append(model.get_weights()[0])
    assert all(np.array_equal(found[0], w) for w in found)
    with pytest.raises(ValueError, match="steps_per_execution is 0"):
        model.compile("sgd", "mse", steps_per_execution=0)
