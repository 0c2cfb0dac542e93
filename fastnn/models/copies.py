"""Copies of models with new weights. Floor 4."""

from collections.abc import Callable
from typing import Any

from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, shown
from fastnn.layers.input import InputLayer
from fastnn.layers.layer import Node
from fastnn.models.configs import input_entry, input_of
from fastnn.models.graph import input_layer_of
from fastnn.models.model import Model
from fastnn.models.sequential import Sequential
from fastnn.nest import flatten, map_structure, same_structure
from fastnn.serialization import keeping_functions


def clone_model(model: Any, input_tensors: Any = None, clone_function: Callable[[Any], Any] | None = None,
                call_function: Callable[..., Any] | None = None, recursive: bool = False) -> Any:
    """A model of the same layers with weights of its own, new ones, compiled alike with an optimizer and metrics of its
    own where the model is compiled. A subclass is made again from its arguments.

    input_tensors: symbolic tensors in place of new Inputs. clone_function(layer) gives the layer in place of another,
    call_function(layer, *inputs) calls it; recursive: for the layers of inner models too. ValueError for these with a
    subclass, and for input_tensors in another structure. Source: keras.models.clone_model.
    """
    if not isinstance(model, Model):
        raise KindError(f"clone_model: got {shown(model)}; needs a model.")
    made = _clone(model, input_tensors, clone_function, call_function, recursive)
    if model.compiled is not None and not made.compiled:
        with keeping_functions():
            made.compile_from_config(model.get_compile_config())
    return made


def _clone(model: Any, input_tensors: Any, clone_function: Callable[[Any], Any] | None,
           call_function: Callable[..., Any] | None, recursive: bool) -> Any:
    if model._graph is None and not isinstance(model, Sequential):
        if input_tensors is not None or clone_function is not None or call_function is not None:
            raise ValueError(f"clone_model: got {model.name}, a subclass, and input_tensors, clone_function or "
                             "call_function; needs a Sequential or a Model(inputs, outputs) for these.")
        return model._copied()
    if input_tensors is not None and model._graph is not None and not same_structure(
            model._graph.inputs, input_tensors):
        raise ValueError(f"clone_model: input_tensors is {shown(input_tensors)}; needs the structure of model.input.")

    def copy(layer: Any) -> Any:
        if isinstance(layer, Model) and recursive and (layer._graph is not None or isinstance(layer, Sequential)):
            return clone_model(layer, None, clone_function, call_function, recursive)
        return layer._copied() if clone_function is None else clone_function(layer)

    with keeping_functions():
        if isinstance(model, Sequential):
            given = flatten(input_tensors, Tensor) if input_tensors is not None else _inputs(model)
            return Sequential([*given, *map(copy, model.layers)], name=model.name)
        graph: Any = model._graph
        copies = {id(layer): copy(layer) for layer in graph.layers if not isinstance(layer, InputLayer)}
    inputs = map_structure(_input, graph.inputs) if input_tensors is None else input_tensors
    values = dict(zip(map(id, graph.input_tensors), flatten(inputs, Tensor), strict=True))

    def call(node: Any, args: Any, kwargs: Any) -> Any:
        layer = copies[id(node.layer)]
        return layer(*args, **kwargs) if call_function is None else call_function(layer, *args, **kwargs)

    for node in graph.nodes:
        _replay(node, values, call)
    outputs = map_structure(lambda t: values[id(t)], graph.outputs)
    return Model(inputs, outputs, name=model.name)


def _inputs(model: Sequential) -> list[Tensor]:
    return [] if model._input is None else [_input(model._input)]


def _input(like: Tensor) -> Tensor:
    return input_of(input_entry(input_layer_of(like)))


def _replay(node: Any, values: dict[int, Any], call: Callable[[Any, Any, Any], Any]) -> None:
    """The node once more, on what `values` has in place of its inputs."""
    def value(leaf: Any) -> Any:
        return values.get(id(leaf), leaf)
    if isinstance(node, Node):
        outputs, made = call(node, map_structure(value, node.args), map_structure(value, node.kwargs)), node.outputs
    else:
        outputs, made = node.op(*map(value, node.inputs), **node.constants), list(node.outputs)
    values.update(zip(map(id, flatten(made, Tensor)), flatten(outputs, Tensor), strict=True))
