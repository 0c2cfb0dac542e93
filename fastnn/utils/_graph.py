"""What lies behind a symbolic tensor, and a model as a graph for Graphviz. Floor 5."""

import os
import tempfile
from pathlib import Path
from typing import Any

from fastnn.arguments import choice
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, shown
from fastnn.layers.input import InputLayer
from fastnn.models.graph import node_inputs
from fastnn.nest import distinct

__all__ = ["get_source_inputs", "model_to_dot"]


def get_source_inputs(tensor: Any) -> list[Any]:
    """The Inputs that a symbolic tensor is computed from, each once. Source: keras.utils.get_source_inputs.

    x = Input((3,)); y = Dense(2)(x); get_source_inputs(y)      # [x]
    """
    if not isinstance(tensor, Tensor) or not tensor.symbolic:
        raise KindError(f"get_source_inputs: got {shown(tensor)}; needs a symbolic tensor, what a layer makes of an "
                        "Input.")
    found: list[Any] = []
    seen: set[int] = set()
    left = [tensor]
    while left:
        x = left.pop()
        node = x.source
        if node is None or isinstance(getattr(node, "layer", None), InputLayer):
            found.append(x)
        elif id(node) not in seen:
            seen.add(id(node))
            left += reversed(node_inputs(node))
    return distinct(found)


def model_to_dot(model: Any, show_shapes: bool = False, show_dtype: bool = False, show_layer_names: bool = False,
                 rankdir: str = "TB", expand_nested: bool = False, dpi: int = 200, show_layer_activations: bool = False,
                 show_trainable: bool = False) -> "Dot":
    """The model's layers as a graph: its text is for Graphviz, its picture is that of plot_model, which needs none.

    The arguments are those of plot_model. Source: keras.utils.model_to_dot, which gives a pydot.Dot.

    SVG(model_to_dot(model, show_shapes=True).create(format="svg"))     # in a notebook
    """
    return Dot(model, {"show_shapes": show_shapes, "show_dtype": show_dtype, "show_layer_names": show_layer_names,
                       "rankdir": choice(rankdir, "model_to_dot: rankdir", ("TB", "LR")), "dpi": dpi,
                       "expand_nested": expand_nested, "show_layer_activations": show_layer_activations,
                       "show_trainable": show_trainable})


class Dot:
    """A model as a graph, under the names of pydot.Dot that scripts call."""

    def __init__(self, model: Any, options: dict[str, Any]) -> None:
        self.model, self.options = model, options
        self.to_string()        # a model that cannot be drawn says so now

    def to_string(self) -> str:
        """The text in Graphviz' language."""
        from fastnn.plotting.network import boxes_of
        boxes, arrows = boxes_of(self.model, **{key: self.options[key] for key in self.options if key not in (
            "rankdir", "dpi")})
        lines = [f'{i} [label="{_escaped(text)}"];' for i, (_, text) in enumerate(boxes)]
        lines += [f"{a} -> {b};" for a, b in arrows]
        start = f'digraph {{\nrankdir={self.options["rankdir"]};\nnode [shape=box, style=rounded];\n'
        return start + "\n".join(lines) + "\n}\n"

    def create(self, prog: Any = None, format: str = "png") -> bytes:
        """The bytes of a picture: 'png', 'svg' or 'pdf', as plot_model draws it; 'dot' the text. prog: taken for
        pydot's sake, as no program is run."""
        kind = choice(format, "create: format", ("png", "svg", "pdf", "dot", "raw"))
        if kind in ("dot", "raw"):
            return self.to_string().encode()
        from fastnn.plotting import plot_model
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"model.{kind}"
            plot_model(self.model, path, **self.options)
            return path.read_bytes()

    def write(self, path: "str | os.PathLike[str]", prog: Any = None, format: str = "raw") -> bool:
        """Write what create() gives to a file."""
        Path(path).write_bytes(self.create(prog, format))
        return True

    def create_svg(self, prog: Any = None) -> bytes:
        """create(format="svg")."""
        return self.create(prog, "svg")

    def create_png(self, prog: Any = None) -> bytes:
        """create(format="png")."""
        return self.create(prog, "png")

    def write_png(self, path: "str | os.PathLike[str]", prog: Any = None) -> bool:
        """write(format="png")."""
        return self.write(path, prog, "png")

    def write_svg(self, path: "str | os.PathLike[str]", prog: Any = None) -> bool:
        """write(format="svg")."""
        return self.write(path, prog, "svg")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
