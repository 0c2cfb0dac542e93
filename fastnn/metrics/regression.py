"""Errors and losses as metrics, and R². Floor 3; imports ops and losses."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from fastnn import losses
from fastnn.arguments import choice, flag, number, optional, whole
from fastnn.engine.kinds import TensorLike, Weights
from fastnn.engine.tensor import Tensor
from fastnn.errors import warn
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
from fastnn.losses.crossentropy import not_ignored
from fastnn.losses.loss import prepared, spread_weights
from fastnn.metrics.columns import as_columns
from fastnn.metrics.means import MeanMetricWrapper
from fastnn.metrics.metric import Metric, State
from fastnn.ops.rows import elementwise
from fastnn.ops.rows.metric import mean_step, r2_step

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Hinge", "KLDivergence",
    "LogCoshError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Poisson", "R2Score", "RootMeanSquaredError", "SparseCategoricalCrossentropy",
    "SquaredHinge", "binary_crossentropy", "categorical_crossentropy", "categorical_hinge", "hinge", "huber",
    "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy", "squared_hinge",
]

_AGGREGATIONS = ("uniform_average", "variance_weighted_average")


class _Fixed(MeanMetricWrapper):
    """The mean of a loss function that the class fixes; lower is better."""
    _direction = "down"
    function: ClassVar[Callable[..., Any]]

    def __init__(self, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(self.function, name, dtype)


class MeanSquaredError(_Fixed):
    """mean((y_true - y_pred)²)."""
    function = staticmethod(mean_squared_error)


class MeanAbsoluteError(_Fixed):
    """mean(|y_true - y_pred|)."""
    function = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(_Fixed):
    """100·mean(|y_true - y_pred|/|y_true|)."""
    function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(_Fixed):
    """mean((log(1 + y_true) - log(1 + y_pred))²)."""
    function = staticmethod(mean_squared_logarithmic_error)


class LogCoshError(_Fixed):
    """mean(log cosh(y_pred - y_true)); the name is 'logcosh', as Keras'."""
    function = staticmethod(log_cosh)

    def __init__(self, name: str | None = "logcosh", dtype: str | None = None) -> None:
        super().__init__(name, dtype)


class Hinge(_Fixed):
    """mean(max(1 - y_true·y_pred, 0)), y_true in {-1, 1} or {0, 1}."""
    function = staticmethod(hinge)


class SquaredHinge(_Fixed):
    """mean(max(1 - y_true·y_pred, 0)²), y_true in {-1, 1} or {0, 1}."""
    function = staticmethod(squared_hinge)


class CategoricalHinge(_Fixed):
    """max(1 + best wrong score - right score, 0), y_true one-hot."""
    function = staticmethod(categorical_hinge)


class KLDivergence(_Fixed):
    """sum(y_true·log(y_true/y_pred))."""
    function = staticmethod(kl_divergence)


class Poisson(_Fixed):
    """mean(y_pred - y_true·log y_pred)."""
    function = staticmethod(poisson)


def _cosine(y_true: TensorLike, y_pred: TensorLike, axis: int) -> Tensor:
    return elementwise.negative(losses.cosine_similarity(y_true, y_pred, axis))


class CosineSimilarity(MeanMetricWrapper):
    """The cosine of the angle between y_true and y_pred: 1 for the same direction (the loss has the other sign)."""
    _direction = "up"

    def __init__(self, name: str | None = "cosine_similarity", dtype: str | None = None, axis: int = -1) -> None:
        self.axis = whole(axis, "CosineSimilarity: axis", None)
        super().__init__(_cosine, name, dtype, axis=self.axis)


def _squares(y_true: Any, y_pred: Any) -> Tensor:
    return elementwise.square(elementwise.subtract(*prepared("root_mean_squared_error", y_true, y_pred)))


class RootMeanSquaredError(_Fixed):
    """√mean((y_true - y_pred)²) over all that was seen, not the mean of the batches' roots."""
    function = staticmethod(_squares)

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(name, dtype)

    def compute(self, total: np.ndarray, count: np.ndarray) -> Any:
        """√(total/count)."""
        return np.sqrt(super().compute(total, count))


class BinaryCrossentropy(MeanMetricWrapper):
    """The loss of this name as a metric. Arguments as Keras."""
    _direction = "down"

    def __init__(self, name: str | None = "binary_crossentropy", dtype: str | None = None, from_logits: bool = False,
                 label_smoothing: float = 0.0) -> None:
        self.from_logits = flag(from_logits, "BinaryCrossentropy: from_logits")
        self.label_smoothing = number(label_smoothing, "BinaryCrossentropy: label_smoothing", 0, 1)
        super().__init__(binary_crossentropy, name, dtype, from_logits=self.from_logits,
                         label_smoothing=self.label_smoothing)


class CategoricalCrossentropy(MeanMetricWrapper):
    """The loss of this name as a metric. Arguments as Keras."""
    _direction = "down"

    def __init__(self, name: str | None = "categorical_crossentropy", dtype: str | None = None,
                 from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> None:
        self.from_logits = flag(from_logits, "CategoricalCrossentropy: from_logits")
        self.label_smoothing = number(label_smoothing, "CategoricalCrossentropy: label_smoothing", 0, 1)
        self.axis = whole(axis, "CategoricalCrossentropy: axis", None)
        super().__init__(categorical_crossentropy, name, dtype, from_logits=self.from_logits,
                         label_smoothing=self.label_smoothing, axis=self.axis)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The loss of this name as a metric. Arguments as Keras.

    Samples with ignore_class count as 0 in the mean where there are no weights, and are left out of it where there are
    (as Keras; the loss leaves them out always).
    """
    _direction = "down"

    def __init__(self, name: str | None = "sparse_categorical_crossentropy", dtype: str | None = None,
                 from_logits: bool = False, ignore_class: int | None = None, axis: int = -1) -> None:
        self.from_logits = flag(from_logits, "SparseCategoricalCrossentropy: from_logits")
        self.ignore_class = optional(whole, ignore_class, "SparseCategoricalCrossentropy: ignore_class", None, 2 ** 31)
        self.axis = whole(axis, "SparseCategoricalCrossentropy: axis", None)
        super().__init__(sparse_categorical_crossentropy, name, dtype, from_logits=self.from_logits,
                         ignore_class=self.ignore_class, axis=self.axis)

    def update_state(  # type: ignore[override]
            self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in."""
        if self.ignore_class is not None:
            y_true, y_pred = prepared(self.name, y_true, y_pred, "labels", self.ignore_class, self.axis)
            if sample_weight is not None or y_pred.mask is not None:
                counted = not_ignored(y_true, y_pred.shape[self.axis], self.ignore_class)
                if sample_weight is not None:
                    counted = elementwise.multiply(counted, spread_weights(self.name, sample_weight, counted))
                sample_weight = counted
        super().update_state(y_true, y_pred, sample_weight)


class R2Score(Metric):
    """R² = 1 - Σ(t - p)²/Σ(t - mean t)² of each output: 1 is perfect, 0 is as good as the mean.

    class_aggregation: 'uniform_average' or 'variance_weighted_average' of the outputs, or None for one value each.
    num_regressors: with p > 0 of them, adjusted R² = 1 - (1 - R²)(n - 1)/(n - p - 1), n the number of targets seen
    (as Keras: samples times outputs).
    """
    _direction = "up"

    def __init__(self, class_aggregation: str | None = "uniform_average", num_regressors: int = 0,
                 name: str | None = "r2_score", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.class_aggregation = optional(choice, class_aggregation, "R2Score: class_aggregation", _AGGREGATIONS)
        self.num_regressors = whole(num_regressors, "R2Score: num_regressors", 0)
        self._sums: list[State] = []

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in: y_true, y_pred (N, c)."""
        y_true, y_pred, weights = as_columns(self.name, y_true, y_pred, sample_weight)
        if not self._sums:
            columns = (y_pred.shape[1],)
            self._sums = [self.add_variable(columns, name="squared_sum"), self.add_variable(columns, name="sum"),
                          self.add_variable(columns, name="residual"), self.add_variable((), name="count")]
            if self.num_regressors:
                self._targets = self.add_variable((), name="num_samples")
        r2_step(*self._sums, y_true, y_pred, weights)
        if self.num_regressors:
            mean_step(Tensor(np.zeros(()), "unused"), self._targets, y_true)

    def compute(self, *states: np.ndarray) -> Any:
        """R² from the sums; NaN before the first batch and for targets that are all the same and met exactly."""
        if not states:
            return np.nan
        squared, total, residual = states[:3]
        count = np.asarray(states[3])[..., None]
        with np.errstate(all="ignore"):
            variation = squared - total * (total / count)
            score = 1 - residual / variation
            score = np.where(np.isinf(score), 0.0, score)
            if self.class_aggregation == "uniform_average":
                score = score.mean(axis=-1)
            elif self.class_aggregation == "variance_weighted_average":
                score = (variation * score).sum(axis=-1) / variation.sum(axis=-1)
        return self._adjusted(score, np.asarray(states[4])) if self.num_regressors else score

    def _adjusted(self, score: np.ndarray, n: np.ndarray) -> np.ndarray:
        if self.class_aggregation is None:
            n = n[..., None]
        free = n - self.num_regressors - 1
        if np.any(free <= 0):
            warn(f"{self.name}: {self.num_regressors} regressors need more than "
                 f"{self.num_regressors + 1} targets; gives R² without adjustment.")
        return np.where(free > 0, 1 - (1 - score) * (n - 1) / np.where(free > 0, free, 1), score)
