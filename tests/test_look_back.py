"""TerminateOnNaN: no step waits for it, and the fit ends as if each had."""

import math
import warnings
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, layers, optimizers

RNG = np.random.default_rng(8)
X = RNG.normal(size=(52, 6)).astype(np.float32)
Y = X @ RNG.normal(size=(6, 2)).astype(np.float32)


class EveryStep(callbacks.Callback):
    """What TerminateOnNaN does, with Python at every step."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if not math.isfinite(logs["loss"]):
            print(f"TerminateOnNaN: the loss is {logs['loss']} at step {batch + 1} of the epoch; training stops.")
            self.model.stop_training = True


def trained(watcher: Any, rate: float, source: str = "arrays", **arguments: Any) -> Any:
    fastnn.random.set_seed(1)
    model = fastnn.Sequential([fastnn.Input((6,)), layers.Dense(7), layers.Dropout(0.2), layers.Dense(2)])
    model.compile(optimizers.SGD(rate, momentum=0.5), "mse", metrics=["mae"])
    data = (X, Y) if source == "arrays" else (((X[i:i + 8], Y[i:i + 8]) for _ in range(50) for i in range(0, 48, 8)),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(*data, epochs=40, verbose=0, callbacks=watcher, **arguments)
    return model


@pytest.mark.parametrize("rate", [0.3, 0.5, 3.0])
@pytest.mark.parametrize("source", ["arrays", "generator"])
def test_the_fit_ends_as_if_every_step_had_been_looked_at(rate: float, source: str, capsys: Any,
                                                          any_backend: str) -> None:
    arguments = {"batch_size": 8} if source == "arrays" else {"steps_per_epoch": 6}
    one = trained([EveryStep()], rate, source, **arguments)
    said = capsys.readouterr().out
    other = trained([callbacks.TerminateOnNaN()], rate, source, **arguments)
    assert "training stops" in said and capsys.readouterr().out == said
    assert int(one.optimizer.iterations) == int(other.optimizer.iterations)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one.get_weights(), other.get_weights()))
    np.testing.assert_equal(one.history.history, other.history.history)
    assert one.history.epoch == other.history.epoch and len(one.history.epoch) < 40


def test_it_looks_again_after_another_fit(capsys: Any) -> None:
    model = trained([callbacks.TerminateOnNaN()], 0.5, batch_size=8)
    before = int(model.optimizer.iterations)
    capsys.readouterr()
    model.fit(X, Y, batch_size=8, epochs=5, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert "at step 1 of the epoch" in capsys.readouterr().out
    assert int(model.optimizer.iterations) == before + 1


def test_raising_and_other_callbacks(capsys: Any) -> None:
    with pytest.raises(FloatingPointError, match="at step"):
        trained([callbacks.TerminateOnNaN(raise_error=True)], 0.5, batch_size=8)
    seen: list[int] = []
    other = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    model = trained([other, callbacks.TerminateOnNaN()], 0.5, batch_size=8)
    assert len(seen) == int(model.optimizer.iterations)


def test_steps_do_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counting(self: Any, batch: int, logs: Any = None) -> None:
        asked.append(batch)

    counting.only_bad = True  # type: ignore[attr-defined]
    monkeypatch.setattr(callbacks.TerminateOnNaN, "on_train_batch_end", counting)
    trained([callbacks.TerminateOnNaN()], 0.001, batch_size=8)
    assert len(asked) <= 7      # the first epoch, whose steps are being recorded; of 40
    asked.clear()
    trained([callbacks.TerminateOnNaN()], 0.001, "generator", steps_per_epoch=6)
    assert len(asked) == 240    # batches that come once can't be asked for again
