"""How long each call of a training step takes, and how much it computes and moves. Floor 5."""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastnn.engine.listing import call_text, names_of
from fastnn.engine.program import Program, Schedule
from fastnn.training import adapter, data

PRODUCTS = ("matmul", "matmul_nt", "matmul_tn", "dense")


@dataclass(frozen=True)
class Row:
    """One call: its text, its layer, seconds, floating-point operations (matrix products only), bytes in and out."""
    text: str
    layer: str
    seconds: float
    flops: float
    bytes: int


@dataclass(frozen=True)
class Profile:
    """The calls of one step with their times. `step_seconds`: the whole step, as `fit` runs it; the rows are timed one
    by one, with their operands in cache, so that their sum differs a little."""
    name: str
    rows: tuple[Row, ...]
    step_seconds: float

    def __str__(self) -> str:
        total = sum(row.seconds for row in self.rows) or 1.0
        lines = [f"{self.name}: {_time(self.step_seconds)} a step; {_time(total)} as the sum of its calls",
                 f"{'time':>9} {'share':>6} {'GFLOP/s':>8} {'GB/s':>7}  call"]
        width = max(len(row.text) for row in self.rows)
        for row in self.rows:
            flops = f"{row.flops / row.seconds / 1e9:8.1f}" if row.flops else " " * 8
            lines.append(f"{_time(row.seconds):>9} {row.seconds / total:6.1%} {flops} "
                         f"{row.bytes / row.seconds / 1e9:7.1f}  {row.text:<{width}}  {row.layer}".rstrip())
        return "\n".join(lines)

    def by_layer(self) -> dict[str, float]:
        """{layer: seconds}; '' stands for data, loss, metrics and optimizer."""
        found: dict[str, float] = {}
        for row in self.rows:
            found[row.layer] = found.get(row.layer, 0.0) + row.seconds
        return found

    def plot(self, path: str | Path | None = None) -> Any:
        """A bar per call, longest at the top; saved to `path` where given. Returns the matplotlib figure."""
        from matplotlib.figure import Figure
        rows = sorted(self.rows, key=lambda row: row.seconds)[-20:]
        figure = Figure(figsize=(9, 0.3 * len(rows) + 1.2), layout="constrained")
        axes = figure.add_subplot()
        axes.barh([row.text if len(row.text) < 60 else row.text[:59] + "…" for row in rows],
                  [row.seconds * 1e6 for row in rows], color="#0072B2")
        axes.set_xlabel("microseconds")
        axes.set_title(f"{self.name}: {_time(self.step_seconds)} a step")
        axes.grid(axis="x", alpha=0.4)
        axes.set_axisbelow(True)
        if path is not None:
            figure.savefig(path)
        return figure


def profile(model: Any, x: Any, y: Any, batch_size: int = 32, seconds: float = 0.5) -> Profile:
    """Time every call of a compiled model's training step on (x, y), for about `seconds` in all.

    Weights, slots, counters and metrics are afterwards what they were. Raises as fit does for wrong data.
    """
    model._ready("profile()")
    batch = data.whole(batch_size, "profile(): batch_size")
    with model._working("profile()"):
        arrays = adapter.adapt(model, x, y, None, "profile()")
        feed = model._steps.feed("train", arrays)
        batch = min(batch, feed.count)
        model.optimizer.build(list(model.trainable_weights))
        state = [(tensor, tensor.data.copy()) for tensor in model._steps.state()]
        try:
            begin, _ = model._steps.begin(feed, False)
            begin.run()
            program, _ = model._steps.step("train", feed, batch)
            step = _seconds_of(program, begin, feed.count // batch, seconds / 2)
            begin.run()
            rows = tuple(_row(program, call, seconds / 2 / len(program)) for call in program.calls)
        finally:
            for tensor, copy in state:
                tensor.data[...] = copy
            feed.unload()
            program.bind()
    return Profile(program.name, rows, step)


def _seconds_of(program: Program, begin: Program, steps: int, budget: float) -> float:
    """The fastest of several passes over the full batches, per step."""
    best, end = math.inf, time.perf_counter() + budget
    rounds = max(1, 100 // steps)       # enough for the way from Python to C not to count
    while best == math.inf or time.perf_counter() < end:
        start = time.perf_counter()
        Schedule([(begin, 1), (program, steps)], rounds).run()
        best = min(best, (time.perf_counter() - start) / (rounds * steps))
    return best


def _row(program: Program, call: Any, budget: float) -> Row:
    """One call alone, over and over; what it updates is put back."""
    alone = Program([call], keep=() if call.op.updates else call.outputs)
    kept = [(t, t.data.copy()) for t in call.outputs] if call.op.updates else []
    times, spent = 1, 0.0
    while True:
        schedule = Schedule([(alone, times)])
        begin = time.perf_counter()
        schedule.run()
        spent = time.perf_counter() - begin
        if spent > budget / 2 or times >= 1_000_000:
            break
        times *= 4
    for tensor, copy in kept:
        tensor.data[...] = copy
    flops = 0.0
    if call.op.name in PRODUCTS:
        flops = 2 * math.sqrt(call.inputs[0].data.size * call.inputs[1].data.size * call.outputs[0].data.size)
    moved = sum(t.data.nbytes for t in call.outputs)
    moved += sum(t.data.nbytes for t in call.inputs if call.op.name != "gather_rows")
    if call.op.name == "gather_rows":       # reads as much as it writes, not the whole data set
        moved *= 2
    return Row(call_text(call, names_of(program)), call.layer, spent / times, flops, moved)


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
