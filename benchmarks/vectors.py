"""Elementwise functions on 64 Ki elements, and an optimizer over ten million weights: fastnn, NumPy, torch."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.process import Work, calls
from benchmarks.products import program, replayed
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


def function_of(library: str, setting: str, name: str) -> Work:
    """y = f(x) on ELEMENTS floats into a given y; results: it, and what it must be, from float64."""
    from fastnn.engine import backend
    x = elements(name)
    expected = backend.kernels[name].reference(x.astype(np.float64))
    if library == "fastnn":
        op = getattr(importlib.import_module("fastnn.ops.rows.elementwise" if name in ("exp", "log") else
                                             "fastnn.ops.rows.activation"), name)
        work = replayed(program(op, x), setting)
        (y,) = work.results()
    else:
        y = np.empty_like(x)
        if library == "NumPy" and name not in NUMPY:
            raise NotImplementedError(f"has no {name}")
        work = calls(lambda: NUMPY[name](x, y)) if library == "NumPy" else calls(_in_torch(name, setting, x, y))
        work.run()
    work.results = lambda: (y, expected)
    return work


def _in_torch(name: str, setting: str, x: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    import torch
    torch.set_num_threads(int(setting[0]))
    function, tx, ty = getattr(torch.ops.aten, name).out, torch.from_numpy(x), torch.from_numpy(y)
    return lambda: function(tx, out=ty)


def adam_of(library: str, setting: str) -> Work:
    """One step of Adam over WEIGHTS weights; in torch the fused one. results: the change of the first ones."""
    rng = np.random.default_rng(0)
    w, g = (rng.random(WEIGHTS, np.float32) - np.float32(0.5) for _ in range(2))
    first = w.copy()
    if library == "fastnn":
        from fastnn.engine.tensor import Tensor
        from fastnn.ops.rows.optimizer import adam_step
        m, v = np.zeros_like(w), np.zeros_like(w)
        run = program(adam_step, *map(Tensor, (w, g, m, v)), Tensor(np.array(1e-3, np.float32)),
                      Tensor(np.array(0, np.int64)), beta_1=BETAS[0], beta_2=BETAS[1], epsilon=EPSILON)
        for array, value in ((w, first), (m, 0), (v, 0)):       # recording has made a step
            array[:] = value
        work = replayed(run, setting)
    else:
        import torch
        torch.set_num_threads(int(setting[0]))
        weights = torch.from_numpy(w).requires_grad_()
        weights.grad = torch.from_numpy(g)
        work = calls(torch.optim.Adam([weights], 1e-3, BETAS, EPSILON, fused=True).step)
    work.run()
    change = w[:1000] - first[:1000]
    work.results = lambda: (change, -1e-3 * np.sign(g[:1000]))      # a first step is the rate, whatever the gradient
    return work
