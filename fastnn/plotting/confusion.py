"""Which class is taken for which."""

from collections.abc import Sequence

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.errors import LabelError, ShapeError
from fastnn.plotting._figure import Path_, axes_of, saved
from fastnn.plotting._kinds import Axes, Figure

__all__ = ["confusion_counts", "confusion_matrix"]


def confusion_counts(y_true: TensorLike, y_pred: TensorLike, classes: int | None = None) -> np.ndarray:
    """C[t, p] = how many samples of class t were taken for class p. → (classes, classes) int64.

    y_true, y_pred: class numbers (n,) or (n, 1), or rows of probabilities or one-hot labels (n, k), whose largest
    counts; fractions in one column are probabilities of class 1, cut at 0.5. classes: the largest number + 1 unless
    given. ShapeError for different lengths, LabelError for what is no class number.
    """
    true, predicted = _labels(y_true, "y_true"), _labels(y_pred, "y_pred")
    if len(true) != len(predicted):
        raise ShapeError(f"confusion_counts: y_true has {len(true)} samples and y_pred {len(predicted)}; needs as "
                         "many.")
    widest = [np.shape(y)[1] for y in (y_true, y_pred) if np.ndim(y) == 2]
    largest = int(max(true.max(initial=-1), predicted.max(initial=-1), 1, *(n - 1 for n in widest)))
    classes = largest + 1 if classes is None else int(classes)
    for labels, name in ((true, "y_true"), (predicted, "y_pred")):
        bad = np.flatnonzero((labels < 0) | (labels >= classes))
        if len(bad):
            raise LabelError(f"confusion_counts: {name} has the label {labels[bad[0]]} at row {bad[0]}; needs 0 to "
                             f"{classes - 1}.")
    return np.bincount(true * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def _labels(y: TensorLike, name: str) -> np.ndarray:
    array = np.asarray(y)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise LabelError(f"confusion_counts: {name} has {array[~np.isfinite(array)][0]} at row "
                         f"{np.argwhere(~np.isfinite(array))[0, 0]}; needs finite numbers.")
    if array.ndim == 2 and array.shape[1] > 1:
        return array.argmax(axis=1)
    if array.ndim not in (1, 2) or array.dtype.kind not in "biuf":
        raise ShapeError(f"confusion_counts: {name} is {array.shape} of {array.dtype}; needs class numbers (n,), or "
                         "probabilities (n, classes).")
    array = array.reshape(-1)
    if array.dtype.kind == "f" and not np.array_equal(array, np.floor(array)):
        array = array > 0.5
    return array.astype(np.int64)


def confusion_matrix(y_true: TensorLike, y_pred: TensorLike | None = None, labels: Sequence[str] | None = None,
                     path: Path_ | None = None, ax: "Axes | None" = None) -> "Figure":
    """How often each class was taken for which, shaded by its part of the row: the diagonal is what was right.

    y_true, y_pred: as confusion_counts takes them; or its counts (classes, classes) alone, rows the true class. labels:
    names of the classes, their numbers unless given. Returns the Figure. Errors: those of confusion_counts; ShapeError
    for counts that are no square.

    plotting.confusion_matrix(y_test, model.predict(x_test))
    """
    if y_pred is None:
        counts = np.asarray(y_true)
    else:
        counts = confusion_counts(y_true, y_pred, None if labels is None else len(labels))
    size = len(counts)
    names = [str(i) for i in range(size)] if labels is None else [str(label) for label in labels]
    if counts.shape != (size, size) or len(names) != size:
        raise ShapeError(f"confusion_matrix: counts is {counts.shape} with {len(names)} labels; needs a square and a "
                         "label for each row, or y_true and y_pred.")
    side = 2.6 + 0.55 * max(size, 3)
    figure, ax = axes_of(ax, side + 0.6, side)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        ax.text(column, row, f"{count:g}", ha="center", va="center",
                color="white" if share[row, column] > 0.55 else "black")
    right, total = np.trace(counts), counts.sum()
    ax.set_title(f"{right:g} of {total:g} right ({right / max(total, 1):.1%})")
    ax.set_xticks(range(size), names, rotation=45 if max(map(len, names)) > 3 and size > 4 else 0)
    ax.set_yticks(range(size), names)
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class")
    return saved(figure, path)
