"""Speed as ratios within one process, with room for a busy machine: what fails here is broken, not slow.

The measurements are in benchmarks/; these are the floors that no change may fall through.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn.engine import backend
from tests.conftest import needs_c

ROUNDS = 15


def _fastest(*calls: Callable[[], Any]) -> list[float]:
    """The fastest of several rounds of each call, taken in turns."""
    best = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for i, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[i] = min(best[i], time.perf_counter() - start)
    return best


def _xor(eager: bool) -> Callable[[int], Any]:
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0], np.float32)
    model = fastnn.Sequential([fastnn.Input((2,)), fastnn.layers.Dense(4, activation="tanh"),
                               fastnn.layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", run_eagerly=eager)
    model.fit(x, y, batch_size=4, verbose=0)
    return lambda epochs: model.fit(x, y, batch_size=4, epochs=epochs, verbose=0)


@needs_c
def test_replay_is_much_faster_than_python() -> None:
    """Measured on XOR: several hundred times. Equal would mean that steps run in Python again."""
    replayed, eager = _xor(eager=False), _xor(eager=True)
    fast, slow = _fastest(lambda: replayed(2000), lambda: eager(20))
    assert slow / 20 >= 5 * fast / 2000, f"a replayed step is only {slow / 20 / (fast / 2000):.1f} times faster"


@pytest.mark.slow
@needs_c
def test_matmul_keeps_up_with_numpy() -> None:
    """256³ in one thread, which waits for nobody, against NumPy's BLAS, which may use more. Slow: a neighbour's load
    on a second core has made two threads lose all of 15 rounds."""
    rng = np.random.default_rng(0)
    a, b = (rng.random((256, 256), np.float32) for _ in range(2))
    y, z = np.empty_like(a), np.empty_like(a)
    kernel = backend.kernels["matmul"]
    with fastnn.config.using(threads=1):
        ours, numpy = _fastest(lambda: backend.run_c(kernel, (a, b), (y,), {}), lambda: np.matmul(a, b, out=z))
    np.testing.assert_allclose(y, z, rtol=1e-5)
    assert ours <= 5 * numpy, f"matmul takes {ours / numpy:.1f} times as long as NumPy's"


@needs_c
def test_one_row_predict_takes_the_straight_way() -> None:
    """Measured: a few microseconds against several hundred on the long way."""
    model = fastnn.Sequential([fastnn.Input((30,)), fastnn.layers.Dense(16, activation="relu"),
                               fastnn.layers.Dense(1, activation="sigmoid")])
    row, rows = np.ones((1, 30), np.float32), np.ones((2, 30), np.float32)
    model.predict(row)
    model.predict(rows)
    one, two = _fastest(lambda: model.predict(row), lambda: model.predict(rows))
    assert two >= 3 * one, f"one row takes {one * 1e6:.0f} µs, two rows {two * 1e6:.0f} µs"
