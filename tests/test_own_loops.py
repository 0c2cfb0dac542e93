"""Loops that users write: a CallbackList with a record and a bar, and a model that is compiled to be evaluated only."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, layers, metrics, models, ops
from fastnn.callbacks import CallbackList, EarlyStopping, LambdaCallback
from tests.errors import assert_good_error
from tests.golden.common import wave

X, Y = wave(40, 3), wave(40, 1, phase=0.3)


def network(optimizer: Any = "sgd", **options: Any) -> Any:
    fastnn.random.set_seed(1)
    model = fastnn.Sequential([fastnn.Input((3,)), layers.Dense(1)])
    model.compile(optimizer, "mse", **options)
    return model


def loop(model: Any, listeners: CallbackList, epochs: int = 3) -> None:
    """Training as users write it, around train_on_batch."""
    listeners.on_train_begin()
    for epoch in range(epochs):
        listeners.on_epoch_begin(epoch)
        total = 0.0
        for batch in range(4):
            listeners.on_train_batch_begin(batch)
            rows = slice(10 * batch, 10 * batch + 10)
            total += model.train_on_batch(X[rows], Y[rows])
            listeners.on_train_batch_end(batch, {"loss": total / (batch + 1)})
        listeners.on_epoch_end(epoch, {"loss": total / 4})
        if model.stop_training:
            break
    listeners.on_train_end()


def test_a_record_and_the_callbacks_of_a_loop(any_backend: str) -> None:
    model, heard = network(), []
    listeners = CallbackList([LambdaCallback(on_epoch_end=lambda epoch, logs: heard.append(logs["loss"]))],
                             add_history=True, model=model, epochs=3, steps=4, verbose=0)
    assert model.history is listeners.history and listeners.params == {"epochs": 3, "steps": 4, "verbose": 0}
    loop(model, listeners)
    twin = network()
    expected = twin.fit(X, Y, batch_size=10, epochs=3, shuffle=False, verbose=0).history
    assert model.history.history == {"loss": heard} and heard == pytest.approx(expected["loss"], rel=1e-6)
    assert model.history.epoch == [0, 1, 2] and model.history.params["steps"] == 4


def test_a_callback_stops_a_loop_and_puts_weights_back() -> None:
    model = network()
    stop = EarlyStopping("loss", patience=0, min_delta=10, restore_best_weights=True)
    loop(model, CallbackList(stop, True, False, model, epochs=9), 9)
    assert model.history.epoch == [0, 1]


def test_the_bar_of_a_loop(capsys: pytest.CaptureFixture[str]) -> None:
    model = network()
    loop(model, CallbackList(None, add_progbar=True, model=model, epochs=2, steps=4, verbose=2), 2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[0].startswith("Epoch 1/2 - 4/4 - 0s") and "loss: " in lines[1]
    listeners = CallbackList(add_progbar=True, model=model, steps=2, verbose=2)
    for kind in ("test", "predict"):
        getattr(listeners, f"on_{kind}_begin")()
        for batch in range(2):
            getattr(listeners, f"on_{kind}_batch_end")(batch, {"loss": 0.5})
        getattr(listeners, f"on_{kind}_end")({"loss": 0.5})
    test, predict = capsys.readouterr().out.splitlines()
    assert test.startswith("2/2 - ") and "loss: 0.5" in test and predict.startswith("2/2 - ")


def test_fit_takes_such_a_list_and_draws_and_records_once(capsys: pytest.CaptureFixture[str]) -> None:
    model, heard = network(), []
    listeners = CallbackList([LambdaCallback(on_epoch_end=lambda epoch, logs: heard.append(epoch))], add_history=True,
                             add_progbar=True)
    history = model.fit(X, Y, epochs=2, verbose=2, callbacks=listeners)
    assert history is listeners.history and history.epoch == heard == [0, 1]
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_params_are_no_place_for_a_model() -> None:
    assert_good_error(lambda: CallbackList([], network()), TypeError, "add_history")
    assert_good_error(lambda: CallbackList([], add_progbar="yes"), TypeError, "add_progbar")


# ---- compile(optimizer=None) -----------------------------------------------------------------------------------------


def test_a_model_without_an_optimizer_is_evaluated(any_backend: str, tmp_path: Path) -> None:
    trained = network(metrics=["mae"])
    model = network(None, metrics=["mae"])
    model.set_weights(trained.get_weights())
    assert model.optimizer is None
    assert model.evaluate(X, Y, verbose=0) == trained.evaluate(X, Y, verbose=0)
    assert model.test_on_batch(X, Y) == trained.test_on_batch(X, Y)
    assert (model.predict(X, verbose=0) == trained.predict(X, verbose=0)).all()
    out = io.StringIO()
    model.summary(print_fn=lambda line: out.write(line))
    assert "4" in out.getvalue() and "optimizer" not in model._repr_html_()
    model.save(tmp_path / "model.fnn")
    loaded = models.load_model(tmp_path / "model.fnn")
    assert loaded.optimizer is None and loaded.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    model.compile("sgd", "mse")
    assert len(model.fit(X, Y, verbose=0).epoch) == 1


def test_it_is_not_trained() -> None:
    model = network(None)
    for train in (lambda: model.fit(X, Y), lambda: model.train_on_batch(X, Y), lambda: model.find_lr(X, Y),
                  lambda: model.trace(X, Y), lambda: model.profile(X, Y)):
        assert_good_error(train, RuntimeError, "optimizer=None", "compile(")
    assert model.history is None


def test_own_steps_and_callbacks_without_an_optimizer(tmp_path: Path) -> None:
    class Own(fastnn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def test_step(self, data: Any) -> Any:
            x, y = data
            return {"far": ops.max(ops.abs(y - self(x)))}

    model = Own()
    model.compile(None)
    far = float(np.abs(Y - model(X).numpy()).max())
    assert model.evaluate(X, Y, batch_size=40, verbose=0, return_dict=True) == pytest.approx({"far": far}, rel=1e-6)
    heard: list[Any] = []
    network(None).evaluate(X, Y, verbose=0, callbacks=[LambdaCallback(on_test_end=heard.append),
                                                       callbacks.CSVLogger(tmp_path / "log.csv")])
    assert heard[0].keys() == {"loss"}


def test_metrics_are_listed_before_the_data_come() -> None:
    mse = metrics.MeanSquaredError()
    model = network(metrics=[mse], weighted_metrics=["mae"])
    assert model.metrics[0].name == "loss" and model.metrics[1:] == [mse]
    model.evaluate(X, Y, verbose=0)
    assert model.metrics[1] is mse and len(model.metrics) == 3
