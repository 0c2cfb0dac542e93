"""Models as plain data and back, and copies of models with new weights. Floor 4."""

import functools
import importlib
from collections.abc import Callable
from typing import Any

from fastnn.engine import backend
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import KindError, shown
from fastnn.layers.input import Input, InputLayer
from fastnn.layers.layer import Node
from fastnn.models.graph import Graph, input_layer_of
from fastnn.models.model import Model
from fastnn.models.sequential import Sequential
from fastnn.nest import flatten, map_structure, same_structure
from fastnn.ops._sizes import FUNCTIONS, Applied
from fastnn.serialization import deserialize_keras_object, keeping_functions, plain, revived, serialize_keras_object

_TENSOR = "__keras_tensor__"


def clone_model(model: Any, input_tensors: Any = None, clone_function: Callable[[Any], Any] | None = None,
                call_function: Callable[..., Any] | None = None, recursive: bool = False) -> Any:
    """A model of the same layers with weights of its own, new ones. A subclass is made again from its arguments.

    input_tensors: symbolic tensors in place of new Inputs. clone_function(layer) gives the layer in place of another,
    call_function(layer, *inputs) calls it; recursive: for the layers of inner models too. ValueError for these with a
    subclass, and for input_tensors in another structure. Source: keras.models.clone_model.
    """
    if not isinstance(model, Model):
        raise KindError(f"clone_model: got {shown(model)}; needs a model.")
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
    return _input_of(_input_entry(input_layer_of(like)))


def _replay(node: Any, values: dict[int, Any], call: Callable[[Any, Any, Any], Any]) -> None:
    """The node once more, on what `values` has in place of its inputs."""
    def value(leaf: Any) -> Any:
        return values.get(id(leaf), leaf)
    if isinstance(node, Node):
        outputs, made = call(node, map_structure(value, node.args), map_structure(value, node.kwargs)), node.outputs
    else:
        outputs, made = node.op(*map(value, node.inputs), **node.constants), list(node.outputs)
    values.update(zip(map(id, flatten(made, Tensor)), flatten(outputs, Tensor), strict=True))


# ---- Sequential -----------------------------------------------------------------------------------------------------


def sequential_config(model: Sequential) -> dict[str, Any]:
    """name, trainable, dtype, and the layers, an Input the first of them where there is one."""
    first = [_input_entry(input_layer_of(t)) for t in ([] if model._input is None else [model._input])]
    return {"name": model.name, "trainable": model.trainable, "dtype": model.dtype,
            "layers": first + [serialize_keras_object(layer) for layer in model.layers],
            "build_input_shape": None if model._input is None else list(model._input.shape)}


def sequential_from(cls: Any, config: dict[str, Any]) -> Any:
    """The Sequential of such a dict."""
    layers = [_input_of(each) if each["class_name"] == "InputLayer" else deserialize_keras_object(each)
              for each in config["layers"]]
    model = cls(layers, name=config.get("name"))
    if not config.get("trainable", True):
        model.trainable = False
    shape = config.get("build_input_shape")
    if shape and not model.built:
        model.build(tuple(shape))
    return model


def _input_entry(layer: Any) -> dict[str, Any]:
    return {"module": "fastnn.layers", "class_name": "InputLayer", "registered_name": None,
            "config": layer.get_config()}


def _input_of(entry: dict[str, Any]) -> Tensor:
    config = entry["config"]
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    return Input(batch_shape=tuple(shape), dtype=config.get("dtype"), name=config.get("name"),
                 optional=config.get("optional", False))


# ---- Model(inputs, outputs) -----------------------------------------------------------------------------------------


def graph_config(graph: Graph) -> dict[str, Any]:
    """The layers and ops with what each is called on, as Keras: a tensor is [name, number of the call, output]."""
    places: dict[int, list[Any]] = {}
    entries: dict[str, dict[str, Any]] = {}
    for x, layer in zip(graph.input_tensors, graph.input_layers):
        places[id(x)] = [layer.name, 0, 0]
        entries[layer.name] = {**_input_entry(layer), "name": layer.name, "inbound_nodes": []}
    for number, node in enumerate(graph.nodes):
        of_layer = isinstance(node, Node)
        name = node.layer.name if of_layer else f"{node.op.name}_op_{number}"
        if name not in entries:
            entries[name] = {**(serialize_keras_object(node.layer) if of_layer else _op_entry(node)), "name": name,
                             "inbound_nodes": []}
        calls = entries[name]["inbound_nodes"]
        args, kwargs = (node.args, node.kwargs) if of_layer else (node.inputs, {})
        for i, y in enumerate(flatten(node.outputs, Tensor) if of_layer else node.outputs):
            places[id(y)] = [name, len(calls), i]
        calls.append({"args": _referred(list(args), places, name), "kwargs": _referred(kwargs, places, name)})
    return {"layers": list(entries.values()), "input_layers": map_structure(lambda t: places[id(t)], graph.inputs),
            "output_layers": map_structure(lambda t: places[id(t)], graph.outputs)}


def _op_entry(call: Any) -> dict[str, Any]:
    config = {key: plain(value, call.op.name) for key, value in call.constants.items()}
    if isinstance(call, Applied):
        config["name"] = call.op.name
    return {"module": "fastnn.ops", "class_name": "Function" if isinstance(call, Applied) else call.op.name,
            "registered_name": None, "config": config}


def _referred(value: Any, places: dict[int, list[Any]], where: str) -> Any:
    """Arguments with tensors of the graph as references."""
    def one(leaf: Any) -> Any:
        if id(leaf) in places:
            return {"class_name": _TENSOR, "config": {"shape": list(leaf.shape), "dtype": leaf.dtype,
                                                      "keras_history": places[id(leaf)]}}
        if isinstance(leaf, Variable):
            raise ValueError(f"Model: {where} is called on the weight {leaf.name!r} itself, which cannot be written "
                             "down; needs a layer of your own around it.")
        return plain(leaf, where)
    return map_structure(one, value)


def model_from(cls: Any, config: dict[str, Any]) -> Any:
    """The Model of a `graph_config`, or of Keras' own config of a functional model. ValueError where a call refers to
    what is not there."""
    made: dict[tuple[Any, ...], Tensor] = {}
    waiting: list[tuple[str, int, Any, dict[str, Any]]] = []
    for entry in config["layers"]:
        name = entry["name"]
        if entry["class_name"] == "InputLayer":
            made[name, 0, 0] = _input_of(entry)
            continue
        called = _op(entry) if entry.get("module") == "fastnn.ops" else deserialize_keras_object(entry)
        waiting += [(name, i, called, node) for i, node in enumerate(entry["inbound_nodes"])]
    while waiting:
        left = []
        for name, i, called, node in waiting:
            if all(place in made for place in _references(node)):
                args, kwargs = _resolved(node["args"], made), _resolved(_said(node.get("kwargs")), made)
                for k, y in enumerate(flatten(called(*args, **kwargs), Tensor)):
                    made[name, i, k] = y
            else:
                left.append((name, i, called, node))
        if len(left) == len(waiting):
            raise ValueError(f"Model: {left[0][0]!r} is called on what the configuration has not; needs all of its "
                             "inputs among the layers.")
        waiting = left
    inputs, outputs = (_ends(config[key], made) for key in ("input_layers", "output_layers"))
    more = {key: revived(value) for key, value in config.items()
            if key not in ("name", "trainable", "layers", "input_layers", "output_layers", "dtype")}
    model = cls(inputs, outputs, name=config.get("name"), **more)
    if not config.get("trainable", True):
        model.trainable = False
    return model


def _said(kwargs: Any) -> dict[str, Any]:
    """The keyword arguments of a call but a mask of None, which Keras writes down where there is none."""
    return {name: value for name, value in (kwargs or {}).items() if not (name == "mask" and value is None)}


def _op(entry: dict[str, Any]) -> Callable[..., Any]:
    """The op of a closed table: the kernels that there are, and the functions of any size."""
    name, config = entry["class_name"], entry["config"]
    if name == "Function" and config["name"] in FUNCTIONS:
        return functools.partial(FUNCTIONS[config["name"]], args=revived(config["args"]),
                                 kwargs=revived(config["kwargs"]))
    if name not in backend.kernels:
        raise ValueError(f"Model: got the op {shown(name)}; needs one of fastnn's.")
    family = backend.kernels[name].reference.__module__.rpartition(".")[2]
    op = vars(importlib.import_module(f"fastnn.ops.rows.{family}"))[name]
    constants = {key: _tupled(value) for key, value in config.items()}
    return lambda *inputs: op(*inputs, **constants)


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, (list, tuple)) else value


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == _TENSOR


def _place(reference: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(reference["config"]["keras_history"])


def _references(value: Any) -> list[tuple[Any, ...]]:
    if _is_reference(value):
        return [_place(value)]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [place for item in items for place in _references(item)]


def _resolved(value: Any, made: dict[tuple[Any, ...], Tensor]) -> Any:
    if _is_reference(value):
        return made[_place(value)]
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _resolved(item, made) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_resolved(item, made) for item in value]
    return revived(value)


def _ends(value: Any, made: dict[tuple[Any, ...], Tensor]) -> Any:
    """Inputs or outputs from their places: [name, call, output], alone, in lists or dicts."""
    if isinstance(value, dict):
        return {key: _ends(item, made) for key, item in value.items()}
    if isinstance(value[0], str):
        return made[tuple(value)]
    return [_ends(item, made) for item in value]
