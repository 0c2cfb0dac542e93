"""Training steps through fastnn's fit: replayed in C, eager in C, and on the reference, one group per network."""

import functools
from typing import Any

import numpy as np
import pytest

import fastnn
from benchmarks.conftest import fastest
from benchmarks.contenders.fastnn import FASTNN
from benchmarks.workloads import WORKLOADS, Workload
from fastnn.engine import backend

EPOCHS = {"xor": {"C, replayed": 1000}, "cancer": {"C, replayed": 50}}      # of one round; 1 for all others


@functools.cache
def _trained(workload: Workload, setting: str) -> list[np.ndarray]:
    """The weights after one epoch from the same seed."""
    fastnn.random.set_seed(5)
    contender = FASTNN[setting](workload)
    contender.fit(1)
    return contender.weights()


def _check(workload: Workload, setting: str) -> None:
    """Replayed and eager steps end in the same bits, but for CNNs: a program pools inside the convolution, which sums
    the bias' gradient in another order (3e-8 after an epoch). C and the reference end in the same loss (Adam's first
    steps divide tiny gradients by their size, so that single weights may go apart)."""
    if setting == "C, replayed":
        for replayed, eager in zip(_trained(workload, setting), _trained(workload, "C, eager")):
            np.testing.assert_allclose(replayed, eager, rtol=0, atol=1e-5 if workload.images else 0)
    ours, oracle = (workload.loss(_trained(workload, name), *workload.data()) for name in (setting, "reference"))
    assert ours == pytest.approx(oracle, rel=2e-3)


@pytest.mark.parametrize("setting", FASTNN)
@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda w: w.name)
def test_step(benchmark: Any, workload: Workload, setting: str) -> None:
    if backend._engine is None and setting != "reference":
        pytest.skip("the C kernels are not built here: " + backend.missing)
    _check(workload, setting)
    contender = FASTNN[setting](workload)
    contender.fit(2)
    epochs = EPOCHS.get(workload.name, {}).get(setting, 1)
    steps = epochs * workload.steps(len(workload.data()[0]))
    benchmark.group = f"step-{workload.name}"
    benchmark.extra_info.update(setting=setting, steps=steps)
    benchmark.pedantic(contender.fit, args=(epochs,), setup=contender.reset, rounds=5, iterations=1)
    seconds = fastest(benchmark)
    if seconds:
        benchmark.extra_info["µs/step"] = round(seconds / steps * 1e6, 3)
