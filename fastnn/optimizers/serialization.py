"""Optimizers by name, as plain data, and back. Floor 3."""

from collections.abc import Mapping
from typing import Any

from fastnn.errors import KindError, nearest, shown
from fastnn.optimizers import adaptive, lbfgs, matrices, moments, sgd
from fastnn.optimizers.optimizer import Optimizer
from fastnn.registration import custom_object_scope
from fastnn.serialization import object_of, own, serialize_keras_object

__all__ = ["deserialize", "get", "serialize"]

CLASSES: dict[str, type[Optimizer]] = {name.lower(): vars(module)[name]
                                       for module in (adaptive, lbfgs, matrices, moments, sgd)
                                       for name in module.__all__}


def get(identifier: object) -> Optimizer | None:
    """An optimizer from a name ('adam'), a config, a class or an instance; None for None. ValueError naming the nearest
    name."""
    if identifier is None:
        return None
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()  # type: ignore[call-arg]
    if isinstance(identifier, str) and identifier.lower() in CLASSES:
        return CLASSES[identifier.lower()]()  # type: ignore[call-arg]
    if isinstance(identifier, str):
        raise ValueError(f"optimizer: got {shown(identifier)}; {nearest(identifier.lower(), CLASSES)}")
    if isinstance(identifier, dict) and isinstance(identifier.get("class_name"), str):
        name = identifier["class_name"]
        known = CLASSES.get(name.lower()) if own(identifier, name) is None else None
        return known.from_config(identifier.get("config") or {}) if known else get(object_of(identifier))  # type: ignore[no-any-return]
    raise KindError(f"optimizer: got {shown(identifier)}; needs a name or an Optimizer.")


def serialize(optimizer: Any) -> Any:
    """An optimizer as plain data, from which `deserialize` makes it again, without its slots."""
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer of a name or of what `serialize` gave. custom_objects: classes of your own, by name."""
    with custom_object_scope(custom_objects or {}):
        return get(config)
