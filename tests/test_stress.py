"""No memory, no threads, Ctrl-C in a long step: nothing ends the process, and every model can be used afterwards."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers
from fastnn.engine import function, plan
from fastnn.engine.context import recording
from fastnn.engine.program import Program
from tests.conftest import needs_c

pytestmark = [needs_c, pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")]
needs_root = pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can become another user")
ROOT = Path(fastnn.__file__).resolve().parents[1]

# A child for every limit, which works under it, and without it afterwards. What it may see is an error of Python's.
CHILDREN = """
import os, resource, sys, numpy as np, fastnn
from fastnn import layers, ops
rng = np.random.default_rng(0)
x, labels = rng.normal(size=(64, 16, 16, 3)).astype("float32"), rng.integers(0, 4, 64)
a = rng.normal(size=(512, 512)).astype("float32")

def network():
    model = fastnn.Sequential([layers.Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.Flatten(),
                               layers.Dense(256, activation="relu"), layers.Dense(4, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def use(model):
    assert np.isfinite(model.fit(x, labels, epochs=2, batch_size=32, verbose=0).history["loss"]).all()
    assert np.isfinite(model.predict(x, verbose=0)).all() and np.isfinite(ops.matmul(a, a).numpy()).all()

with fastnn.config.using(threads=1, backend="reference"):
    use(network())      # loads what is loaded late; no worker and no memory of C's yet

def child(limit):
    made = network()
    resource.setrlimit(LIMITED, (limit, HARD))
    outcome = "ran"
    for model in (made, None):
        try:
            use(model or network())
        except MemoryError as error:
            outcome = "no memory" if str(error) else "MemoryError without a word"
    resource.setrlimit(LIMITED, (HARD, HARD))
    use(made)
    return outcome

def outcomes(limits, threads):
    fastnn.set_num_threads(threads)
    for limit in limits:
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            status = 9
            try:
                os.write(write, child(limit).encode())
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        status = os.waitpid(pid, 0)[1]
        print(limit, "status", status, os.read(read, 99).decode(), flush=True)
"""
MEMORY = CHILDREN + """
LIMITED, HARD = resource.RLIMIT_AS, resource.getrlimit(resource.RLIMIT_AS)[1]
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
outcomes([size + (k << 18) for k in range(0, {most}, {step})], 2)
"""
THREADS = CHILDREN + """
os.setuid(54321 + os.getpid() % 1000)       # a user with this process and no other
LIMITED, HARD = resource.RLIMIT_NPROC, 4000
resource.setrlimit(LIMITED, (HARD, HARD))
outcomes({limits}, 6)
"""


def outcomes(script: str) -> list[str]:
    """What became of each child; an AssertionError where one did not end by itself."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=900, cwd=ROOT,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines, done.stderr
    assert all(" status 0 " in line for line in lines), f"{done.stdout}\n{done.stderr}"
    return [line.split(" status 0 ")[1] for line in lines]


@pytest.mark.parametrize(("most", "step"), [(120, 40), pytest.param(300, 10, marks=pytest.mark.slow)])
def test_limits_of_memory(most: int, step: int) -> None:
    found = outcomes(MEMORY.format(most=most, step=step))
    assert set(found) <= {"ran", "no memory"} and found[0] == "no memory"


@needs_root
@pytest.mark.parametrize("limits", [[1, 4], pytest.param([*range(1, 11)], marks=pytest.mark.slow)])
def test_limits_of_threads(limits: list[int]) -> None:
    """A limit of 1: this thread and no other. Fewer work then, to the same results."""
    assert set(outcomes(THREADS.format(limits=limits))) == {"ran"}


def test_memory_that_the_system_does_not_give_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> Any:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(plan, "_huge_pages", refuse)
    with pytest.raises(MemoryError, match=r"no memory for the 100\.0 MiB"):
        plan.aligned_empty(100 << 20)


# ---- memory of programs ---------------------------------------------------------------------------------------------

def of_many_sizes(sizes: list[int], uses: str = "fit evaluate predict") -> Sequential:
    """A CNN that was used so on batches of so many images."""
    fastnn.random.set_seed(4)
    model = Sequential([Input((16, 16, 3)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(),
                        layers.Dropout(0.2), layers.Dense(4, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(max(sizes), 16, 16, 3)).astype(np.float32), rng.integers(0, 4, max(sizes))
    for rows in sizes:
        for use in uses.split():
            data = (x[:rows],) if use == "predict" else (x[:rows], y[:rows])
            getattr(model, use)(*data, batch_size=rows, verbose=0)
    return model


def test_programs_of_a_model_share_the_memory_of_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger one takes the others along; they compute what they would where they were."""
    sizes = [4, 8, 2, 16, 4, 8, 16, 2]
    model = of_many_sizes(sizes)
    programs = [(key[0], program) for key, program in model._steps.recorder.items()]
    shared = [program for name, program in programs if name in ("train", "test")]
    assert len(shared) == 8
    begins = {program.arena.__array_interface__["data"][0] for program in shared}
    assert len(begins) == 1 and model._steps.recorder._room.take(0).base is not None
    monkeypatch.setattr(plan.Room, "take", lambda self, size: plan.aligned_empty(size))
    for ours, other in zip(model.get_weights(), of_many_sizes(sizes).get_weights()):
        np.testing.assert_array_equal(ours, other)


def test_programs_with_memory_of_their_own_are_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "OWN_BYTES", 100_000)
    own = [program.arena_bytes for key, program in of_many_sizes([*range(1, 17)], "predict")._steps.recorder.items()
           if key[0] == "predict"]
    assert len(own) == function.OWN_COUNT and sum(own) > 100_000
    monkeypatch.setattr(function, "OWN_BYTES", sum(own))
    again = of_many_sizes([*range(1, 17)], "predict")._steps.recorder.items()
    assert [program.arena_bytes for key, program in again if key[0] == "predict"] == own


# ---- Ctrl-C within a step -------------------------------------------------------------------------------------------

def large(width: int, rows: int) -> tuple[Sequential, np.ndarray]:
    """A net with state that changes early in a step (moving averages, a counter of draws) and weights that do late."""
    fastnn.random.set_seed(3)
    model = Sequential([Input((width,)), layers.BatchNormalization(), layers.Dropout(0.1),
                        layers.Dense(width, activation="relu"), layers.Dense(width, activation="relu"),
                        layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model, np.random.default_rng(0).normal(size=(4 * rows, width)).astype(np.float32)


def interrupted(model: Sequential, x: np.ndarray, rows: int, after: float, at: Callable[[], Any] = bool) -> None:
    """A fit that is ended by Ctrl-C, after so many seconds. at: called when it is pressed."""
    def send() -> None:
        at()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(after, send)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, x[:, :1], batch_size=rows, epochs=10 ** 6, shuffle=False, verbose=0)
    finally:
        timer.join()


@pytest.mark.parametrize("after", [0.15, 0.4])
def test_an_interrupt_within_a_step_leaves_whole_steps(after: float) -> None:
    rows = 512
    model, x = large(512, rows)
    interrupted(model, x, rows, after)
    steps = int(model.optimizer.iterations)
    twin, _ = large(512, rows)
    if steps >= 4:
        twin.fit(x, x[:, :1], batch_size=rows, epochs=steps // 4, shuffle=False, verbose=0)
    if steps % 4:
        twin.fit(x, x[:, :1], batch_size=rows, epochs=1, steps_per_epoch=steps % 4, shuffle=False, verbose=0)
    for ours, other in zip(model.get_weights(), twin.get_weights()):
        np.testing.assert_array_equal(ours, other)
    assert np.isfinite(model.evaluate(x, x[:, :1], verbose=0)).all()


def test_a_long_call_in_rounds_has_the_bits_of_one_in_a_piece() -> None:
    """The gradient of a convolution, about 50 ms: its parts have sums of their own, which are added at the end."""
    rng = np.random.default_rng(2)
    x = fastnn.Variable(rng.normal(size=(40, 64, 64, 32)).astype(np.float32))
    layer = layers.Conv2D(64, 3)
    layer(x)
    with recording() as calls, fastnn.GradientTape() as tape:
        dw = tape.gradient(layer(x), layer.kernel)
    program = Program(calls, keep=[dw])
    assert max(program.parts()) > 5000
    want = dw.numpy()
    for count in (1, 2):
        program.results[0].data[...] = np.nan
        with fastnn.config.using(threads=count):
            program.run()
        np.testing.assert_array_equal(program.results[0].data, want)


@pytest.mark.slow
def test_sixty_interrupts_of_a_slow_step_within_a_tenth_of_a_second() -> None:
    """Of one thread's time, which other processes do not make longer."""
    rows = 2048
    model, x = large(1024, rows)
    rng = np.random.default_rng(1)
    with fastnn.config.using(threads=1):
        start = time.process_time(), time.monotonic()
        model.fit(x, x[:, :1], batch_size=rows, epochs=2, verbose=0)
        step, wall = (time.process_time() - start[0]) / 8, (time.monotonic() - start[1]) / 8
        waited, sent = [], list[float]()
        for _ in range(60):
            interrupted(model, x, rows, float(rng.uniform(0.1, 4 * wall)), lambda: sent.append(time.process_time()))
            waited.append(time.process_time() - sent[-1])
    print(f"a step of {1e3 * step:.0f} ms; waited at most {1e3 * max(waited):.0f} ms")
    assert max(waited) < 0.1
