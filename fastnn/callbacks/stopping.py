"""Callbacks that stop fit, EarlyStopping and TerminateOnNaN, and the base of those that watch a number. Floor 5."""

import math
import re
import warnings
from collections.abc import Mapping
from typing import Any

from fastnn.arguments import choice, flag, number, optional, text, whole
from fastnn.callbacks.base import Callback, Logs
from fastnn.errors import shown

_RISING = ("acc", "accuracy", "auc", "precision", "recall", "score", "cosine_similarity", "iou", "io_u",
           "true_positives", "true_negatives", "sensitivity", "specificity")
_FALLING = ("loss", "error", "mse", "mae", "mape", "msle", "rmse", "bce", "kld", "crossentropy", "divergence", "hinge",
            "poisson", "log_cosh", "logcosh", "false_positives", "false_negatives")


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
            warnings.warn(f"{type(self).__name__}: {self.monitor!r} is not in the logs, so nothing is watched; there "
                          f"are {', '.join(sorted(logs)) or 'none'}.{hint}", stacklevel=2)

    def _direction(self) -> str:
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        for metric in getattr(self.model, "metrics", ()):
            if getattr(metric, "name", None) == name and getattr(metric, "_direction", None) in ("up", "down"):
                return "max" if metric._direction == "up" else "min"
        stem = "_" + re.sub(r"(_\d+|_end)$", "", name)
        for mode, words in (("max", _RISING), ("min", _FALLING)):
            if any(stem.endswith("_" + word) for word in words):
                return mode
        raise ValueError(f"{type(self).__name__}: cannot tell whether {shown(self.monitor)} should rise or fall; "
                         "needs mode='max' or mode='min'.\nIf the name is mistyped, mend monitor.")


class EarlyStopping(MonitorCallback):
    """Stop fit when `monitor` has not improved by more than min_delta for `patience` epochs.

    baseline: improvements count only once they beat it. restore_best_weights: at the end of fit, whoever ended it, the
    weights of the best epoch come back. start_from_epoch: epochs before it are not looked at. verbose=1 says what was
    done, epochs counted from 1. A monitor that is not in the logs is a warning that lists what is.
    `stopped_epoch`, `best_epoch` (from 0), `best` and `best_weights` can be read afterwards.
    Source: keras.callbacks.EarlyStopping.
    """

    def __init__(self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0, verbose: int = 0,
                 mode: str = "auto", baseline: float | None = None, restore_best_weights: bool = False,
                 start_from_epoch: int = 0) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = whole(patience, "EarlyStopping: patience", 0)
        self.start_from_epoch = whole(start_from_epoch, "EarlyStopping: start_from_epoch", 0)
        self.verbose = whole(int(verbose) if isinstance(verbose, bool) else verbose, "EarlyStopping: verbose", 0)
        self.baseline = optional(number, baseline, "EarlyStopping: baseline")
        self.restore_best_weights = flag(restore_best_weights, "EarlyStopping: restore_best_weights")
        self._reset()

    def _reset(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = self.value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        better = self.improved(value, self.best)
        if better:
            self.best = value
            if self.baseline is None or self.improved(value, self.baseline):
                self.wait = 0
        if better or (self.restore_best_weights and self.best_weights is None):
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
        if not better and self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        super().on_train_end(logs)
        best = f"epoch {self.best_epoch + 1}" + (f" ({self.monitor} {self.best:.4g})" if self.best is not None else "")
        if self.stopped_epoch and self.verbose:
            print(f"EarlyStopping: stopped after epoch {self.stopped_epoch + 1}; the best was {best}.")
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
            if self.verbose:
                print(f"EarlyStopping: the weights of {best} are back.")


class TerminateOnNaN(Callback):
    """Stop fit at the first step whose loss is NaN or infinite.

    raise_error=True: FloatingPointError instead, without calling the other callbacks' on_train_end.
    Source: keras.callbacks.TerminateOnNaN.
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = flag(raise_error, "TerminateOnNaN: raise_error")

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        text = f"TerminateOnNaN: the loss is {float(loss)} at step {batch + 1} of the epoch"
        if self.raise_error:
            raise FloatingPointError(f"{text}; needs a finite loss; try a smaller learning rate.")
        print(f"{text}; training stops.")
        self.model.stop_training = True
