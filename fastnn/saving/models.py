"""Models to files and back: architecture, weights, optimizer, and where the random numbers are. Floor 5.

The recorded programs are not saved: they are recorded again. A loaded model goes on as the saved one would have: the
same batches in the same order, the same dropout, the same bits.
"""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnn.arguments import flag, refuse_unknown
from fastnn.errors import ModelFileError, NotBuiltError, shown, warn
from fastnn.layers._context import weights_of
from fastnn.registration import custom_object_scope
from fastnn.saving import file, keras_files, legacy_h5
from fastnn.saving.state import (
    checked,
    optimizer_state,
    put_optimizer_state,
    put_random_state,
    put_undecayed,
    random_state,
    undecayed,
)
from fastnn.saving.weights import check_built, check_free, is_keras, put_weights
from fastnn.serialization import object_of, plain, serialize_keras_object

# ---- whole models ----------------------------------------------------------------------------------------------------

def save_model(model: Any, filepath: str | os.PathLike[str], overwrite: bool = True,
               include_optimizer: bool = True, **kwargs: Any) -> None:
    """Write the model to one file: what it is made of, its weights, and, where it is compiled, loss, metrics and
    optimizer, unless include_optimizer is False.

    The file is a valid .safetensors file; with a name that ends in .keras it is a file of Keras, where h5py is there
    (the extra keras-files), without what Keras has no place for: the random numbers, so that training goes on with
    others. A file that was there stays whole until the new one is. A model subclass needs registered classes
    (utils.register_keras_serializable). ValueError for a function without a registered name in a layer, NotBuiltError
    before the weights are there, FileExistsError with overwrite=False. Source: keras.Model.save.
    """
    refuse_unknown(kwargs, "save_model", ("model", "filepath", "overwrite", "include_optimizer"))
    check_free(filepath, overwrite)
    check_built(model, "save")
    arrays = {f"weights/{i}": v.numpy() for i, v in enumerate(model.weights)}
    training: dict[str, Any] | None = None
    if model.compiled is not None and flag(include_optimizer, "save(): include_optimizer"):
        try:
            training = {
                **plain(model.get_compile_config(), "get_compile_config()"),
                "trained": optimizer_state(model.optimizer, model.weights, arrays),
                "undecayed": undecayed(model.optimizer, model.weights)}
        except (TypeError, ValueError) as error:
            warn(f"save(): {shown(str(filepath))} has the model and its weights, but not what compile() was "
                 f"given: {error}\nCompile it again after loading.")
    if is_keras(filepath, ".keras", (".h5", ".hdf5")):
        keras_files.write_model(filepath, model, training)
        return
    content: dict[str, Any] = {"model": serialize_keras_object(model), "weights": [v.name for v in model.weights],
                               "random": random_state(model)}
    if training is not None:
        content["training"] = training
    file.write(filepath, arrays, content)


def load_model(filepath: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None = None, compile: bool = True,
               safe_mode: bool = True) -> Any:
    """The model of a file that `save` wrote, or Keras' (.keras, or the older .h5, whatever its name); compiled as it
    was, unless compile=False.

    custom_objects: classes and functions of your own, by name, beside the registered ones. Nothing in the file is run
    or imported. ModelFileError for a file that is damaged or holds no model; ValueError naming a class that is not
    known. safe_mode is accepted for Keras' sake: there is no other way. Source: keras.saving.load_model.
    """
    kind = keras_files.kind_of(filepath) if os.path.isfile(filepath) else ""
    if kind == "keras":
        return _load_keras(filepath, custom_objects, compile)
    if kind == "h5":
        return _load_h5(filepath, custom_objects, compile)
    arrays, content = file.read(filepath)
    if "model" not in content:
        raise ModelFileError(f"{shown(str(filepath))} holds weights without a model; make the model and call "
                             "load_weights(path).")
    size = sum(array.size for name, array in arrays.items() if name.startswith("weights/")) * 4
    with custom_object_scope(custom_objects or {}):
        model = _described(filepath, content["model"], size)
        put_weights(model, arrays, filepath)
        if compile and isinstance(content.get("training"), dict):
            checked(filepath, lambda: _compile(model, content["training"], arrays))
    if content.get("random"):
        checked(filepath, lambda: put_random_state(model, content["random"]))
    return model


def _load_keras(filepath: Any, custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    """load_model of Keras' own files."""
    config, weights = keras_files.read_model(filepath)
    with custom_object_scope(custom_objects or {}):
        model = _described(filepath, config, len(weights.getvalue()))
        keras_files.put_weights(model, filepath, content=weights)
        if compile and config.get("compile_config"):
            checked(filepath, lambda: _compile(model, config["compile_config"], {}))
            if model.optimizer is not None and not keras_files.put_optimizer(model, filepath, weights):
                _warn_new_state(filepath, model)
    return model


def _load_h5(filepath: Any, custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    """load_model of Keras' older files."""
    config, training = legacy_h5.read_config(filepath)
    with custom_object_scope(custom_objects or {}):
        model = _described(filepath, config, os.path.getsize(filepath) * 16)
        legacy_h5.put_weights(model, filepath)
        if compile and training:
            try:
                model.compile_from_config({**training, "optimizer": training.get("optimizer_config")})
            except (TypeError, ValueError, AttributeError) as error:
                warn(f"load_model(): {shown(str(filepath))} has the model and its weights; what it was compiled with "
                     f"is not known here: {error}\nCompile it again.")
            if model.optimizer is not None and not legacy_h5.put_optimizer(model, filepath):
                _warn_new_state(filepath, model)
    return model


def _described(filepath: Any, config: Any, size: int) -> Any:
    """The model of a configuration, whose file has weights of so many bytes. NotBuiltError for one that has yet to be
    called to have them."""
    with weights_of(size):
        model = checked(filepath, lambda: object_of(config, ("models", "layers")))
    if not hasattr(model, "_feeds"):
        raise ModelFileError(f"{shown(str(filepath))}: describes {shown(model)}, which is no model; it is damaged.")
    if size and not model.built:
        raise NotBuiltError(f"load_model(): {shown(str(filepath))} does not say what {model.name} was built for.\n"
                            "Make the model, call it on data, and load_weights(path).")
    return model


def _warn_new_state(filepath: Any, model: Any) -> None:
    warn(f"load_model(): {shown(str(filepath))} has another state for {model.optimizer.name}; training begins with a "
         "new one.")


def _compile(model: Any, given: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    model.compile_from_config({key: value for key, value in given.items() if key not in ("trained", "undecayed")})
    if model.compiled is None:
        return
    put_optimizer_state(model.optimizer, model.weights, arrays, given.get("trained", []))
    put_undecayed(model.optimizer, model.weights, given.get("undecayed", {}))
