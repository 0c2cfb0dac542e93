"""What fit, evaluate and their one-batch forms do, as Keras does it."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, losses
from fastnn.callbacks import EarlyStopping, LambdaCallback
from fastnn.layers import Dense
from tests.conftest import alike
from tests.errors import weights_hash

X = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
Y = (X.sum(1, keepdims=True) > 0).astype(np.float32)


def network(loss: Any = "binary_crossentropy", metrics: Any = ("accuracy",), optimizer: Any = "adam") -> Sequential:
    fastnn.random.set_seed(4)
    model = Sequential([Input((3,)), Dense(5, activation="tanh"), Dense(1, activation="sigmoid")])
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def noted(seen: list[Any]) -> LambdaCallback:
    """A callback that notes every hook with its number and the names in its logs."""
    def note(name: str) -> Any:
        def hook(*arguments: Any, logs: Any = None) -> None:
            *number, last = arguments if logs is None else (*arguments, logs)
            seen.append((name, *number, sorted(last)))
        return hook

    names = [f"{what}_{end}" for what in ("train", "test", "epoch", "train_batch", "test_batch")
             for end in ("begin", "end")]
    return LambdaCallback(**{f"on_{name}": note(name) for name in names})


def test_hooks_come_in_keras_order(any_backend: str) -> None:
    seen: list[Any] = []
    network().fit(X[:20], Y[:20], batch_size=16, verbose=0, callbacks=[noted(seen)], validation_data=(X[:5], Y[:5]))
    both, val = ["accuracy", "loss"], ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert seen == [
        ("train_begin", []), ("epoch_begin", 0, []), ("train_batch_begin", 0, []), ("train_batch_end", 0, both),
        ("train_batch_begin", 1, []), ("train_batch_end", 1, both), ("test_begin", []), ("test_batch_begin", 0, []),
        ("test_batch_end", 0, both), ("test_end", both), ("epoch_end", 0, val), ("train_end", val)]


def test_logs_of_batches_are_running_means(any_backend: str) -> None:
    model, seen = network(optimizer=fastnn.optimizers.SGD(1e-30)), []
    model.fit(X, Y, batch_size=16, verbose=0, shuffle=False,
              callbacks=[LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))])
    for i, loss in enumerate(seen):
        rows = min(16 * (i + 1), 50)
        assert loss == pytest.approx(model.evaluate(X[:rows], Y[:rows], verbose=0)[0], rel=1e-5)


def test_history(any_backend: str) -> None:
    history = network(metrics=["accuracy", "mae"]).fit(X, Y, epochs=3, verbose=0, validation_split=0.2, initial_epoch=1)
    assert list(history.history) == ["accuracy", "loss", "mae", "val_accuracy", "val_loss", "val_mae"]
    assert all(len(v) == 2 and all(type(n) is float for n in v) for v in history.history.values())
    assert history.epoch == [1, 2]
    assert history.params["epochs"] == 3 and history.params["steps"] == 2
    assert history.model.history is history


def test_validation_split_takes_the_last_rows(any_backend: str) -> None:
    split = network().fit(X, Y, epochs=2, verbose=0, validation_split=0.3).history
    given = network().fit(X[:35], Y[:35], epochs=2, verbose=0, validation_data=(X[35:], Y[35:])).history
    assert split == given


def test_sorted_labels_are_warned_about() -> None:
    with pytest.warns(UserWarning, match="one side only"):
        network().fit(X, np.sort(Y, 0), validation_split=0.3, verbose=0)


def test_validation_every_other_epoch(any_backend: str) -> None:
    history = network().fit(X, Y, epochs=5, verbose=0, validation_data=(X, Y), validation_freq=2)
    assert len(history.history["loss"]) == 5 and len(history.history["val_loss"]) == 2
    assert history.column("val_loss")[0] is None and history.column("val_loss")[1] is not None


def test_validation_is_evaluate(any_backend: str) -> None:
    model = network()
    history = model.fit(X, Y, epochs=2, verbose=0, validation_data=(X[:21], Y[:21], np.arange(21)))
    loss, accuracy = model.evaluate(X[:21], Y[:21], sample_weight=np.arange(21), verbose=0)
    assert history.history["val_loss"][-1] == loss and history.history["val_accuracy"][-1] == accuracy


def test_early_stopping_puts_the_best_weights_back(any_backend: str) -> None:
    kept: list[Any] = []
    model = network(optimizer=fastnn.optimizers.SGD(0.1))
    rise = LambdaCallback(on_epoch_end=lambda epoch, logs: (kept.append(model.get_weights()), setattr(
        model.optimizer, "learning_rate", 0.1 if epoch < 3 else 1e4)))
    stop = EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    history = model.fit(X, Y, epochs=50, verbose=0, callbacks=[rise, stop])
    assert len(history.epoch) == stop.stopped_epoch + 1 < 50
    for a, b in zip(model.get_weights(), kept[stop.best_epoch]):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_train_batch_end"])
def test_a_callback_stops_training(any_backend: str, hook: str) -> None:
    model = network()
    history = model.fit(X, Y, epochs=9, batch_size=10, verbose=0, callbacks=[LambdaCallback(
        **{hook: lambda i, logs: setattr(model, "stop_training", i == 2)})])
    assert history.epoch == ([0, 1, 2] if hook == "on_epoch_end" else [0])
    assert int(model.optimizer.iterations) == (15 if hook == "on_epoch_end" else 3)
    assert len(model.fit(X, Y, epochs=2, verbose=0).epoch) == 2


def test_steps_per_epoch_and_validation_steps(any_backend: str) -> None:
    model = network()
    model.fit(X, Y, batch_size=10, epochs=2, steps_per_epoch=2, verbose=0, validation_data=(X, Y), validation_steps=1,
              validation_batch_size=7)
    assert int(model.optimizer.iterations) == 4
    part = model.evaluate(X[:20], Y[:20], batch_size=10, verbose=0)
    assert model.evaluate(X, Y, batch_size=10, steps=2, verbose=0) == part


def test_evaluate_in_its_three_forms(any_backend: str) -> None:
    model = network()
    values = model.evaluate(X, Y, verbose=0)
    assert isinstance(values, list) and model.metrics_names == ["loss", "accuracy"]
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == dict(zip(["loss", "accuracy"], values))
    model.compile("adam", "mse")
    assert type(model.evaluate(X, Y, verbose=0)) is float
    for size in (1, 7, 50):
        whole = model.evaluate(X, Y, verbose=0)
        assert model.evaluate(X, Y, batch_size=size, verbose=0) == pytest.approx(whole, rel=1e-6)


def test_one_batch_forms(any_backend: str) -> None:
    a, b = network(), network()
    history = a.fit(X, Y, batch_size=50, epochs=3, verbose=0, shuffle=False).history
    got = [b.train_on_batch(X, Y) for _ in range(3)]
    assert weights_hash(a) == weights_hash(b)
    assert [g[0] for g in got] == history["loss"] and [g[1] for g in got] == history["accuracy"]
    assert b.test_on_batch(X, Y) == b.evaluate(X, Y, batch_size=50, verbose=0)
    assert list(b.test_on_batch(X, Y, return_dict=True)) == ["loss", "accuracy"]
    assert alike(b.predict_on_batch(X), b.predict(X, verbose=0))
    assert weights_hash(a) == weights_hash(b)


def close(a: Sequential, b: Sequential) -> None:
    for v, w in zip(a.get_weights(), b.get_weights()):
        np.testing.assert_allclose(v, w, rtol=1e-4, atol=1e-6)


def test_weight_two_is_a_row_twice_and_weight_zero_is_none(any_backend: str) -> None:
    def summed() -> Sequential:
        return network(losses.BinaryCrossentropy(reduction="sum"), optimizer=fastnn.optimizers.SGD(0.01))

    weighted, repeated = summed(), summed()
    times = np.arange(50) % 3
    weighted.fit(X, Y, batch_size=50, epochs=4, verbose=0, sample_weight=times)
    rows = np.repeat(np.arange(50), times)
    repeated.fit(X[rows], Y[rows], batch_size=50, epochs=4, verbose=0)
    close(weighted, repeated)


def test_class_weight_is_a_sample_weight(any_backend: str) -> None:
    a, b, c = network(), network(), network()
    a.fit(X, Y, epochs=2, verbose=0, class_weight={0: 0.5, 1: 3.0})
    b.fit(X, Y, epochs=2, verbose=0, sample_weight=np.where(Y[:, 0] == 1, 3.0, 0.5))
    c.fit(X, Y, epochs=2, verbose=0, class_weight={0: 1.0, 1: 6.0}, sample_weight=np.full(50, 0.5))
    assert weights_hash(a) == weights_hash(b) == weights_hash(c)
    count = Y.sum()
    d, e = network(), network()
    d.fit(X, Y, epochs=2, verbose=0, class_weight="balanced")
    e.fit(X, Y, epochs=2, verbose=0, class_weight={0: 25 / (50 - count), 1: 25 / count})
    close(d, e)


def test_weighted_metrics(any_backend: str) -> None:
    model = network(metrics=[])
    model.compile("adam", "mse", metrics=["accuracy"], weighted_metrics=["mae"])
    weight = np.r_[np.zeros(25), np.ones(25)]
    values = model.evaluate(X, Y, sample_weight=weight, verbose=0, return_dict=True)
    p = model.predict(X, verbose=0)
    assert values["mae"] == pytest.approx(np.abs(p - Y)[25:].mean(), rel=1e-5)
    assert values["accuracy"] == pytest.approx(((p > 0.5) == Y).mean())
    assert values["loss"] == pytest.approx(((p - Y) ** 2)[25:].sum() / 50, rel=1e-5)


def test_fit_goes_on_where_the_last_one_ended(any_backend: str) -> None:
    a, b = network(), network()
    a.fit(X, Y, epochs=4, verbose=0)
    for _ in range(4):
        b.fit(X, Y, epochs=1, verbose=0)
    assert weights_hash(a) == weights_hash(b)
    c = network()
    c.fit(X, Y, epochs=3, verbose=0)
    c.fit(X, Y, epochs=4, initial_epoch=3, verbose=0)
    assert weights_hash(a) == weights_hash(c)


def test_the_last_batch_is_shorter(any_backend: str) -> None:
    model = network("mse", [], fastnn.optimizers.SGD(0.1))
    by_hand = network("mse", [], fastnn.optimizers.SGD(0.1))
    model.fit(X, Y, batch_size=20, epochs=2, verbose=0, shuffle=False)
    for _ in range(2):
        for begin in (0, 20, 40):
            by_hand.train_on_batch(X[begin:begin + 20], Y[begin:begin + 20])
    assert weights_hash(model) == weights_hash(by_hand)
