"""Attention that looks back only: its kernels leave out what no query sees, for every instruction set."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastnn.engine import backend
from fastnn.engine.check import compare
from tests.conftest import needs_c
from tests.ops import OPS

ISAS = [name for name, usable in backend._engine.isas() if usable] if backend._engine else []
NO_MASK = np.zeros(0, np.uint8)
BATCH, HEADS, DEPTH, WIDTH = 2, 2, 5, 7


def called(isa: str, name: str, inputs: tuple[np.ndarray, ...], shapes: list[tuple[int, ...]],
           constants: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """The outputs; they are held against the reference in float64."""
    outputs = tuple(np.full(shape, np.nan, np.float32) for shape in shapes)
    kernel = replace(OPS[name].kernel, c=backend._engine.kernels(isa)[name])
    backend.run_c(kernel, inputs, outputs, constants)
    problem = compare(OPS[name], inputs, outputs, constants)
    assert not problem, f"{name} on {isa}: {problem}"
    return outputs


@needs_c
@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("scale", [0.4, -0.4])
@pytest.mark.parametrize("queries, keys", [(1, 1), (16, 16), (29, 29), (40, 40), (64, 64), (150, 150), (37, 20),
                                           (20, 45), (1, 33), (70, 1)])
def test_causal_kernels_agree_with_the_reference(isa: str, scale: float, queries: int, keys: int) -> None:
    rng = np.random.default_rng(queries)
    q, k = (rng.normal(size=(BATCH, n, HEADS * DEPTH)).astype(np.float32) for n in (queries, keys))
    v, dy = (rng.normal(size=(BATCH, n, HEADS * WIDTH)).astype(np.float32) for n in (keys, queries))
    constants = dict(heads=HEADS, scale=scale, causal=True)
    y, log_sum = called(isa, "attention", (q, k, v, NO_MASK), [dy.shape, (BATCH, HEADS, queries)], constants)
    called(isa, "attention_grad", (dy, q, k, v, NO_MASK, y, log_sum), [q.shape, k.shape, v.shape], constants)


@needs_c
@pytest.mark.parametrize("isa", ISAS)
def test_what_comes_far_behind_is_not_even_read(isa: str) -> None:
    """Of 64 keys, the last 32 are not numbers: the first 24 queries do not notice, nor do the gradients they get."""
    rng = np.random.default_rng(0)
    q, k, v, dy = rng.normal(size=(4, 1, 64, 8)).astype(np.float32)
    k[:, 32:] = v[:, 32:] = np.nan
    y, log_sum, dq = np.empty_like(q), np.empty((1, 1, 64), np.float32), np.empty_like(q)
    constants = dict(heads=1, scale=0.3, causal=True)
    copies = backend._engine.kernels(isa)
    backend.run_c(replace(OPS["attention"].kernel, c=copies["attention"]), (q, k, v, NO_MASK), (y, log_sum), constants)
    backend.run_c(replace(OPS["attention_grad"].kernel, c=copies["attention_grad"]),
                  (dy, q, k, v, NO_MASK, y, log_sum), (dq, np.empty_like(k), np.empty_like(v)), constants)
    assert np.isfinite(y[:, :24]).all() and np.isfinite(dq[:, :24]).all()
    assert np.isnan(y[:, 32:]).all()
