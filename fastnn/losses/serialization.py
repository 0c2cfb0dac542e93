"""Losses by name, as plain data, and back. Floor 3."""

from collections.abc import Mapping
from typing import Any

from fastnn.losses import crossentropy, elementary, focal, overlap, pairs
from fastnn.losses.loss import Loss, LossFunctionWrapper
from fastnn.names import snake_case
from fastnn.registration import custom_object_scope
from fastnn.serialization import identified, serialize_keras_object

__all__ = ["deserialize", "get", "resolve", "serialize"]

_NAMED: dict[str, Any] = {name: vars(module)[name] for module in (crossentropy, elementary, focal, overlap, pairs)
                          for name in module.__all__}
_OF_FUNCTION: dict[Any, type[Loss]] = {_NAMED[snake_case(name)]: c for name, c in _NAMED.items() if isinstance(c, type)}
CLASSES = _NAMED | {name.upper(): f for name, f in _NAMED.items() if f.__name__ != name}       # "MSE", as "mse"
CLASSES |= {"logcosh": elementary.log_cosh, "huber_loss": elementary.huber}


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
