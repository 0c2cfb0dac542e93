"""MonitorCallback: the base of callbacks that watch a number. Floor 5."""

import math
from collections.abc import Mapping
from typing import Any

from fastnn.arguments import choice, number, text, whole
from fastnn.callbacks.base import Callback, Logs
from fastnn.errors import shown, warn
from fastnn.reporting.direction import direction


def verbosity(verbose: Any, where: str) -> int:
    """How much a callback says; True is 1."""
    return whole(int(verbose) if isinstance(verbose, bool) else verbose, f"{where}: verbose", 0)


class MonitorCallback(Callback):
    """Base of callbacks that watch one number: `value` finds it in the logs, `improved` compares it.

    mode: "min", "max", or "auto" = by the metric's own direction or else by its name (losses and errors fall,
    accuracies and scores rise). ValueError for other modes, and at the start of fit where auto cannot tell.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0) -> None:
        where = type(self).__name__
        self.monitor = text(monitor, f"{where}: monitor", "val_loss")
        self.mode = choice(mode, f"{where}: mode", ("auto", "min", "max"))
        self.min_delta = abs(number(min_delta, f"{where}: min_delta"))
        self.rising = self.mode == "max"
        self._seen = self._warned = False

    def on_train_begin(self, logs: Logs = None) -> None:
        self._seen = self._warned = False
        self.rising = self._direction() == "max"

    def on_train_end(self, logs: Logs = None) -> None:
        if not self._seen and logs:
            self._warn_missing(logs)

    def value(self, logs: Mapping[str, Any] | None) -> float | None:
        """The monitored number, or None with one warning per fit that lists what there is."""
        logs = logs or {}
        if self.monitor in logs:
            self._seen = True
            return float(logs[self.monitor])
        rare = self.monitor.startswith("val_") and (self.params or {}).get("validation_freq", 1) != 1
        if not self._seen and not rare:
            self._warn_missing(logs)
        return None

    def improved(self, value: float, best: float | None) -> bool:
        """Whether value is better than best by more than min_delta; NaN never is, and everything beats NaN or None."""
        if math.isnan(value):
            return False
        if best is None or math.isnan(best):
            return True
        return value - self.min_delta > best if self.rising else value + self.min_delta < best

    def _warn_missing(self, logs: Mapping[str, Any]) -> None:
        if not self._warned:
            self._warned = True
            hint = " Pass validation_data or validation_split to fit." if self.monitor.startswith("val_") and not any(
                name.startswith("val_") for name in logs) else ""
            warn(f"{type(self).__name__}: {self.monitor!r} is not in the logs, so nothing is watched; there "
                 f"are {', '.join(sorted(logs)) or 'none'}.{hint}")

    def _direction(self) -> str:
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        for metric in getattr(self.model, "metrics", ()):
            if getattr(metric, "name", None) == name and getattr(metric, "_direction", None) in ("up", "down"):
                return "max" if metric._direction == "up" else "min"
        if mode := direction(name):
            return mode
        raise ValueError(f"{type(self).__name__}: cannot tell whether {shown(self.monitor)} should rise or fall; "
                         "needs mode='max' or mode='min'.\nIf the name is mistyped, mend monitor.")
