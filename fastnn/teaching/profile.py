"""How long each call of a training step takes, and how much it computes and moves. Floor 5."""

import itertools
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn import markup
from fastnn.arguments import whole
from fastnn.engine import backend
from fastnn.engine.call import Call
from fastnn.engine.listing import call_text, names_of
from fastnn.engine.program import Program
from fastnn.engine.schedule import Schedule
from fastnn.engine.tensor import Tensor
from fastnn.engine.threads import num_threads
from fastnn.feeding import arguments
from fastnn.feeding.arrays import Arrays
from fastnn.feeding.model import TrainedModel
from fastnn.teaching.peak import Peak, machine_peak, size_text

__all__ = ["Profile", "Row", "profile"]

LEAST = 1e-9        # seconds: what a call that the clock cannot tell from nothing is said to take
PASS = 5e-3         # seconds of one timed pass over the step
FEWEST = 3          # passes, of which the median counts
MOST_SHARE = 1.5    # of the peak, in a listing
LAPS = 64           # of the program that says what reading the clock costs


@dataclass(frozen=True)
class Row:
    """One call: its text and its layer; `seconds` inside the running step; `alone`, over and over by itself, when its
    operands are in the cache already; floating-point operations (products only), bytes read and written, threads.

    `share_of_peak`: the time this machine needs at least for so many operations and bytes, over the time it took.
    `bound`: what that least time goes into: "compute", or "memory, 24 KiB": moving the bytes, in a working set of such
    size. It may be above 1 where a cache serves better than the machine's rates say; the listing ends at ">150%".
    Without C kernels there is no peak: 0.0 and ""."""
    text: str
    layer: str
    seconds: float
    alone: float
    flops: float
    bytes: int
    threads: int
    share_of_peak: float
    bound: str


@dataclass(frozen=True, repr=False)
class Profile:
    """The calls of one step with their times. `step_seconds`: the whole step as `fit` runs it; the rows' `seconds` are
    parts of it, read from the clock between the calls, less what reading the clock costs."""
    name: str
    rows: tuple[Row, ...]
    step_seconds: float
    peak: Peak | None = None

    def __str__(self) -> str:
        total = sum(row.seconds for row in self.rows) or 1.0
        lines = [f"{self.name}: {time_text(self.step_seconds)} a step as fit runs it; its calls {time_text(total)}, "
                 f"and {time_text(sum(row.alone for row in self.rows))} each alone with its operands in cache",
                 f"{'time':>9} {'share':>6} {'alone':>9} {'threads':>7} {'GFLOP/s':>8} {'GB/s':>7} {'of peak':>7}  "
                 f"{'bound by':<15}  call"]
        width = max((len(row.text) for row in self.rows), default=0)
        for row in self.rows:
            flops = f"{row.flops / row.seconds / 1e9:8.1f}" if row.flops else " " * 8
            lines.append(f"{time_text(row.seconds):>9} {row.seconds / total:6.1%} {time_text(row.alone):>9} "
                         f"{row.threads:7d} {flops} {row.bytes / row.seconds / 1e9:7.1f} {_of_peak(row):>7}  "
                         f"{row.bound:<15}  {row.text:<{width}}  {row.layer}".rstrip())
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Time, share of the step and of the machine's peak of each call; all columns folded."""
        total = sum(row.seconds for row in self.rows) or 1.0
        calls = markup.table(("call", "layer", "time", "share", "of peak", "bound by"), [
            (markup.code(row.text), row.layer, time_text(row.seconds),
             markup.bar(row.seconds / total, f"{row.seconds / total:.1%}"),
             _of_peak(row), row.bound) for row in self.rows], (2, 4))
        return markup.block(markup.title(self.name, f"{time_text(self.step_seconds)} a step"), calls,
                            markup.folded("all columns", f'<pre style="color:inherit">{markup.escaped(self)}</pre>'))

    def by_layer(self) -> dict[str, float]:
        """{layer: seconds}; '' stands for data, loss, metrics and optimizer."""
        found: dict[str, float] = {}
        for row in self.rows:
            found[row.layer] = found.get(row.layer, 0.0) + row.seconds
        return found

    def plot(self, path: Any = None) -> Any:
        """A bar per call, longest at the top, coloured by layer; saved to `path` where given. Returns the figure.

        ValueError for a file that does not end in .png, .svg or .pdf."""
        from fastnn.teaching._bars import bars
        return bars(self, path)


def profile(model: TrainedModel, x: Any, y: Any, batch_size: int = 32, seconds: float = 0.5) -> Profile:
    """Time every call of a compiled model's training step on (x, y), for about `seconds` in all.

    The rows of the data are read in a shuffled order, as by fit. Weights, slots, counters and metrics are afterwards
    what they were. The machine's peak comes from `fastnn info --measure`; if that was never run, it is measured first
    (0.8 s, once). Raises as fit does for wrong data.
    """
    model._ready("profile()")
    batch = whole(batch_size, "profile(): batch_size")
    limits = machine_peak() if backend.backend() == "c" else None
    with model._working("profile()"):
        arrays = arguments.adapt(model, x, y, None, "profile()")
        source = Arrays(model, "train", arrays, min(batch, len(arrays["x0"])), shuffle=True)
        feed, _, ((size, steps), *_) = source.reading()
        try:
            with model._steps.put_back():
                source.begin()
                model._steps.begin(feed, False)     # back to the first batch, of the order shuffled just now
                begin = model._steps.recorded(model._steps.begin_key(feed, False))
                model._steps.run("train", feed, size)
                program = model._steps.recorded(model._steps.key("train", feed, size))
                step, inside = _inside(program, begin, steps, seconds / 2)
                begin.run()
                alone = [0.0 if call.is_view else _alone(call, seconds / 2 / len(program)) for call in program.calls]
                parts = program.parts() if program.in_c() else [1] * len(program)
        finally:
            source.close()
    names = names_of(program)
    rows = tuple(_row(*found, names, limits) for found in zip(program.calls, inside, alone, parts))
    return Profile(program.name, rows, step, limits)


def _inside(program: Program, begin: Program, steps: int, budget: float) -> tuple[float, list[float]]:
    """(the seconds of a step, those of each call in a step with a clock between the calls): medians of several passes,
    as other processes make some of them longer."""
    in_c = program.in_c()
    if in_c:
        ticks = Tensor(np.zeros(1 + len(program)), "laps")
        timed, cost = program.between(lambda i: _lap(ticks, i)), _lap_cost()
    end = time.perf_counter() + budget
    begin.run()
    program.run()       # warm
    spans: list[float] = []
    calls: list[list[float]] = []
    rounds = 1
    while len(calls) < FEWEST or time.perf_counter() < end:
        spent = _seconds(Schedule([(begin, 1), (program, steps)], rounds).run)
        if spent < PASS:        # too short: the way from Python to C would count
            rounds *= 2
            continue
        spans.append(spent / (rounds * steps))
        if in_c:
            ticks.data.fill(0)
            Schedule([(begin, 1), (timed, steps)], rounds).run()
            calls.append([max(LEAST, tick / (rounds * steps) - cost) for tick in ticks.data[1:]])
        else:
            calls.append(_by_python(program, begin))
    return statistics.median(spans), [statistics.median(each) for each in zip(*calls)]


class _Lap:
    """What Call needs to know of the kernel that reads the clock; no op has it."""
    name, view, moves, flops = "_lap", False, False, None
    may_omit: frozenset[str] = frozenset()
    updates: tuple[str, ...] = ("seconds",)
    output_names = updates

    def __init__(self) -> None:
        self.kernel = backend.Kernel("_lap", lambda: None, ("seconds",), ("index",), backend.probes["_lap"])

    def parts(self, inputs: Any, constants: Any) -> int:
        return 1


def _lap(ticks: Tensor, index: int) -> Call:
    return Call(_Lap(), (ticks,), (ticks,), {"index": index}, "")


def _lap_cost() -> float:
    """Seconds that reading the clock adds to what is between two laps."""
    ticks = Tensor(np.zeros(1 + LAPS), "laps")
    laps, best = Program([_lap(ticks, i) for i in range(LAPS + 1)]), math.inf
    for _ in range(20):
        ticks.data.fill(0)
        laps.run(100)
        best = min(best, float(ticks.data[1:].sum()) / LAPS / 100)
    return best


def _by_python(program: Program, begin: Program) -> list[float]:
    """Seconds of each call of one step that Python walks through."""
    begin.run()
    times = [time.perf_counter()]
    for call in program.calls:
        call.run()
        times.append(time.perf_counter())
    return [max(LEAST, after - before) for before, after in itertools.pairwise(times)]


def _alone(call: Call, budget: float) -> float:
    """Seconds of one call alone, over and over; what it updates is put back."""
    alone = Program([call], keep=() if call.op.updates else call.made)
    kept = [(t, t.data.copy()) for t in call.outputs] if call.op.updates else []
    alone.run()         # its output may be memory that was never touched: the system's work, not the call's
    times = 1
    while _seconds(Schedule([(alone, times)]).run) < budget / (2 * FEWEST) and times < 1_000_000:
        times *= 2
    spent = statistics.median(_seconds(Schedule([(alone, times)]).run) for _ in range(FEWEST))
    for tensor, copy in kept:
        tensor.data[...] = copy
    return spent / times


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _row(call: Call, seconds: float, alone: float, parts: int, names: dict[int, str], limits: Peak | None) -> Row:
    op, kernel = call.op, call.op.kernel
    flops = 0.0
    if op.flops:
        shapes = {**dict(zip(kernel.inputs, (t.shape for t in call.inputs))),
                  **dict(zip(op.output_names, (t.shape for t in call.outputs)))}
        flops = float(op.flops({**shapes, **call.constants}))
    written = 0 if call.is_view else sum(t.data.nbytes for t in call.made)
    read = 0 if call.is_view else sum(_read_bytes(call, i) for i in range(len(call.inputs)))
    threads = min(parts, num_threads()) if limits else 1
    share, bound = roofline(limits, threads, flops, read, written, seconds) if limits else (0.0, "")
    return Row(call_text(call, names), call.layer, seconds, alone, flops, read + written, threads, share, bound)


def roofline(limits: Peak, threads: int, flops: float, read: int, written: int, seconds: float) -> tuple[float, str]:
    """(the least time that this machine needs, over the time that was taken; what that least time goes into)."""
    rates = limits.of(threads)
    bandwidth, working_set = rates.bandwidth(read, written)
    computing, moving = flops / rates.gflops / 1e9, (read + written) / bandwidth / 1e9
    return max(computing, moving) / seconds, "compute" if computing >= moving else f"memory, {size_text(working_set)}"


def _read_bytes(call: Call, i: int) -> int:
    """How much of input i a call reads: of what batches are gathered from, the rows of one; of what fill fills, 0."""
    data = call.inputs[i].data
    if call.op.name == "fill":
        return 0
    gathers = i < 2 and call.op.name.startswith("gather_rows")
    return data.nbytes // len(data) * call.constants["batch"] if gathers and len(data) else data.nbytes


def _of_peak(row: Row) -> str:
    """The share of the peak that a call reaches; more than a cache can explain is not put into digits."""
    if not row.bound:
        return ""
    return f"{row.share_of_peak:.0%}" if row.share_of_peak <= MOST_SHARE else f">{MOST_SHARE:.0%}"


def time_text(seconds: float) -> str:
    """1.234 ms."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
