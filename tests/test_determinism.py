"""The same bits however a model is trained: silent or not, eager or replayed, any number of threads, beside others."""

import ctypes
import multiprocessing
import os
import platform
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers, ops
from fastnn.engine import plan
from fastnn.engine.context import recording
from fastnn.engine.program import Program
from fastnn.engine.tensor import Variable
from fastnn.layers import Dense, Dropout
from tests.conftest import has_c, needs_c
from tests.errors import weights_hash

X = np.random.default_rng(1).normal(size=(150, 20)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int32)


def network(width: int = 33) -> Sequential:
    model = Sequential([Input((20,)), Dense(width, activation="relu", kernel_regularizer="l2"), Dropout(0.3),
                        Dense(width, activation="tanh"), Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def run(seed: int = 3, width: int = 33, **arguments: Any) -> tuple[str, dict[str, list[float]]]:
    """Weights and history of a training run from the seed."""
    fastnn.random.set_seed(seed)
    model = network(width)
    model.run_eagerly = arguments.pop("run_eagerly", False)
    arguments = {"epochs": 4, "batch_size": 32, "validation_data": (X[:40], Y[:40]), "verbose": 0, **arguments}
    history = model.fit(X, Y, **arguments)
    return weights_hash(model), history.history


def test_what_is_printed_changes_nothing(any_backend: str, capsys: Any) -> None:
    silent = run()
    for verbose in (1, 2, "auto", "epochs", fastnn.Every(2)):
        assert run(verbose=verbose) == silent
    capsys.readouterr()


def test_eager_is_replayed(any_backend: str) -> None:
    assert run(run_eagerly=True) == run()


@needs_c
@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="needs x86's rounding modes")
@pytest.mark.parametrize("mode", [0x400, 0x800, 0xC00], ids=["down", "up", "to zero"])
def test_the_rounding_mode_of_the_caller_changes_no_bit(mode: int) -> None:
    """Another library may have left it set. A call and a program, which give it back as they found it."""
    c = ctypes.CDLL(None)
    x, w = Variable(np.float32(X)), Variable(np.float32(X[:20, :20]))

    def results() -> list[bytes]:
        eager = ops.tanh(ops.matmul(x, w)).data.tobytes()
        program.run()
        return [eager, program.results[0].data.tobytes()]

    with recording() as calls:
        y = ops.softmax(ops.matmul(x, w))
    program = Program(calls, keep=[y])
    expected = results()
    assert c.fesetround(mode) == 0
    try:
        found, after = results(), c.fegetround()
    finally:
        c.fesetround(0)
    assert found == expected and after == mode


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_train_batch_end", "on_test_batch_end"])
def test_callbacks_change_nothing(any_backend: str, hook: str) -> None:
    assert run(callbacks=[fastnn.callbacks.LambdaCallback(**{hook: lambda *a, **k: None})]) == run()


def test_looking_in_between_changes_nothing(any_backend: str) -> None:
    """predict and evaluate from a callback, and models made meanwhile, leave the run as it is."""
    def look(epoch: int, logs: Any) -> None:
        callback.model.predict(X[:7], verbose=0)
        callback.model.evaluate(X[:40][::-1], Y[:40][::-1], verbose=0)      # of the shape of the validation data
        network().layers[0].trainable = False

    callback = fastnn.callbacks.LambdaCallback(on_epoch_end=look)
    assert run(callbacks=[callback]) == run()
    batches = fastnn.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: look(0, logs))
    callback = batches
    assert run(callbacks=[batches], epochs=2) == run(epochs=2)


@needs_c
def test_one_hash_for_any_number_of_threads() -> None:
    found = set()
    for threads in (1, 2, 3, 4, 7):
        with fastnn.config.using(threads=threads):
            found.add(str(run(width=300, batch_size=64, epochs=2)))
    assert len(found) == 1


@needs_c
def test_one_hash_for_a_cnn_with_all_that_is_random() -> None:
    """Augmentation, batch normalization and dropout too."""
    x = np.random.default_rng(2).random((96, 20, 20, 3)).astype(np.float32)
    found = set()
    for threads in (1, 2, 3, 4):
        fastnn.random.set_seed(5)
        model = Sequential([
            Input((20, 20, 3)), layers.RandomFlip(), layers.RandomRotation(0.1), layers.RandomTranslation(0.1, 0.1),
            layers.Conv2D(32, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D(),
            layers.SpatialDropout2D(0.2), layers.Conv2D(48, 3, padding="same", strides=2), layers.GaussianNoise(0.1),
            layers.DepthwiseConv2D(3), layers.GlobalAveragePooling2D(), Dropout(0.3), Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        with fastnn.config.using(threads=threads):
            history = model.fit(x, np.arange(96) % 3, batch_size=32, epochs=2, verbose=0)
        found.add((weights_hash(model), str(history.history)))
    assert len(found) == 1


SCRIPT = "from tests.test_determinism import run; print(run(width=300, batch_size=64, epochs=2))"


def in_process(**environment: str) -> str:
    env = {**os.environ, **environment}
    result = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, timeout=300,
                            cwd=Path(__file__).parents[1])
    assert result.returncode == 0, result.stderr
    return result.stdout


@needs_c
def test_one_hash_in_any_process() -> None:
    first = in_process(FASTNN_NUM_THREADS="1")
    for environment in ({"FASTNN_NUM_THREADS": "2"}, {"FASTNN_NUM_THREADS": "4", "PYTHONHASHSEED": "17"},
                        {"OMP_DYNAMIC": "true", "FASTNN_NUM_THREADS": "3"}, {"OMP_THREAD_LIMIT": "1"},
                        {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}):
        assert in_process(**environment) == first


def test_a_seed_repeats_everything(any_backend: str) -> None:
    assert run(seed=5) == run(seed=5)
    assert run(seed=5)[0] != run(seed=6)[0]


def test_set_random_seed_repeats_too(any_backend: str) -> None:
    found, before = [], (np.random.get_state(), random.getstate())
    try:
        for _ in range(2):
            fastnn.utils.set_random_seed(11)
            model = network()
            model.fit(X, Y, epochs=2, verbose=0)
            found.append(weights_hash(model))
    finally:
        np.random.set_state(before[0])
        random.setstate(before[1])
    assert found[0] == found[1]


def test_every_epoch_has_another_order(any_backend: str) -> None:
    model = network()
    orders: list[tuple[int, ...]] = []

    def look(epoch: int, logs: Any) -> None:
        feed = next(f for f in model._feeds if f.mode == "train")
        orders.append(tuple(feed.order.data))

    for epochs in (2, 1, 1):
        model.fit(X, Y, epochs=epochs, verbose=0, callbacks=[fastnn.callbacks.LambdaCallback(on_epoch_end=look)])
    assert len(set(orders)) == 4 and all(sorted(o) == list(range(150)) for o in orders)
    model.fit(X, Y, verbose=0, shuffle=False, callbacks=[fastnn.callbacks.LambdaCallback(on_epoch_end=look)])
    assert orders[-1] == tuple(range(150))


@needs_c
def test_c_follows_the_reference() -> None:
    found = []
    for backend in ("c", "reference"):
        with fastnn.config.using(backend=backend):
            fastnn.random.set_seed(3)
            model = network()
            history = model.fit(X, Y, epochs=5, verbose=0)
            found.append((model.get_weights(), history.history))
    for a, b in zip(found[0][0], found[1][0]):
        np.testing.assert_allclose(a, b, atol=2e-4)
    np.testing.assert_allclose(found[0][1]["loss"], found[1][1]["loss"], rtol=1e-4)


@needs_c
def test_the_check_backend_passes_a_whole_fit() -> None:
    with fastnn.config.using(backend="c"):
        expected = run(epochs=2)
    with fastnn.config.using(backend="check"):
        assert run(epochs=2) == expected


@pytest.mark.parametrize("fill", [0x00, 0xFF, 0xA5])
def test_what_the_arena_held_before_does_not_matter(monkeypatch: Any, fill: int) -> None:
    fresh = plan.aligned_empty

    def filled(size: int) -> np.ndarray:
        memory = fresh(size)
        memory.fill(fill)
        return memory

    monkeypatch.setattr(plan, "poison", False)
    expected = run()
    monkeypatch.setattr(plan, "aligned_empty", filled)
    assert run() == expected


def test_numbers_below_the_normal_range() -> None:
    """C flushes them to zero inside its regions; the caller's arithmetic keeps them (checked by conftest)."""
    x = X * np.float32(1e-39)
    for backend in ("c", "reference") if has_c else ("reference",):
        with fastnn.config.using(backend=backend):
            model = network()
            history = model.fit(x, Y, epochs=2, verbose=0)
            assert np.isfinite(history.history["loss"]).all()


def test_two_threads_train_two_models(any_backend: str) -> None:
    def make() -> list[Any]:
        fastnn.random.set_seed(9)
        return [network(), network(40)]

    alone = []
    for model in make():
        model.fit(X, Y, epochs=10, verbose=0)
        alone.append(weights_hash(model))
    for _ in range(3):
        models = make()
        threads = [threading.Thread(target=lambda m=m: m.fit(X, Y, epochs=10, verbose=0)) for m in models]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert [weights_hash(m) for m in models] == alone


def test_predict_beside_fit(any_backend: str) -> None:
    fastnn.random.set_seed(3)
    model = network()
    failures: list[BaseException] = []
    stop = threading.Event()

    def look() -> None:
        try:
            while not stop.is_set():
                assert np.isfinite(model.predict(X[:50], verbose=0)).all()
                assert model.predict(X[:1]).shape == (1, 2)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for t in threads:
        t.start()
    try:
        model.fit(X, Y, epochs=4, batch_size=32, validation_data=(X[:40], Y[:40]), verbose=0)
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not failures
    assert weights_hash(model) == run()[0]


def _child(queue: Any) -> None:
    queue.put(run(width=300, batch_size=64, epochs=2))


@needs_c
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_after_fit() -> None:
    with fastnn.config.using(threads=2):
        expected = run(width=300, batch_size=64, epochs=2)
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=_child, args=(queue,))
        child.start()
        assert queue.get(timeout=300) == expected
        child.join(10)
        assert child.exitcode == 0
