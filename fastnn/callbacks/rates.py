"""LearningRateScheduler and ReduceLROnPlateau, which set the learning rate, and SwapEMAWeights. Floor 5."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.arguments import flag, number, whole
from fastnn.callbacks.base import Callback, Logs
from fastnn.callbacks.monitor import MonitorCallback, verbosity
from fastnn.errors import KindError, shown


def _settable(model: Any, where: str) -> None:
    """KindError where the optimizer follows a schedule, which is part of the recorded step."""
    if model.optimizer.schedule is not None:
        raise KindError(f"{where}: the learning rate of {model.optimizer.name} follows "
                         f"{type(model.optimizer.schedule).__name__}; needs a number.\nUse the schedule or the "
                         "callback.")


class LearningRateScheduler(Callback):
    """Before each epoch: learning rate = schedule(epoch, learning rate so far), or schedule(epoch).

    epoch counts from 0. `learning_rate` enters the logs and so the history. verbose=1 prints what was set. ValueError
    where the optimizer has a schedule of its own, TypeError for what is no number.
    Source: keras.callbacks.LearningRateScheduler.

    >>> slower = LearningRateScheduler(lambda epoch, rate: rate if epoch < 10 else rate * 0.9)
    >>> history = model.fit(x, y, epochs=12, verbose=0, callbacks=[slower])
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        if not callable(schedule):
            raise KindError(f"LearningRateScheduler: schedule is {shown(schedule)}; needs a function.\nOne of (epoch, "
                            "rate) that gives the rate of the epoch.")
        self.schedule = schedule
        self.verbose = verbosity(verbose, "LearningRateScheduler")
        self._takes_rate = True
        try:
            inspect.signature(schedule).bind(0, 0.1)
        except TypeError:
            self._takes_rate = False
        except ValueError:
            pass        # a built-in without a signature

    def on_train_begin(self, logs: Logs = None) -> None:
        _settable(self.model, "LearningRateScheduler")

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        rate = self.schedule(epoch, float(optimizer.learning_rate)) if self._takes_rate else self.schedule(epoch)
        optimizer.learning_rate = number(rate, f"LearningRateScheduler: what schedule gives for epoch {epoch}", 0)
        if self.verbose:
            print(f"LearningRateScheduler: epoch {epoch + 1}: learning rate {float(rate):.4g}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class ReduceLROnPlateau(MonitorCallback):
    """Multiply the learning rate by `factor` when `monitor` has not improved by min_delta for `patience` epochs.

    cooldown: epochs after that in which nothing is counted. min_lr: it does not go below. `learning_rate`, the one of
    the epoch, enters the logs. ValueError where factor is not in (0, 1), or the optimizer has a schedule of its own.
    Source: keras.callbacks.ReduceLROnPlateau.

    >>> slower = ReduceLROnPlateau("val_loss", factor=0.5, patience=3)
    >>> history = model.fit(x, y, validation_split=0.25, epochs=9, verbose=0, callbacks=[slower])
    """

    def __init__(self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10, verbose: int = 0,
                 mode: str = "auto", min_delta: float = 1e-4, cooldown: int = 0, min_lr: float = 0.0) -> None:
        super().__init__(monitor, mode, min_delta)
        self.factor = number(factor, "ReduceLROnPlateau: factor", 0, 1, above=True, below=True)
        self.patience = whole(patience, "ReduceLROnPlateau: patience", 0)
        self.verbose = verbosity(verbose, "ReduceLROnPlateau")
        self.cooldown = whole(cooldown, "ReduceLROnPlateau: cooldown", 0)
        self.min_lr = number(min_lr, "ReduceLROnPlateau: min_lr", 0)
        self._reset()

    def _reset(self) -> None:
        self.best: float | None = None
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        _settable(self.model, "ReduceLROnPlateau")
        super().on_train_begin(logs)
        self._reset()

    def in_cooldown(self) -> bool:
        """Whether the last reduction is so fresh that nothing is counted."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        rate = float(self.model.optimizer.learning_rate)
        if logs is not None:
            logs["learning_rate"] = rate
        value = self.value(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improved(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and rate > np.float32(self.min_lr):
                self.model.optimizer.learning_rate = new = max(rate * self.factor, self.min_lr)
                self.cooldown_counter, self.wait = self.cooldown, 0
                if self.verbose:
                    print(f"ReduceLROnPlateau: epoch {epoch + 1}: learning rate {new:.4g}.")


class SwapEMAWeights(Callback):
    """Evaluate with the averages of the weights, which the optimizer keeps with use_ema=True; train with the weights.

    swap_on_epoch: the averages are in the model at the end of an epoch too, so that a ModelCheckpoint after this one
    saves them. After fit the model has the averages. ValueError for an optimizer without them.
    Source: keras.callbacks.SwapEMAWeights.

    >>> model.compile(optimizers.Adam(use_ema=True), "mse")
    >>> model.fit(x, y, validation_split=0.2, callbacks=[SwapEMAWeights()])
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = flag(swap_on_epoch, "SwapEMAWeights: swap_on_epoch")
        self._swapped = False

    def _swap(self, swapped: bool) -> None:
        """Let the averages be in the model, or the weights, if they are not yet; neither before the first step."""
        optimizer = self.model.optimizer
        if not optimizer.use_ema:
            raise ValueError(f"SwapEMAWeights: {optimizer.name} keeps no averages of the weights; needs use_ema=True.")
        if swapped == self._swapped or optimizer.block is None:
            return
        weights, averages = optimizer.block.flat.data, optimizer.slot_blocks["average"].flat.data
        kept = weights.copy()
        weights[...] = averages
        averages[...] = kept
        self._swapped = swapped

    def on_train_begin(self, logs: Logs = None) -> None:
        self._swap(False)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._swap(self.swap_on_epoch)

    def _ended(self, run: Any) -> None:
        """The end of the fit makes the averages the weights, which they are where they have been swapped."""
        if self._swapped:
            optimizer = self.model.optimizer
            optimizer.slot_blocks["average"].flat.data[...] = optimizer.block.flat.data
            self._swapped = False

    def on_train_end(self, logs: Logs = None) -> None:
        self._swap(False)       # interrupted

    def on_test_begin(self, logs: Logs = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: Logs = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._swap(False)
