"""Every kernel at a large size, in C and on the reference, one group per family."""

from typing import Any

import pytest

from benchmarks.conftest import fastest
from benchmarks.rows import LARGE_CASES, make
from tests.cases._case import Case


@pytest.mark.benchmark(max_time=0.1, min_rounds=3, warmup=False)
@pytest.mark.parametrize("case", LARGE_CASES, ids=repr)
def test_kernel(benchmark: Any, case: Case, each_backend: str) -> None:
    row = make(case)
    if each_backend == "c":
        problem = row.problem()
        assert not problem, f"{case}: {problem}"
    benchmark.group = row.family
    benchmark.extra_info.update(kernel=case.kernel, backend=each_backend,
                                shapes=[list(a.shape) for a in row.inputs])
    benchmark(row.run, each_backend)
    seconds = fastest(benchmark)
    if seconds:
        unit, rate = row.rate(seconds)
        benchmark.extra_info[unit] = round(rate, 2)
