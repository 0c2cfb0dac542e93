"""Case: one row per kernel, from which the generic tests and the benchmarks are generated."""

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.engine import backend

EDGES = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 130)
BIG = 257
MOST = 60_000       # elements of a row's inputs: what an edge gets wrong shows in these, and float64 needs no gigabytes


@dataclass(frozen=True)
class Source:
    """How to draw one input: a function of (rng, sizes by letter, integer-valued?)."""
    draw: Callable[[np.random.Generator, dict[str, int], bool], np.ndarray]
    dims: tuple[int | str, ...]


def _shape(dims: tuple[int | str, ...], sizes: dict[str, int]) -> tuple[int, ...]:
    return tuple(d if isinstance(d, int) else sizes[d] for d in dims)


def floats(*dims: int | str, low: float = -2.0, high: float = 2.0, avoid: tuple[float, ...] = ()) -> Source:
    """Uniform floats; `avoid`: keep 0.05 away from these points (kinks)."""
    def draw(rng: np.random.Generator, sizes: dict[str, int], integers: bool) -> np.ndarray:
        shape = _shape(dims, sizes)
        if integers:
            return rng.integers(-8, 9, shape).astype(np.float32)
        x = rng.uniform(low, high, shape)
        for kink in avoid:
            x = np.where(np.abs(x - kink) < 0.05, kink + np.where(x >= kink, 0.05, -0.05) + (x - kink), x)
        return x.astype(np.float32)
    return Source(draw, dims)


def ints(*dims: int | str, low: int = 0, high: int | str = 10, dtype: str = "int32") -> Source:
    """Integers in [low, high); `high` may be a dim letter."""
    def draw(rng: np.random.Generator, sizes: dict[str, int], integers: bool) -> np.ndarray:
        top = high if isinstance(high, int) else sizes[high]
        return rng.integers(low, top, _shape(dims, sizes)).astype(dtype)
    return Source(draw, (*dims, high) if isinstance(high, str) else dims)


def values(numbers: Any, dtype: str = "float32") -> Source:
    """These numbers, always."""
    array = np.array(numbers, dtype)
    return Source(lambda rng, sizes, integers: array.copy(), array.shape)


def scalar(value: float, dtype: str = "float32") -> Source:
    """A 0-d array."""
    return values(value, dtype)


def wide(source: Source, dtype: str = "float64") -> Source:
    """The same draws in another dtype (float64 sums and states)."""
    return Source(lambda rng, sizes, integers: source.draw(rng, sizes, integers).astype(dtype), source.dims)


def permutation(dim: str) -> Source:
    """A shuffled int32 order of 0..n-1."""
    return Source(lambda rng, sizes, integers: rng.permutation(sizes[dim]).astype(np.int32), (dim,))


class Case:
    """Case("matmul", a=floats("m", "k"), b=floats("k", "n"), exact=True); Case("stack", xs=(floats("n"),) * 3, axis=0).

    exact: with small integers C equals the reference exactly. bits: C equals the reference bit for bit always.
    grad=False: no numerical gradient check. bad: [(shapes by input, text in the ShapeError)].
    """

    def __init__(self, kernel: str, *, exact: bool = False, bits: bool = False, grad: bool = True,
                 bad: Any = (), fix: Callable[..., None] | None = None, **values: Any) -> None:
        self.kernel, self.exact, self.bits, self.grad, self.bad, self.fix = kernel, exact, bits, grad, bad, fix
        info = backend.kernels[kernel]
        if info.inputs[0].startswith("*"):
            given = values.pop(info.inputs[0][1:])
            values.update(zip(backend.numbered(info.inputs, len(given)), given))
        self.sources = {k: v for k, v in values.items() if isinstance(v, Source)}
        self.constants = {k: v for k, v in values.items() if not isinstance(v, Source)}
        self.names = backend.numbered(info.inputs, len(self.sources))
        if set(self.sources) != set(self.names) or set(self.constants) != set(info.constants):
            raise TypeError(f"case {kernel}: has {sorted(values)} but the kernel is {info.signature}")
        self.letters = sorted({d for s in self.sources.values() for d in s.dims if isinstance(d, str)})

    def __repr__(self) -> str:
        constants = ",".join(f"{k}={v}" for k, v in self.constants.items())
        return f"{self.kernel}[{constants}]"

    def rng(self, salt: int = 0) -> np.random.Generator:
        """A generator seeded by the kernel's name: the same draws on every machine."""
        return np.random.default_rng(zlib.crc32(repr(self).encode()) + salt)

    def inputs(self, rng: np.random.Generator, sizes: dict[str, int], integers: bool = False) -> list[np.ndarray]:
        """The input arrays in the order of the kernel's signature."""
        arrays = {name: self.sources[name].draw(rng, sizes, integers) for name in self.names}
        if self.fix:
            self.fix(arrays)      # ties inputs together where a kernel needs it (an output among its inputs)
        return [np.ascontiguousarray(arrays[name]).reshape(arrays[name].shape) for name in self.names]

    def sizes(self, count: int) -> list[dict[str, int]]:
        """`count` choices of the dims, drawn around block edges; the first is all ones. Of fixed dims: at most 3."""
        rng = self.rng(1)
        if not self.letters:
            count = min(count, 3)
        result = [dict.fromkeys(self.letters, 1)]
        for _ in range(count - 1):
            result.append(self._capped({letter: int(rng.choice(EDGES)) for letter in self.letters}, MOST))
        return result

    def large(self) -> dict[str, int]:
        """Dims that are work for several threads."""
        return self._capped(dict(zip(self.letters, (513, 130, 65, 33, 17))), 8 * MOST)

    def _capped(self, sizes: dict[str, int], most: int) -> dict[str, int]:
        """The largest dims taken down edge by edge until the inputs have no more than `most` elements."""
        def elements() -> int:
            return sum(math.prod(_shape(source.dims, sizes)) for source in self.sources.values())
        while elements() > most and max(sizes.values(), default=1) > 1:
            largest = max(sizes, key=lambda letter: sizes[letter])
            sizes[largest] = max(edge for edge in EDGES if edge < sizes[largest])
        return sizes
