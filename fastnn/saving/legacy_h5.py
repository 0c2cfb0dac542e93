"""Models and weights in HDF5 as Keras 2 wrote them, and Keras 3 under names that end in .h5: to read. Floor 5.

The configuration is an attribute of the file. Weights are found by their order: layer by layer, those that are trained
before the others. Nothing is run or imported, as in keras_files.
"""

from typing import Any

from fastnn.errors import ModelFileError, ShapeError, shown
from fastnn.saving import file, hdf5
from fastnn.saving.hdf5 import array_in, found_in, opened
from fastnn.saving.state import checked

_OPTIMIZERS = ("SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Adafactor")
_IDLE = {"fn": None, "decay": 0.0, "jit_compile": None, "is_legacy_optimizer": None, "implementation": None}


def is_legacy(path: Any) -> bool:
    """Whether the weights lie there in order, and not by their places as in .weights.h5."""
    with opened(path) as (groups, _):
        return any(name in groups.attrs for name in ("layer_names", "layer_names0", "model_config"))


def read_config(path: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the model's configuration, what it was compiled with, empty where it was not)."""
    with opened(path) as (groups, _):
        texts = [_text(groups.attrs.get(name, "{}")) for name in ("model_config", "training_config")]
    try:
        config, training = (file._json(text.encode("utf-8", "replace"), "its attribute") for text in texts)
    except ModelFileError as error:
        raise ModelFileError(f"{error}\nThe file is {shown(str(path))}.") from None
    if not config:
        raise ModelFileError(f"{shown(str(path))} is HDF5 without a model.\nWeights of Keras: make the model and call "
                             "load_weights(path). A whole model: save it as .keras or .h5, by Keras.")
    newer: tuple[dict[str, Any], dict[str, Any]] = checked(path, lambda: (_newer(config), _newer(training)))
    return newer


def _newer(value: Any) -> Any:
    """A configuration with today's words for those of Keras 2."""
    if isinstance(value, list):
        return [_newer(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _newer(item) for key, item in value.items()}
    name, config = found.get("class_name"), found.get("config")
    if isinstance(name, str) and isinstance(config, dict):
        found["class_name"] = name.removeprefix("Custom>") if name.removeprefix("Custom>") in _OPTIMIZERS else name
        if name == "BatchNormalization" and isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
            config["axis"] = config["axis"][0]
        if config.get("reduction") == "auto":
            config["reduction"] = "sum_over_batch_size"
        for key, idle in _IDLE.items():
            if key in config and (idle is None or config[key] == idle):
                del config[key]
    return found


def put_weights(model: Any, path: Any, skip_mismatch: bool = False, skipped: Any = ()) -> list[str]:
    """Give the model the weights of such a file, but those whose ids are skipped; what did not fit. ShapeError before
    anything changes."""
    with opened(path) as (groups, package):
        at = "model_weights/" if "model_weights" in groups else ""
        held = _weights(groups, at, package)
        layers = [layer for layer in model.layers if layer.weights]
        own = [*model._own(True), *model._own(False)]
        if len(held) != len(layers):
            raise ShapeError(f"load_weights(): {shown(str(path))} has the weights of {len(held)} layers, "
                             f"{shown([name for name, _ in held])}, and {model.name} has {len(layers)} with weights.\n"
                             "Make the same layers in the same order.")
        pairs = [([*layer.trainable_weights, *layer.non_trainable_weights], arrays)
                 for layer, (_, arrays) in zip(layers, held)]
        if own:
            pairs.append((own, _arrays(groups, f"{at}top_level_model_weights", package)))
        ready, wrong = hdf5.fitting((v, array) for variables, arrays in pairs
                                    for v, array in zip(variables, _as_many(arrays, len(variables)))
                                    if id(v) not in skipped)
    hdf5.put(model, path, ready, wrong, skip_mismatch)
    return wrong


def _as_many(arrays: list[Any], count: int) -> list[Any]:
    """The arrays of a layer of so many weights; None for each where it has more or fewer."""
    return arrays if len(arrays) == count else [None] * count


def put_optimizer(model: Any, path: Any) -> bool:
    """Give a compiled model's optimizer the numbers and slots of the file, where it has any; whether they fit."""
    with opened(path) as (groups, package):
        arrays = _arrays(groups, "optimizer_weights", package)
        return not arrays or hdf5.put_optimizer(model, arrays)


def _weights(groups: Any, at: str, package: Any) -> list[tuple[str, list[Any]]]:
    """(name, data sets) of the layers that have any."""
    root = found_in(groups, at.rstrip("/"), package) if at else groups
    held = [(name, _arrays(groups, f"{at}{name}", package)) for name in _names(root, "layer_names")]
    return [(name, arrays) for name, arrays in held if arrays]


def _arrays(groups: Any, at: str, package: Any) -> list[Any]:
    """The data sets of a group in order, unread. ModelFileError where one is not there."""
    group = found_in(groups, at, package)
    arrays = [] if group is None else [array_in(groups, f"{at}/{name}", package)
                                       for name in _names(group, "weight_names")]
    if any(array is None for array in arrays):
        raise ModelFileError(f"{shown(at)} names weights that are not in the file; it is damaged.")
    return arrays


def _names(group: Any, name: str) -> list[str]:
    """A list of names, which lies in pieces where it is long."""
    pieces = [group.attrs[name]] if name in group.attrs else []
    while f"{name}{len(pieces)}" in group.attrs:
        pieces.append(group.attrs[f"{name}{len(pieces)}"])
    return [_text(each) for piece in pieces for each in piece]


def _text(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        raise ModelFileError(f"an attribute is {shown(value)}; needs a text; the file is damaged, or not Keras'.")
    return text
