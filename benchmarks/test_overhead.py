"""What surrounds the arithmetic: import, one-row predict, and a whole XOR run."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from benchmarks import machine
from benchmarks.contenders.fastnn import Fastnn
from benchmarks.memory import import_seconds
from benchmarks.workloads import WORKLOADS


def _import(module: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)


@pytest.mark.parametrize("module", ["numpy", "fastnn"])
@pytest.mark.benchmark(group="import")
def test_import(benchmark: Any, module: str) -> None:
    benchmark.pedantic(_import, args=(module,), rounds=5, iterations=1, warmup_rounds=1)
    if module == "fastnn":
        beyond, numpy = machine.alternate([lambda: _import("fastnn"), lambda: _import("numpy")], 2)
        benchmark.extra_info["seconds beyond NumPy"] = round(import_seconds("fastnn"), 4)
        assert beyond < 6 * numpy, f"import fastnn takes {beyond / numpy:.1f} times as long as import numpy"


@pytest.mark.benchmark(group="predict-one-row")
def test_predict_one_row(benchmark: Any, each_backend: str) -> None:
    workload = WORKLOADS["cancer"]
    contender = Fastnn(workload, each_backend)
    contender.fit(3)
    row = contender.x[:1].copy()
    with contender.fastnn.config.using(backend=each_backend):
        found = benchmark(contender.model.predict, row)
    np.testing.assert_allclose(found, workload.outputs(contender.weights(), row), rtol=1e-4)


@pytest.mark.benchmark(group="xor-run")
def test_xor_from_nothing(benchmark: Any, each_backend: str) -> None:
    """Build, compile, train 1,000 epochs, predict: the first lesson."""
    workload = WORKLOADS["xor"]

    def lesson() -> np.ndarray:
        contender = Fastnn(workload, each_backend)
        contender.fit(1000)
        return contender.predict(contender.x)

    found = benchmark.pedantic(lesson, rounds=3, iterations=1)
    np.testing.assert_array_equal(found.round(), workload.data()[1])
