"""Chapters 51 to 55: a training that is stopped, and goes on as if nothing had happened, to the last bit.

A network learns with dropout, shuffled data and Adam, and a backup is kept of every epoch. In the middle of an epoch
the power goes. The program is started again, finds the backup, and ends with the weights of one that was never
stopped. The best model on the way was saved as well.
"""

import contextlib
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import fastnn
from fastnn import callbacks, datasets, models
from fastnn.examples._lesson import lesson, run
from fastnn.layers import Dense, Dropout, Flatten, Input
from fastnn.models import Sequential


class PowerCut(Exception):
    """What stops the training here; kill -9 would do as well."""


class Result(NamedTuple):
    """History and weights (SHA-256) of the whole run and of the one that was stopped; where it was; the best model's
    validation loss."""
    whole: Any
    resumed: Any
    hashes: tuple[str, str]
    stopped: int
    best: float


def program(folder: Path, epochs: int, seed: int, cut: int = 0) -> tuple[Sequential, Any]:
    """The program, from its first line. cut: the step at which the power goes."""
    (x, y), _ = datasets.digits.load_data(seed=42)
    fastnn.random.set_seed(seed)
    model = Sequential([Input((8, 8)), Flatten(), Dense(64, activation="relu"), Dropout(0.3),
                        Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    steps = 0

    def count(batch: int, logs: Any) -> None:
        nonlocal steps
        steps += 1
        if steps == cut:
            raise PowerCut

    heard = [callbacks.BackupAndRestore(folder / "backup"),
             callbacks.ModelCheckpoint(folder / "best.fnn", save_best_only=True),
             *([callbacks.LambdaCallback(on_train_batch_end=count)] if cut else [])]
    return model, model.fit(x / 16.0, y, epochs=epochs, batch_size=32, validation_split=0.2, verbose=0, callbacks=heard)


def train(epochs: int = 20, seed: int = 42) -> Result:
    """The whole run, and the one that is stopped and started again."""
    (x, y), _ = datasets.digits.load_data(seed=42)
    with tempfile.TemporaryDirectory() as name:
        whole, history = program(Path(name) / "whole", epochs, seed)
        steps = int(whole.optimizer.iterations)
        cut = max(1, steps * 5 // 8)
        with contextlib.suppress(PowerCut):
            program(Path(name) / "cut", epochs, seed, cut)
        resumed, again = program(Path(name) / "cut", epochs, seed)
        best = models.load_model(Path(name) / "cut" / "best.fnn")
        held_out = int(len(x) * 0.8)
        found = best.evaluate(x[held_out:] / 16.0, y[held_out:], verbose=0)[0]
    hashes = [hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest() for model in
              (whole, resumed)]
    return Result(history, again, (hashes[0], hashes[1]), cut * epochs // steps, found)


def figure(result: Result) -> Any:
    """Both curves, and where the power went."""
    from fastnn.plotting import loss_curves
    drawn = loss_curves({"never stopped": result.whole, "stopped and resumed": result.resumed})
    for ax in drawn.axes:
        for line in ax.lines[2:4]:
            line.set(linewidth=5, alpha=0.35)       # the same curve: beside the other it would hide it
        ax.axvline(result.stopped + 1, color="#555555", linestyle=":")
        ax.text(result.stopped + 1, ax.get_ylim()[1], " power cut", va="top", color="#555555")
    return drawn


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("checkpoint_resume", __doc__, epochs=20).parse_args(argv)
    result = train(options.epochs, seed=options.seed)
    print(f"never stopped:           weights {result.hashes[0][:16]}…")
    print(f"stopped in epoch {result.stopped + 1:<3}     weights {result.hashes[1][:16]}…")
    print("the same bits" if result.hashes[0] == result.hashes[1] else "other bits")
    print(f"the best model on the way: validation loss {result.best:.4f}, loaded from its file")
    if options.plot:
        from fastnn.plotting._figure import saved
        saved(figure(result), options.plot)
        print(f"The loss of both: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
