"""Losses under their Keras names: classes, functions giving one number per sample, and `get`. Floor 3."""

from collections.abc import Callable, Mapping
from typing import Any

from fastnn.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from fastnn.losses.elementary import (
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SquaredHinge,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    squared_hinge,
)
from fastnn.losses.loss import (
    Loss,
    LossFunctionWrapper,
)
from fastnn.names import snake_case
from fastnn.serialization import custom_object_scope, identified, serialize_keras_object

mse = mean_squared_error
mae = mean_absolute_error
mape = mean_absolute_percentage_error
msle = mean_squared_logarithmic_error
bce = binary_crossentropy
kld = kl_divergence

_ALL = (BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy, CategoricalHinge, CosineSimilarity,
        Hinge, Huber, KLDivergence, LogCosh, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError,
        MeanSquaredLogarithmicError, Poisson, SquaredHinge)
_ALIASES = {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "mape": MeanAbsolutePercentageError,
            "msle": MeanSquaredLogarithmicError, "bce": BinaryCrossentropy, "kld": KLDivergence,
            "logcosh": LogCosh, "huber_loss": Huber}
CLASSES: dict[str, Any] = {c.__name__: c for c in _ALL} | {snake_case(c.__name__): c for c in _ALL}
CLASSES |= {"kl_divergence": KLDivergence} | _ALIASES | {name.upper(): c for name, c in _ALIASES.items()
                                                         if len(name) <= 4}
_OF_FUNCTION: dict[Callable[..., Any], type[Loss]] = {
    f: CLASSES[f.__name__] for f in (
        binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy, categorical_hinge,
        cosine_similarity, hinge, huber, kl_divergence, log_cosh, mean_absolute_error, mean_absolute_percentage_error,
        mean_squared_error, mean_squared_logarithmic_error, poisson, squared_hinge)}


def get(identifier: object) -> Any:
    """The Loss of a name, class, object, function or config dict; None for None.

    Unlike Keras it is a Loss object always: a function fn(y_true, y_pred) written with fastnn.ops is wrapped.
    Raises ValueError with the nearest name, or TypeError.
    """
    loss = identified("Loss", identifier, CLASSES)
    if loss is None or isinstance(loss, Loss):
        return loss
    return _OF_FUNCTION[loss]() if loss in _OF_FUNCTION else LossFunctionWrapper(loss)


def serialize(loss: Any) -> Any:
    """A loss as plain data, from which `deserialize` makes it again."""
    return serialize_keras_object(loss)


def deserialize(config: object, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss of a name or of what `serialize` gave. custom_objects: classes and functions of your own, by name."""
    with custom_object_scope(custom_objects or {}):
        return get(config)


__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "bce",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "log_cosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]
