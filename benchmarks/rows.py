"""One row per kernel, from tests/cases at a large size: what to call, what it moves, what it must equal."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.check import compare
from fastnn.engine.tensor import Tensor
from tests.cases import CASES
from tests.cases._case import Case
from tests.ops import FAMILY, OPS

ELEMENTS = 65536        # of the largest array, shared among its letters: n, or 256 x 256, or 40 x 40 x 40
PRODUCTS = ("matmul", "matmul_nt", "matmul_tn", "dense")


def large(case: Case) -> dict[str, int]:
    """Sizes by letter such that the largest array has about ELEMENTS elements, not counting its fixed dims."""
    in_one = max((sum(isinstance(d, str) for d in s.dims) for s in case.sources.values()), default=0)
    letters = min(len(case.letters), max(in_one, 2))        # (m, 600) by (600, n) gives (m, n): two letters as well
    return dict.fromkeys(case.letters, round(ELEMENTS ** (1 / letters)) if letters else 1)


@dataclass
class Row:
    """A kernel with arrays to run it on."""
    case: Case
    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]

    @property
    def family(self) -> str:
        return FAMILY[self.case.kernel]

    def run(self, name: str) -> None:
        """One call on "c" or "reference"."""
        (backend.run_c if name == "c" else backend.run_reference)(
            backend.kernels[self.case.kernel], self.inputs, self.outputs, self.case.constants)

    def problem(self) -> str:
        """Run it in C on copies; an empty string, or where that differs from the oracle beyond the op's bound."""
        copy = make(self.case)
        copy.run("c")
        return compare(OPS[self.case.kernel], self.inputs, copy.outputs, self.case.constants)

    def rate(self, seconds: float) -> tuple[str, float]:
        """("GFLOP/s", x) for matrix products, ("GB/s", x) of inputs read and outputs written for all others."""
        if self.case.kernel in PRODUCTS:
            rows, columns = self.outputs[0].shape
            depth = self.inputs[0].size // rows
            return "GFLOP/s", 2 * rows * columns * depth / seconds / 1e9
        return "GB/s", sum(a.nbytes for a in (*self.inputs, *self.outputs)) / seconds / 1e9


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
        row = make(case)
        size = len(case.letters), sum(a.size for a in (*row.inputs, *row.outputs))
        key = case.kernel, case.constants.get("activation")
        if key not in best or size > best[key][0]:
            best[key] = size, case
    return [case for _, case in best.values()]


LARGE_CASES: list[Case] = _choose()
