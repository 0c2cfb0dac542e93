"""Floor 5. Models in files: one valid safetensors file each; loading reads it and neither runs nor imports anything."""

import sys

from fastnn.frames import entrances
from fastnn.registration import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from fastnn.saving.models import (
    load_model,
    save_model,
)
from fastnn.saving.weights import (
    load_weights,
    save_weights,
)
from fastnn.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)

CustomObjectScope = custom_object_scope         # its older name

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]


def __dir__() -> list[str]:
    return sorted(__all__)

entrances(sys.modules[__name__])
