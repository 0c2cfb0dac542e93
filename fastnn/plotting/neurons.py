"""A neuron and a small network as they are drawn on a board: circles, and lines that show the weights."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import activations
from fastnn.engine.kinds import TensorLike
from fastnn.errors import NotBuiltError, ShapeError
from fastnn.models import Model
from fastnn.plotting._figure import BLUE, ORANGE, VERMILION, Path_, axes_of, saved, tint
from fastnn.plotting._kinds import Axes, Figure

__all__ = ["network", "neuron"]

_MOST = 10          # circles of a layer; a wider one shows the first and the last
_LABELLED = 30      # weights whose numbers are written


def neuron(weights: TensorLike, bias: float = 0.0, inputs: TensorLike | None = None, activation: Any = "step",
           names: Sequence[str] | None = None, path: Path_ | None = None, ax: "Axes | None" = None) -> "Figure":
    """One neuron: its inputs, a line for each weight (blue lifts the sum, vermilion lowers it), sum and activation.

    weights (n,). inputs (n,): numbers to put in; then the sum and the answer are written, too. activation: a name, or a
    function of tensors. names: of the inputs, x1 and so on unless given. Returns the Figure. ShapeError for weights
    that are no row or inputs that do not fit. Source: study guide, chapter 1: y = f(w·x + b).

    plotting.neuron([0.2, 0.1], bias=-0.2, inputs=[1, 1])
    """
    w = np.asarray(weights, np.float64)
    if w.ndim == 2 and 1 in w.shape:
        w = w.reshape(-1)
    if w.ndim != 1 or not w.size:
        raise ShapeError(f"neuron: weights is {w.shape}; needs the weights of one neuron, (n,): a column of a kernel.")
    x = None if inputs is None else np.asarray(inputs, np.float64).reshape(-1)
    if x is not None and len(x) != len(w):
        raise ShapeError(f"neuron: got {len(x)} inputs for {len(w)} weights; needs one for each.")
    names = [f"x{i + 1}" for i in range(len(w))] if names is None else list(names)
    if len(names) != len(w):
        raise ShapeError(f"neuron: got {len(names)} names for {len(w)} weights; needs one for each.")
    function = activations.get(activation)
    word = activation if isinstance(activation, str) else getattr(activation, "__name__", "f")
    figure, ax = axes_of(ax, 7.2, max(2.6, 0.75 * len(w) + 1.2))
    heights = 0.38 * np.arange(len(w) - 1, -len(w), -2)
    for i, (name, y) in enumerate(zip(names, heights)):
        _line(ax, (0, y), (3, 0), w[i], float(np.abs(w).max()) or 1.0, 5, f"{w[i]:+.3g}", at=0.4)
        _circle(ax, (0, y), 0.3, f"{name}\n{x[i]:g}" if x is not None else name, ORANGE)
    reach = float(np.abs(heights).max()) + 0.5
    _line(ax, (3, -reach), (3, 0), bias, float(np.abs(w).max()) or 1.0, 5, f"bias {bias:+.3g}", at=0.25)
    for start, end in ((3.4, 4.3), (5.5, 6.3)):
        ax.annotate("", (end, 0), (start, 0), arrowprops={"arrowstyle": "-|>", "color": "#555555"})
    total = None if x is None else float(w @ x + bias)
    _circle(ax, (3, 0), 0.42, "Σ" if total is None else f"Σ\n{total:.3g}", BLUE)
    ax.text(4.9, 0, word, ha="center", va="center", zorder=4,
            bbox={"boxstyle": "round,pad=0.5", "facecolor": tint(BLUE), "edgecolor": BLUE})
    answer = "y" if total is None else f"y = {float(np.asarray(function(np.array([[total]], np.float32)))[0, 0]):.3g}"
    ax.text(6.4, 0, answer, ha="left", va="center", fontsize=12)
    ax.set(xlim=(-0.5, 7.3), ylim=(-reach - 0.1, reach))
    ax.set_aspect("equal")
    ax.axis("off")
    ax.set_title(f"A neuron: {word} of the weighted sum")
    return saved(figure, path)


def network(model: Model, path: Path_ | None = None, ax: "Axes | None" = None) -> "Figure":
    """A network of Dense layers with its weights: the thicker a line, the larger; blue positive, vermilion negative.

    model: built, of Dense layers; others without weights (Dropout, Flatten, Activation) are passed over. Wide layers
    show their first and last neurons; few weights are written on their lines, and biases in the circles. Returns the
    Figure. TypeError for a model with other weights: utils.plot_model draws any. NotBuiltError before the shape is
    known.

    plotting.network(model, "xor.svg")
    """
    dense = _dense_layers(model)
    sizes = [dense[0].kernel.shape[0], *(layer.kernel.shape[1] for layer in dense)]
    shown = [list(range(n)) if n <= _MOST else [*range(_MOST - 4), *range(n - 3, n)] for n in sizes]
    tall = max(len(rows) + (n > len(rows)) for rows, n in zip(shown, sizes))
    figure, ax = axes_of(ax, 2.4 * len(sizes) + 0.6, max(2.8, 0.72 * tall + 1.0))
    places = [_places(2.0 * column, rows, n) for column, (rows, n) in enumerate(zip(shown, sizes))]
    written = sum(len(a) * len(b) for a, b in itertools.pairwise(shown)) <= _LABELLED
    for column, layer in enumerate(dense):
        kernel = np.asarray(layer.kernel.numpy())
        largest = float(np.abs(kernel).max()) or 1.0
        for j in shown[column + 1]:
            for k, i in enumerate(shown[column]):
                _line(ax, places[column][i], places[column + 1][j], kernel[i, j], largest, 4,
                      f"{kernel[i, j]:.2g}" if written else "", at=0.18 + 0.5 * (k + 0.5) / len(shown[column]))
    for column, (spots, n) in enumerate(zip(places, sizes)):
        bias = None if column == 0 or dense[column - 1].bias is None else dense[column - 1].bias.numpy()
        for i, spot in spots.items():
            text = f"x{i + 1}" if column == 0 else "" if bias is None else f"{bias[i]:+.2g}"
            _circle(ax, spot, 0.27, text, ORANGE if column == 0 else BLUE)
        if n > len(spots):
            ax.text(2.0 * column, (spots[_MOST - 5][1] + spots[n - 3][1]) / 2, "⋮", ha="center", va="center")
        activation = "" if column == 0 else getattr(dense[column - 1].activation, "__name__", "linear")
        ax.text(2.0 * column, -0.5 * tall * 0.7 - 0.35, f"{n} inputs" if column == 0 else f"{n} {activation}",
                ha="center", va="top")
    ax.set(xlim=(-0.6, 2.0 * (len(sizes) - 1) + 0.6), ylim=(-0.35 * tall - 0.8, 0.35 * tall + 0.1))
    ax.set_aspect("equal")
    ax.axis("off")
    ax.set_title("-".join(map(str, sizes)) + ": blue lines lift, vermilion ones lower; biases in the circles")
    return saved(figure, path)


def _dense_layers(model: Any) -> list[Any]:
    layers = getattr(model, "layers", None)
    if layers is None:
        raise TypeError(f"network: got {type(model).__name__}; needs a model of Dense layers.")
    if not getattr(model, "built", False):
        raise NotBuiltError(f"network: {model.name} has no weights yet; fit it, call it on data, or begin it with an "
                            "Input.")
    others = [layer for layer in layers if layer.weights and type(layer).__name__ != "Dense"]
    dense = [layer for layer in layers if type(layer).__name__ == "Dense"]
    if others or not dense:
        named = others[0].name if others else model.name
        raise TypeError(f"network: {named} is no Dense layer; needs a model of Dense layers. utils.plot_model draws "
                        "any model as boxes.")
    for before, after in itertools.pairwise(dense):
        if before.kernel.shape[1] != after.kernel.shape[0]:
            raise TypeError(f"network: {after.name} does not follow {before.name}; needs layers in one row.")
    return dense


def _places(x: float, rows: list[int], n: int) -> dict[int, tuple[float, float]]:
    """Where the circles of a layer stand; where some are left out, there is a gap for the dots."""
    slots = len(rows) + (n > len(rows))
    heights = (np.arange(slots)[::-1] - (slots - 1) / 2) * 0.7
    spots = [s for s in range(slots) if n == len(rows) or s != _MOST - 4]
    return {i: (x, float(heights[s])) for i, s in zip(rows, spots, strict=True)}


def _line(ax: Any, a: tuple[float, float], b: tuple[float, float], weight: float, largest: float, width: float,
          text: str, at: float) -> None:
    colour = BLUE if weight >= 0 else VERMILION
    size = min(1.0, abs(float(weight)) / largest)
    ax.plot(*zip(a, b), color=colour, linewidth=0.3 + width * size, alpha=0.35 + 0.5 * size, zorder=1,
            solid_capstyle="round")
    if text:
        ax.text(a[0] + at * (b[0] - a[0]), a[1] + at * (b[1] - a[1]), text, fontsize=8, ha="center", va="center",
                color=colour, zorder=2, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85})


def _circle(ax: Any, place: tuple[float, float], radius: float, text: str, colour: str) -> None:
    from matplotlib.patches import Circle
    ax.add_patch(Circle(place, radius, facecolor=tint(tint(colour)), edgecolor=colour, linewidth=1.5, zorder=3))
    ax.text(*place, text, ha="center", va="center", fontsize=8, zorder=4)
