"""fit that is interrupted, that is asked to train twice at once, or whose loss goes bad: the model stays usable."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential
from fastnn.callbacks import LambdaCallback
from fastnn.errors import BusyError
from fastnn.layers import Dense
from tests.conftest import needs_c
from tests.errors import assert_good_error, fingerprint, weights_hash

X = np.random.default_rng(5).normal(size=(64, 8)).astype(np.float32)
Y = X.sum(1, keepdims=True)


def network(optimizer: Any = "adam") -> Sequential:
    fastnn.random.set_seed(2)
    model = Sequential([Input((8,)), Dense(16, activation="relu"), Dense(1)], name="network")
    model.compile(optimizer, "mse")
    return model


class Boom(Exception):
    """Raised by callbacks below."""


@pytest.mark.parametrize("error", [Boom, KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_batch_begin",
                                  "on_train_batch_end", "on_test_begin", "on_test_batch_end", "on_test_end",
                                  "on_train_end"])
def test_an_exception_in_a_callback(any_backend: str, hook: str, error: type[BaseException]) -> None:
    calls = 0

    def fail(*arguments: Any, **keywords: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 3 or ("train_b" in hook and "batch" not in hook) or hook == "on_train_end":
            raise error("boom")

    model = network()
    with pytest.raises(error):
        model.fit(X, Y, epochs=9, batch_size=16, verbose=0, validation_data=(X, Y),
                  callbacks=[LambdaCallback(**{hook: fail})])
    steps = int(model.optimizer.iterations)
    whole = network()
    assert steps == {"on_train_begin": 0, "on_epoch_begin": 8, "on_epoch_end": 12, "on_train_batch_begin": 2,
                     "on_train_batch_end": 3, "on_test_begin": 12, "on_test_batch_end": 4, "on_test_end": 12,
                     "on_train_end": 36}[hook]
    if steps:
        whole.fit(X, Y, epochs=max(1, -(-steps // 4)), steps_per_epoch=None if steps % 4 == 0 else steps % 4,
                  batch_size=16, verbose=0)
        assert weights_hash(model) == weights_hash(whole)       # the state after whole steps
    assert len(model.history.epoch) == max(0, steps // 4 - ("on_test" in hook))
    assert np.isfinite(model.evaluate(X, Y, verbose=0))
    assert len(model.fit(X, Y, epochs=2, verbose=0).epoch) == 2


SCRIPT = """
import threading, time, _thread, numpy as np, fastnn
from tests.test_interrupted import network
x = np.random.default_rng(0).normal(size=(200_000, 8)).astype(np.float32)
model = network()
model.fit(x[:64], x[:64, :1], verbose=0, epochs=2)
before = int(model.optimizer.iterations)
def poke():
    while int(model.optimizer.iterations) < before + {steps}:
        time.sleep(0.001)
    import os, signal; os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=poke).start()
try:
    model.fit(x, x[:, :1], epochs=10**6, verbose={verbose})
    raise AssertionError("was not interrupted")
except KeyboardInterrupt:
    pass
history = model.history
assert history.interrupted and len(history.epoch) == len(history.history.get("loss", []))
assert all(np.isfinite(w).all() for w in model.get_weights())
model.fit(x[:64], x[:64, :1], verbose=0, epochs=2)
assert len(model.history.epoch) == 2 and not model.history.interrupted
"""


@needs_c
@pytest.mark.skipif(os.name == "nt", reason="signals are another matter on Windows")
@pytest.mark.parametrize(("verbose", "steps"), [(0, 1), (0, 9000), (2, 9000)])      # an epoch is 6250 steps
def test_ctrl_c(verbose: int, steps: int) -> None:
    result = subprocess.run([sys.executable, "-c", SCRIPT.format(steps=steps, verbose=verbose)], text=True,
                            timeout=300, capture_output=True, cwd=Path(__file__).parents[1])
    assert result.returncode == 0, result.stderr


def test_ctrl_c_in_a_reference_fit() -> None:
    with fastnn.config.using(backend="reference"):
        model = network()
        timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y, epochs=10 ** 6, verbose=0)
        timer.join()
        assert model.history.interrupted
        model.fit(X, Y, epochs=2, verbose=0)


def test_fit_inside_fit_is_refused(any_backend: str) -> None:
    model = network()
    found: list[str] = []

    def again(epoch: int, logs: Any) -> None:
        for call in (lambda: model.fit(X, Y, verbose=0), lambda: model.train_on_batch(X, Y)):
            found.append(assert_good_error(call, BusyError, "is training", unchanged=model))

    model.fit(X, Y, epochs=2, verbose=0, callbacks=[LambdaCallback(on_epoch_end=again)])
    assert len(found) == 4
    assert weights_hash(model) == trained(2)


def trained(epochs: int) -> str:
    model = network()
    model.fit(X, Y, epochs=epochs, verbose=0)
    return weights_hash(model)


def test_a_second_thread_is_refused(any_backend: str) -> None:
    model = network()
    inside, go = threading.Event(), threading.Event()

    def hold(epoch: int, logs: Any) -> None:
        inside.set()
        go.wait(10)

    thread = threading.Thread(target=lambda: model.fit(X, Y, epochs=1, verbose=0, callbacks=[
        LambdaCallback(on_epoch_end=hold)]))
    thread.start()
    inside.wait(10)
    try:
        before = fingerprint(model)
        for call in (lambda: model.fit(X, Y, verbose=0), lambda: model.evaluate(X, Y, verbose=0)):
            assert_good_error(call, BusyError, "already")
        assert np.isfinite(model.predict(X, verbose=0)).all()       # has buffers of its own
        assert fingerprint(model) == before
    finally:
        go.set()
        thread.join()
    assert weights_hash(model) == trained(1)


CALLS: dict[str, Any] = {
    "fit": lambda model: model.fit(X, Y, verbose=0), "evaluate": lambda model: model.evaluate(X, Y, verbose=0),
    "train_on_batch": lambda model: model.train_on_batch(X, Y), "trace": lambda model: model.trace(X, Y),
    "profile": lambda model: model.profile(X, Y, seconds=0.01), "find_lr": lambda model: model.find_lr(X, Y, steps=10),
    "check_gradients": lambda model: fastnn.check_gradients(model, X, Y, elements=1),
    "doctor": lambda model: fastnn.doctor(model, X, Y)}


@pytest.mark.parametrize("name", CALLS)
def test_a_model_that_was_not_given_back_can_be_used(name: str) -> None:
    """As after an interrupt between taking it and giving it back."""
    model: Any = network()
    model._busy.acquire()
    model._worker = (threading.get_ident(), type(model).fit.__wrapped__.__code__)
    CALLS[name](model)
    assert not model._busy.locked() and model._worker[0] == 0


@pytest.mark.parametrize(("module", "within", "name"), [
    ("health.doctor", "examine", "doctor"), ("trace.step", "walk", "trace"), ("finder", "_losses", "find_lr"),
    ("gradients", "_checked", "check_gradients")])
def test_a_second_thread_is_refused_by_whatever_holds_the_model(module: str, within: str, name: str,
                                                                monkeypatch: Any) -> None:
    model, found = network(), []

    def fit() -> None:
        with pytest.raises(BusyError):
            model.fit(X, Y, verbose=0)
        found.append(True)

    def hold(*arguments: Any) -> Any:
        thread = threading.Thread(target=fit)
        thread.start()
        thread.join()
        raise Boom

    monkeypatch.setattr(importlib.import_module(f"fastnn.teaching.{module}"), within, hold)
    with pytest.raises(Boom):
        CALLS[name](model)
    assert found


def test_the_array_may_change_after_fit_and_not_the_model(any_backend: str) -> None:
    x = X.copy()
    model = network()
    model.fit(x, Y, epochs=2, verbose=0)
    before = weights_hash(model)
    x[...] = np.nan
    assert weights_hash(model) == before
    assert np.isfinite(model.predict(X, verbose=0)).all()


# ---- a loss that is not finite ----


def test_a_diverging_run_is_warned_about_once(any_backend: str) -> None:
    for arguments in ({"epochs": 60}, {"epochs": 60, "verbose": 2}, {"epochs": 60, "callbacks": [
            LambdaCallback(on_train_batch_end=lambda batch, logs: None)]}):
        model = network(fastnn.optimizers.SGD(5.0))
        with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            history = model.fit(X, Y, batch_size=16, **{"verbose": 0, **arguments})
        texts = [str(w.message) for w in caught]
        assert len(texts) == 1, texts
        assert "epoch 1, step 4, kernel mean_squared_error of the loss" in texts[0]
        assert "smaller learning rate" in texts[0] and len(texts[0].split("\n")[0]) <= 200
        assert len(history.epoch) == 60 and not np.isfinite(history.history["loss"][-1])


def test_the_warning_is_the_same_for_every_way_of_running(any_backend: str) -> None:
    texts, hashes = set(), set()
    for verbose in (0, 2):
        model = network(fastnn.optimizers.SGD(0.05))
        model.fit(X, Y, epochs=3, verbose=0)
        y = Y.copy()
        y[7] = 1e30
        with pytest.warns(RuntimeWarning, match="not finite") as caught:
            model.fit(X, y, epochs=5, verbose=verbose)
        texts.add(str(caught[0].message))
        hashes.add(weights_hash(model))
    assert len(texts) == len(hashes) == 1


def test_nan_among_the_weights_names_the_layer(any_backend: str) -> None:
    model = network()
    model.layers[1].kernel.assign(np.full((16, 1), np.nan))
    with pytest.warns(RuntimeWarning, match=r"epoch 1, step 1, kernel dense of layer 'dense_1'"):
        model.fit(X, Y, verbose=0)


def test_the_best_weights_come_back_after_ctrl_c() -> None:
    stop = fastnn.callbacks.EarlyStopping(monitor="loss", patience=99, restore_best_weights=True)

    def interrupt(epoch: int, logs: Any) -> None:
        if epoch == 3:
            raise KeyboardInterrupt

    model = network(fastnn.optimizers.SGD(0.01))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=9, verbose=0, callbacks=[stop, LambdaCallback(on_epoch_end=interrupt)])
    for a, b in zip(model.get_weights(), stop.best_weights):
        np.testing.assert_array_equal(a, b)
