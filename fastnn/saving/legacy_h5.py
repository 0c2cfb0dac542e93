"""Models and weights in HDF5 as Keras 2 wrote them, and Keras 3 under names that end in .h5: to read. Floor 5.

The configuration is an attribute of the file. Weights are found by their order: layer by layer, those that are trained
before the others. Nothing is run or imported, as in keras_files.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastnn.errors import ModelFileError, ShapeError, shown
from fastnn.saving import file
from fastnn.saving.hdf5 import array_in, found_in, h5py

_OPTIMIZERS = ("SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Adafactor")
_IDLE = {"fn": None, "decay": 0.0, "jit_compile": None, "is_legacy_optimizer": None, "implementation": None}


@contextlib.contextmanager
def _opened(path: Any) -> Iterator[tuple[Any, Any]]:
    """(the file, h5py). ModelFileError for what h5py cannot read."""
    package = h5py(shown(str(path)))
    try:
        with package.File(path, "r") as groups:
            yield groups, package
    except (OSError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, ValueError):
            raise
        raise ModelFileError(f"{shown(str(path))}: h5py cannot read it ({shown(str(error))}); it is damaged.") from None


def is_legacy(path: Any) -> bool:
    """Whether the weights lie there in order, and not by their places as in .weights.h5."""
    with _opened(path) as (groups, _):
        return any(name in groups.attrs for name in ("layer_names", "layer_names0", "model_config"))


def read_config(path: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the model's configuration, what it was compiled with, empty where it was not)."""
    with _opened(path) as (groups, _):
        texts = [_text(groups.attrs.get(name, "{}")) for name in ("model_config", "training_config")]
    try:
        config, training = (file._json(text.encode("utf-8", "replace"), "its attribute") for text in texts)
    except ModelFileError as error:
        raise ModelFileError(f"{error}\nThe file is {shown(str(path))}.") from None
    if not config:
        raise ModelFileError(f"{shown(str(path))} is HDF5 without a model.\nWeights of Keras: make the model and call "
                             "load_weights(path). A whole model: save it as .keras or .h5, by Keras.")
    return _newer(config), _newer(training)


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
    with _opened(path) as (groups, package):
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
        wrong, ready = [], []
        for variables, arrays in pairs:
            for i, v in enumerate(variables):
                if id(v) in skipped:
                    continue
                array = arrays[i] if i < len(arrays) else None
                if array is None or array.shape != tuple(v.shape) or len(arrays) != len(variables):
                    wrong.append(f"{v.name}: {None if array is None else array.shape} for {v.shape}")
                else:
                    ready.append((v, array[...].astype(v.dtype)))
    if wrong and not skip_mismatch:
        raise ShapeError(f"load_weights(): {len(wrong)} weights of {model.name} do not fit the file.\nThe first: "
                         f"{shown(wrong[0], 200)}. The file is {shown(str(path))}; make the same layers in the same "
                         "order, or pass skip_mismatch=True.")
    for v, array in ready:
        v.assign(array)
    return wrong


def put_optimizer(model: Any, path: Any) -> bool:
    """Give a compiled model's optimizer the numbers and slots of the file, where it has any; whether they fit."""
    with _opened(path) as (groups, package):
        arrays = _arrays(groups, "optimizer_weights", package)
        if not arrays:
            return True
        model.optimizer.prepare(model.trainable_weights)
        own = model.optimizer.variables
        own = own if len(arrays) > 2 else own[:2]       # before it has trained: the iterations and the rate
        if len(arrays) != len(own) or any(a.shape != tuple(v.shape) for a, v in zip(arrays, own)):
            return False
        for v, array in zip(own, arrays):
            v.assign(np.asarray(array[...], v.dtype))
    return True


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
