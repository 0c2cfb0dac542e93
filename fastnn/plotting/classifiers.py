"""What a classifier decides: its regions in the plane, and digits with what it took them for."""

from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.errors import ShapeError
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
from fastnn.plotting._kinds import Axes, Figure
from fastnn.plotting._outputs import answers_of

__all__ = ["decision_boundary", "digits_grid"]


def decision_boundary(model: Any, x: TensorLike, y: TensorLike, path: Path_ | None = None,
                      ax: "Axes | None" = None) -> "Figure":
    """What the model answers everywhere in the plane, and the samples on top.

    model: predicts (n, 2) → (n,), (n, 1) or (n, classes). x (samples, 2), y (samples,) class numbers. One output is
    shaded from 0 to 1 with the line where it is 0.5; several are coloured by the largest, probabilities the paler the
    less sure. Returns the Figure.
    ShapeError for samples that are not points of the plane.
    """
    x, y = np.asarray(x, np.float32), np.asarray(y).reshape(-1)
    if x.ndim != 2 or x.shape[1] != 2 or len(x) != len(y) or not len(x):
        raise ShapeError(f"decision_boundary: x is {x.shape} and y {y.shape}; needs (samples, 2) and (samples,).\n"
                         "Take two columns, x[:, :2], and a model that was trained on these two.")
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.15 * (high - low) + 0.1
    steps = [np.linspace(low[i] - margin[i], high[i] + margin[i], 201, dtype=np.float32) for i in (0, 1)]
    across, up = np.meshgrid(*steps)
    points = np.stack([across.ravel(), up.ravel()], axis=1)
    answer = answers_of(model, points)
    figure, ax = axes_of(ax, 6.0, 5.0)
    if answer.size == len(points):
        _shade(ax, across, up, answer.reshape(across.shape).astype(float))
    else:
        _areas(ax, across, up, answer)
    labels = np.unique(y)
    numbers = labels.astype(int) if answer.size > len(points) else range(len(labels))     # points as their areas
    for label, number in zip(labels, numbers):
        rows, colour, marker = y == label, COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        ax.scatter(x[rows, 0], x[rows, 1], c=colour, marker=marker, edgecolors="white", linewidths=0.8,
                   s=70 if len(x) < 20 else 28, label=f"class {label:g}", zorder=3)
    sure = (answer.reshape(len(points), -1) > 0.5).any() if answer.size == len(points) else True
    title = ("Where the answer turns from 0 to 1" if answer.size == len(points) else "Which class is likeliest where, "
             "the paler the less sure")
    style(ax, title if sure else "The answer stays on one side of 0.5", "x1", "x2")
    ax.grid(visible=False)
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
    from matplotlib.colors import to_rgb
    classes = answer.shape[-1]
    colours = np.array([to_rgb(tint(COLOURS[i % len(COLOURS)])) for i in range(classes)])[answer.argmax(axis=-1)]
    if answer.min() >= 0 and np.allclose(answer.sum(axis=-1), 1, atol=1e-3):
        sure = (answer.max(axis=-1, keepdims=True) - 1 / classes) / (1 - 1 / classes)
        colours = 1 - (1 - colours) * (0.25 + 0.75 * sure)
    image = np.rint(255 * colours).astype(np.uint8).reshape(*across.shape, 3)
    ax.imshow(image, origin="lower", aspect="auto", interpolation="nearest",
              extent=(across.min(), across.max(), up.min(), up.max()))


def digits_grid(images: TensorLike, labels: TensorLike | None = None, predictions: TensorLike | None = None,
                path: Path_ | None = None, columns: int = 8) -> "Figure":
    """Images in a grid, titled with what they are taken for; mistakes in another colour, with the truth beside.

    images (n, height, width) or (n, height·width) for squares; labels, predictions (n,). Returns the Figure.
    """
    images = np.asarray(images)
    truths, answers = (None if part is None else np.asarray(part).reshape(-1) for part in (labels, predictions))
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
        truth = None if truths is None else int(truths[place])
        answer = truth if answers is None else int(answers[place])
        wrong = truth is not None and answer != truth
        ax.set_title("" if answer is None else f"{answer}, is {truth}" if wrong else str(answer), fontsize=10,
                     color=VERMILION if wrong else "black", fontweight="bold" if wrong else "normal")
    return saved(figure, path)
