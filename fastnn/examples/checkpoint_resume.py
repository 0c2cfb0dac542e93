"""Chapters 51 to 55: a training that is stopped, and goes on as if nothing had happened, to the last bit.

A network learns with dropout, shuffled data and Adam, and a backup is kept of every epoch. In the middle of an epoch
the power goes. The program is started again, finds the backup, and ends with the weights of one that was never
stopped. The best model on the way was saved as well.
"""

if __name__ == "__main__":     # python -m fastnn.examples.checkpoint_resume --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import contextlib
import hashlib
import tempfile
from pathlib import Path

import fastnn
from fastnn import Sequential, callbacks, datasets, layers, models, plotting

epochs = 20         # passes over the data
seed = 42           # the same seed gives the same numbers

# %%
(x, y), _ = datasets.digits.load_data(seed=42)


class PowerCut(Exception):
    """What stops the training here; kill -9 would do as well."""


left = 0            # steps until the power goes


def count(batch: int, logs: dict[str, float] | None = None) -> None:
    """One step fewer."""
    global left
    left -= 1
    if left == 0:
        raise PowerCut


def program(folder: Path) -> Sequential:
    """The program, from its first line."""
    fastnn.random.set_seed(seed)
    model = Sequential([layers.Input((8, 8)), layers.Flatten(), layers.Dense(64, activation="relu"),
                        layers.Dropout(0.3), layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    heard = [callbacks.BackupAndRestore(folder / "backup"),
             callbacks.ModelCheckpoint(folder / "best.fnn", save_best_only=True),
             callbacks.LambdaCallback(on_train_batch_end=count)]
    model.fit(x / 16.0, y, epochs=epochs, validation_split=0.2, verbose=0, callbacks=heard)
    return model


# %% [markdown]
# Once without, once with a power cut after five eighths of the steps; then the same program again.

# %%
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    whole = program(folder / "whole")
    steps = int(whole.optimizer.iterations)
    left = cut = max(1, steps * 5 // 8)
    with contextlib.suppress(PowerCut):
        program(folder / "cut")
    resumed = program(folder / "cut")
    best = models.load_model(folder / "cut" / "best.fnn")
stopped = cut * epochs // steps

# %%
def fingerprint(model: Sequential) -> str:
    """SHA-256 of all weights."""
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()


same = fingerprint(whole) == fingerprint(resumed)
lowest = best.evaluate(x[1149:] / 16.0, y[1149:], verbose=0)[0]
print(f"never stopped:           weights {fingerprint(whole)[:16]}…")
print(f"stopped in epoch {stopped + 1:<3}     weights {fingerprint(resumed)[:16]}…")
print("the same bits" if same else "other bits")
print(f"the best model on the way: validation loss {lowest:.4f}, loaded from its file")

# %%
figure = plotting.loss_curves({"never stopped": whole.history, "stopped and resumed": resumed.history})
for ax in figure.axes:
    for line in ax.lines[2:4]:
        line.set(linewidth=5, alpha=0.35)       # the same curve: beside the other it would hide it
    ax.axvline(stopped + 1, color="#555555", linestyle=":")
    ax.text(stopped + 1, ax.get_ylim()[1], " power cut", va="top", color="#555555")
figure
