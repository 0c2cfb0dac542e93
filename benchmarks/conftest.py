"""What the benchmarks share: the machine in every record, the same seed, both backends."""

from collections.abc import Iterator
from typing import Any

import pytest

import fastnn
from benchmarks import machine
from fastnn.engine import backend

BACKENDS = ("c", "reference")


@pytest.fixture(autouse=True)
def described(request: pytest.FixtureRequest) -> Iterator[None]:
    """The same seed for every benchmark; CPU, threads and instruction set in its record."""
    fastnn.random.set_seed(1234)
    if "benchmark" in request.fixturenames:
        request.getfixturevalue("benchmark").extra_info.update(machine.engine())
    yield


@pytest.fixture(params=BACKENDS)
def each_backend(request: pytest.FixtureRequest) -> str:
    """"c" and "reference"; C is skipped where it is not built."""
    if request.param == "c" and backend._engine is None:
        pytest.skip("the C kernels are not built here: " + backend.missing)
    return str(request.param)


def fastest(benchmark: Any) -> float | None:
    """Seconds of the fastest round, or None under --benchmark-disable."""
    return benchmark.stats.stats.min if benchmark.stats else None
