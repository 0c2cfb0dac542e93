"""Metrics by name and by the shapes of what they see, as plain data, and back. Floor 3."""

from collections.abc import Mapping
from typing import Any

from fastnn import losses
from fastnn.metrics import accuracy, confusion, correlation, curves, fscore, overlap, regression
from fastnn.metrics.means import MeanMetricWrapper
from fastnn.metrics.metric import Metric
from fastnn.names import snake_case
from fastnn.serialization import custom_object_scope, identified, serialize_keras_object

__all__ = ["deserialize", "get", "resolve", "serialize"]

_NAMED: dict[str, Any] = {name: c for module in (accuracy, confusion, correlation, curves, fscore, overlap, regression)
                          for name in module.__all__ if isinstance(c := vars(module)[name], type)}
_SHORT = {"mse": "MeanSquaredError", "mae": "MeanAbsoluteError", "mape": "MeanAbsolutePercentageError",
          "msle": "MeanSquaredLogarithmicError", "bce": "BinaryCrossentropy", "kld": "KLDivergence",
          "rmse": "RootMeanSquaredError"}
_OTHERS = {"fbeta_score": "FBetaScore", "f_beta_score": "FBetaScore", "logcosh": "LogCoshError",
           "log_cosh": "LogCoshError", "iou": "IoU", "binary_iou": "BinaryIoU", "mean_iou": "MeanIoU"}
CLASSES = {**_NAMED, **{snake_case(name): c for name, c in _NAMED.items()}, "huber": losses.huber}
CLASSES |= {name: _NAMED[full] for name, full in (_SHORT | _OTHERS).items()}
CLASSES |= {name.upper(): _NAMED[full] for name, full in _SHORT.items()}
_BY_SHAPE = {name: [_NAMED[kind + what] for kind in ("Binary", "SparseCategorical", "Categorical")]
             for what, *names in (("Accuracy", "accuracy", "acc"), ("Crossentropy", "crossentropy", "ce"))
             for name in names}


def get(identifier: object) -> Any:
    """The Metric of a name, class, object, function, Loss or config dict; None for None.

    A name is kept as typed: it is the key in History. A function fn(y_true, y_pred) written with fastnn.ops becomes the
    mean of what it gives. Raises ValueError with the nearest name, or TypeError.
    """
    if isinstance(identifier, str) and identifier not in CLASSES and identifier in _BY_SHAPE:
        raise ValueError(f"Metric: {identifier!r} depends on the shapes of targets and outputs; compile a model with "
                         "it, or name one: binary_accuracy, categorical_accuracy, sparse_categorical_accuracy.")
    metric = identified("Metric", identifier, dict.fromkeys(_BY_SHAPE) | CLASSES)
    if isinstance(metric, losses.Loss):
        loss = metric
        metric = MeanMetricWrapper(loss.call, name=loss.name)
        metric.label_kind = loss.label_kind
    elif metric is not None and not isinstance(metric, Metric):
        metric = MeanMetricWrapper(metric)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def serialize(metric: object) -> Any:
    """A metric as plain data, from which `deserialize` makes it again."""
    return serialize_keras_object(metric)


def deserialize(config: object, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric of a name or of what `serialize` gave. custom_objects: classes and functions of your own, by name."""
    with custom_object_scope(custom_objects or {}):
        return get(config)


def resolve(identifier: object, y_true_shape: tuple[int | None, ...], y_pred_shape: tuple[int | None, ...]) -> Any:
    """get(), where 'accuracy', 'acc', 'crossentropy' and 'ce' are chosen by the shapes.

    One output: binary. Labels of lower rank, or (N, 1) against several outputs: sparse. Otherwise categorical.
    """
    if not isinstance(identifier, str) or identifier.lower() not in _BY_SHAPE:
        metric = get(identifier)
        if metric is not None:
            metric.settle(y_true_shape, y_pred_shape)
        return metric
    binary, sparse, categorical = _BY_SHAPE[identifier.lower()]
    if not y_pred_shape or y_pred_shape[-1] == 1:
        return binary(name=identifier)
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return sparse(name=identifier)
    return categorical(name=identifier)
