"""Text in models: a layer reads an Input of dtype "string" before the model runs, which sees numbers only. Floor 4.

fit, evaluate and predict read the text of their data once; a model that is called reads it there.
"""

from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, shown
from fastnn.layers.layer import Layer, Node
from fastnn.nest import flatten, map_structure


def readers_of(inputs: list[Tensor], nodes: list[Any]) -> dict[int, Node]:
    """The use of a layer that reads it, for the number of each input that is text. ValueError unless it is one."""
    found = {}
    for i, x in enumerate(inputs):
        if x.dtype != "string":
            continue
        uses = [node for node in nodes if any(t is x for t in flatten([*node.args, node.kwargs], Tensor))]
        if len(uses) != 1 or not uses[0].layer.reads_text:
            names = [node.layer.name for node in uses]
            raise ValueError(f"Model: the text of {x.name!r} goes to {names}; needs one layer that reads text, such as "
                             "StringLookup or TextVectorization.\nMake an Input for each of several, and give them the "
                             "same text.")
        found[i] = uses[0]
    return found


def read(reader: Node, text: Any, where: str) -> Tensor:
    """The numbers that a reader makes of an array or list of text. KindError or ShapeError for what it cannot read."""
    shape = reader.args[0].shape
    array = np.asarray(text, None if hasattr(text, "dtype") else object)
    strange = None if array.dtype.kind in "US" else [t for t in array.flat if not isinstance(t, (str, bytes))]
    if strange or (strange is not None and array.dtype.kind != "O"):
        raise KindError(f"{where} holds {shown(strange[0])}; needs text, which layer {reader.layer.name!r} reads.")
    if array.ndim == len(shape) - 1 and shape[-1] == 1:
        array = array[..., None]
    elif array.ndim == len(shape) + 1 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape[1:], array.shape[1:])):
        raise ShapeError(f"{where} has shape {array.shape}; needs text of shape {shape}, as its Input says.")
    return reader.layer(array)  # type: ignore[no-any-return]


class Reads(Layer):
    """What a model does with text that it is called on."""
    _graph: Any

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the model to tensors, arrays or symbolic tensors; text where an Input is text."""
        if self._graph is not None and self._graph.texts:
            if not args and "inputs" in kwargs:
                args = (kwargs.pop("inputs"),)
            args = (*map(self._read, args[:1]), *args[1:])
        return super().__call__(*args, **kwargs)

    def _read(self, inputs: Any) -> Any:
        """The inputs with numbers in the place of text."""
        graph = self._graph
        listed = isinstance(inputs, list) and len(inputs) == 1 and hasattr(inputs[0], "shape")      # [x] for x
        alone = len(graph.input_tensors) == 1 and not isinstance(inputs, dict) and not listed
        parts = [inputs] if alone else graph.ordered(inputs)
        values: dict[int, Any] = {}
        for i, (tensor, part) in enumerate(zip(graph.input_tensors, parts, strict=True)):
            is_text = i in graph.texts and not isinstance(part, Tensor)
            values[id(tensor)] = read(graph.texts[i], part, f"{self.name}: {tensor.name}") if is_text else part
        return map_structure(lambda t: values[id(t)], graph.inputs)
