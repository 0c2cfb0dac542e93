"""Elementwise functions on 64 Ki elements, and an optimizer over ten million weights: fastnn, NumPy, torch."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.products import program, repeated
from benchmarks.rounds import Timed
from benchmarks.workloads import BETAS, EPSILON

ELEMENTS = 65536
WEIGHTS = 10_000_000
ADAM_BYTES = 28 * WEIGHTS       # reads weight, gradient, m, v; writes weight, m, v
FUNCTIONS = ("exp", "log", "tanh", "sigmoid", "gelu", "softplus")


def _sigmoid(x: np.ndarray, y: np.ndarray) -> None:
    np.negative(x, out=y)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    np.reciprocal(y, out=y)


NUMPY: dict[str, Callable[[np.ndarray, np.ndarray], Any]] = {       # into y; NumPy has no erf for gelu
    "exp": lambda x, y: np.exp(x, out=y), "log": lambda x, y: np.log(x, out=y), "tanh": lambda x, y: np.tanh(x, out=y),
    "sigmoid": _sigmoid, "softplus": lambda x, y: np.logaddexp(0, x, out=y),
}


def elements(name: str) -> np.ndarray:
    """Numbers as activations see them; positive ones for the logarithm."""
    x = np.random.default_rng(0).uniform(-5, 5, ELEMENTS).astype(np.float32)
    return np.abs(x) + np.float32(0.1) if name == "log" else x


def function_of(library: str, name: str, threads: int, seconds: float) -> Timed:
    """y = f(x) on ELEMENTS floats into a given y."""
    x = elements(name)
    if library == "fastnn":
        op = getattr(importlib.import_module("fastnn.ops.rows.elementwise" if name in ("exp", "log") else
                                             "fastnn.ops.rows.activation"), name)
        return repeated(lambda: program(op, x), seconds, threads)
    y = np.empty_like(x)
    if library == "NumPy":
        if name not in NUMPY:
            raise NotImplementedError(f"NumPy has no {name}")
        return Timed(lambda: NUMPY[name](x, y), seconds)
    import torch
    function = getattr(torch.ops.aten, name).out
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    return Timed(lambda: function(tx, out=ty), seconds, before=lambda: torch.set_num_threads(threads))


def adam_of(library: str, threads: int, seconds: float) -> Timed:
    """One step of Adam over WEIGHTS weights; in torch the fused one."""
    rng = np.random.default_rng(0)
    w, g = (rng.random(WEIGHTS, np.float32) - np.float32(0.5) for _ in range(2))
    if library == "fastnn":
        from fastnn.engine.tensor import Tensor
        from fastnn.ops.rows.optimizer import adam_step
        m, v = np.zeros_like(w), np.zeros_like(w)
        return repeated(lambda: program(adam_step, *map(Tensor, (w, g, m, v)), Tensor(np.array(1e-3, np.float32)),
                                        Tensor(np.array(3, np.int64)), beta_1=BETAS[0], beta_2=BETAS[1],
                                        epsilon=EPSILON), seconds, threads)
    import torch
    weights = torch.from_numpy(w).requires_grad_()
    weights.grad = torch.from_numpy(g)
    return Timed(torch.optim.Adam([weights], 1e-3, BETAS, EPSILON, fused=True).step, seconds,
                 before=lambda: torch.set_num_threads(threads))
