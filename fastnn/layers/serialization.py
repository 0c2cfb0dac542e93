"""Layers as plain data and back. Floor 3."""

from collections.abc import Mapping
from typing import Any

from fastnn.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize", "serialize"]


def serialize(layer: Any) -> Any:
    """A layer as plain data, from which `deserialize` makes it again, built for the same inputs, with new weights."""
    return serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer of what `serialize` gave. custom_objects: classes and functions of your own, by name."""
    return deserialize_keras_object(config, custom_objects, kinds=("layers", "models"))
