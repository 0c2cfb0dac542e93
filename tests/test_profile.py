"""model.profile: every call has a time, nothing is changed, the figure is drawn."""

import importlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.engine import backend
from fastnn.engine.tensor import Tensor
from fastnn.teaching import Peak, Profile, Rates, Row
from fastnn.teaching import peak as peaks
from tests.conftest import needs_c
from tests.ops import OPS

MADE_UP = Peak({}, tuple(Rates(n, 100.0 * n, (24 << 10, 384 << 10, 16 << 20, 128 << 20), (200.0,) * 4, (100.0,) * 4)
                         for n in (1, 2)), 1e-6, 2e-6)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path) -> Iterator[None]:
    """Another cache folder, and in profiles a peak that is known; put back before the environment is compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path))
        patch.setattr(importlib.import_module("fastnn.teaching.profile"), "machine_peak", lambda: MADE_UP)
        yield


def test_profile_times_every_call_and_changes_nothing(any_backend: str, tmp_path: Path) -> None:
    model = fastnn.Sequential([layers.Dense(8, activation="relu", input_shape=(5,)), layers.Dropout(0.2),
                               layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    x = np.random.default_rng(0).normal(size=(64, 5))
    model.fit(x, x[:, :1], epochs=1, batch_size=16, verbose=0)
    before = [w.tobytes() for w in model.get_weights()]
    steps = int(model.optimizer.iterations)
    profile = model.profile(x, x[:, :1], batch_size=16, seconds=0.05)
    assert [w.tobytes() for w in model.get_weights()] == before and int(model.optimizer.iterations) == steps
    names = [row.text.partition("(")[0] for row in profile.rows]
    assert "gather_rows" in names and "adam_step" in names and all(row.seconds > 0 for row in profile.rows)
    dense = next(row for row in profile.rows if row.text.startswith("dense("))
    assert dense.flops == 2 * 16 * 5 * 8 and dense.layer == "dense"
    assert sum(profile.by_layer().values()) <= 1.001 * sum(row.seconds for row in profile.rows)
    text = str(profile)
    assert "GFLOP/s" in text and len(text.splitlines()) == 2 + len(profile.rows)
    profile.plot(tmp_path / "profile.png")
    assert (tmp_path / "profile.png").read_bytes().startswith(b"\x89PNG")


def test_training_after_a_profile_is_what_it_would_have_been(any_backend: str) -> None:
    x = np.random.default_rng(1).normal(size=(40, 3))
    results = []
    for profiled in (False, True):
        fastnn.random.set_seed(5)
        model = fastnn.Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dropout(0.5),
                                   layers.Dense(1)])
        model.compile("rmsprop", "mse")
        model.fit(x, x[:, :1], epochs=2, batch_size=8, verbose=0)
        if profiled:
            model.profile(x, x[:, :1], batch_size=8, seconds=0.02)
        model.fit(x, x[:, :1], epochs=2, batch_size=8, verbose=0)
        results.append(b"".join(w.tobytes() for w in model.get_weights()))
    assert results[0] == results[1]


def wide_model(width: int = 256) -> Any:
    model = fastnn.Sequential([fastnn.Input((width,)), layers.Dense(width, activation="relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, np.random.default_rng(2).normal(size=(512, width)).astype(np.float32)


@needs_c
@pytest.mark.slow       # it reads a clock
def test_the_calls_are_timed_inside_the_run() -> None:
    """What they take together is no more than what all of it took; that it is the step's time is for the benchmarks."""
    model, x = wide_model()
    start = time.perf_counter()
    profile = model.profile(x, x[:, :1], batch_size=128, seconds=0.05)
    spent = time.perf_counter() - start
    assert 0 < sum(row.seconds for row in profile.rows) < spent and 0 < profile.step_seconds < spent


@needs_c
def test_shares_of_the_peak_and_threads() -> None:
    model, x = wide_model()
    with fastnn.config.using(threads=2):
        rows = model.profile(x, x[:, :1], batch_size=128, seconds=0.1).rows
    product = next(row for row in rows if row.text.startswith("dense("))
    assert product.threads == 2 and product.bound == "compute" and product.flops == 2 * 128 * 256 * 256
    assert product.share_of_peak == pytest.approx(product.flops / 200e9 / product.seconds)
    adam = next(row for row in rows if row.text.startswith("adam_step("))
    assert adam.bound == "memory, 16 MiB" and adam.share_of_peak == pytest.approx(adam.bytes / 100e9 / adam.seconds)
    with fastnn.config.using(threads=1):
        assert {row.threads for row in model.profile(x, x[:, :1], batch_size=128, seconds=0.05).rows} == {1}


@needs_c
def test_every_product_says_how_many_operations_it_is() -> None:
    products = {name for name, op in OPS.items()
                if op.work and {"product", "convolution"} & set(op.work.function.__code__.co_names)}
    missing = sorted(name for name in products if not OPS[name].flops)
    assert not missing, f"Op rows without flops=: {missing}"
    shapes = {"x": (2, 8, 8, 3), "w": (3, 3, 3, 5), "y": (2, 6, 6, 5), "dy": (2, 6, 6, 5), "dw": (3, 3, 3, 5)}
    for name in ("conv2d", "conv2d_weights_grad"):
        assert OPS[name].flops(shapes) == 2 * 2 * 6 * 6 * 5 * 3 * 3 * 3
    assert OPS["conv2d_transpose"].flops({"x": (2, 6, 6, 5), "w": (3, 3, 5, 3)}) == 2 * 2 * 6 * 6 * 5 * 3 * 3 * 3
    seen = {"q": (2, 5, 8), "k": (2, 3, 8), "v": (2, 3, 6)}     # five queries see 1, 2, 3, 3 and 3 of three keys
    for causal, mask, scores in ((True, (0,), 2 * 12), (True, (2, 5, 3), 2 * 15), (False, (0,), 2 * 15)):
        assert OPS["attention"].flops({**seen, "mask": mask, "causal": causal}) == 2 * scores * (8 + 6)


@needs_c
def test_the_peak_is_measured_kept_and_measured_anew_on_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Peak, "doubt", lambda self: "")     # of a machine that has other work
    assert peaks.kept() is None
    found = peaks.machine_peak()
    assert peaks.cache_file().is_file() and peaks.kept() == found
    assert [path.name for path in peaks.cache_file().parent.iterdir()] == ["peak.json"]
    assert [rates.threads for rates in found.rates] == sorted({1, fastnn.get_num_threads()})
    assert all(rate > 0 for rates in found.rates for rate in (rates.gflops, *rates.read, *rates.update))
    text = str(found)
    assert "multiply-adds" in text and "128 MiB" in text
    monkeypatch.setattr(backend, "isa", "other")
    assert peaks.kept() is None


class Machine:
    """In place of the probes' clock: so many seconds a round of a probe, and `slow` runs that take 5 ms more."""

    def __init__(self, slow: Any) -> None:
        self.slow, self.runs = slow, 0

    def schedule(self, name: str, x: np.ndarray, y: np.ndarray, rounds: int, times: int = 1) -> Any:
        work = {"_multiply_add": 384.0, "_nothing": 0.0}.get(name, x.nbytes * (1 + (name == "_update")))
        return name, work * rounds

    def run(self, schedule: Any, threads: int) -> float:
        name, work = schedule
        self.runs += 1
        at_100_giga = 1e-5 + work * (threads if name == "_multiply_add" else 1) / (1e11 * threads)
        return float(at_100_giga + 5e-3 * self.slow(self.runs, name))


@needs_c
def test_a_busy_moment_is_not_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first runs say how many rounds are enough: they may be slow ones."""
    def measured(slow: Any) -> Peak:
        machine = Machine(slow)
        monkeypatch.setattr(peaks, "_schedule", machine.schedule)
        monkeypatch.setattr(peaks, "_run", machine.run)
        return peaks.measure()

    rng = np.random.default_rng(0)
    for slow in (lambda run, name: False, lambda run, name: run < 50, lambda run, name: rng.random() < 0.3):
        found = measured(slow)
        assert not found.doubt()
        for rates in found.rates:
            one = [rate / rates.threads for rate in (rates.gflops, *rates.read, *rates.update)]
            assert all(100 / peaks.UNLIKE < rate <= 100.001 for rate in one), one
    monkeypatch.setattr(peaks, "PATIENCE", 0.1)
    busy = measured(lambda run, name: 100 * (name == "_multiply_add"))
    assert "GFLOP/s beside reading" in busy.doubt()
    with pytest.raises(ValueError, match="cannot be right: 1 thread"):
        peaks.keep(busy)
    assert peaks.kept() is None and not peaks.cache_file().exists()


def test_what_cannot_be_right_is_no_peak() -> None:
    def doubt(gflops: float = 100.0, read: Any = (200.0,) * 4, two: float = 2.0) -> str:
        rates = [Rates(n, gflops * k, MADE_UP.rates[0].bytes, tuple(r * k for r in read), (100.0 * k,) * 4)
                 for n, k in ((1, 1), (2, two))]
        return Peak({}, tuple(rates), 0.0, 0.0).doubt()

    assert doubt() == doubt(two=0.6) == doubt(read=(200.0, 100.0, 60.0, 10.0)) == ""
    assert "no number above 0" in doubt(float("nan")) and "no number above 0" in doubt(read=(1.0, 1.0, 0.0, 1.0))
    assert "read 384 KiB at 1 GB/s" in doubt(read=(200.0, 1.0, 100.0, 10.0))
    assert "where one alone has" in doubt(two=0.1) and "where one alone has" in doubt(two=20.0)


def test_a_call_in_a_disturbed_pass_is_timed_by_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("fastnn.teaching.profile")
    passes = iter([[1e-3, 2e-3, 3e-3], [1e-3, 9e-2, 1e-3], [1e-3, 2e-3, 1e-9]] * 400)
    monkeypatch.setattr(module, "_by_python", lambda program, begin: next(passes))
    monkeypatch.setattr(module, "PASS", 0.0)
    with fastnn.config.using(backend="reference"):
        program = fastnn.engine.program.Program([])
        _, calls = module._inside(program, program, 1, 0.0)
    assert calls == [1e-3, 2e-3, 1e-3]


def test_no_share_above_150_percent_is_printed() -> None:
    row = Row("dense()", "", 1e-9, 1e-9, 0.0, 10 ** 6, 1, 37.0, "memory, 24 KiB")
    text = str(Profile("step", (row,), 1e-9))
    assert ">150%" in text and "3700%" not in text


@needs_c
@pytest.mark.parametrize("spoil", [lambda text: "", lambda text: text[:40], lambda text: "[]", lambda text: "{}",
                                   lambda text: text.replace('"gflops": ', '"gflops": -'),
                                   lambda text: text.replace('"bytes"', '"bits"')])
def test_a_spoilt_peak_file_is_ignored(spoil: Any) -> None:
    threads = sorted({1, fastnn.get_num_threads()})
    rates = tuple(Rates(n, 1.0, peaks._working_sets(n), (1.0,) * 4, (2.0,) * 4) for n in threads)
    path = peaks.keep(Peak(peaks._machine(), rates, 1e-6, 1e-6))
    assert peaks.kept() is not None
    text = path.read_text()
    json.loads(text)
    path.write_text(spoil(text))
    assert peaks.kept() is None


@needs_c
def test_the_cost_table_of_peak_names_every_kernel() -> None:
    lines = peaks.costs().splitlines()[1:]
    assert [line.split()[0] for line in lines] == sorted(backend.kernels)
    tanh = next(line for line in lines if line.startswith("tanh "))
    least = int(re.search(r"([\d,]+) elements", tanh)[1].replace(",", ""))     # type: ignore[index]
    assert [OPS["tanh"].parts([Tensor(np.zeros(n, np.float32))], {}) for n in (least, least - 1)] == [2, 1]
