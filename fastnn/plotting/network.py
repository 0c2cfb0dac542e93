"""A model as boxes and arrows: which layer gives what to which."""

import itertools
from typing import Any

from fastnn.arguments import choice, flag
from fastnn.errors import KindError, NotBuiltError, shown
from fastnn.layers._context import Node
from fastnn.layers.input import InputLayer
from fastnn.models import Model
from fastnn.models.graph import node_inputs
from fastnn.plotting._figure import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, Path_, new_figure, saved, tint
from fastnn.plotting._kinds import Figure

__all__ = ["plot_model"]

_WIDE, _HIGH, _GAP = 2.3, 0.2, 0.35         # inches: a box, a line of text in it, between boxes
_KINDS = (("Conv", ORANGE), ("Pool", SKY), ("Norm", GREEN), ("Drop", PURPLE), ("Input", "#777777"), ("LSTM", VERMILION),
          ("GRU", VERMILION), ("RNN", VERMILION), ("Attention", VERMILION))


def plot_model(model: Model, to_file: Path_ | None = "model.png", show_shapes: bool = False, show_dtype: bool = False,
               show_layer_names: bool = False, rankdir: str = "TB", expand_nested: bool = False, dpi: int = 120,
               show_layer_activations: bool = False, show_trainable: bool = False) -> "Figure":
    """Draw a built model: a box for each use of a layer, in rows of equal distance from the inputs; returns the Figure.

    to_file: .png, .svg or .pdf, None for no file. show_shapes: of the output, show_dtype: its dtype,
    show_layer_names, show_layer_activations, show_trainable: what stands in a box beside the layer's type. rankdir:
    'TB' from top to bottom, 'LR' from left to right. expand_nested: the layers of inner models in their place. Needs no
    Graphviz. A subclass of Model is one box: which layer gives what to which is in its Python. NotBuiltError for a
    model without weights. Source: keras.utils.plot_model.

    utils.plot_model(model, "model.svg", show_shapes=True)
    """
    across = choice(rankdir, "plot_model: rankdir", ("TB", "LR")) == "LR"
    boxes, arrows = boxes_of(model, show_shapes, show_dtype, show_layer_names,
                             flag(expand_nested, "plot_model: expand_nested"), show_layer_activations, show_trainable)
    depth = _depths(len(boxes), arrows)
    routes = [_route(a, b, depth) for a, b in arrows]       # a long way gets a place of its own in the rows between
    links = [link for route in routes for link in itertools.pairwise(route)]
    rows = [[i for i, d in enumerate(depth) if d == row] for row in range(max(depth) + 1)]
    high = _HIGH * max(text.count("\n") + 1 for _, text in boxes) + 0.2
    most = max(map(len, rows))
    step = _WIDE + 2 * _GAP if across else high + _GAP       # from row to row
    span = most * (high + _GAP if across else _WIDE + _GAP)
    places: dict[int, tuple[float, float]] = {}
    for number, row in enumerate(rows):
        row.sort(key=lambda i: _mean([places[a][1 if across else 0] for a, b in links if b == i and a in places]))
        if across:
            row.reverse()
        for place, i in enumerate(row):
            side, down = span * (place + 0.5) / len(row), number * step
            places[i] = (down + _WIDE / 2 + _GAP, span - side) if across else (side, (len(rows) - number - 0.5) * step)
    size = (len(rows) * step, span) if across else (span, len(rows) * step)
    figure = new_figure(*size)
    figure.set_layout_engine("none")
    figure.set_dpi(dpi)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, size[0])
    ax.set_ylim(0, size[1])
    ax.axis("off")
    reach = (_WIDE / 2, 0.0) if across else (0.0, -high / 2)        # from the middle of a box to where arrows leave
    for route in routes:
        points = [(places[i][0] + sign * reach[0], places[i][1] + sign * reach[1])
                  for i in route for sign in ((1,) if i == route[0] else (-1,) if i == route[-1] else (-1, 1))]
        ax.plot(*zip(*points[:-1], strict=True), color="#555555", linewidth=1.1)
        ax.annotate("", points[-1], points[-2], arrowprops={"arrowstyle": "-|>", "color": "#555555", "linewidth": 1.1,
                                                           "shrinkA": 0, "shrinkB": 0})
    from matplotlib.patches import FancyBboxPatch
    for i, (layer, text) in enumerate(boxes):
        x, y = places[i]
        colour = next((c for part, c in _KINDS if part in type(layer).__name__), BLUE)
        ax.add_patch(FancyBboxPatch((x - _WIDE / 2, y - high / 2), _WIDE, high, zorder=3, edgecolor=colour,
                                    boxstyle="round,pad=0,rounding_size=0.08", facecolor=tint(tint(colour))))
        ax.text(x, y, text, ha="center", va="center", fontsize=9, linespacing=1.4, zorder=4)
    return saved(figure, to_file)


def boxes_of(model: Any, show_shapes: bool, show_dtype: bool, show_layer_names: bool, expand_nested: bool,
             show_layer_activations: bool, show_trainable: bool) -> tuple[list[tuple[Any, str]], list[tuple[int, int]]]:
    """([(layer or op, what stands in its box)], [(from, to)]) of a picture of a model, by the arguments of plot_model.
    """
    boxes, arrows = _boxes(model, expand_nested)
    return [(layer, _text(layer, tensor, show_shapes, show_dtype, show_layer_names, show_layer_activations,
                          show_trainable)) for layer, tensor in boxes], arrows


def _route(a: int, b: int, depth: list[int]) -> list[int]:
    """From box a to box b by a new place in each row between, whose depths are added to the list."""
    between = list(range(depth[a] + 1, depth[b]))
    depth.extend(between)
    return [a, *range(len(depth) - len(between), len(depth)), b]


def _boxes(model: Any, expand: bool) -> tuple[list[tuple[Any, Any]], list[tuple[int, int]]]:
    """([(layer or op, the tensor that it gives)], [(from, to)]) by their numbers."""
    boxes: list[tuple[Any, Any]] = []
    arrows: list[tuple[int, int]] = []
    if not isinstance(model, Model):
        raise KindError(f"plot_model: model is {shown(model)}; needs a model.")
    graph = getattr(model, "_graph", None)
    if graph is None:
        if not model.built or not model.layers:
            raise NotBuiltError(f"plot_model: {model.name} has no shape yet; fit it, call it on data, or begin it with "
                                "an Input.")
        return [(model, None)], []
    _walk(model, graph, expand, boxes, arrows, {})
    return boxes, list(dict.fromkeys(arrows))


def _walk(model: Any, graph: Any, expand: bool, boxes: list[Any], arrows: list[Any], given: dict[int, int]) -> None:
    """Add the boxes of a graph. given: {id of a tensor: the box that makes it}, of its inputs where they are made
    outside."""
    for tensor, layer in zip(graph.input_tensors, graph.input_layers):
        if id(tensor) not in given:
            given[id(tensor)] = len(boxes)
            boxes.append((layer, tensor))
    for node in graph.nodes:
        layer = node.layer if isinstance(node, Node) else node.op
        inner = getattr(layer, "_graph", None)
        sources = [given[id(t)] for t in node_inputs(node) if id(t) in given]
        outputs = node.outputs if isinstance(node.outputs, (list, tuple)) else [node.outputs]
        if expand and inner is not None and len(sources) == len(inner.input_tensors):
            made = dict(zip(map(id, inner.input_tensors), sources))
            _walk(layer, inner, expand, boxes, arrows, made)
            given.update({id(t): made[id(o)] for t, o in zip(outputs, inner.output_tensors)})
            continue
        number = len(boxes)
        boxes.append((layer, outputs[0]))
        arrows += [(source, number) for source in sources]
        given.update({id(t): number for t in outputs})


def _depths(count: int, arrows: list[tuple[int, int]]) -> list[int]:
    """The longest way to each box; arrows go to higher numbers only."""
    depth = [0] * count
    for a, b in sorted(arrows, key=lambda arrow: arrow[1]):
        depth[b] = max(depth[b], depth[a] + 1)
    return depth


def _text(layer: Any, tensor: Any, shapes: bool, dtype: bool, names: bool, activations: bool, trainable: bool) -> str:
    is_layer = hasattr(layer, "weights") or isinstance(layer, InputLayer)
    lines = [type(layer).__name__ if is_layer else getattr(layer, "name", str(layer))]
    if names and is_layer:
        lines[0] = f"{layer.name} ({lines[0]})"
    activation = getattr(getattr(layer, "activation", None), "__name__", "")
    if activations and activation not in ("", "linear"):
        lines.append(f"activation: {activation}")
    shape = getattr(tensor, "shape", None) if tensor is not None else getattr(layer, "output_shape", None)
    if shapes and shape is not None:
        lines.append("(" + ", ".join("batch" if n is None and i == 0 else str(n) for i, n in enumerate(shape)) + ")")
    if dtype and tensor is not None:
        lines.append(str(tensor.dtype))
    if trainable and is_layer and layer.weights:
        lines.append("trainable" if layer.trainable else "frozen")
    return "\n".join(lines)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
