"""Losses of areas, as in the segmentation of images: how little two of them overlap. Floor 3; imports ops."""

from typing import Any

from fastnn.arguments import axes as checked_axes
from fastnn.arguments import is_sequence, number
from fastnn.engine.kinds import Axes, TensorLike, Weights
from fastnn.engine.tensor import Tensor
from fastnn.losses.loss import LossFunctionWrapper, alike, spread_weights
from fastnn.ops._arithmetic import add, divide, multiply, subtract
from fastnn.ops._reduction import sum as sum_
from fastnn.ops.rows.elementwise import cast

__all__ = ["Dice", "Tversky", "dice", "tversky"]

EPSILON = 1e-7


def dice(y_true: TensorLike, y_pred: TensorLike, axis: Axes = None) -> Tensor:
    """loss = 1 - 2·sum(t·p)/(sum(t) + sum(p) + 1e-7): 0 where areas are the same, 1 where they have nothing in common.

    Sums over `axis`, None for all axes and samples together, which gives one number. y_true, y_pred of one shape.
    Milletari et al. 2016, without squares.
    """
    t, p = alike("dice", y_true, y_pred)
    both = multiply(sum_(multiply(t, p), axis), 2.0)
    return subtract(1.0, divide(both, add(add(sum_(t, axis), sum_(p, axis)), EPSILON)))


def tversky(y_true: TensorLike, y_pred: TensorLike, alpha: float = 0.5, beta: float = 0.5, axis: Axes = None) -> Tensor:
    """loss = 1 - tp/(tp + alpha·sum(t·(1 - p)) + beta·sum((1 - t)·p) + 1e-7), tp = sum(t·p).

    alpha weighs what is missed, beta what is too much; both 0.5 give dice. Sums over `axis`, None for all axes and
    samples together. Salehi et al. 2017.
    """
    alpha, beta = number(alpha, "tversky: alpha"), number(beta, "tversky: beta")
    t, p = alike("tversky", y_true, y_pred)
    both = sum_(multiply(t, p), axis)
    missed = sum_(multiply(t, subtract(1.0, p)), axis)
    added = sum_(multiply(subtract(1.0, t), p), axis)
    wrong = add(multiply(missed, alpha), multiply(added, beta))
    return subtract(1.0, divide(both, add(add(both, wrong), EPSILON)))


def _axis(axis: Any, where: str) -> Any:
    """The axis as it was given, or a list of them."""
    if axis is None:
        return None
    found = checked_axes(axis, f"{where}: axis")
    return list(found) if is_sequence(axis) else found[0]


class _Areas(LossFunctionWrapper):
    """Base: what y_pred's mask leaves out belongs to neither area."""

    def __call__(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> Tensor:
        mask = y_pred.mask if isinstance(y_pred, Tensor) else None
        if mask is not None:
            true, predicted = alike(self.name, y_true, y_pred)
            kept = spread_weights(self.name, cast(mask, dtype=predicted.dtype), predicted)
            y_true, y_pred = multiply(true, kept), multiply(predicted, kept)
        return super().__call__(y_true, y_pred, sample_weight)


class Dice(_Areas):
    """1 - 2·sum(t·p)/(sum(t) + sum(p)), over `axis`; None: over the batch. axis=(1, 2, 3): a loss for each image."""

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "dice", axis: Axes = None,
                 dtype: str | None = None) -> None:
        self.axis = _axis(axis, "Dice")
        super().__init__(dice, reduction, name, dtype, axis=self.axis)


class Tversky(_Areas):
    """1 - tp/(tp + alpha·missed + beta·added), over `axis`; None: over the batch. axis=(1, 2, 3): a loss an image."""

    def __init__(self, alpha: float = 0.5, beta: float = 0.5, reduction: str | None = "sum_over_batch_size",
                 name: str | None = "tversky", axis: Axes = None, dtype: str | None = None) -> None:
        self.alpha, self.beta = number(alpha, "Tversky: alpha"), number(beta, "Tversky: beta")
        self.axis = _axis(axis, "Tversky")
        super().__init__(tversky, reduction, name, dtype, alpha=self.alpha, beta=self.beta, axis=self.axis)
