"""What metrics take a batch as: rows and columns, and weights; which targets they can count. Floor 3; imports ops and
losses."""

import numpy as np

from fastnn.engine import backend
from fastnn.engine.kinds import TensorLike, Weights
from fastnn.engine.tensor import Tensor
from fastnn.errors import LabelError
from fastnn.losses.loss import prepared, spread_weights
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import data, elementwise


def with_mask(where: str, y_pred: TensorLike, sample_weight: Weights) -> Weights:
    """The weights, 0 where y_pred's mask leaves something out; None where there is neither a mask nor a weight."""
    if not isinstance(y_pred, Tensor) or y_pred.mask is None:
        return sample_weight
    mask = elementwise.cast(y_pred.mask, dtype=backend.floatx())
    if sample_weight is None:
        return mask
    weights = as_tensor(sample_weight)
    if weights.ndim > mask.ndim and weights.shape[-1] != 1:
        return elementwise.multiply(weights, spread_weights(where, mask, weights))
    return elementwise.multiply(mask, spread_weights(where, weights, mask))


def refuse(where: str, y_true: np.ndarray, bad: np.ndarray, needs: str) -> None:
    """LabelError that names the first of the bad targets, if there is one, and what the metric needs."""
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise LabelError(f"{where}: y_true has the value {y_true[first]:g} at {list(first)} ({int(bad.sum())} bad); "
                         f"{needs}")


def as_columns(where: str, y_true: TensorLike, y_pred: TensorLike,
               sample_weight: Weights) -> tuple[Tensor, Tensor, Tensor]:
    """Targets and predictions as (rows, columns), and a weight per row, 1 unless given."""
    sample_weight = with_mask(where, y_pred, sample_weight)
    true, predicted = prepared(where, y_true, y_pred)
    if predicted.ndim < 2:
        true, predicted = (data.reshape(t, shape=(-1, 1)) for t in (true, predicted))
    rows = predicted.shape[:-1]
    if sample_weight is not None:
        like = Tensor(None, shape=rows, dtype=predicted.dtype)
        weights = spread_weights(where, sample_weight, like)
    else:
        weights = ones(rows)
    if predicted.ndim > 2:
        true, predicted = (data.reshape(t, shape=(-1, t.shape[-1])) for t in (true, predicted))
        weights = data.reshape(weights, shape=(-1,))
    return true, predicted, weights


def each_weighed(where: str, y_true: TensorLike, y_pred: TensorLike,
                 sample_weight: Weights) -> tuple[Tensor, Tensor, Tensor]:
    """Targets and predictions as (rows, columns), and a weight for each: those of its sample, or of itself."""
    sample_weight = with_mask(where, y_pred, sample_weight)
    true, predicted = prepared(where, y_true, y_pred)
    weights = ones(predicted.shape) if sample_weight is None else spread_weights(where, sample_weight, predicted)
    columns = predicted.shape[-1] if predicted.ndim > 1 else 1
    if predicted.ndim == 2:
        return true, predicted, weights
    return tuple(data.reshape(t, shape=(-1, columns)) for t in (true, predicted, weights))  # type: ignore[return-value]


def ones(shape: tuple[int | None, ...]) -> Tensor:
    """A constant tensor of ones; symbolic where an axis is not known."""
    if None in shape:
        return Tensor(None, shape=shape, dtype=backend.floatx())
    return Tensor(np.ones(shape, backend.floatx()), "ones")  # type: ignore[arg-type]
