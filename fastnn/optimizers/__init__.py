"""Optimizers, with Keras' names, arguments, defaults and numerics. Floor 3."""

from collections.abc import Mapping
from typing import Any

from fastnn.errors import nearest, shown
from fastnn.optimizers import schedules
from fastnn.optimizers.adaptive import (
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Ftrl,
    RMSprop,
)
from fastnn.optimizers.lbfgs import LBFGS
from fastnn.optimizers.matrices import (
    Adafactor,
    Muon,
)
from fastnn.optimizers.moments import (
    Adamax,
    Lamb,
    Lion,
    Nadam,
)
from fastnn.optimizers.optimizer import Optimizer
from fastnn.optimizers.sgd import SGD
from fastnn.serialization import custom_object_scope, deserialize_keras_object, own, serialize_keras_object

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

_by_name: dict[str, type[Optimizer]] = {c.__name__.lower(): c for c in (
    SGD, RMSprop, Adam, AdamW, Adagrad, Adadelta, Adafactor, Adamax, Ftrl, Lamb, Lion, Muon, Nadam, LBFGS)}


def get(identifier: object) -> Optimizer | None:
    """An optimizer from a name ('adam'), a config, a class or an instance; None for None. ValueError naming the nearest
    name."""
    if identifier is None:
        return None
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()  # type: ignore[call-arg]
    if isinstance(identifier, str) and identifier.lower() in _by_name:
        return _by_name[identifier.lower()]()  # type: ignore[call-arg]
    if isinstance(identifier, str):
        raise ValueError(f"optimizer: got {shown(identifier)}; {nearest(identifier.lower(), _by_name)}")
    if isinstance(identifier, dict) and isinstance(identifier.get("class_name"), str):
        name = identifier["class_name"]
        known = _by_name.get(name.lower()) if own(identifier, name) is None else None
        return known.from_config(identifier.get("config") or {}) if known else get(deserialize_keras_object(identifier))  # type: ignore[no-any-return]
    raise TypeError(f"optimizer: got {shown(identifier)}; needs a name or an Optimizer.")


def serialize(optimizer: Any) -> Any:
    """An optimizer as plain data, from which `deserialize` makes it again, without its slots."""
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer of a name or of what `serialize` gave. custom_objects: classes of your own, by name."""
    with custom_object_scope(custom_objects or {}):
        return get(config)
