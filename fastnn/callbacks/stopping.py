"""Callbacks that stop fit: EarlyStopping and TerminateOnNaN. Floor 5."""

import math
from typing import Any

from fastnn.arguments import flag, number, optional, whole
from fastnn.callbacks.base import Callback, Logs
from fastnn.callbacks.monitor import MonitorCallback, verbosity


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
        self.verbose = verbosity(verbose, "EarlyStopping")
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

    on_train_batch_end.only_bad = True  # type: ignore[attr-defined]    # no step needs to wait for it, see CallbackList
