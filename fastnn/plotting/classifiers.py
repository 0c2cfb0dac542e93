"""What a classifier decides: its regions in the plane, its confusions, and digits with what it took them for."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.errors import LabelError, ShapeError
from fastnn.models import Model
from fastnn.plotting._figure import (
    BLUE,
    COLOURS,
    MARKERS,
    ORANGE,
    VERMILION,
    Path_,
    axes_of,
    new_figure,
    saved,
    style,
    tint,
)


def decision_boundary(model: Any, x: Any, y: Any, path: Path_ | None = None, ax: Any = None) -> Any:
    """What the model answers everywhere in the plane, and the samples on top.

    model: predicts (n, 2) → (n,), (n, 1) or (n, classes). x (samples, 2), y (samples,) class numbers. One output is
    shaded from 0 to 1 with the line where it is 0.5; several are coloured by the largest. Returns the Figure.
    ShapeError for samples that are not points of the plane.
    """
    x, y = np.asarray(x, np.float32), np.asarray(y).reshape(-1)
    if x.ndim != 2 or x.shape[1] != 2 or len(x) != len(y) or not len(x):
        raise ShapeError(f"decision_boundary: x is {x.shape} and y {y.shape}; needs (samples, 2) and (samples,).")
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.15 * (high - low) + 0.1
    steps = [np.linspace(low[i] - margin[i], high[i] + margin[i], 201, dtype=np.float32) for i in (0, 1)]
    across, up = np.meshgrid(*steps)
    points = np.stack([across.ravel(), up.ravel()], axis=1)
    answer = np.asarray(model.predict(points, verbose=0) if isinstance(model, Model) else model.predict(points))
    figure, ax = axes_of(ax, 6.0, 5.0)
    if answer.size == len(points):
        _shade(ax, across, up, answer.reshape(across.shape).astype(float))
    else:
        _areas(ax, across, up, answer)
    labels = np.unique(y)
    numbers = labels.astype(int) if answer.size > len(points) else range(len(labels))     # points as their areas
    for label, number in zip(labels, numbers):
        rows, colour, marker = y == label, COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        ax.scatter(*x[rows].T, c=colour, marker=marker, edgecolors="white", linewidths=0.8, s=70 if len(x) < 20 else 28,
                   label=f"class {label:g}", zorder=3)
    style(ax, "What the network answers", "x0", "x1")
    ax.legend(loc="upper right", framealpha=0.9)
    return saved(figure, path)


def _shade(ax: Any, across: np.ndarray, up: np.ndarray, answer: np.ndarray) -> None:
    from matplotlib.colors import LinearSegmentedColormap
    shades = LinearSegmentedColormap.from_list("classes", [tint(BLUE), "#ffffff", tint(ORANGE)])
    filled = ax.imshow(answer, cmap=shades, vmin=0, vmax=1, origin="lower", aspect="auto", interpolation="bilinear",
                       extent=(across.min(), across.max(), up.min(), up.max()))
    if answer.min() < 0.5 < answer.max():
        ax.contour(across, up, answer, [0.5], colors="black", linewidths=1.5)
    ax.figure.colorbar(filled, ax=ax, label="output (black line: 0.5)", ticks=[0, 0.25, 0.5, 0.75, 1])


def _areas(ax: Any, across: np.ndarray, up: np.ndarray, answer: np.ndarray) -> None:
    """The class with the largest output, a cell of the grid each. Lines drawn between numbers of classes would pass
    through the classes between them."""
    from matplotlib.colors import ListedColormap
    colours = ListedColormap([tint(COLOURS[i % len(COLOURS)]) for i in range(answer.shape[-1])])
    ax.pcolormesh(across, up, answer.argmax(axis=-1).reshape(across.shape), cmap=colours, shading="nearest",
                  vmin=-0.5, vmax=answer.shape[-1] - 0.5, rasterized=True)


def confusion_counts(y_true: Any, y_pred: Any, classes: int | None = None) -> np.ndarray:
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


def _labels(y: Any, name: str) -> np.ndarray:
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


def confusion_matrix(counts: Any, labels: Sequence[str] | None = None, path: Path_ | None = None,
                     ax: Any = None) -> Any:
    """The counts as a table, shaded by their part of the row: the diagonal is what was right. Returns the Figure.

    counts (classes, classes), rows the true class; labels: names of the classes, their numbers unless given.
    """
    counts = np.asarray(counts)
    size = len(counts)
    names = [str(i) for i in range(size)] if labels is None else [str(label) for label in labels]
    if counts.shape != (size, size) or len(names) != size:
        raise ShapeError(f"confusion_matrix: counts is {counts.shape} with {len(names)} labels; needs a square and a "
                         "label for each row.")
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


def digits_grid(images: Any, labels: Any = None, predictions: Any = None, path: Path_ | None = None,
                columns: int = 8) -> Any:
    """Images in a grid, titled with what they are taken for; mistakes in another colour, with the truth beside.

    images (n, height, width) or (n, height·width) for squares; labels, predictions (n,). Returns the Figure.
    """
    images = np.asarray(images)
    if images.ndim == 2:
        side = round(images.shape[1] ** 0.5)
        images = images.reshape(len(images), side, -1) if side * side == images.shape[1] else images[None]
    if images.ndim != 3 or not len(images):
        raise ShapeError(f"digits_grid: images is {images.shape}; needs (n, height, width), n at least 1.")
    rows = -(-len(images) // columns)
    figure = new_figure(1.15 * min(columns, max(len(images), 4)), 1.4 * rows + 0.1)
    for place, image in enumerate(images):
        ax = figure.add_subplot(rows, min(columns, len(images)), place + 1)
        ax.imshow(image, cmap="gray_r")
        ax.set_xticks([])
        ax.set_yticks([])
        truth = None if labels is None else int(labels[place])
        answer = truth if predictions is None else int(predictions[place])
        wrong = truth is not None and answer != truth
        ax.set_title("" if answer is None else f"{answer}, is {truth}" if wrong else str(answer), fontsize=10,
                     color=VERMILION if wrong else "black", fontweight="bold" if wrong else "normal")
    return saved(figure, path)
