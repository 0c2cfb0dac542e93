"""Numbers that a network predicts: beside the true ones, their errors, probabilities as bars, weights as histograms,
and curves through points."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.errors import ShapeError
from fastnn.plotting._figure import BLUE, ORANGE, Path_, new_figure, saved, style
from fastnn.plotting._kinds import Figure
from fastnn.plotting._outputs import answers_of

__all__ = ["curve_fits", "predicted_against_true", "probabilities", "weight_histogram"]


def predicted_against_true(y_true: TensorLike, y_pred: TensorLike, unit: str = "",
                           path: Path_ | None = None) -> "Figure":
    """Each prediction over its true number, on the line where it is right, and beside it the errors (residuals).

    y_true, y_pred (n,) or (n, 1). unit: of both, for the axes. Returns the Figure. ShapeError for different lengths.

    plotting.predicted_against_true(y_test, model.predict(x_test), "dollars")
    """
    true, predicted = (np.asarray(y, np.float64).reshape(-1) for y in (y_true, y_pred))
    if true.shape != predicted.shape or not len(true):
        raise ShapeError(f"predicted_against_true: y_true has {len(true)} numbers and y_pred {len(predicted)}; needs "
                         "as many, at least 1.")
    errors = predicted - true
    mean = float(np.abs(errors).mean())
    spread = float(np.sum((true - true.mean()) ** 2))
    r2 = f", R² {1 - float(np.sum(errors ** 2)) / spread:.3f}" if spread > 0 else ""
    words = f" ({unit})" if unit else ""
    figure = new_figure(10.4, 4.4)
    left, right = figure.subplots(1, 2)
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    left.plot(ends, ends, color="#888888", linewidth=1)
    left.scatter(true, predicted, s=18, color=BLUE, alpha=0.7, edgecolors="none")
    style(left, f"On the line it is right{r2}", f"true{words}", f"predicted{words}")
    right.axhline(0, color="#888888", linewidth=1)
    right.scatter(predicted, errors, s=18, color=ORANGE, alpha=0.8, edgecolors="none")
    size = f"{mean:,.0f}" if mean >= 100 else f"{mean:.3g}"
    style(right, f"Errors: {size} on average", f"predicted{words}", "predicted - true")
    for ax in (left, right):
        ax.ticklabel_format(style="plain", useOffset=False)
        ax.tick_params("x", labelrotation=30 if max(map(abs, ends)) >= 1e4 else 0)
    return saved(figure, path)


def probabilities(p: TensorLike, images: TensorLike | None = None, truths: TensorLike | None = None,
                  names: Sequence[str] | None = None, path: Path_ | None = None) -> "Figure":
    """The probability of each class as bars, a panel for each sample; the sum, and the right class where it is known.

    p (n, classes) or (classes,) of one; images (n, height, width) above the bars; truths (n,) class numbers; names of
    the classes. Returns the Figure. ShapeError where the parts do not fit.

    plotting.probabilities(model.predict(x[:4]), x[:4], y[:4])
    """
    p = np.atleast_2d(np.asarray(p, np.float64))
    names = [str(i) for i in range(p.shape[-1])] if names is None else [str(name) for name in names]
    pictures, right = (None if part is None else np.asarray(part) for part in (images, truths))
    lengths = [len(part) for part in (pictures, right) if part is not None]
    if p.ndim != 2 or len(names) != p.shape[1] or any(n != len(p) for n in lengths):
        raise ShapeError(f"probabilities: p is {p.shape} with {len(names)} names, images and truths {lengths}; needs "
                         "(n, classes) with a name for each class, an image and a truth for each sample.")
    pictured = pictures is not None
    figure = new_figure(max(2.4 * len(p), 3.2), 2.6 + 1.6 * pictured)
    grid = figure.subplots(1 + pictured, len(p), squeeze=False, height_ratios=[1.3, 2] if pictured else [1])
    for i, row in enumerate(p):
        if pictures is not None:
            grid[0, i].imshow(np.squeeze(pictures[i]), cmap="gray_r")
            grid[0, i].axis("off")
        truth = None if right is None else int(right[i].reshape(-1)[0])
        ax, best = grid[-1, i], int(row.argmax())
        ax.bar(range(len(row)), row, color=[ORANGE if k == truth else BLUE for k in range(len(row))])
        ax.set_xticks(range(len(row)), names, rotation=90 if max(map(len, names)) > 2 else 0, fontsize=8)
        style(ax, f"{names[best]}: {row[best]:.0%}" + ("" if truth in (None, best) else f", is {names[truth]}"), "",
              "probability" if i == 0 else "")
        ax.set_ylim(0, 1.05)
        ax.text(0.98, 0.97, f"sum {row.sum():.3g}", transform=ax.transAxes, ha="right", va="top", fontsize=8)
    figure.suptitle("The probability of each class" + ("; orange: the right one" if right is not None else ""))
    return saved(figure, path)


def weight_histogram(weights: Any, small: float = 1e-3, path: Path_ | None = None) -> "Figure":
    """How many weights have which size: of one array or model, or a panel for each of {name: array or model}.

    Of a model its kernels are counted, not its biases. small: below it a weight counts as 0, for the titles. All panels
    have the same axes. Returns the Figure. ShapeError for no weights.

    plotting.weight_histogram({"none": plain, "L1": sparse})
    """
    several = weights if isinstance(weights, Mapping) else {"": weights}
    arrays = {str(name): _flat(w) for name, w in several.items()}
    if not arrays or not all(a.size for a in arrays.values()):
        raise ShapeError("weight_histogram: got no weights; needs arrays, or models that are built.")
    limit = max(float(np.abs(a).max()) for a in arrays.values()) or 1.0
    figure = new_figure(max(4.0 * len(arrays), 5.0), 3.8)
    axes = figure.subplots(1, len(arrays), squeeze=False, sharey=True)[0]
    for ax, (name, w) in zip(axes, arrays.items()):
        ax.hist(w, bins=np.linspace(-limit, limit, 81).tolist(), color=BLUE)
        ax.set_yscale("log")
        near = float(np.mean(np.abs(w) < small))
        style(ax, f"{name}: {near:.0%} are 0".lstrip(": "), "weight", "how many" if ax is axes[0] else "")
    return saved(figure, path)


def _flat(weights: Any) -> np.ndarray:
    if hasattr(weights, "trainable_weights"):
        parts = [v.numpy() for v in weights.trainable_weights if len(v.shape) > 1]
        return np.concatenate([part.ravel() for part in parts]) if parts else np.zeros(0)
    return np.asarray(weights, np.float64).ravel()


def curve_fits(x: TensorLike, y: TensorLike, models: Mapping[str, Any],
               truth: Callable[[np.ndarray], Any] | None = None, unseen: Any = None,
               path: Path_ | None = None) -> "Figure":
    """Points and what each model draws through them, a panel each: too stiff, right, too bendy.

    x, y (n,) or (n, 1): the points learned from. models: {name: model with predict, or function of (n, 1)}. truth: the
    function behind the points, drawn grey. unseen (x, y): other points, whose error stands in the title too. Returns
    the Figure. ShapeError for points that are none. Source: study guide, chapters 23 and 24.

    plotting.curve_fits(x, y, {"4 neurons": small, "256 neurons": large}, truth=np.sin)
    """
    x, y = (np.asarray(a, np.float64).reshape(-1) for a in (x, y))
    if x.shape != y.shape or not len(x) or not models:
        raise ShapeError(f"curve_fits: x has {len(x)} points, y {len(y)}, and there are {len(models)} models; needs as "
                         "many of x and y, and a model.")
    across = np.linspace(x.min(), x.max(), 400)
    margin = 0.6 * (y.max() - y.min() or 1.0)
    figure = new_figure(max(3.7 * len(models), 5.0), 3.9)
    axes = figure.subplots(1, len(models), squeeze=False, sharey=True)[0]
    for ax, (name, model) in zip(axes, models.items()):
        if truth is not None:
            ax.plot(across, np.asarray(truth(across)).reshape(-1), color="#999999", linewidth=1, label="truth")
        ax.scatter(x, y, s=22 if len(x) < 100 else 6, color=ORANGE, label="seen")
        ax.plot(across, _fitted(model, across), color=BLUE, linewidth=1.8, label="the model", zorder=3)
        words = f"{name}: error {np.mean((_fitted(model, x) - y) ** 2):.2g}"
        if unseen is not None:
            others = [np.asarray(a, np.float64).reshape(-1) for a in unseen]
            ax.scatter(*others, s=10, color="#555555", marker="x", label="unseen")
            words += f", unseen {np.mean((_fitted(model, others[0]) - others[1]) ** 2):.2g}"
        style(ax, words, "x", "y" if ax is axes[0] else "")
        ax.title.set_fontsize(10)
        ax.set_ylim(y.min() - margin, y.max() + margin)
    axes[-1].legend(frameon=False, fontsize=8)
    return saved(figure, path)


def _fitted(model: Any, x: np.ndarray) -> np.ndarray:
    return answers_of(model, x.reshape(-1, 1).astype(np.float32)).astype(np.float64).reshape(-1)
