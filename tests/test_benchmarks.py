"""The benchmarks measure, keep, compare and tell; the figures themselves are nobody's test."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.contenders.fastnn import Fastnn
from benchmarks.workloads import WORKLOADS
from tests.conftest import needs_c

ROOT = Path(__file__).resolve().parents[1]
SOME = ("xor or 1-cancer-fastnn or 32x30x16 or norm-back or exp or adam or width and 16- or separable or import or "
        "relu6")


def _run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return done.stdout


@needs_c
@pytest.mark.parametrize("name", WORKLOADS)
def test_the_judge_knows_every_network(name: str) -> None:
    """Its formulas in NumPy give fastnn's outputs for the first weights, which fastnn takes as they are."""
    workload = WORKLOADS[name]
    contender = Fastnn(workload, "c")
    weights = contender.weights()
    assert all(np.array_equal(a, b) for a, b in zip(weights, workload.first_weights(), strict=True))
    x = contender.x[:3]
    np.testing.assert_allclose(contender.predict(x), workload.outputs(weights, x), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@needs_c
def test_measured_kept_compared_told(tmp_path: Path) -> None:
    """Rows of every section, with whatever peers are here: kept by one run, compared by another, told by the report."""
    command = ["-m", "pytest", "benchmarks", "--benchmark-only", "--quick", f"--benchmark-storage={tmp_path}",
               "-p", "no:cacheprovider"]
    _run(*command, "--benchmark-autosave", "-k", SOME)
    (kept,) = tmp_path.glob("*/0001_*.json")
    rows = json.loads(kept.read_text(encoding="utf-8"))["benchmarks"]
    steps = {row["extra_info"]["setting"]: row["extra_info"]["reference / this"]
             for row in rows if row["group"] == "step: xor" and row["extra_info"]["library"] == "fastnn"}
    assert steps["reference"] == 1 and {"C, replayed", "C, replayed, 1 thread", "C, eager"} < set(steps)
    assert all(row["extra_info"]["units"] >= 1 and row["extra_info"]["cpu"] for row in rows)

    compared = _run(*command, "--benchmark-compare=0001", "--benchmark-compare-fail=min:100000%", "-k",
                    "test_step and xor")
    assert "replayed] (0001_" in compared and "replayed] (NOW)" in compared

    page = tmp_path / "page.md"
    page.write_text("before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n", encoding="utf-8")
    _run("-m", "benchmarks.report", str(kept), "--write", str(page), "--figure", str(tmp_path / "speed.png"))
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("after\n") and "\nold\n" not in text
    for expected in ("](speed.png)", "test_step[xor-fastnn, C, replayed]", "| XOR, 2-4-1", "cancer, 1 row",
                     "(32×30)(30×16) tiny", "BatchNormalization", "exp, ns", "Adam, 10,000,000 weights", "| 16 |",
                     "- the lesson", "- a step on separable data", "MB after import", "kernels, C on one thread"):
        assert expected in text, expected
    assert (tmp_path / "speed.png").stat().st_size > 10_000
