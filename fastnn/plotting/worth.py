"""What a classifier is worth: its ROC curve, and the report of its classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.errors import LabelError, ShapeError
from fastnn.plotting._figure import COLOURS, Path_, axes_of, saved, style
from fastnn.plotting._kinds import Axes, Figure

__all__ = ["classification_report", "roc_curve"]


def roc_curve(curves: Any, threshold: float | None = None, path: Path_ | None = None,
              ax: "Axes | None" = None) -> "Figure":
    """How many positives are found, and how many negatives are taken for positive, at every threshold; with the area.

    curves: (y_true, scores), or several as {name: (y_true, scores)}: y_true (n,) of 0 and 1, scores (n,) or (n, 1), the
    higher the surer. threshold: marked on each curve; what lies above it is called positive. The dotted line is
    guessing. Returns the Figure. ShapeError for different lengths, LabelError for y_true of one class, or of others.
    """
    several = curves if isinstance(curves, Mapping) else {"": curves}
    figure, ax = axes_of(ax, 5.2, 5.0)
    for place, (name, (y_true, scores)) in enumerate(several.items()):
        levels, wrong, right = _points(y_true, scores)
        area = float(np.sum(np.diff(wrong) * (right[1:] + right[:-1]) / 2))
        colour = COLOURS[place % len(COLOURS)]
        ax.plot(wrong, right, color=colour, linewidth=1.8, label=f"{name}, area {area:.3f}".lstrip(", "))
        if threshold is not None:
            at = int(np.sum(levels > threshold)) - 1       # levels fall; the first is above all scores
            ax.plot(wrong[at], right[at], "o", color=colour, markersize=7, markeredgecolor="black")
    ax.plot([0, 1], [0, 1], ":", color="#888888", linewidth=1)
    title = "ROC" if threshold is None else f"ROC; dots: threshold {threshold:.2f}"
    style(ax, title, "false positives: fp / (fp + tn)", "true positives, recall: tp / (tp + fn)")
    ax.set_aspect("equal")
    ax.legend(loc="lower right", frameon=False)
    return saved(figure, path)


def _points(y_true: TensorLike, scores: TensorLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(thresholds, from infinity down; parts of the negatives, and of the positives, at least so high)."""
    y, p = np.asarray(y_true).reshape(-1), np.asarray(scores, np.float64).reshape(-1)
    if y.shape != p.shape:
        raise ShapeError(f"roc_curve: y_true has {len(y)} samples and the scores {len(p)}; needs as many.")
    if set(np.unique(y)) != {0, 1}:
        raise LabelError(f"roc_curve: y_true has the classes {np.unique(y)[:5].tolist()}; needs 0 and 1, some of each.")
    order = np.argsort(-p, kind="stable")
    last = np.append(np.flatnonzero(np.diff(p[order])), len(p) - 1)        # of those with one score
    positives = np.cumsum(y[order] == 1)[last]
    negatives = last + 1 - positives
    return (np.append(np.inf, p[order][last]), np.append(0, negatives / negatives[-1]),
            np.append(0, positives / positives[-1]))


def classification_report(counts: TensorLike, labels: Sequence[str] | None = None) -> str:
    """Precision, recall, F1 and number of samples of each class, and their means, as a table in text.

    counts (classes, classes), rows the true class, as confusion_counts gives; labels: names of the classes. A ratio of
    nothing is 0. Source: sklearn.metrics.classification_report.
    >>> print(classification_report(confusion_counts([0, 1, 1], [0, 1, 0]), ["no", "yes"]))
    """
    counts = np.asarray(counts, np.float64)
    names = [str(i) for i in range(len(counts))] if labels is None else [str(label) for label in labels]
    if counts.shape != (len(names), len(names)) or not len(names):
        raise ShapeError(f"classification_report: counts is {counts.shape} with {len(names)} labels; needs a square "
                         "and a label for each row.")
    right, called, support = np.diagonal(counts), counts.sum(axis=0), counts.sum(axis=1)
    precision, recall = (right / np.where(n == 0, 1, n) for n in (called, support))
    both = precision + recall
    columns = np.stack([precision, recall, 2 * precision * recall / np.where(both == 0, 1, both)])
    total = support.sum()
    weights = support / max(total, 1)
    width = max(12, *(len(name) for name in names))
    rows = [f"{name:>{width}}{p:>11.2f}{r:>11.2f}{f:>11.2f}{n:>10g}"
            for name, p, r, f, n in zip(names, *columns, support)]
    means = [f"{name:>{width}}{p:>11.2f}{r:>11.2f}{f:>11.2f}{total:>10g}"
             for name, (p, r, f) in (("macro avg", columns.mean(axis=1)), ("weighted avg", columns @ weights))]
    head = f"{'':>{width}}{'precision':>11}{'recall':>11}{'f1-score':>11}{'support':>10}"
    accuracy = f"{'accuracy':>{width}}{'':>22}{right.sum() / max(total, 1):>11.2f}{total:>10g}"
    return "\n".join([head, "", *rows, "", accuracy, *means])
