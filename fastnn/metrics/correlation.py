"""Correlations of targets and predictions. Floor 3; imports ops."""

from fastnn.arguments import whole
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.losses.loss import prepared
from fastnn.metrics.means import MeanMetricWrapper
from fastnn.ops import _arithmetic as arithmetic
from fastnn.ops._reduction import mean, std, var
from fastnn.ops.rows._per_sample import per_sample

__all__ = ["ConcordanceCorrelation", "PearsonCorrelation", "concordance_correlation", "pearson_correlation"]

EPSILON = 1e-7


def pearson_correlation(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """r = mean((t - mean t)·(p - mean p))/(std t·std p) along the axis: 1 if p grows in line with t, NaN if one is
    constant. y_true, y_pred (…, c) → (…). Raises ShapeError for an axis of length 1."""
    t, p, axis = _pair("pearson_correlation", y_true, y_pred, axis)
    t, p = (arithmetic.subtract(x, mean(x, axis, keepdims=True)) for x in (t, p))
    t, p = (arithmetic.divide(x, std(x, axis, keepdims=True)) for x in (t, p))
    return mean(arithmetic.multiply(t, p), axis)


def concordance_correlation(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """r = 2·cov(t, p)/(var t + var p + (mean t - mean p)² + 1e-7) along the axis: 1 if p = t. Lin 1989.

    y_true, y_pred (…, c) → (…). Raises ShapeError for an axis of length 1.
    """
    t, p, axis = _pair("concordance_correlation", y_true, y_pred, axis)
    t_mean, p_mean = (mean(x, axis, keepdims=True) for x in (t, p))
    both = mean(arithmetic.multiply(arithmetic.subtract(t, t_mean), arithmetic.subtract(p, p_mean)), axis)
    apart = mean(arithmetic.square(arithmetic.subtract(t_mean, p_mean)), axis)
    norm = arithmetic.add(arithmetic.add(var(t, axis), var(p, axis)), arithmetic.add(apart, EPSILON))
    return arithmetic.divide(arithmetic.multiply(both, 2.0), norm)


def _pair(where: str, y_true: TensorLike, y_pred: TensorLike, axis: int) -> tuple[Tensor, Tensor, int]:
    """Both of one shape, and the axis, which has several values."""
    true, predicted = prepared(where, y_true, y_pred)
    per_sample(where, true.shape, predicted.shape)
    axis = whole(axis, f"{where}: axis", None)
    if not -predicted.ndim <= axis < predicted.ndim or predicted.shape[axis] == 1:
        raise ShapeError(f"{where}: axis is {axis} and y_pred has shape {predicted.shape}; needs an axis of several "
                         "values; one output is correlated along the batch, axis=0.")
    return true, predicted, axis


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of pearson_correlation over the samples; with axis=0 over the batches, output by output."""
    _direction = "up"

    def __init__(self, name: str | None = "pearson_correlation", dtype: str | None = None, axis: int = -1) -> None:
        self.axis = whole(axis, "PearsonCorrelation: axis", None)
        super().__init__(pearson_correlation, name, dtype, axis=self.axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of concordance_correlation over the samples; with axis=0 over the batches, output by output."""
    _direction = "up"

    def __init__(self, name: str | None = "concordance_correlation", dtype: str | None = None, axis: int = -1) -> None:
        self.axis = whole(axis, "ConcordanceCorrelation: axis", None)
        super().__init__(concordance_correlation, name, dtype, axis=self.axis)
