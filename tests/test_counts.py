"""What a run costs, counted: calls that Python makes, entries into C, recordings. The seconds are in benchmarks/."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, layers, metrics
from fastnn.engine.call import Call
from fastnn.engine.schedule import Schedule
from fastnn.feeding import arguments
from fastnn.ops._op import Op
from tests.conftest import needs_c

X = np.random.default_rng(0).normal(size=(64, 5)).astype(np.float32)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], list[int]]:
    """counted(owner, name): a list of one number, how often owner.name was called from now on."""
    def watch(owner: Any, name: str) -> list[int]:
        real, times = getattr(owner, name), [0]

        def counting(*args: Any, **kwargs: Any) -> Any:
            times[0] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)
        return times
    return watch


def network(**compiled: Any) -> fastnn.Sequential:
    model = fastnn.Sequential([fastnn.Input((5,)), layers.Dense(4, activation="tanh"), layers.Dropout(0.2),
                               layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"], **compiled)
    return model


@needs_c
def test_a_replayed_epoch_runs_no_call_from_python(counted: Any) -> None:
    model = network()
    model.fit(X, X[:, :1], batch_size=10, verbose=0)        # six batches of 10 and one of 4 are recorded
    calls, known, entries = counted(Call, "run"), counted(Op, "__call__"), counted(Schedule, "run")
    model.fit(X, X[:, :1], batch_size=10, epochs=500, verbose=0)
    assert calls[0] + known[0] <= 10 and entries[0] <= 4        # 3500 steps, of two programs


@needs_c
@pytest.mark.parametrize("kind", ["checkpoint", "backup", "lambda"])
def test_every_n_steps_leaves_python_out_in_between(kind: str, counted: Any, tmp_path: Any) -> None:
    """An epoch of 160 steps, somebody who listens every 20: as many entries into C, and calls of hooks."""
    x = np.tile(X, (10, 1))
    heard: list[int] = []
    listener = {"checkpoint": lambda: callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}.fnn", save_freq=20),
                "backup": lambda: callbacks.BackupAndRestore(tmp_path / "backup", save_freq=20),
                "lambda": lambda: callbacks.LambdaCallback(stride=20, on_train_batch_end=lambda batch, logs:
                                                           heard.append(batch))}[kind]()
    model = network()
    model.fit(x, x[:, :1], batch_size=4, verbose=0)
    calls, entries = counted(Call, "run"), counted(Schedule, "run")
    hooks = counted(type(listener), "on_train_batch_end") if kind != "lambda" else [8]
    model.fit(x, x[:, :1], batch_size=4, verbose=0, callbacks=[listener])
    assert hooks == [8] and entries[0] <= 8 + 3 and calls[0] <= 10
    if kind == "checkpoint":
        assert {p.stem for p in tmp_path.glob("*.fnn")} == {f"1-{n}" for n in range(20, 161, 20)}
    assert heard in ([], [19, 39, 59, 79, 99, 119, 139, 159])


@needs_c
def test_metrics_of_counts_run_no_call_from_python(counted: Any) -> None:
    model = fastnn.Sequential([fastnn.Input((5,)), layers.Dense(3, activation="softmax")])
    kinds = (metrics.AUC(), metrics.Precision(thresholds=[0.2, 0.4]), metrics.PrecisionAtRecall(0.5),
             metrics.F1Score(), metrics.OneHotMeanIoU(3), metrics.ConfusionMatrix(), metrics.ConcordanceCorrelation())
    model.compile("adam", "categorical_crossentropy", metrics=list(kinds))
    y = np.eye(3, dtype=np.float32)[np.arange(64) % 3]
    model.fit(X, y, batch_size=10, verbose=0)
    calls, known, entries = counted(Call, "run"), counted(Op, "__call__"), counted(Schedule, "run")
    model.fit(X, y, batch_size=10, epochs=100, verbose=0)
    assert calls[0] + known[0] <= 10 and entries[0] <= 4        # 700 steps, of two programs


def test_a_step_in_python_runs_each_call(counted: Any, any_backend: str) -> None:
    """The counter counts, where steps are run one by one: on the reference, and with run_eagerly."""
    model = network(run_eagerly=any_backend == "c")
    model.fit(X, X[:, :1], batch_size=32, verbose=0)
    calls, known = counted(Call, "run"), counted(Op, "__call__")
    model.fit(X, X[:, :1], batch_size=32, epochs=3, verbose=0)
    assert calls[0] + known[0] >= 6 * 12        # six steps of twelve calls and more


@needs_c
@pytest.mark.parametrize("n", [1, 32])
def test_predict_of_a_few_rows_is_one_entry_into_c(n: int, counted: Any) -> None:
    model, x = network(), X[:n]
    for _ in range(2):
        model.predict(x)
    calls, known, entries = counted(Call, "run"), counted(Op, "__call__"), counted(Schedule, "run")
    adapted = counted(arguments, "adapt_x")
    for _ in range(5):
        model.predict(x)
    assert calls == known == adapted == [0] and entries == [5]
    model.predict(x, batch_size=32)     # the long way
    assert adapted == [1]


def test_metrics_are_computed_once_a_step_for_those_who_listen(counted: Any) -> None:
    model = fastnn.Sequential([fastnn.Input((5,)), layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["AUC"])
    computed = counted(metrics.AUC, "result")
    model.fit(X, X[:, :1] > 0, batch_size=8, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert 8 <= computed[0] <= 8 + 2        # the loss is looked at without them


@needs_c
def test_python_makes_few_calls_around_a_step() -> None:
    """Functions called, of Python and of C: what a small network waits for is Python, not its arithmetic."""
    model, y = network(), np.zeros((64, 1), np.float32)
    x, w = fastnn.ops.convert_to_tensor(X), fastnn.ops.ones((5, 4))
    step = fastnn.function(lambda x: fastnn.ops.tanh(x @ w))
    work: dict[str, tuple[Callable[[], object], int]] = {
        "an addition": (lambda: fastnn.ops.add(x, x), 12),
        "a product": (lambda: fastnn.ops.matmul(x, w), 17),
        "a model's call": (lambda: model(x), 160),
        "a function's replay": (lambda: step(X), 105),
        "predict of a row": (lambda: model.predict(X[:1], verbose=0), 52),
        "evaluate": (lambda: model.evaluate(X, y, verbose=0), 660),
        "train_on_batch": (lambda: model.train_on_batch(X[:32], y[:32]), 530),
        "fit of an epoch": (lambda: model.fit(X, y, verbose=0), 1040)}
    for name, (call, most) in work.items():
        for _ in range(3):
            call()
        calls = [0]

        def count(frame: object, event: str, argument: object, calls: list[int] = calls) -> None:
            calls[0] += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            call()
        finally:
            sys.setprofile(None)
        assert calls[0] <= most, f"{name}: {calls[0]} calls, at most {most}"
