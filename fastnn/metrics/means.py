"""Means and sums of values, and metrics that are the mean of a function. Floor 3; imports ops and losses."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.arguments import function
from fastnn.engine.kinds import TensorLike, Weights
from fastnn.engine.tensor import Tensor
from fastnn.losses.loss import called, prepared, spread_weights
from fastnn.metrics.columns import with_mask
from fastnn.metrics.metric import Metric
from fastnn.names import snake_case
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import elementwise, reduce
from fastnn.ops.rows.metric import mean_step, weighted_mean_step

__all__ = ["Mean", "MeanMetricWrapper", "Sum"]


def per_sample(values: TensorLike, sample_weight: Weights, where: str, *,
               add: bool = False) -> tuple[Tensor, Tensor | None]:
    """Values (N,) and weights of the same shape or None: axes beyond those of the weights are averaged, or added."""
    sample_weight = with_mask(where, values, sample_weight)
    found = as_tensor(values)
    weights = None if sample_weight is None else as_tensor(sample_weight)
    row = reduce.sum if add else reduce.mean
    keep = 1
    if weights is not None:
        keep = min(max(1, weights.ndim - (weights.ndim > 1 and weights.shape[-1] == 1)), found.ndim)
    if found.ndim > keep:
        found = row(found, axes=tuple(range(keep, found.ndim)))
    return found, None if weights is None else spread_weights(where, weights, found)


class Mean(Metric):
    """Σ w·values / Σ w, 0 before the first value. `update_state(values, sample_weight=None)`."""

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(name="total")
        self.count = self.add_variable(name="count")

    def update_state(self, values: TensorLike, sample_weight: Weights = None) -> None:
        """Take values (N, …) in, each sample with its weight."""
        values, weights = per_sample(values, sample_weight, self.name)
        if weights is None:
            mean_step(self.total, self.count, values)
        else:
            weighted_mean_step(self.total, self.count, values, weights)

    def compute(self, total: np.ndarray, count: np.ndarray) -> Any:
        """total/count, 0 where count is 0."""
        return np.where(count == 0, 0.0, total / np.where(count == 0, 1.0, count))


class Sum(Metric):
    """Σ w·values. `update_state(values, sample_weight=None)`."""

    def __init__(self, name: str | None = "sum", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(name="total")

    def update_state(self, values: TensorLike, sample_weight: Weights = None) -> None:
        """Take values (N, …) in, each sample with its weight."""
        values, weights = per_sample(values, sample_weight, self.name, add=True)
        self.total.assign_add(values if weights is None else elementwise.multiply(values, weights))

    def compute(self, total: np.ndarray) -> Any:
        """total."""
        return total


class MeanMetricWrapper(Mean):
    """The mean of fn(y_true, y_pred, **settings), which gives one number per sample or element."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: str | None = None,
                 **settings: Any) -> None:
        if name is None:
            name = getattr(fn, "__name__", None) or snake_case(type(fn).__name__)
        super().__init__(name, dtype)
        self.fn, self.settings = function(fn, f"{type(self).__name__}: fn"), settings
        self.label_kind = getattr(fn, "label_kind", "float")

    def update_state(  # type: ignore[override]
            self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in. What y_pred's mask leaves out has weight 0."""
        sample_weight = with_mask(self.name, y_pred, sample_weight)
        y_true, y_pred = prepared(self.name, y_true, y_pred, self.label_kind)
        super().update_state(called(self.fn, "metric", y_true, y_pred, self.settings), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the settings of the function among them."""
        return {**super().get_config(), **self.settings}
