"""One row per kernel, from tests/cases at a large size: what to call, what it moves, what it must equal."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import fastnn
from benchmarks.process import Work
from benchmarks.products import SETTINGS
from fastnn.engine import backend
from fastnn.engine.check import compare
from fastnn.engine.tensor import Tensor
from tests.cases import CASES
from tests.cases._case import Case
from tests.ops import FAMILY, OPS

ELEMENTS = 65536        # of the largest array, shared among its letters: n, or 256 x 256, or 40 x 40 x 40
PRODUCTS = ("matmul", "matmul_nt", "matmul_tn", "dense")


def large(case: Case) -> dict[str, int]:
    """Sizes by letter such that the largest array has about ELEMENTS elements."""
    sides = [ELEMENTS ** (1 / min(len(case.letters), 2)) if case.letters else 1.0]  # (m, 600) (600, n) gives (m, n)
    for source in case.sources.values():
        if letters := sum(isinstance(d, str) for d in source.dims):
            sides.append((ELEMENTS / math.prod(d for d in source.dims if isinstance(d, int))) ** (1 / letters))
    return dict.fromkeys(case.letters, max(1, round(min(sides))))


@dataclass
class Row:
    """A kernel with arrays to run it on."""
    case: Case
    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]

    @cached_property
    def parts(self) -> int:
        """The most workers that C divides it among."""
        return OPS[self.case.kernel].parts([Tensor(a) for a in self.inputs], self.case.constants)

    @property
    def family(self) -> str:
        return FAMILY[self.case.kernel]

    def run(self, name: str) -> None:
        """One call on "c" or "reference"."""
        kernel, constants = backend.kernels[self.case.kernel], self.case.constants
        if name == "c":
            backend.run_c(kernel, self.inputs, self.outputs, constants, self.parts)
        else:
            backend.run_reference(kernel, self.inputs, self.outputs, constants)

    def problem(self) -> str:
        """Run it in C on copies; an empty string, or where that differs from the oracle beyond the op's bound."""
        copy = make(self.case)
        copy.run("c")
        return compare(OPS[self.case.kernel], self.inputs, copy.outputs, self.case.constants)

    def amounts(self) -> dict[str, float]:
        """What one call multiplies and adds, of matrix products; what all others read and write."""
        if self.case.kernel in PRODUCTS:
            rows, columns = self.outputs[0].shape
            return {"GFLOP": 2e-9 * rows * columns * (self.inputs[0].size // rows)}
        return {"GB": 1e-9 * sum(a.nbytes for a in (*self.inputs, *self.outputs))}


def make(case: Case) -> Row:
    """The same arrays for the same case every time."""
    op = OPS[case.kernel]
    inputs = tuple(case.inputs(case.rng(), large(case)))
    if op.updates:
        return Row(case, inputs, tuple(inputs[op.kernel.inputs.index(name)] for name in op.updates))
    tensors = tuple(Tensor(a) for a in inputs)
    results: list[Any] = op.results(tensors, case.constants)
    return Row(case, inputs, tuple(np.empty(shape, dtype) for shape, dtype in results))


def _choose() -> list[Case]:
    """For every kernel (and every activation it can fuse) the case that grows along most axes; of equals the one
    with the most elements, then the first."""
    best: dict[Any, tuple[tuple[int, int], Case]] = {}
    for case in CASES:
        sizes = large(case)
        size = len(case.letters), sum(math.prod(sizes.get(d, d) for d in s.dims) for s in case.sources.values())
        key = case.kernel, case.constants.get("activation")
        if key not in best or size > best[key][0]:
            best[key] = size, case
    return [case for _, case in best.values()]


LARGE_CASES: list[Case] = _choose()


def kernel_of(setting: str, index: int) -> Work:
    """One call of LARGE_CASES[index]. results: where C differs from the reference beyond the op's bound, or nothing."""
    row = make(LARGE_CASES[index])
    name, threads = SETTINGS[setting]

    def do(times: int) -> None:
        with fastnn.config.using(threads=threads):
            for _ in range(times):
                row.run(name)
    return Work(do, results=lambda: row.problem() if name == "c" else "")
