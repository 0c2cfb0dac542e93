"""Keras' own files: `.keras` (a zip of config.json and model.weights.h5) and `.weights.h5`. Floor 5.

Needs h5py, the extra `keras-files`. Weights are found by the places that Keras gives them: a layer's by the attribute
that holds it, those of a model by the snake case of their classes, numbered. Nothing in a file is run or imported,
links and external data are refused, and no array is read that does not have the shape of its weight.
"""

import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastnn.engine.tensor import Variable
from fastnn.errors import ModelFileError, shown, warn
from fastnn.layers.layer import Layer
from fastnn.layers.weighted import BOOKS
from fastnn.names import snake_case
from fastnn.saving import file, hdf5, keras_words
from fastnn.serialization import serialize_keras_object

ZIP, HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
LONGEST_CONFIG = 1 << 26        # bytes
_NAMES = {"GroupedQueryAttention": "GroupQueryAttention"}
_OURS = ("TransformerEncoder", "TransformerDecoder", "SinusoidalPositions")     # Keras has no such layers
_LEFT_OUT = {"GroupedQueryAttention": ("value_dim", "output_shape", "attention_axes"),      # arguments, likewise
             "SpatialDropout1D": ("trainable",), "SpatialDropout2D": ("trainable",)}
_DENSE = ("query", "key", "value", "gate", "output")        # parts of attention, which Keras makes layers of


def kind_of(path: str | os.PathLike[str]) -> str:
    """'keras', 'h5' or '' by the first bytes of a file."""
    with open(path, "rb") as opened:
        begin = opened.read(8)
    return "keras" if begin[:4] == ZIP else "h5" if begin == HDF5 else ""


# ---- where Keras keeps the weights -----------------------------------------------------------------------------------

def places(layer: Any) -> list[tuple[str, Variable]]:
    """(place, weight) of all weights, each once."""
    found: dict[int, tuple[str, Variable]] = {}
    seen: set[int] = set()

    def visit(layer: Any, at: str) -> None:
        if id(layer) in seen:
            return
        seen.add(id(layer))
        for place, variable in _own(layer, at):
            found.setdefault(id(variable), (place, variable))
        for name, inner in _inner(layer):
            visit(inner, f"{at}{name}/")

    visit(layer, "")
    return list(found.values())


def _own(layer: Any, at: str) -> Iterator[tuple[str, Variable]]:
    own = [*layer._own(True), *layer._own(False)]
    parts = [v.name.rpartition("/")[2].rpartition("_") for v in own]
    if own and all(part in _DENSE and end in ("kernel", "bias") for part, _, end in parts):
        mark = "" if type(layer).__name__ == "MultiHeadAttention" else "_"
        for v, (part, _, end) in zip(own, parts):
            yield f"{at}{mark}{part}_dense/vars/{int(end == 'bias')}", v
    else:
        for i, v in enumerate(own):
            yield f"{at}vars/{i}", v


def _inner(layer: Any) -> Iterator[tuple[str, Any]]:
    """(name of the group, layer) of the layers that a layer has as attributes, or in lists and dicts of them."""
    containers: list[tuple[str, Any]] = []
    if hasattr(layer, "_feeds") and (layer._graph is not None or type(layer).__name__ == "Sequential"):
        containers = [("layers", layer.layers)]
    for name, value in sorted(vars(layer).items()):
        if name in BOOKS or name in ("_sublayers", "_graph"):
            continue
        if isinstance(value, Layer):
            yield name, value
        elif isinstance(value, (list, tuple, dict)):
            containers.append((name, value))
    seen: set[int] = set()
    for name, value in containers:
        yield from _contained(name, value, seen)


def _contained(at: str, value: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """The layers in a list, tuple or dict, and in those that it holds, each of which is seen once."""
    if id(value) in seen:
        return
    seen.add(id(value))
    taken: dict[str, int] = {}
    for each in value.values() if isinstance(value, dict) else value:
        if not isinstance(each, (Layer, list, tuple, dict)):
            continue
        key = snake_case(type(each).__name__) if isinstance(each, Layer) else "container"
        key = "functional" if key == "model" and getattr(each, "_graph", None) is not None else key
        count = taken[key] = taken.get(key, -1) + 1
        name = f"{at}/{key}_{count}" if count else f"{at}/{key}"
        if isinstance(each, Layer):
            yield name, each
        else:
            yield from _contained(name, each, seen)


# ---- reading ---------------------------------------------------------------------------------------------------------

def put_weights(model: Any, path: Any, skip_mismatch: bool = False, content: Any = None, skipped: Any = ()
                ) -> list[str]:
    """Give the model the weights of a .weights.h5 file, but those whose ids are skipped; what did not fit. ShapeError
    before anything changes."""
    held = places(model)
    with hdf5.opened(path, content) as (groups, package):
        ready, wrong = hdf5.fitting((v, hdf5.array_in(groups, name, package)) for name, v in held
                                    if id(v) not in skipped)
    placed = {id(v) for _, v in held}.union(skipped)
    wrong += [f"{v.name}: no place in a file of Keras" for v in model.weights if id(v) not in placed]
    hdf5.put(model, path, ready, wrong, skip_mismatch)
    return wrong


def read_model(path: Any) -> tuple[dict[str, Any], io.BytesIO]:
    """(config.json, the bytes of model.weights.h5) of a .keras file."""
    def entry(name: str, most: int = LONGEST_CONFIG) -> bytes:
        with archive.open(name) as opened:
            content = opened.read(most + 1)
        if len(content) > most:
            raise ModelFileError(f"{shown(str(path))}: {name} has more than {most} bytes; it is damaged.")
        return content

    try:
        with zipfile.ZipFile(path) as archive:
            config = file._json(entry("config.json"), "config.json")
            if not isinstance(config, dict):
                raise ModelFileError(f"{shown(str(path))}: config.json describes no model; it is damaged.")
            weights = entry("model.weights.h5", 16 * Path(path).stat().st_size + LONGEST_CONFIG)
            names = set(archive.namelist())
            ours = "metadata.json" in names and b'"written_by": "fastnn"' in entry("metadata.json")
            keras_words.fill(config, names, entry)
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, (ModelFileError, FileNotFoundError, PermissionError)):
            raise
        raise ModelFileError(f"{shown(str(path))} is no .keras file ({shown(str(error))}); it is damaged.") from None
    if not ours:
        _forget_training(config)
    return config, io.BytesIO(weights)


def _forget_training(value: Any) -> None:
    """Take `training` out of the calls of a configuration: Keras writes down each layer's default there, and goes by
    what the model is doing."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _forget_training(item)
    if isinstance(value, dict):
        for node in value.get("inbound_nodes") or []:
            if isinstance(node, dict) and isinstance(node.get("kwargs"), dict):
                node["kwargs"].pop("training", None)


# ---- writing ---------------------------------------------------------------------------------------------------------

def weights_file(model: Any, with_optimizer: bool, skipped: frozenset[int] = frozenset()) -> bytes:
    """The bytes of a .weights.h5 file."""
    made = io.BytesIO()
    found = places(model)
    lost = [v.name for v in model.weights if id(v) not in skipped and all(v is not other for _, other in found)]
    if lost:
        raise ValueError(f"save(): the weight {shown(lost[0])} is held where a file of Keras has no place for it; "
                         "needs it, or its layer, in an attribute, or in a list or dict of one.\nOr choose a name that "
                         "does not end in .keras or .h5.")
    with hdf5.h5py("save()").File(made, "w") as groups:
        for name, variable in found:
            if id(variable) not in skipped:
                groups[name] = variable.numpy()
        if with_optimizer and model.optimizer is not None:
            for i, variable in enumerate(model.optimizer.variables):
                groups[f"optimizer/vars/{i}"] = variable.numpy()
    return made.getvalue()


def write_weights(path: Any, model: Any, skipped: frozenset[int]) -> None:
    """Write a .weights.h5 file."""
    file.replace(path, weights_file(model, False, skipped))


def write_model(path: Any, model: Any, training: dict[str, Any] | None) -> None:
    """Write a .keras file. ValueError for what Keras has no name for."""
    config = _keras(serialize_keras_object(model))
    if training is not None:
        if training["undecayed"]:
            warn(f"save(): {shown(str(path))} has no place for what exclude_from_weight_decay() was told; needs to be "
                 "told again after loading.")
        config["compile_config"] = {**{key: _keras(value) for key, value in training.items()
                                       if key not in ("trained", "undecayed", "run_eagerly")},
                                    "run_eagerly": False, "jit_compile": False}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in (("metadata.json", json.dumps({"keras_version": "3.15.1", "written_by": "fastnn"})),
                              ("config.json", json.dumps(config)),
                              ("model.weights.h5", weights_file(model, training is not None))):
            archive.writestr(zipfile.ZipInfo(name), content)
    file.replace(path, made.getvalue())


def _keras(value: Any) -> Any:
    """A configuration with Keras' modules in place of fastnn's."""
    if isinstance(value, (list, tuple)):
        return [_keras(item) for item in value]
    if not isinstance(value, dict):
        return value
    module, name = value.get("module"), value.get("class_name")
    found = {key: _keras(item) for key, item in value.items()}
    if name and isinstance(module, str) and module.startswith("fastnn."):
        if (module == "fastnn.ops" and name != "function") or name in _OURS:
            op = value["config"].get("name", name) if name == "Function" else name
            what = f"the op {shown(op)} between layers" if module == "fastnn.ops" else shown(name)
            raise ValueError(f"save(): {what} has no place in a .keras file; needs layers that Keras has.\nOr choose a "
                             "name that does not end in .keras.")
        found["module"], found["class_name"] = module.replace("fastnn.", "keras.", 1), _NAMES.get(name, name)
        if module == "fastnn.layers" and isinstance(found["config"], dict):
            found["config"] = {key: item for key, item in found["config"].items() if key not in _LEFT_OUT.get(name, ())
                               and not (key == "activity_regularizer" and item is None)}
        if module == "fastnn.models":
            graph = name == "Model"
            found["module"] = "keras.src.models.functional" if graph else "keras"
            found["class_name"] = "Functional" if graph else name
    return found


def put_optimizer(model: Any, path: Any, content: Any) -> bool:
    """Give a compiled model's optimizer the numbers and slots of the file; whether they are there and fit."""
    with hdf5.opened(path, content) as (groups, package):
        group = hdf5.found_in(groups, "optimizer/vars", package)
        return hdf5.put_optimizer(model, [hdf5.array_in(groups, f"optimizer/vars/{i}", package)
                                          for i in range(0 if group is None else len(group))])
