"""fastnn.teaching.ladder: every rung computes the same, and what is missing is said."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastnn import teaching
from fastnn.engine import backend
from fastnn.engine.check import KernelMismatch
from fastnn.ops._op import by_name
from fastnn.teaching import Peak, Rates
from fastnn.teaching import peak as peaks
from fastnn.teaching.compiler import compiler
from fastnn.teaching.school import LOOPS
from tests.conftest import needs_c
from tests.test_profile import MADE_UP

MODULE = importlib.import_module("fastnn.teaching.ladder")


@pytest.fixture(autouse=True)
def quick(monkeypatch: Any) -> None:
    monkeypatch.setattr(MODULE, "machine_peak", lambda: MADE_UP)
    monkeypatch.setattr(MODULE, "measured_again", lambda limits: limits)
    monkeypatch.setattr(MODULE, "seconds", lambda call, budget: [call(), 0.5][1])


@pytest.mark.parametrize("name", LOOPS)
def test_the_rungs_of_each_kernel(name: str, tmp_path: Path) -> None:
    found = teaching.ladder(name, size=12)
    names = [rung.name for rung in found.rungs]
    assert names[:2] == ["loop in Python", "NumPy"]
    assert ("plain loop in C" in names) == bool(compiler())
    if backend._engine is not None:
        usable = [isa for isa, yes in backend._engine.isas() if yes]
        assert sum("vectors of" in each for each in names) == len(usable)
        assert "of peak" in str(found) and all(rung.share_of_peak > 0 for rung in found.rungs)
    assert all(rung.times == 1 and rung.gops > 0 for rung in found.rungs)
    assert any("threads" in each for each in (*names, *found.missing))
    assert max(map(len, str(found).splitlines())) <= 80 and found._repr_html_().count("<tr") == 1 + len(names)
    found.plot(tmp_path / "ladder.png")
    assert (tmp_path / "ladder.png").read_bytes().startswith(b"\x89PNG")


def test_a_rung_that_computes_something_else_is_not_timed(monkeypatch: Any) -> None:
    wrong = LOOPS["relu"]._replace(python=lambda x: [abs(value) for value in x])
    monkeypatch.setitem(LOOPS, "relu", wrong)
    with pytest.raises(KernelMismatch, match="in Python but"):
        teaching.ladder("relu", size=8)


def test_without_a_compiler_the_rung_is_left_out_and_said(monkeypatch: Any) -> None:
    monkeypatch.setattr(MODULE, "compiler", list)
    found = teaching.ladder("relu", size=8)
    assert "plain loop in C" not in [rung.name for rung in found.rungs]
    assert any("there is no C compiler" in each for each in found.missing) and "no C compiler" in str(found)


def test_a_peak_that_cannot_be_is_not_believed(monkeypatch: Any) -> None:
    monkeypatch.setattr(MODULE, "seconds", lambda call, budget: 1e-12)
    found = teaching.ladder("relu", size=8)
    assert "while the machine was busy" in str(found) or backend._engine is None


@needs_c
def test_a_peak_that_was_beaten_is_measured_again(monkeypatch: Any) -> None:
    """Of each rate the larger of both measurements is kept."""
    low = Peak({"cpu": "x"}, tuple(Rates(r.threads, 1e-9, r.bytes, (1e-9,) * 4, (1e9,) * 4) for r in MADE_UP.rates),
               1e-6, 2e-6)
    kept: list[Peak] = []
    monkeypatch.setattr(peaks, "measure", lambda: MADE_UP)
    monkeypatch.setattr(peaks, "keep", kept.append)
    better = peaks.measured_again(low)
    assert kept == [better] and [r.gflops for r in better.rates] == [r.gflops for r in MADE_UP.rates]
    assert better.rates[0].read == MADE_UP.rates[0].read and better.rates[0].update == (1e9,) * 4
    monkeypatch.setattr(MODULE, "machine_peak", lambda: low)
    monkeypatch.setattr(MODULE, "measured_again", peaks.measured_again)
    monkeypatch.setattr(MODULE, "seconds", lambda call, budget: [call(), 1e-3][1])
    assert teaching.ladder("relu", size=8).sound


def test_the_schools_loops_are_the_kernels() -> None:
    for name, loops in LOOPS.items():
        rng = np.random.default_rng(1)
        arrays = [rng.standard_normal(shape) for shape in loops.shapes(6)]
        wanted = by_name[name].kernel.reference(*arrays, **loops.constants)
        found = loops.python(*(a.tolist() for a in arrays), **loops.constants)
        assert np.allclose(found, wanted, rtol=1e-12, atol=1e-12)
        assert loops.python.__doc__


def test_names_and_sizes() -> None:
    with pytest.raises(ValueError, match="matmul"):
        teaching.ladder("matmull")
    with pytest.raises(ValueError, match="size"):
        teaching.ladder("matmul", size=1)
