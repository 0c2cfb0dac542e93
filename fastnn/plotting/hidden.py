"""Inside a model: the space that a hidden layer makes, what each layer answers to one input, and who never answers."""

from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.errors import ShapeError, nearest
from fastnn.layers._context import Node
from fastnn.models import Model
from fastnn.models.graph import node_inputs
from fastnn.plotting._figure import BLUE, COLOURS, MARKERS, VERMILION, Path_, axes_of, new_figure, saved, style
from fastnn.plotting._kinds import Axes, Figure
from fastnn.plotting._outputs import array_of, one_input, outputs_of

__all__ = ["activations", "dead_units", "hidden_space"]

_BARS, _MAPS = 64, 16       # numbers of a vector that are drawn as bars; feature maps of a layer
_PASSED = ("Flatten", "Reshape", "Dropout")     # layers that answer what they are given


def hidden_space(model: Model, x: TensorLike, y: TensorLike, layer: Any = None, path: Path_ | None = None) -> "Figure":
    """Where a hidden layer puts the samples: what no line parts in the inputs, a line may part here.

    x: inputs of the model, y (samples,) class numbers. layer: its name or place in model.layers; unless given, what the
    last layer with weights reads. Points of the plane are drawn as they came in, too, with the line where each neuron
    of the first Dense layer turns (w·x + b = 0). Of more than two neurons two directions are drawn: the one that the
    last neuron reads (its weights) and the widest across it; the dashed line is where that neuron turns. With several
    outputs they are the two widest (principal components).
    Returns the Figure. ShapeError for another number of labels or several inputs, ValueError for a layer that is not
    there.

    plotting.hidden_space(model, X, y)
    """
    x, y = array_of(model, x, "hidden_space"), np.asarray(y)
    y = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    if len(x) != len(y) or len(x) < 2:
        raise ShapeError(f"hidden_space: x has {len(x)} samples and y {len(y)}; needs as many, at least 2.")
    outputs = outputs_of(model, x, "hidden_space")
    graph: Any = model._graph
    chosen, hidden = _chosen(model, outputs, layer)
    hidden = hidden.reshape(len(x), -1).astype(np.float64)
    plane = x.ndim == 2 and x.shape[1] == 2
    figure = new_figure(10.4 if plane else 5.6, 4.6)
    axes = figure.subplots(1, 1 + plane, squeeze=False)[0]
    if plane:
        _scatter(axes[0], x, y)
        _lines(axes[0], _reading(graph, graph.input_tensors[0]))
        style(axes[0], "Inputs, and where each hidden neuron turns", "x1", "x2")
    reader = _reader(graph, chosen, hidden.shape[1])
    points, names = _two_of(hidden, reader)
    points = np.column_stack([points, np.zeros(len(points))])[:, :2]
    _scatter(axes[-1], points, y)
    if reader is not None and points.any():
        _turn(axes[-1], reader, hidden.shape[1])
    beside = {"bbox_to_anchor": (1.0, 1.0), "loc": "upper left"} if len(np.unique(y)) > 4 else {"loc": "best"}
    axes[-1].legend(framealpha=0.9, **beside)
    title = f"What {chosen.name} makes of them"
    style(axes[-1], title + (f": 2 of {hidden.shape[1]} directions" if hidden.shape[1] > 2 else ""), *names)
    return saved(figure, path)


def _chosen(model: Model, outputs: list[tuple[Any, np.ndarray]], layer: Any) -> tuple[Any, np.ndarray]:
    if layer is None:
        last = max((i for i, (l, _) in enumerate(outputs) if l.weights), default=len(outputs) - 1)
        before = [pair for pair in outputs[:last] if type(pair[0]).__name__ not in _PASSED]
        return before[-1] if before else outputs[last]
    names = {l.name: (l, output) for l, output in outputs}
    if isinstance(layer, int) and -len(model.layers) <= layer < len(model.layers):
        layer = model.layers[layer]
    name = getattr(layer, "name", layer)
    if name not in names:
        raise ValueError(f"hidden_space: there is no layer {name!r}; {nearest(name, names)}")
    return names[name]


def _scatter(ax: Any, points: np.ndarray, y: np.ndarray) -> None:
    for number, label in enumerate(np.unique(y)):
        ax.scatter(*points[y == label].T, c=COLOURS[number % len(COLOURS)], marker=MARKERS[number % len(MARKERS)],
                   edgecolors="white", linewidths=0.5, s=80 if len(y) < 20 else 34, label=f"class {label:g}", zorder=3)


def _lines(ax: Any, dense: Any) -> None:
    if dense is None or dense.kernel.shape[0] != 2 or dense.kernel.shape[1] > 16:
        return
    kernel, bias = dense.kernel.numpy(), np.zeros(dense.kernel.shape[1]) if dense.bias is None else dense.bias.numpy()
    box = ax.axis()
    middle = np.array([box[0] + box[1], box[2] + box[3]]) / 2
    for w, b in zip(kernel.T, bias):
        if (w @ w) > 1e-12:
            foot = middle - w * (w @ middle + b) / (w @ w)      # the line's point nearest to the middle
            ax.axline(foot, foot + np.array([-w[1], w[0]]), color="#777777", linewidth=1, zorder=1)
    ax.axis(box)


def _reading(graph: Any, tensor: Any) -> Any:
    """The Dense that reads a tensor as it is, or handed on by layers that leave it alone, or None."""
    for node in graph.nodes:
        if isinstance(node, Node) and any(t is tensor for t in node_inputs(node)):
            kind = type(node.layer).__name__
            if kind == "Dense" or kind in _PASSED:
                return node.layer if kind == "Dense" else _reading(graph, node.outputs)
    return None


def _reader(graph: Any, chosen: Any, width: int) -> tuple[np.ndarray, float] | None:
    """(w, b) of the one neuron that comes next and has the outputs of a layer for inputs, or None."""
    last = [node.outputs for node in graph.nodes if isinstance(node, Node) and node.layer is chosen][-1]
    dense = _reading(graph, last)
    if dense is None or dense.kernel.shape != (width, 1):
        return None
    w = dense.kernel.numpy()[:, 0].astype(np.float64)
    return (w, 0.0 if dense.bias is None else float(dense.bias.numpy()[0])) if w.any() else None


def _two_of(hidden: np.ndarray, reader: tuple[np.ndarray, float] | None) -> tuple[np.ndarray, tuple[str, str]]:
    """The points in two directions, and what these are called."""
    if hidden.shape[1] <= 2:
        return hidden, ("neuron 1", "neuron 2")
    if reader is None:
        return _widest(hidden, 2), ("direction 1", "direction 2")
    along = reader[0] / np.linalg.norm(reader[0])
    across = hidden - np.outer(hidden @ along, along)
    points = np.column_stack([hidden @ along, _widest(across, 1)])
    return points, ("along the last neuron's weights", "across, the widest")


def _widest(points: np.ndarray, count: int) -> np.ndarray:
    centred = points - points.mean(axis=0)
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][:count].T


def _turn(ax: Any, reader: tuple[np.ndarray, float], width: int) -> None:
    """The line w·h + b = 0, in the directions of _two_of."""
    w, b = reader
    box, look = ax.axis(), dict(color="#777777", linewidth=1, linestyle="--", zorder=1)
    if width == 2:
        foot = -b * w / (w @ w)
        ax.axline(foot, foot + np.array([-w[1], w[0]]), **look)
    else:
        ax.axvline(-b / (np.linalg.norm(w) if width > 2 else w[0]), **look)
    ax.axis(box)


def activations(model: Model, x: TensorLike, path: Path_ | None = None) -> "Figure":
    """What each layer answers to one input: images as maps, sequences as a table, vectors as bars. The Figure.

    x: one input of the model, as x[0] or x[:1]. A panel for each layer, in its order; of many feature maps the first
    16. Blue is positive, vermilion negative. ShapeError for several inputs. TypeError for a model whose layers are
    called in a Python function of its own.

    plotting.activations(model, x_test[0])
    """
    from matplotlib import colormaps
    batch = one_input(model, x, "activations")
    shown = [("input", batch[0]), *((layer.name, output[0]) for layer, output in outputs_of(model, batch, "activations")
                                    if type(layer).__name__ not in _PASSED)]
    columns = len(shown) if len(shown) <= 5 else 4
    rows = -(-len(shown) // columns)
    figure = new_figure(3.4 * columns, 2.7 * rows + 0.4)
    for place, (name, values) in enumerate(shown):
        ax = figure.add_subplot(rows, columns, place + 1)
        values = np.asarray(values, np.float64)
        ax.set_title(f"{name} {values.shape}", fontsize=10)
        if values.ndim == 3 and values.shape[2] not in (1, 3):
            values = _mosaic(values)
        elif values.ndim == 3:
            values = values if values.shape[2] == 3 else values[..., 0]
        if values.ndim == 1 and len(values) <= _BARS:
            ax.bar(range(len(values)), values, color=[BLUE if v >= 0 else VERMILION for v in values])
            ax.axhline(0, color="#888888", linewidth=0.7)
            ax.set_xlim(-max(0.6, 2 - len(values) / 2), len(values) - 1 + max(0.6, 2 - len(values) / 2))
            ax.set_xticks(range(0, len(values), 1 + (len(values) - 1) // 12))
            continue
        values = values if values.ndim >= 2 else values.reshape(_rectangle(values.size))
        limit, positive = float(np.nanmax(np.abs(values))) or 1.0, np.nanmin(values) >= 0
        colours = colormaps["gray_r" if positive else "RdBu"].with_extremes(bad="#cfe2f3")
        long = max(values.shape[:2]) > 3 * min(values.shape[:2])
        ax.imshow(values, cmap=colours, aspect="auto" if long else "equal", vmin=0 if positive else -limit, vmax=limit,
                  interpolation="nearest")
        ax.set_xticks([])
        ax.set_yticks([])
    figure.suptitle("What each layer answers to one input")
    return saved(figure, path)


def _mosaic(maps: np.ndarray) -> np.ndarray:
    """The first maps (rows, cols, n) beside and below each other, with lines of NaN between."""
    count = min(maps.shape[2], _MAPS)
    across = int(np.ceil(count ** 0.5))
    down = -(-count // across)
    height, width = maps.shape[0] + 1, maps.shape[1] + 1
    sheet = np.full((down * height - 1, across * width - 1), np.nan)
    for i in range(count):
        r, c = divmod(i, across)
        sheet[r * height:r * height + height - 1, c * width:c * width + width - 1] = maps[..., i]
    return sheet


def _rectangle(n: int) -> tuple[int, int]:
    """(rows, columns) of a table of n numbers, as near to a square as n allows."""
    rows = next(r for r in range(int(n ** 0.5), 0, -1) if n % r == 0)
    return rows, n // rows


def dead_units(model: Model, x: TensorLike, path: Path_ | None = None, ax: "Axes | None" = None) -> "Figure":
    """Of each ReLU layer, the share of units that give 0 to every input: nothing reaches their weights any more.

    x: inputs of the model. A feature map is a unit. Returns the Figure. ValueError for a model without ReLUs.
    Source: study guide, chapter 32.

    plotting.dead_units(model, x_train)
    """
    found, samples = {}, 0
    for layer, output in outputs_of(model, x, "dead_units"):
        function = getattr(getattr(layer, "activation", None), "__name__", "")
        if type(layer).__name__ == "ReLU" or function in ("relu", "relu6"):
            alive = (output != 0).reshape(-1, output.shape[-1]).any(axis=0)
            found[layer.name], samples = (int((~alive).sum()), len(alive)), len(output)
    if not found:
        raise ValueError(f"dead_units: {model.name} has no ReLU; only a ReLU gives exactly 0 to half of its inputs.")
    figure, ax = axes_of(ax, 6.0, 0.5 * len(found) + 1.6)
    shares = [dead / units for dead, units in found.values()]
    ax.barh(list(found), shares, color=VERMILION)
    for row, (dead, units) in enumerate(found.values()):
        ax.text(shares[row] + 0.01, row, f"{dead} of {units}", va="center")
    total = sum(dead for dead, _ in found.values())
    style(ax, f"{total} of {sum(n for _, n in found.values())} units answer 0 to all {samples:,} inputs",
          "share of dead units", "")
    ax.set_xlim(0, 1.15)
    ax.set_ylim(len(found) - 0.5, -0.5)
    return saved(figure, path)
