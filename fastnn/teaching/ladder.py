"""One kernel written faster and faster: each rung checked first, then timed, with its share of the machine's peak.
Floor 5."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn import markup
from fastnn.arguments import choice, optional, whole
from fastnn.engine import backend
from fastnn.engine.listing import aligned
from fastnn.engine.tensor import Tensor
from fastnn.engine.threads import num_threads
from fastnn.ops._op import Op, by_name
from fastnn.teaching.compiler import compiler, from_c
from fastnn.teaching.own import seconds
from fastnn.teaching.peak import machine_peak, measured_again
from fastnn.teaching.profile import roofline, time_text
from fastnn.teaching.school import LOOPS
from fastnn.teaching.trials import Trial, tried

__all__ = ["Ladder", "Rung", "ladder"]

SCALAR = ("-fno-tree-vectorize", "-fno-tree-slp-vectorize")     # of GCC and Clang: one number at a time
VECTORS = {"baseline": "C, vectors of 4 floats", "avx2": "C, vectors of 8 (AVX2)",
           "avx512": "C, vectors of 16 (AVX-512)", "neon": "C, vectors of 4 (NEON)"}
TOO_FAST = 1.2      # of peak: then the peak was measured while the machine was busy


@dataclass(frozen=True)
class Rung:
    """One rung: what it is, seconds of a call, how often as fast as the first, operations a second in units of 10^9 (of
    products floating-point operations, else numbers made), and the share of what the machine can do at most, with one
    thread or all; 0 where that is not known."""
    name: str
    seconds: float
    times: float
    gops: float
    share_of_peak: float
    bound: str
    threads: int = 1

    @property
    def beats_peak(self) -> bool:
        """Whether the peak that was measured cannot be one."""
        return self.share_of_peak > TOO_FAST


@dataclass(frozen=True)
class Ladder:
    """What ladder() has measured: print it, or `.plot(path)`. `missing`: the rungs that are not there, and why."""
    kernel: str
    shapes: tuple[tuple[int, ...], ...]
    rungs: tuple[Rung, ...]
    missing: tuple[str, ...] = ()

    def _head(self) -> str:
        return f"{self.kernel} of {' and '.join('x'.join(map(str, shape)) for shape in self.shapes)} numbers"

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [("", "time", "faster", "Gop/s", "of peak")]
        for rung in self.rungs:
            share = "-" if not rung.share_of_peak else "?" if rung.beats_peak else f"{rung.share_of_peak:.2%}"
            faster = f"{rung.times:,.0f} x" if rung.times >= 10 else f"{rung.times:.1f} x"
            rows.append((rung.name, time_text(rung.seconds), faster, f"{rung.gops:.3g}", share))
        return rows

    @property
    def sound(self) -> bool:
        """Whether the peak can be one."""
        return not any(rung.beats_peak for rung in self.rungs)

    def _foot(self) -> list[str]:
        found = [f"without {each}" for each in self.missing]
        bounds = ", ".join(dict.fromkeys(rung.bound for rung in self.rungs if rung.bound))
        if bounds:
            found.append(f"Peak is the least time that this machine needs, bound by {bounds}.")
        if not self.sound:
            found.append("?: faster than that, which was measured while the machine was busy: run\n   fastnn info "
                         "--measure again.")
        return found

    def __str__(self) -> str:
        return "\n".join([self._head(), "each rung checked against the reference, then timed",
                          *aligned(self._rows(), (1, 2, 3, 4)), *self._foot()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        return markup.block(markup.title(self._head(), "each rung checked against the reference, then timed"),
                            markup.table(head, rows, (1, 2, 3, 4)),
                            *(f"<div>{markup.escaped(each)}</div>" for each in self._foot()))

    def plot(self, path: Any = None) -> Any:
        """A bar per rung, on a logarithmic scale; saved to `path` (.png, .svg, .pdf) where given. → the figure."""
        from fastnn.plotting._figure import COLOURS, new_figure, saved, style
        figure = new_figure(9, 0.5 * len(self.rungs) + 1.6)
        axes = figure.add_subplot()
        times = [rung.seconds * 1e6 for rung in self.rungs]
        drawn = axes.barh(range(len(times)), times, color=[COLOURS[i % len(COLOURS)] for i in range(len(times))])
        notes = [f" {time_text(rung.seconds)}, {rung.times:,.0f} x" + (
            f", {rung.share_of_peak:.0%} of peak" if rung.share_of_peak >= 0.005 and not rung.beats_peak else "")
            for rung in self.rungs]
        axes.bar_label(drawn, notes, padding=3, fontsize=8, color="#333333")
        axes.set_xscale("log")
        axes.set_xlim(min(times) / 2, max(times) * 30)
        axes.set_yticks(range(len(times)), [rung.name for rung in self.rungs], fontsize=8)
        axes.invert_yaxis()
        most = max(rung.times for rung in self.rungs)
        style(axes, f"{self._head()}: up to {most:,.0f} times as fast as the loop", "time of one call (µs)", "")
        axes.grid(False, axis="y")
        return saved(figure, path)


def ladder(name: str, size: int | None = None) -> Ladder:
    """How one computation gets fast: a loop in Python, NumPy, a plain loop in C, C with vectors, threads.

    name: "matmul", "dense", "conv2d", "relu", "sigmoid" or "softmax". size: how large its arrays are (n of an n x n
    product, n numbers, n rows). Every rung is the same computation on the same numbers, is compared with the reference
    within the kernel's error bound before it is timed, and the fastest of some calls counts. The plain loop is compiled
    now, one number at a time, by the compiler that is there; without one the rung is left out, and that is said.
    Vectors and threads are fastnn's own kernel. The peak is what `fastnn info --measure` says; if that was never run,
    it is measured first (0.8 s, once); and again where a rung is faster. Takes a few seconds. ValueError for other
    names.

    >>> print(fastnn.teaching.ladder("matmul"))    # doctest: +SKIP
    """
    chosen = LOOPS[choice(name, "ladder(): name", LOOPS)]
    n = optional(whole, size, "ladder(): size", 4) or chosen.size
    op, rng = by_name[name], np.random.default_rng(0)
    inputs = tuple(rng.standard_normal(shape).astype(np.float32) for shape in chosen.shapes(n))
    trial = Trial(inputs, chosen.constants, "the ladder's numbers")
    limits = machine_peak() if backend._engine is not None else None
    read, operations = sum(a.nbytes for a in inputs), chosen.operations(n)
    flops = float(operations) if op.flops else 0.0
    missing: list[str] = []
    timed = [(title, seconds(call, 0.2), sum(a.nbytes for a in outputs), threads)
             for title, call, outputs, threads in _rungs(op, chosen, trial, missing)]

    def found(limits: Any) -> Ladder:
        rungs = []
        for title, taken, written, threads in timed:
            share, bound = roofline(limits, threads, flops, read, written, taken) if limits else (0.0, "")
            rungs.append(Rung(title, taken, timed[0][1] / taken, operations / taken / 1e9, share, bound, threads))
        return Ladder(name, tuple(a.shape for a in inputs), tuple(rungs), tuple(missing))

    made = found(limits)
    return made if made.sound or limits is None else found(measured_again(limits))


def _rungs(op: Op, chosen: Any, trial: Trial,
           missing: list[str]) -> Iterator[tuple[str, Callable[[], Any], tuple[np.ndarray, ...], int]]:
    """(name, a call, its outputs, threads) of each rung that is there, after it was checked."""
    inputs, constants = trial.inputs, trial.constants
    lists = [a.tolist() for a in inputs]
    outputs = tried(op, lambda *arrays, **c: np.array(chosen.python(*(a.tolist() for a in arrays), **c)), trial,
                    "Python")
    yield "loop in Python", lambda: chosen.python(*lists, **constants), outputs, 1
    tried(op, op.kernel.reference, trial, "NumPy")
    # A product of NumPy's is BLAS, which takes all threads.
    yield "NumPy", lambda: op.kernel.reference(*inputs, **constants), outputs, num_threads()
    if compiler():
        plain = from_c(op, chosen.c, SCALAR)
        tried(op, plain, trial, "C")
        yield "plain loop in C", lambda: plain(*inputs, **constants), outputs, 1
    else:
        missing.append("the plain loop in C: there is no C compiler (cc, gcc, clang, or what $CC says)")
    if backend._engine is None:
        missing.append(f"vectors and threads: {backend.missing}")
        return
    parts = op.parts([Tensor(a) for a in inputs], constants)
    compiled = [isa for isa, usable in backend._engine.isas() if usable]
    for isa in compiled:
        yield VECTORS.get(isa, f"C, {isa}"), *_by_engine(op, trial, outputs, isa, parts, 1)
    threads = min(num_threads(), parts)
    if threads > 1:
        yield f"C, vectors, {threads} threads", *_by_engine(op, trial, outputs, compiled[-1], parts, threads)
    else:
        why = "this process has one thread" if num_threads() == 1 else "so small a call is not divided"
        missing.append(f"threads: {why}")


def _by_engine(op: Op, trial: Trial, like: tuple[np.ndarray, ...], isa: str, parts: int,
               threads: int) -> tuple[Callable[[], Any], tuple[np.ndarray, ...], int]:
    """fastnn's kernel of an instruction set, checked."""
    row = backend._engine.kernels(isa)[op.name]
    outputs = tuple(np.empty_like(a) for a in like)
    values = tuple(trial.constants[name] for name in op.kernel.constants)

    def run(*inputs: np.ndarray, **constants: Any) -> Any:
        backend._engine.call(row, inputs, outputs, values, parts, threads)
        return outputs if len(outputs) > 1 else outputs[0]

    tried(op, run, trial, "C")
    return lambda: run(*trial.inputs), outputs, threads
