"""Losses under their Keras names: classes, functions giving one number per sample, and `get`. Floor 3."""

from collections.abc import Mapping
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
from fastnn.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
)
from fastnn.losses.loss import (
    Loss,
    LossFunctionWrapper,
)
from fastnn.losses.overlap import (
    Dice,
    Tversky,
    dice,
    tversky,
)
from fastnn.losses.pairs import (
    CTC,
    Circle,
    circle,
    ctc,
)
from fastnn.names import snake_case
from fastnn.serialization import custom_object_scope, identified, serialize_keras_object

mse = mean_squared_error
mae = mean_absolute_error
mape = mean_absolute_percentage_error
msle = mean_squared_logarithmic_error
bce = binary_crossentropy
kld = kl_divergence

_BASES = (Loss, LossFunctionWrapper)
CLASSES: dict[str, Any] = {c.__name__: c for c in list(globals().values())
                           if isinstance(c, type) and issubclass(c, Loss) and c not in _BASES}
_OF_FUNCTION: dict[Any, type[Loss]] = {globals()[snake_case(name)]: c for name, c in CLASSES.items()}
_ALIASES: dict[str, Any] = {"mse": mse, "mae": mae, "mape": mape, "msle": msle, "bce": bce, "kld": kld}
CLASSES |= {f.__name__: f for f in _OF_FUNCTION} | _ALIASES | {name.upper(): f for name, f in _ALIASES.items()}
CLASSES |= {"logcosh": log_cosh, "huber_loss": huber}


def get(identifier: object) -> Any:
    """What Keras gives for it: the function of a snake-case name, the Loss of a class, of its name or of a config dict;
    an object or a function itself; None for None. Raises ValueError with the nearest name, or TypeError.

    >>> get("mse") is mean_squared_error, get("MeanSquaredError").reduction
    (True, 'sum_over_batch_size')
    """
    if isinstance(identifier, str) and identifier in ("crossentropy", "ce"):
        raise ValueError(f"Loss: got {identifier!r}; needs the name of the one for your targets:\n"
                         "'binary_crossentropy' for 0 and 1, 'sparse_categorical_crossentropy' for class numbers, "
                         "'categorical_crossentropy' for one-hot rows.")
    return identified("Loss", identifier, CLASSES)


def resolve(identifier: object) -> Any:
    """get(), and a Loss of what is a function: fastnn's own, or fn(y_true, y_pred) written with fastnn.ops."""
    loss = get(identifier)
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
    "CTC",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
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
    "Tversky",
    "bce",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
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
    "resolve",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
