"""A fit that is stopped and run again, and what is compared."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastnn
from fastnn import callbacks, layers, ops, optimizers
from tests.golden.common import wave

X, Y = wave(50, 6), wave(50, 2, phase=0.4)
VX, VY = wave(20, 6, phase=0.1), wave(20, 2, phase=0.3)


class Halving(optimizers.schedules.LearningRateSchedule):
    """0.02 / (1 + step / 10)."""

    def __call__(self, step: Any) -> Any:
        return ops.divide(0.02, ops.add(1.0, ops.divide(ops.cast(step, "float32"), 10.0)))


class Counting(callbacks.Callback):
    """A user's own state: a list and a number."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.batches = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.batches += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.losses.append(logs["loss"])


class Stop(Exception):
    """The power goes."""


class Power(callbacks.Callback):
    """Raises after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def get_state(self) -> dict[str, Any]:
        return {}

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if not self.left:
            raise Stop


def network(optimizer: str = "momentum") -> Any:
    fastnn.random.set_seed(11)
    model = fastnn.Sequential([fastnn.Input((6,)), layers.Dense(8, activation="relu"), layers.BatchNormalization(),
                               layers.Dropout(0.3), layers.Dense(2)])
    made = {"momentum": lambda: optimizers.SGD(Halving(), momentum=0.9), "adam": lambda: optimizers.Adam(0.01),
            "rmsprop": lambda: optimizers.RMSprop(0.003),
            "muon": lambda: optimizers.Muon(0.01), "lamb": lambda: optimizers.Lamb(0.01),
            "averaged": lambda: optimizers.SGD(Halving(), momentum=0.9, use_ema=True, ema_momentum=0.9,
                                               ema_overwrite_frequency=5, gradient_accumulation_steps=2)}[optimizer]()
    model.compile(made, "mse", metrics=["mae"])
    return model


def watchers() -> list[Any]:
    return [callbacks.EarlyStopping(patience=3, restore_best_weights=True), Counting()]


def run(folder: Path, power: int = 0, save_freq: Any = "epoch", optimizer: str = "momentum", epochs: int = 6,
        fit: Callable[..., Any] | None = None) -> tuple[Any, Any, list[Any]]:
    """(model, history, callbacks) of a program that is run from its first line."""
    model, heard = network(optimizer), watchers()
    if optimizer in ("adam", "rmsprop"):
        heard.append(callbacks.ReduceLROnPlateau("loss", patience=1, factor=0.5, min_delta=0.05))
    backup = callbacks.BackupAndRestore(folder, save_freq=save_freq, delete_checkpoint=False)
    every = [backup, *heard, *([Power(power)] if power else [])]
    if fit is None:
        history = model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, validation_data=(VX, VY), callbacks=every)
    else:
        history = fit(model, epochs, every)
    return model, history, heard
