"""Calls, programs, the planner, schedules, tensors and the three backends."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import fastnn
from fastnn import ops
from fastnn.engine import backend, plan
from fastnn.engine.check import KernelMismatch
from fastnn.engine.context import recording
from fastnn.engine.program import Program
from fastnn.engine.schedule import Schedule
from fastnn.engine.tensor import Tensor, Variable
from fastnn.ops import rows
from fastnn.ops.rows.data import advance, fill
from fastnn.ops.rows.optimizer import sgd_step
from tests.conftest import needs_c


def tensor(*shape: int) -> Tensor:
    return Tensor(np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape))


@pytest.mark.parametrize("kind", [np.int64, np.int32])
def test_constants_are_whole_numbers_of_numpy_too(kind: type, any_backend: str) -> None:
    """They were 0 to a kernel in C that reads whole numbers."""
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(rows.index.cumsum(x, axis=kind(1), reverse=False).data, np.cumsum(x, 1))


def test_a_large_whole_number_of_numpy_is_not_rounded(any_backend: str) -> None:
    bits = [rows.random.random_bits(np.array([seed, 0, 0]), shape=(8,)).data.tolist()
            for seed in (2 ** 60 + 1, np.int64(2 ** 60 + 1), 2 ** 60)]
    assert bits[0] == bits[1] != bits[2]


def test_random_graphs_replay_to_the_same_bits(any_backend: str) -> None:
    rng = np.random.default_rng(0)
    functions = [ops.relu, ops.tanh, ops.exp, ops.square, ops.sigmoid, ops.negative]
    for _ in range(30):
        x, pool = tensor(5, 7), []
        with recording() as calls:
            pool.append(ops.add(x, 0.5))
            for _ in range(20):
                a, b = (pool[i] for i in rng.integers(0, len(pool), 2))
                pool.append(functions[rng.integers(len(functions))](ops.tanh(ops.add(a, b))))
        kept = [pool[i] for i in rng.integers(0, len(pool), 3)]
        program = Program(calls, keep=kept)
        program.run()
        for eager, replayed in zip(kept, program.results):
            assert eager.data.tobytes() == replayed.data.tobytes()


def test_a_schedule_stops_between_steps_and_goes_on(any_backend: str) -> None:
    counter, other = (Variable(0, "n", dtype="int64", trainable=False) for _ in range(2))
    with recording() as calls:
        advance(counter, by=1)
    one = Program(calls)
    with recording() as calls:
        advance(other, by=1)
    two = Program(calls)
    counter.assign(0)
    other.assign(0)
    schedule = Schedule([(one, 300_000 if any_backend == "c" else 3_000), (two, 1)], rounds=2)
    while not schedule.run(0.002):
        assert int(other) <= 2
    assert int(counter) == (600_000 if any_backend == "c" else 6_000)
    assert int(other) == 2


def test_the_listing_names_every_call() -> None:
    model = fastnn.Sequential([fastnn.layers.Dense(3, activation="relu", input_shape=(4,)), fastnn.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 4)), np.ones((8, 1)), batch_size=4, verbose=0)
    text = next(p for p in model.programs if p.name.startswith("train")).full()
    for part in ("gather_rows(x0, order, cursor, batch=4)", "dense/kernel", "activation='relu'", "sgd_step(weights",
                 "(4, 3)", "dense_1"):
        assert part in text
    lines = text.splitlines()
    assert len(lines) == 1 + int(lines[0].split(": ")[1].split()[0])


@needs_c
def test_signatures_are_compared_as_text() -> None:
    table = {"relu": backend.Kernel("relu", lambda: None, ("x", "y"), ())}
    c_only = dict(backend.kernels)
    c_only["relu"] = table["relu"]
    with pytest.raises(ImportError, match=r"relu\(x, y\).*relu\(x\)"):
        backend.attach_c({k: backend.Kernel(v.name, v.reference, v.inputs, v.constants) for k, v in c_only.items()},
                         backend.isa)


@needs_c
def test_check_catches_a_planted_one_percent_error(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fastnn.Sequential([fastnn.layers.Dense(5, activation="tanh", input_shape=(4,)), fastnn.layers.Dense(1)])
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(32, 4))
    with fastnn.config.using(backend="check"):
        model.fit(x, x[:, :1], epochs=3, batch_size=8, verbose=0)       # passes as it is
        real = backend.run_c

        def spoiled(kernel, inputs, outputs, constants, parts):  # type: ignore[no-untyped-def]
            real(kernel, inputs, outputs, constants, parts)
            if kernel.name == "dense":
                outputs[0][...] *= 1.01

        monkeypatch.setattr(backend, "run_c", spoiled)
        with pytest.raises(KernelMismatch, match=r"kernel dense in layer 'dense': y\[0, 0\]"):
            model.fit(x, x[:, :1], epochs=1, batch_size=8, verbose=0)


def test_using_puts_everything_back() -> None:
    before = backend.backend(), backend.floatx(), fastnn.get_num_threads()
    with pytest.raises(ZeroDivisionError), fastnn.config.using(backend="reference", threads=1, floatx="float64"):
        assert (backend.backend(), backend.floatx(), fastnn.get_num_threads()) == ("reference", "float64", 1)
        raise ZeroDivisionError
    assert (backend.backend(), backend.floatx(), fastnn.get_num_threads()) == before


@pytest.mark.parametrize("call", [lambda: fastnn.config.set_backend("cuda"), lambda: fastnn.config.set_floatx("f2"),
                                  lambda: fastnn.set_num_threads(0), lambda: fastnn.set_num_threads(True),
                                  lambda: fastnn.set_num_threads(10 ** 9), lambda: fastnn.set_num_threads("2,2")])
def test_bad_settings_are_refused(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"set_"):
        call()


@pytest.mark.parametrize(("variable", "value"), [("FASTNN_NUM_THREADS", "garbage"), ("FASTNN_NUM_THREADS", "-1"),
                                                 ("FASTNN_ISA", "avx9"), ("FASTNN_BACKEND", "gpu")])
def test_bad_environment_is_an_error_that_names_it(variable: str, value: str) -> None:
    if variable == "FASTNN_ISA" and backend._engine is None:
        pytest.skip("needs the C kernels")
    result = subprocess.run([sys.executable, "-c", "import fastnn"], env={**os.environ, variable: value},
                            capture_output=True, text=True)
    assert result.returncode != 0 and variable in result.stderr.splitlines()[-1]


def _child(queue) -> None:  # type: ignore[no-untyped-def]
    a = np.ones((512, 512), np.float32)
    queue.put(float(ops.sum(ops.matmul(a, a))))


@needs_c
def test_fork_after_parallel_work_does_not_hang() -> None:
    a = np.ones((512, 512), np.float32)
    with fastnn.config.using(threads=2):
        ops.matmul(a, a)
        context = multiprocessing.get_context("fork")
        for _ in range(3):
            queue = context.Queue()
            process = context.Process(target=_child, args=(queue,))
            process.start()
            assert queue.get(timeout=300) == 512.0 ** 3
            process.join(300)
            assert process.exitcode == 0


@needs_c
def test_the_gil_is_released_while_c_runs() -> None:
    x, n = Variable(np.zeros(100_000), "x"), Variable(0, "n", dtype="int64", trainable=False)
    with recording() as calls:
        sgd_step(x, np.ones(100_000, np.float32), np.float32(1e-3))
        advance(n, by=1)
    program = Program(calls)
    program.run()
    done = threading.Event()
    worker = threading.Thread(target=lambda: (Schedule([(program, 10 ** 9)]).run(0.5), done.set()))
    worker.start()
    seen = set()
    while not done.is_set():
        seen.add(int(n))
        time.sleep(0.001)
    worker.join()
    assert len(seen) > 3        # this thread saw the steps go by


@needs_c
def test_ctrl_c_stops_between_two_steps() -> None:
    x, n = Variable(np.zeros(100_000), "x"), Variable(0, "n", dtype="int64", trainable=False)
    with recording() as calls:
        sgd_step(x, np.full(100_000, -1.0, np.float32), np.float32(1.0))
        advance(n, by=1)
    program = Program(calls)
    fill(x, value=0.0)
    fill(n, value=0)

    def interrupt() -> None:
        while int(n) < 100:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        program.run(10 ** 12)
    thread.join()
    assert int(n) >= 100
    assert (x.data == float(int(n))).all()      # whole steps only


def test_an_arena_of_nan_changes_nothing(any_backend: str) -> None:
    results = []
    for poison in (True, False):
        fastnn.random.set_seed(3)
        plan.poison = poison
        model = fastnn.Sequential([fastnn.layers.Dense(5, activation="tanh", input_shape=(4,)), fastnn.layers.Dense(1)])
        model.compile("adam", "mse")
        x = np.random.default_rng(0).normal(size=(20, 4))
        model.fit(x, x[:, :1], epochs=3, batch_size=8, verbose=0)
        results.append(b"".join(w.tobytes() for w in model.get_weights()))
    assert results[0] == results[1]
