"""Matrix products of the shapes that networks have: fastnn beside NumPy's BLAS and torch, into a given output."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.process import Work, calls

THREADS = 2         # of the peers, where they can be told
SETTINGS = {"reference": ("reference", None), "C, 1 thread": ("c", 1), f"C, {THREADS} threads": ("c", THREADS)}


@dataclass(frozen=True)
class Product:
    """(rows, depth) times (depth, columns). form: "nn"; "tn" where a lies transposed in memory, "nt" where b does."""
    rows: int
    depth: int
    columns: int
    form: str = "nn"
    what: str = ""

    @property
    def name(self) -> str:
        a = f"{self.rows}×{self.depth}" + "ᵀ" * (self.form == "tn")
        b = f"{self.depth}×{self.columns}" + "ᵀ" * (self.form == "nt")
        return f"({a})({b}){' ' if self.what else ''}{self.what}"

    @property
    def id(self) -> str:
        """The name in ASCII, for the test."""
        return f"{self.rows}x{self.depth}x{self.columns}-{self.form}"

    @property
    def flops(self) -> int:
        return 2 * self.rows * self.depth * self.columns

    def operands(self) -> tuple[np.ndarray, np.ndarray]:
        """a and b as they lie in memory: backward products read what forward left, and copy nothing."""
        rng = np.random.default_rng(0)
        a = (self.depth, self.rows) if self.form == "tn" else (self.rows, self.depth)
        b = (self.columns, self.depth) if self.form == "nt" else (self.depth, self.columns)
        return rng.random(a, np.float32) - np.float32(0.5), rng.random(b, np.float32) - np.float32(0.5)

    def views(self) -> tuple[np.ndarray, np.ndarray]:
        """The same as matrices that can be multiplied."""
        a, b = self.operands()
        return a.T if self.form == "tn" else a, b.T if self.form == "nt" else b


def dense(batch: int, inputs: int, outputs: int) -> list[Product]:
    """A dense layer's three products: forward, the gradient of the kernel, the gradient of the input."""
    return [Product(batch, inputs, outputs, "nn", "forward"), Product(inputs, batch, outputs, "tn", "dW"),
            Product(batch, outputs, inputs, "nt", "dX")]


PRODUCTS = [
    *(Product(n, n, n) for n in (2048, 1024, 512)),
    *dense(128, 784, 128), *dense(256, 2048, 2048), *dense(32, 5408, 64),
    Product(21632, 9, 32, "nn", "convolution"), Product(9, 21632, 32, "tn", "its dW"),
    Product(4096, 64, 192), Product(32, 30, 16, "nn", "tiny"),
]


def program(op: Any, *inputs: Any, **constants: Any) -> Any:
    """A fastnn program of this one call."""
    from fastnn.engine.context import recording
    from fastnn.engine.program import Program
    from fastnn.engine.tensor import Tensor
    with recording() as calls:
        result = op(*(Tensor(a) if isinstance(a, np.ndarray) else a for a in inputs), **constants)
    several = isinstance(result, (list, tuple))
    return Program(calls, keep=[] if result is None else result if several else [result])


def replayed(run: Any, setting: str) -> Work:
    """A program in one of the SETTINGS: as many times at once as a round has, so that Python's share is nothing."""
    import fastnn
    backend, threads = SETTINGS[setting]

    def do(times: int) -> None:
        with fastnn.config.using(backend=backend, threads=threads):
            run.run(times)

    def results() -> list[np.ndarray]:
        do(1)
        return [t.data.copy() for t in run.results]
    return Work(do, results=results)


def product_of(library: str, setting: str, index: int) -> Work:
    """PRODUCTS[index] as `library` does it best; results: it, and what it must be."""
    product = PRODUCTS[index]
    a, b = product.views()
    if library == "fastnn":
        from fastnn.ops.rows.dense import matmul, matmul_nt, matmul_tn
        op = {"nn": matmul, "tn": matmul_tn, "nt": matmul_nt}[product.form]
        work = replayed(program(op, *product.operands()), setting)
        (y,) = work.results()
    else:
        y = np.empty((product.rows, product.columns), np.float32)
        if library == "NumPy":
            work = calls(lambda: np.matmul(a, b, out=y))
        else:
            import torch
            torch.set_num_threads(THREADS)
            ta, tb, ty = (torch.from_numpy(z) for z in (a, b, y))
            work = calls(lambda: torch.mm(ta, tb, out=ty))
        work.run()
    work.results = lambda: (y, a @ b)
    return work
