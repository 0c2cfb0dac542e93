"""Models: Sequential, the functional and subclassed Model, and the Perceptron. Floor 4."""

import json
import sys
from typing import Any

from fastnn.errors import KindError, shown
from fastnn.frames import entrances
from fastnn.models.copies import clone_model
from fastnn.models.model import Model
from fastnn.models.perceptron import Perceptron
from fastnn.models.sequential import Sequential
from fastnn.registration import custom_object_scope
from fastnn.serialization import object_of


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """The model of a to_json(), with new weights. custom_objects: classes of your own, by name. ValueError for a text
    that describes none."""
    config = json.loads(json_string)
    with custom_object_scope(custom_objects or {}):
        made = object_of(config, ("models", "layers"))
    if not isinstance(made, Model):
        raise KindError(f"model_from_json: got the text of {shown(made)}; needs that of a model, of to_json().")
    return made


def load_model(filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """The model of a file that `save` wrote; see saving.load_model."""
    from fastnn import saving
    return saving.load_model(filepath, custom_objects, compile, safe_mode)


def save_model(model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Write a model to a file; see saving.save_model."""
    model.save(filepath, overwrite, include_optimizer=include_optimizer)


__all__ = [
    "Model",
    "Perceptron",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]

entrances(sys.modules[__name__])
