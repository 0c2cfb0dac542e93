"""Progbar: the bar of fit for loops of one's own. Floor 5."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastnn.arguments import optional, text, whole
from fastnn.reporting.progress import Progress


class Progbar:
    """A bar that is redrawn as steps are done: Progbar(100), then update(1), update(2), … or add(1).

    target: how many steps, None where nobody knows. values: (name, number) pairs, averaged over the steps since the
    beginning, arrays by their means, but for the names in stateful_metrics, which are shown as they are; or, the other
    way round, only those in stateless_metrics are averaged. verbose: 0 silent, 1 a bar, 2 one
    line at the end. width is accepted for Keras' sake: a bar is as wide as there is room. Source: keras.utils.Progbar.

    >>> bar = Progbar(10)
    >>> for step in range(10): bar.update(step + 1, [("loss", 0.5)])
    """

    def __init__(self, target: int | None, width: int = 20, verbose: int = 1, interval: float = 0.05,
                 stateful_metrics: Iterable[str] | None = None, stateless_metrics: Iterable[str] | None = None,
                 unit_name: str = "step") -> None:
        self.target = optional(whole, target, "Progbar: target", 0)
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError("Progbar: got stateful_metrics and stateless_metrics; needs one of them at most.")
        self.width, self.interval = width, interval
        self.unit_name = text(unit_name, "Progbar: unit_name", "step")
        self.stateful_metrics = None if stateless_metrics is not None else set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._progress = Progress(verbose, 1, self.target, title=False, unit=self.unit_name)
        self.verbose = self._progress.verbose
        self.seen = 0
        self._sums: dict[str, tuple[float, float]] = {}     # Σ value · steps, Σ steps
        self._began = time.perf_counter()
        self._ended = False
        self._progress.epoch_begin(0)

    def update(self, current: int, values: Sequence[tuple[str, Any]] | None = None,
               finalize: bool | None = None) -> None:
        """`current` steps are done; the line is finished at the target, or with finalize=True."""
        current = whole(current, "Progbar: current", 0)
        steps = max(current - self.seen, 1)
        for name, value in values or ():
            total, count = self._sums.get(name, (0.0, 0.0))
            number = float(np.mean(value))
            averaged = name in (self.stateless_metrics or ()) if self.stateful_metrics is None else (
                name not in self.stateful_metrics)
            self._sums[name] = (total + number * steps, count + steps) if averaged else (number, 1.0)
        self.seen = current
        logs = {name: total / count for name, (total, count) in self._sums.items()}
        if finalize or (finalize is None and self.target is not None and current >= self.target):
            if not self._ended:
                self._ended = True
                self._progress.epoch_end(current, logs)
                self._progress.close()
        else:
            self._ended = False
            self._progress.update(current, logs)

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """n more steps are done."""
        self.update(self.seen + whole(n, "Progbar: n", 0), values)
