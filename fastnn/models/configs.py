"""Models as plain data and back: the layers, and what each is called on. Floor 4."""

import functools
import importlib
from collections.abc import Callable
from typing import Any

from fastnn import arguments
from fastnn.engine import backend
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import KindError, shown
from fastnn.layers.input import Input
from fastnn.layers.layer import Node
from fastnn.models.graph import Graph, input_layer_of
from fastnn.nest import flatten, map_structure
from fastnn.ops._sizes import FUNCTIONS, Applied
from fastnn.serialization import object_of, plain, revived, serialize_keras_object
from fastnn.values import part

_TENSOR = "__keras_tensor__"
Place = tuple[str, int, int]        # of a tensor: the layer's name, number of the call, output


# ---- Sequential -----------------------------------------------------------------------------------------------------


def sequential_config(model: Any) -> dict[str, Any]:
    """name, trainable, dtype, and the layers, an Input the first of them where there is one."""
    first = [input_entry(input_layer_of(t)) for t in ([] if model._input is None else [model._input])]
    return {"name": model.name, "trainable": model.trainable, "dtype": model.dtype,
            "layers": first + [serialize_keras_object(layer) for layer in model.layers],
            "build_input_shape": None if model._input is None else list(model._input.shape)}


def sequential_from(cls: Any, config: dict[str, Any]) -> Any:
    """The Sequential of such a dict. ValueError for one that is damaged, naming where."""
    where = cls.__name__
    layers = [input_of(each) if part(each, "class_name", str, f"{where}: layers[{i}]") == "InputLayer"
              else object_of(each) for i, each in enumerate(part(config, "layers", (list, tuple), where))]
    model = cls(layers, name=config.get("name"))
    if not config.get("trainable", True):
        model.trainable = False
    shape = config.get("build_input_shape")
    if shape and not model.built:
        model.build(arguments.shape(shape, f"{where}: build_input_shape"))
    return model


def input_entry(layer: Any) -> dict[str, Any]:
    """An Input as plain data."""
    return {"module": "fastnn.layers", "class_name": "InputLayer", "registered_name": None,
            "config": layer.get_config()}


def input_of(entry: dict[str, Any]) -> Tensor:
    """The Input of such a dict, or of Keras'."""
    config = part(entry, "config", dict, "InputLayer")
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    return Input(batch_shape=arguments.shape(shape, "InputLayer: batch_shape"), dtype=config.get("dtype"),
                 name=config.get("name"), optional=config.get("optional", False))


# ---- Model(inputs, outputs) -----------------------------------------------------------------------------------------


def graph_config(graph: Graph) -> dict[str, Any]:
    """The layers and ops with what each is called on, as Keras: a tensor is [name, number of the call, output]."""
    places: dict[int, list[Any]] = {}
    entries: dict[str, dict[str, Any]] = {}
    for x, layer in zip(graph.input_tensors, graph.input_layers):
        places[id(x)] = [layer.name, 0, 0]
        entries[layer.name] = {**input_entry(layer), "name": layer.name, "inbound_nodes": []}
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
    """The Model of a `graph_config`, or of Keras' own config of a functional model. ValueError for one that is damaged,
    naming where, as where a call refers to what is not there."""
    where = cls.__name__
    made: dict[Place, Tensor] = {}
    waiting: list[tuple[str, int, Any, dict[str, Any]]] = []
    for i, entry in enumerate(part(config, "layers", (list, tuple), where)):
        name = part(entry, "name", str, f"{where}: layers[{i}]")
        at = f"{where}: {shown(name)}"
        if part(entry, "class_name", str, at) == "InputLayer":
            made[name, 0, 0] = input_of(entry)
            continue
        called = _op(entry, at) if entry.get("module") == "fastnn.ops" else object_of(entry)
        nodes = part(entry, "inbound_nodes", (list, tuple), at)
        waiting += [(name, i, called, _call_of(node, at)) for i, node in enumerate(nodes)]
    while waiting:
        left = []
        for name, i, called, node in waiting:
            if all(place in made for place in _references(node)):
                for k, y in enumerate(flatten(_called(called, node, made, f"{where}: {shown(name)}"), Tensor)):
                    made[name, i, k] = y
            else:
                left.append((name, i, called, node))
        if len(left) == len(waiting):
            missing = next(place for place in _references(left[0][3]) if place not in made)
            raise ValueError(f"{where}: {shown(left[0][0])} is called on {shown(missing)}, which the configuration has "
                             "not, or only in a circle; needs all of its inputs among the layers.")
        waiting = left
    inputs, outputs = (_ends(part(config, key, (list, tuple, dict), where), made, f"{where}: {key}")
                       for key in ("input_layers", "output_layers"))
    more = {key: revived(value) for key, value in config.items()
            if key not in ("name", "trainable", "layers", "input_layers", "output_layers", "dtype")}
    model = cls(inputs, outputs, name=config.get("name"), **more)
    if not config.get("trainable", True):
        model.trainable = False
    return model


def _call_of(node: Any, where: str) -> dict[str, Any]:
    """The arguments of one call; of Keras 2 they are a list of [layer, call, output, keyword arguments]."""
    if isinstance(node, (list, tuple)):
        if not node or not all(isinstance(each, (list, tuple)) and len(each) in (3, 4) for each in node):
            raise KindError(f"{where}: a call is {shown(node)}; needs a dict of 'args' and 'kwargs'.")
        tensors = [{"class_name": _TENSOR, "config": {"keras_history": list(each[:3])}} for each in node]
        node = {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": (*node[-1], {})[3]}
    kwargs = node.get("kwargs") if isinstance(node, dict) else None
    given = {} if kwargs is None else part(node, "kwargs", dict, where)
    # a mask of None, which Keras writes down where there is none, is none
    return {"args": part(node, "args", (list, tuple), where),
            "kwargs": {name: value for name, value in given.items() if not (name == "mask" and value is None)}}


def _called(called: Any, node: dict[str, Any], made: dict[Place, Tensor], where: str) -> Any:
    args, kwargs = _resolved(node["args"], made), _resolved(node["kwargs"], made)
    try:
        return called(*args, **kwargs)
    except Exception as error:
        if isinstance(called, functools.partial) or not isinstance(error, ValueError):
            raise KindError(f"{where} cannot be called as the configuration says: {error}") from error
        raise


def _op(entry: dict[str, Any], where: str) -> Callable[..., Any]:
    """The op of a closed table: the kernels that there are, and the functions of any size."""
    name, config = part(entry, "class_name", str, where), part(entry, "config", dict, where)
    if name == "Function":
        called = FUNCTIONS.get(part(config, "name", str, where))
        given = {"args": part(config, "args", (list, tuple), where), "kwargs": part(config, "kwargs", dict, where)}
        if called is not None:
            return functools.partial(called, **revived(given))
    if name not in backend.kernels:
        raise ValueError(f"{where}: got the op {shown(name)}; needs one of fastnn's.")
    family = backend.kernels[name].reference.__module__.rpartition(".")[2]
    op = vars(importlib.import_module(f"fastnn.ops.rows.{family}"))[name]
    return functools.partial(op, **{key: _tupled(value) for key, value in config.items()})


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, (list, tuple)) else value


def _place(value: Any) -> Place | None:
    """What a reference refers to; None for what is no reference."""
    if not isinstance(value, dict) or value.get("class_name") != _TENSOR:
        return None
    return _checked(part(part(value, "config", dict, _TENSOR), "keras_history", (list, tuple), _TENSOR), _TENSOR)


def _checked(place: Any, where: str) -> Place:
    if isinstance(place, (list, tuple)) and [type(each) for each in place] == [str, int, int]:
        return place[0], place[1], place[2]
    raise KindError(f"{where}: a tensor is {shown(place)}; needs [name of the layer, number of the call, output].")


def _references(value: Any) -> list[Place]:
    place = _place(value)
    if place is not None:
        return [place]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [place for item in items for place in _references(item)]


def _resolved(value: Any, made: dict[Place, Tensor]) -> Any:
    place = _place(value)
    if place is not None:
        return made[place]
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _resolved(item, made) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_resolved(item, made) for item in value]
    return revived(value)


def _ends(value: Any, made: dict[Place, Tensor], where: str) -> Any:
    """Inputs or outputs from their places: [name, call, output], alone, in lists, tuples or dicts."""
    if isinstance(value, dict) and value:
        return {key: _ends(item, made, where) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], str):
        return (tuple if isinstance(value, tuple) else list)(_ends(item, made, where) for item in value)
    place = _checked(value, where)
    if place not in made:
        raise ValueError(f"{where}: {shown(place)} is not made by the layers of the configuration; needs one of "
                         f"{shown(list(made))}.")
    return made[place]
