"""Progress: what fit, evaluate and predict print, in Keras' form. Floor 4; imports screen and the error helpers."""

import contextlib
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fastnn.arguments import whole
from fastnn.errors import nearest, shown
from fastnn.reporting.interactive import Log, is_interactive_logging_enabled
from fastnn.reporting.terminal import Notebook, Plain, Terminal, Text, in_notebook, is_terminal

WIDTHS = (20, 15, 10, 5)        # characters of a bar, by the room there is
FAST = 0.02     # seconds of an epoch from which on each has a bar of its own
FEW = 20        # epochs that have one however fast they are

Logs = Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None


@dataclass(frozen=True, repr=False)
class Every:
    """fit(verbose=Every(100)): one line every 100 epochs, and one for the last."""
    epochs: int

    def __post_init__(self) -> None:
        whole(self.epochs, "Every: epochs")

    def __repr__(self) -> str:
        return f"Every({self.epochs})"


Verbose = bool | int | Literal["auto", "epochs"] | Every


def checked_verbose(verbose: Any) -> str:
    """'silent', 'bar', 'line', 'run', 'every' or 'auto' for what `verbose` asks, or ValueError naming the choices."""
    if isinstance(verbose, Every):
        return "every"
    if isinstance(verbose, str) and verbose in ("auto", "epochs"):
        return "run" if verbose == "epochs" else "auto"
    with contextlib.suppress(TypeError, ValueError):
        return ("silent", "bar", "line")[whole(int(verbose) if isinstance(verbose, bool) else verbose, "verbose", 0, 3)]
    hint = f" ({nearest(verbose, ('auto', 'epochs'))})" if isinstance(verbose, str) else ""
    raise ValueError(f"verbose: got {shown(verbose)}{hint}; needs 0 (silent), 1 (bar), 2 (a line per epoch), 'auto',\n"
                     "'epochs' (one bar for the run) or fastnn.Every(k).")


class Progress:
    """The printed side of a run: epoch_begin, update as often as you like, epoch_end, …, close.

    verbose: 0 silent; 1 a bar per epoch; 2 a line per epoch; 'epochs' one bar for the run; Every(k) a line every k
    epochs; 'auto' a bar in a terminal or a notebook, one for the rest of the run once an epoch took less than 20 ms,
    else lines. Where nothing can be redrawn bars become lines.
    total_steps: steps per epoch, None if not known. stream: sys.stdout unless given. title: whether epochs are named.
    unit: what is counted.
    logs may be a function, which is only called when something is printed. `verbose` is 0, 1 or 2 afterwards.
    """

    def __init__(self, verbose: Any = "auto", epochs: int = 1, total_steps: int | None = None, stream: Any = None, *,
                 title: bool = True, unit: str = "step", clock: Callable[[], float] = time.perf_counter) -> None:
        mode = checked_verbose(verbose)
        self._every = verbose.epochs if isinstance(verbose, Every) else 0
        self._screen: Plain | Notebook
        if stream is None and not is_interactive_logging_enabled():
            self._screen = Log()
        elif mode not in ("silent", "line", "every") and stream is None and in_notebook():
            self._screen = Notebook()
        else:
            stream = sys.stdout if stream is None else stream
            bars = mode in ("auto", "bar", "run") and is_terminal(stream)
            self._screen = Terminal(stream) if bars else Plain(stream)
        self._may_join = mode == "auto" and self._screen.live
        if mode in ("auto", "bar"):
            mode = "bar" if self._screen.live else "line"
        self.mode, self.epochs, self.total = mode, epochs, total_steps
        self.verbose = {"silent": 0, "bar": 1, "run": 1}.get(mode, 2)
        self.unit = unit
        self._titled = title and epochs > 1
        self._clock = clock
        self._drawn = self._began = float("-inf")
        self._run_began = 0.0
        self._first: int | None = None
        self._epoch = 0
        self._done: float = 0       # epochs of the run, in mode 'run'
        self._pending: Text | None = None
        self._logs: Mapping[str, Any] = {}

    def quiet_epochs(self, epoch: int) -> int:
        """How many epochs, from `epoch` on, may run before the next one that must be reported."""
        left = max(self.epochs - epoch, 0)
        if self.mode == "silent":
            return left
        if self.mode == "every":
            return max(min(self._every - 1 - epoch % self._every, left - 1), 0)
        if self.mode == "run" and self._done > (self._first or 0):      # as many as run between two looks
            each = (self._clock() - self._run_began) / (self._done - (self._first or 0))
            return max(min(int(0.1 / max(each, 1e-9)), left - 1), 0)
        return 0

    def epoch_begin(self, epoch: int) -> None:
        """An epoch begins; `epoch` counts from 0."""
        self._epoch, self._began = epoch, self._clock()
        if self._first is None:
            self._first, self._run_began = epoch, self._began
        if self.mode == "bar" and self._titled:
            self._screen.line([(f"Epoch {epoch + 1}/{self.epochs}", "")])

    def update(self, step: int, logs: Logs = None) -> None:
        """`step` steps of the epoch are done. Redraws a bar if the last time is long enough ago."""
        if not self._due():
            return
        now = self._clock()
        if self.mode == "bar":
            each = (now - self._began) / max(step, 1)
            left = None if not self.total else each * (self.total - step)
            self._screen.draw(self._bar(step, self.total, self.unit, each, now - self._began, left, logs))
        else:
            self._done = self._epoch + (min(step / self.total, 1) if self.total else 0)
            self._draw_run(logs)

    def testing(self, step: int, logs: Mapping[str, Any], seconds: float, total: int | None) -> "Testing":
        """What draws while the epoch, which took so many seconds, is followed by an evaluation of `total` steps."""
        return Testing(self, step, logs, seconds, total)

    def tested(self, testing: "Testing", done: int) -> None:
        """So many steps of an evaluation are done."""
        if self.mode == "bar" and self._due():
            each = testing.seconds / max(testing.step, 1)
            note = f" - evaluating {done}/{testing.total or 'Unknown'}"
            total = self.total or testing.step
            self._screen.draw(self._bar(testing.step, total, self.unit, each, testing.seconds, None, testing.logs,
                                        note))

    def epoch_end(self, step: int, logs: Logs = None, seconds: float | None = None) -> None:
        """The epoch has ended after so many steps; `seconds` it took, as measured here unless given."""
        if self.mode == "silent":
            return
        seconds = self._clock() - self._began if seconds is None else seconds
        self.total = self.total or step
        each = seconds / max(step, 1)
        if self.mode == "bar":
            self._screen.line(self._bar(step, self.total, self.unit, each, seconds, None, logs))
            if isinstance(self._screen, Notebook) and self._due():
                self._screen.draw([])
            if self._may_join and seconds < FAST and self.epochs - self._epoch > FEW:
                self.mode, self._first, self._run_began = "run", self._epoch + 1, self._clock()
                self._done = self._first
        elif self.mode == "run":
            self._done = self._epoch + 1
            self._logs = _values(logs)
            if self._due():
                self._draw_run(self._logs)
        else:
            title = f"Epoch {self._epoch + 1}/{self.epochs} - " if self._titled else ""
            self._pending = [(f"{title}{_count(step, self.total)} - {seconds:.0f}s - {duration(each)}/{self.unit}"
                              + _shown_logs(logs), "")]
            if self.mode == "line" or (self._epoch + 1) % self._every == 0 or self._epoch + 1 == self.epochs:
                self._flush()

    def close(self) -> None:
        """The run has ended, however it did; prints what is still to be printed."""
        self._flush()
        if self.mode == "run" and self._first is not None and self._done > self._first:
            elapsed = self._clock() - self._run_began
            each = elapsed / max(self._done - self._first, 1e-9)
            done, self._first = int(self._done), None
            if self._screen.live:
                self._screen.line(self._bar(done, self.epochs, "epoch", each, elapsed, None, self._logs))
            else:
                self._screen.line([(f"{_count(done, self.epochs)} epochs - {elapsed:.0f}s - {duration(each)}/epoch"
                                    + _shown_logs(self._logs), "")])
        if self.mode in ("bar", "run"):
            self._screen.close()

    def note(self, text: str) -> None:
        """A line about the run after its end."""
        if self.mode != "silent":
            self._screen.line([(text, "")])

    def _due(self) -> bool:
        if self.mode not in ("bar", "run") or self._clock() - self._drawn < self._screen.interval:
            return False
        self._drawn = self._clock()
        return self._screen.live

    def _flush(self) -> None:
        if self._pending is not None:
            self._screen.line(self._pending)
            self._pending = None

    def _draw_run(self, logs: Logs) -> None:
        self._logs = _values(logs) or self._logs
        elapsed = self._clock() - self._run_began
        each = elapsed / max(self._done - (self._first or 0), 1e-9)
        self._screen.draw(self._bar(self._done, self.epochs, "epoch", each, elapsed, each * (self.epochs - self._done),
                                    self._logs))

    def _bar(self, done: float, total: int | None, unit: str, each: float, elapsed: float, left: float | None,
             logs: Logs, note: str = "") -> Text:
        """`18/18 ━━━━━━━━━━━━━━━━━━━━ 0s 2ms/step - loss: 0.3123`; the time is what is left, else what has passed.

        Where a line has no room for it the bar shrinks, then the time of a step goes."""
        time_text = f"{elapsed:.0f}s" if left is None else clock_time(left)
        end = _shown_logs(logs) + note
        count = _count(int(done), total) if total else f"{int(done):7d}/Unknown"
        speed = f" {duration(each)}/{unit}"
        spare = self._screen.room - len(count) - len(time_text) - len(end) - 2
        if spare < WIDTHS[-1] + len(speed):
            speed = ""
        width = next((width for width in WIDTHS if width + len(speed) <= spare), WIDTHS[-1]) if total else 0
        full = int(width * min(done / total, 1)) if total else 0
        bar: Text = [(" ", ""), (self._screen.blocks[0] * full, "done"),
                     (self._screen.blocks[1] * (width - full), "rest")] if total else []
        return [(count, "bold"), *bar, (" ", ""), (time_text, "bold"), (speed + end, "")]


@dataclass
class Testing:
    """The place of Progress in an evaluation after an epoch: its steps are drawn behind the epoch's logs."""
    progress: Progress
    step: int
    logs: Mapping[str, Any]
    seconds: float
    total: int | None

    def update(self, done: int, logs: Logs = None) -> None:
        """So many steps are done."""
        self.progress.tested(self, done)

    def epoch_end(self, done: int, logs: Logs = None) -> None:
        """The evaluation has ended; the epoch's line has its logs."""


def duration(seconds: float) -> str:
    """43us, 2ms or 3s: the time of one step, as Keras writes it."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def clock_time(seconds: float) -> str:
    """12s, 1:05 or 2:00:10: the time that is left, as Keras writes it."""
    whole = int(max(seconds, 0))
    if whole > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole > 60 else f"{whole}s"


def number(value: Any) -> str:
    """0.9123, or 1.2345e-04 up to 1e-3 in size; the mean of an array."""
    value = float(np.mean(value))
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def _count(done: int, total: int) -> str:
    return f"{done:{len(str(total))}d}/{total}"


def _values(logs: Logs) -> Mapping[str, Any]:
    return (logs() if callable(logs) else logs) or {}


def _shown_logs(logs: Logs) -> str:
    values = _values(logs)
    return "".join(f" - {name}: {number(values[name])}" for name in sorted(values))
