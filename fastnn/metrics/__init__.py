"""Metrics under their Keras names: classes, functions giving one number per sample, `get` and `resolve`. Floor 3."""

from collections.abc import Mapping
from typing import Any

from fastnn import losses
from fastnn.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from fastnn.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from fastnn.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from fastnn.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from fastnn.metrics.curves import (
    AUC,
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from fastnn.metrics.fscore import (
    F1Score,
    FBetaScore,
)
from fastnn.metrics.means import (
    Mean,
    MeanMetricWrapper,
    Sum,
)
from fastnn.metrics.metric import Metric
from fastnn.metrics.overlap import (
    BinaryIoU,
    ConfusionMatrix,
    IoU,
    MeanIoU,
    OneHotIoU,
    OneHotMeanIoU,
)
from fastnn.metrics.regression import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    R2Score,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from fastnn.names import snake_case
from fastnn.registration import custom_object_scope
from fastnn.serialization import identified, serialize_keras_object

_BASES = (Metric, Mean, Sum, MeanMetricWrapper)        # they take values, not y_true and y_pred, or more arguments
_ALL = [c for c in list(globals().values()) if isinstance(c, type) and issubclass(c, Metric) and c not in _BASES]
_ALIASES = {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "mape": MeanAbsolutePercentageError,
            "msle": MeanSquaredLogarithmicError, "bce": BinaryCrossentropy, "kld": KLDivergence,
            "rmse": RootMeanSquaredError}
CLASSES: dict[str, Any] = {c.__name__: c for c in _ALL} | {snake_case(c.__name__): c for c in _ALL}
CLASSES |= _ALIASES | {name.upper(): c for name, c in _ALIASES.items()}
CLASSES |= {"fbeta_score": FBetaScore, "f_beta_score": FBetaScore, "logcosh": LogCoshError, "log_cosh": LogCoshError,
            "huber": losses.huber, "iou": IoU, "binary_iou": BinaryIoU, "mean_iou": MeanIoU}
_BY_SHAPE = {
    "accuracy": (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy),
    "crossentropy": (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy),
}
_BY_SHAPE |= {"acc": _BY_SHAPE["accuracy"], "ce": _BY_SHAPE["crossentropy"]}


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


__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "ConfusionMatrix",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "pearson_correlation",
    "poisson",
    "resolve",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]
