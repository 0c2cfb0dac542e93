"""Learning rates as functions of the step, with Keras' names, arguments and formulas, and cyclical ones. Floor 3."""

from collections.abc import Mapping
from typing import Any

from fastnn.optimizers.schedules.cosine import (
    CosineDecay,
    CosineDecayRestarts,
)
from fastnn.optimizers.schedules.cycles import (
    CyclicalLearningRate,
    OneCycle,
)
from fastnn.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from fastnn.optimizers.schedules.schedule import LearningRateSchedule
from fastnn.registration import custom_object_scope
from fastnn.serialization import identified, serialize_keras_object

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "CyclicalLearningRate",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "get",
    "serialize",
]


def get(identifier: object) -> Any:
    """The schedule of a config dict or an object; None for None. A name alone has no numbers, which all of them need.

    >>> get({"class_name": "OneCycle", "config": {"maximal_learning_rate": 0.1, "total_steps": 100}}).total_steps
    100
    """
    return identified("LearningRateSchedule", identifier, {name: globals()[name] for name in __all__
                                                           if name[0].isupper()})


def serialize(learning_rate_schedule: object) -> Any:
    """A schedule as plain data, from which `deserialize` makes it again."""
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The schedule of what `serialize` gave. custom_objects: classes of your own, by name."""
    with custom_object_scope(custom_objects or {}):
        return get(config)
