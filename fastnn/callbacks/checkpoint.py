"""Callbacks that write files of the model: ModelCheckpoint, and BackupAndRestore, which resumes a fit. Floor 5."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.arguments import flag, frequency, number, optional, path
from fastnn.callbacks.base import Callback, Logs
from fastnn.callbacks.monitor import MonitorCallback, verbosity
from fastnn.errors import ModelFileError, shown, warn


class ModelCheckpoint(MonitorCallback):
    """Save the model, or with save_weights_only its weights, at the end of each epoch or every `save_freq` steps.

    filepath: may have fields, which the logs fill in: "{epoch:02d}-{val_loss:.2f}.keras" (epoch and batch count from
    1); folders that are missing are made. save_best_only: only where `monitor` is better than ever before, or than
    initial_value_threshold. Between n steps no Python runs, save_freq=n. A file is whole or not there, whatever stops
    the program. `best` and `latest`, the last file, can be read.
    Source: keras.callbacks.ModelCheckpoint.

    >>> model.fit(x, y, validation_split=0.2,
    ...           callbacks=[ModelCheckpoint("best.fnn", save_best_only=True)])
    """

    def __init__(self, filepath: Any, monitor: str = "val_loss", verbose: int = 0, save_best_only: bool = False,
                 save_weights_only: bool = False, mode: str = "auto", save_freq: Any = "epoch",
                 initial_value_threshold: float | None = None) -> None:
        super().__init__(monitor, mode)
        self.filepath = path(filepath, "ModelCheckpoint: filepath", "model.fnn")
        self.verbose = verbosity(verbose, "ModelCheckpoint")
        self.save_best_only = flag(save_best_only, "ModelCheckpoint: save_best_only")
        self.save_weights_only = flag(save_weights_only, "ModelCheckpoint: save_weights_only")
        self.save_freq = frequency(save_freq, "ModelCheckpoint: save_freq")
        self.initial_value_threshold = optional(number, initial_value_threshold,
                                                "ModelCheckpoint: initial_value_threshold")
        self.stride = 0 if self.save_freq == "epoch" else self.save_freq
        self.best: float | None = self.initial_value_threshold
        self.latest = ""
        self._epoch = 0

    def _direction(self) -> str:
        return super()._direction() if self.save_best_only else "min"

    def _warn_missing(self, logs: Mapping[str, Any]) -> None:
        if self.save_best_only:
            super()._warn_missing(logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._look({**(logs or {}), "epoch": self._epoch + 1, "batch": batch + 1})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._look({**(logs or {}), "epoch": epoch + 1})

    def _look(self, logs: dict[str, Any]) -> None:
        name = self._name(logs)
        why = f"epoch {logs['epoch']}"
        if self.save_best_only:
            if np.ndim(logs.get(self.monitor, 0)):
                self._seen = True
                warn(f"ModelCheckpoint: {self.monitor!r} has several values, so each model is saved.")
            elif (value := self.value(logs)) is not None:
                if not self.improved(value, self.best):
                    return self._say(f"{why}: {self.monitor} {value:.4g} is not better than {self.best or 0:.4g}.")
                why += f": {self.monitor} {value:.4g} is the best so far"
                self.best = value
        folder = os.path.dirname(name)
        if folder:
            os.makedirs(folder, exist_ok=True)
        (self.model.save_weights if self.save_weights_only else self.model.save)(name, overwrite=True)
        self.latest = name
        return self._say(f"{why}; saved {name}.")

    def _name(self, logs: dict[str, Any]) -> str:
        try:
            return self.filepath.format(**logs)
        except (KeyError, IndexError) as error:
            raise KeyError(f"ModelCheckpoint: filepath has the field {shown(error.args[0])}; there are "
                           f"{', '.join(sorted(logs))}.") from None

    def _say(self, text: str) -> None:
        if self.verbose:
            print(f"ModelCheckpoint: {text}")


class BackupAndRestore(Callback):
    """Keep the whole fit in a folder, every epoch or `save_freq` steps; a new fit with it goes on where that one was.

    The resumed fit has the bits of one that never stopped: weights, optimizer, shuffled order, dropout, metrics,
    history, and the state of the callbacks (Callback.get_state). Write the program so that it can be run again: the
    same model, data and callbacks. A generator or iterable is asked again for the batches that were trained on already.
    At the end of a whole fit the folder goes, unless delete_checkpoint=False. double_checkpoint: the backup before the
    last is kept too, for when the last is damaged.
    Source: keras.callbacks.BackupAndRestore (which begins the epoch anew).

    >>> model.fit(x, y, epochs=100, callbacks=[BackupAndRestore("backup")])
    """
    NAME = "latest.fnn"

    def __init__(self, backup_dir: Any, save_freq: Any = "epoch", double_checkpoint: bool = False,
                 delete_checkpoint: bool = True) -> None:
        self.backup_dir = path(backup_dir, "BackupAndRestore: backup_dir", "backup")
        self.save_freq = frequency(save_freq, "BackupAndRestore: save_freq")
        self.double_checkpoint = flag(double_checkpoint, "BackupAndRestore: double_checkpoint")
        self.delete_checkpoint = flag(delete_checkpoint, "BackupAndRestore: delete_checkpoint")
        self.stride = 0 if self.save_freq == "epoch" else self.save_freq
        self._due = False
        self._began: list[Any] = []

    @property
    def path(self) -> Path:
        """The file of the last backup."""
        return Path(self.backup_dir) / self.NAME

    @property
    def previous(self) -> Path:
        """That of the one before."""
        return self.path.with_suffix(".previous.fnn")

    def get_state(self) -> dict[str, Any]:
        """Nothing: it writes the others'."""
        return {}

    def _resume(self, run: Any) -> None:
        from fastnn.saving.backup import callback_states, read_backup
        self._due = False
        self._began = callback_states(run)
        if not self.path.exists() and not self.previous.exists():
            return
        if not self.model.built:
            raise ValueError(f"BackupAndRestore: {self.model.name} has no weights yet; needs an Input, or a call of "
                             "the model on a batch before fit.")
        try:
            read_backup(self.path if self.path.exists() else self.previous, run)
        except ModelFileError as error:
            if not self.previous.exists():
                raise
            warn(f"BackupAndRestore: {error}\nThe fit goes on from the backup before it.")
            read_backup(self.previous, run)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._due = True

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._due |= self.save_freq == "epoch"

    def _keep(self, run: Any, middle: bool) -> None:
        from fastnn.saving.backup import write_backup
        if not self._due:
            return
        self._due = False
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and self.path.exists():
            os.replace(self.path, self.previous)
        write_backup(self.path, run, middle, self._began)

    def on_train_end(self, logs: Logs = None) -> None:
        if self.delete_checkpoint and not self.model.history.interrupted:
            shutil.rmtree(self.backup_dir, ignore_errors=True)
