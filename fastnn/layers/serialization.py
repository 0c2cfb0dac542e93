"""Layers as plain data and back. Floor 3."""

from collections.abc import Mapping
from typing import Any

from fastnn.layers.layer import Layer
from fastnn.registration import custom_object_scope
from fastnn.serialization import object_of, serialize_keras_object

__all__ = ["deserialize", "serialize"]


def serialize(layer: Any) -> Any:
    """A layer as plain data, from which `deserialize` makes it again, built for the same inputs, with new weights."""
    return serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer of what `serialize` gave. custom_objects: classes and functions of your own, by name."""
    with custom_object_scope(custom_objects or {}):
        return config if isinstance(config, Layer) else object_of(config, ("layers", "models"))
