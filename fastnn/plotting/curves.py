"""Curves: losses and metrics over the epochs, learning rates over the steps."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.errors import shown
from fastnn.plotting._figure import BLUE, COLOURS, ORANGE, SKY, VERMILION, Path_, axes_of, new_figure, saved, style
from fastnn.plotting._kinds import Axes, Figure

__all__ = ["learning_rate_curve", "loss_curves"]

_AROUND = re.compile(r"^val_(.+)$|^train_(.+)_end$")     # what fit puts around the name of a metric
WORDS = {"acc": "accuracy", "mae": "mean absolute error", "mse": "mean squared error", "r2_score": "R²", "auc": "AUC"}


def loss_curves(history: Any, path: Path_ | None = None, ax: "Axes | None" = None) -> "Figure":
    """Every measured quantity over the epochs, training and validation in one panel, the lowest val_loss marked.

    history: what `fit` returned, or its dict of lists; or several to compare, as a list or as {name: history}: each has
    a colour then. ax: draw the losses there, and nothing else. Epochs count from 1; a dotted line shows where another
    fit began, a red area where a run was no longer finite. Returns the Figure. ValueError where nothing was measured.
    Source: study guide, chapters 26 and 54.
    """
    runs = _runs(history)
    names = list(dict.fromkeys(_AROUND.sub(r"\1\2", name) for columns, _ in runs.values() for name in columns))
    names.sort(key=lambda name: (name != "loss", name))
    if not names:
        raise ValueError(f"loss_curves: {shown(history)} holds no numbers; fit for at least one epoch first.")
    if ax is not None:
        _panel(ax, "loss" if "loss" in names else names[0], runs)
        return saved(ax.figure, path)
    wide = min(len(names), 3)
    deep = -(-len(names) // wide)
    figure = new_figure(max(6.4, 4.6 * wide), 4.0 * deep)
    for place, name in enumerate(names):
        _panel(figure.add_subplot(deep, wide, place + 1), name, runs)
    return saved(figure, path)


Runs = Mapping[str, tuple[dict[str, np.ndarray], Sequence[int]]]


def _runs(history: Any) -> Runs:
    """{name of the run: (its columns, where in it other fits began)}; one run alone has no name."""
    several = history
    if isinstance(history, (list, tuple)) and history:
        several = {f"run {i}": run for i, run in enumerate(history, 1)}
    elif not (isinstance(history, Mapping) and history and all(isinstance(run, Mapping) or hasattr(run, "history")
                                                               for run in history.values())):
        several = {"": history}
    return {str(name): (_columns(run), getattr(run, "runs", [])[1:]) for name, run in several.items()}


def _columns(history: Any) -> dict[str, np.ndarray]:
    """{name: one number per epoch, NaN where it was not measured}."""
    record = getattr(history, "history", history)
    if not isinstance(record, Mapping):
        raise TypeError(f"loss_curves: got {shown(history)}; needs the History that fit returned, or its dict.")
    found = {}
    for name in record:
        values = np.array(history.column(name) if hasattr(history, "column") else record[name], dtype=object)
        if values.ndim == 1 and len(values) and all(v is None or np.ndim(v) == 0 for v in values):
            found[name] = np.array([np.nan if v is None else float(v) for v in values])
    return found


def _panel(ax: Any, name: str, runs: Runs) -> None:
    from matplotlib.ticker import MaxNLocator
    words = WORDS.get(name, name.replace("_", " "))
    alone = not any(f"val_{name}" in columns or f"train_{name}_end" in columns for columns, _ in runs.values())
    lost: dict[str, tuple[int, int]] = {}       # {run: (the epoch from which on it is not finite, its last)}
    for place, (title, (columns, begins)) in enumerate(runs.items()):
        colours = (COLOURS[place % len(COLOURS)],) * 2 if title else (BLUE, ORANGE)
        for key, kind, colour, line, marker in ((name, "training", colours[0], "-", "o"),
                                                (f"train_{name}_end", "training, evaluated", SKY, "-.", "^"),
                                                (f"val_{name}", "validation", colours[1], "--", "s")):
            values = columns.get(key)
            if values is None:
                continue
            epochs = np.arange(1, len(values) + 1)
            measured = np.isfinite(values)
            if key == name and len(values) and not measured[-1]:
                lost[title] = (int(np.flatnonzero(measured)[-1]) + 2 if measured.any() else 1, len(values))
            few = int(measured.sum()) <= 20
            ax.plot(epochs[measured], values[measured], line, color=colour, linewidth=1.8, markersize=4,
                    label=kind if not title else title if alone else f"{title}, {kind}", marker=marker if few else None)
            if key == "val_loss" and measured.sum() > 2 and not title:
                best = int(np.nanargmin(np.where(measured, values, np.nan)))
                ax.plot(epochs[best], values[best], "*", color="black", markersize=10, linestyle="none",
                        label=f"lowest: {values[best]:.3g}, epoch {epochs[best]}")
        for begin in begins:
            ax.axvline(begin + 0.5, color="#888888", linestyle=":", linewidth=1)
    if lost and not any(np.isfinite(line.get_ydata()).any() for line in ax.lines):
        ax.set_yticks([])
    for place, (title, (first, last)) in enumerate(lost.items()):
        ax.axvspan(first - 0.5, last + 0.5, color=VERMILION, alpha=0.12, linewidth=0)
        ax.text(0.98, 0.5 - 0.08 * place, f"{title}: no finite number from epoch {first} on".removeprefix(": "),
                transform=ax.transAxes, ha="right", color=VERMILION)
    style(ax, words[:1].upper() + words[1:], "epoch", words)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    if ax.lines:
        ax.legend(frameon=False)


def learning_rate_curve(rates: TensorLike, path: Path_ | None = None, ax: "Axes | None" = None,
                        title: str = "Learning rate") -> "Figure":
    """The learning rate over the steps: rates, one for each step. Returns the Figure."""
    figure, ax = axes_of(ax, 6.4, 4.0)
    ax.plot(np.asarray(rates), color=BLUE, linewidth=1.8)
    style(ax, title, "step", "learning rate")
    ax.set_ylim(bottom=0)
    return saved(figure, path)
