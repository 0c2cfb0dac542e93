"""Optimizers, with Keras' names, arguments, defaults and numerics. Floor 3."""

from fastnn.errors import nearest, shown
from fastnn.optimizers import schedules
from fastnn.optimizers.adaptive import (
    Adagrad,
    Adam,
    AdamW,
    RMSprop,
)
from fastnn.optimizers.optimizer import Optimizer
from fastnn.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "get",
    "schedules",
]

_by_name: dict[str, type[Optimizer]] = {c.__name__.lower(): c for c in (SGD, RMSprop, Adam, AdamW, Adagrad)}


def get(identifier: object) -> Optimizer:
    """An optimizer from a name ('adam'), a class or an instance. ValueError naming the nearest name."""
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()  # type: ignore[call-arg]
    if isinstance(identifier, str) and identifier.lower() in _by_name:
        return _by_name[identifier.lower()]()  # type: ignore[call-arg]
    if isinstance(identifier, str):
        raise ValueError(f"optimizer: got {shown(identifier)}; {nearest(identifier.lower(), _by_name)}")
    raise TypeError(f"optimizer: got {shown(identifier)}; needs a name or an Optimizer.")
