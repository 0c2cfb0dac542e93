"""Losses of numbers: regression, hinge, divergence. Floor 3; imports ops.

Functions give one number per sample, y_true and y_pred (…, c) → (…); y_true (N,) goes with y_pred (N, 1).
"""

import math
from collections.abc import Callable
from typing import ClassVar

from fastnn.arguments import number, whole
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.losses.loss import LossFunctionWrapper, alike, prepared
from fastnn.ops._convert import axes_of
from fastnn.ops.rows import activation, reduce
from fastnn.ops.rows import loss as rows
from fastnn.ops.rows.elementwise import (
    absolute,
    add,
    add_constant,
    clip,
    divide,
    log,
    multiply,
    negative,
    scale,
    sign,
    square,
    subtract,
)

__all__ = [
    "CategoricalHinge", "CosineSimilarity", "Hinge", "Huber", "KLDivergence", "LogCosh", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "SquaredHinge",
    "categorical_hinge", "cosine_similarity", "hinge", "huber", "kl_divergence", "kld", "log_cosh", "mae", "mape",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "mse", "msle", "poisson", "squared_hinge",
]

EPSILON = 1e-7


def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """loss = mean((y_true - y_pred)²)."""
    return rows.mean_squared_error(*prepared("mean_squared_error", y_true, y_pred))


def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """loss = mean(|y_true - y_pred|)."""
    return rows.mean_absolute_error(*prepared("mean_absolute_error", y_true, y_pred))


def mean_absolute_percentage_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """loss = 100·mean(|y_true - y_pred|/max(|y_true|, 1e-7))."""
    y_true, y_pred = alike("mean_absolute_percentage_error", y_true, y_pred)
    relative = divide(absolute(subtract(y_true, y_pred)), clip(absolute(y_true), low=EPSILON, high=math.inf))
    return scale(_mean(relative), factor=100.0)


def mean_squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """loss = mean((log(1 + y_true) - log(1 + y_pred))²), both kept above 1e-7."""
    y_true, y_pred = alike("mean_squared_logarithmic_error", y_true, y_pred)
    return rows.mean_squared_error(_log1p(y_true), _log1p(y_pred))


def huber(y_true: TensorLike, y_pred: TensorLike, delta: float = 1.0) -> Tensor:
    """loss = mean(e²/2 where |e| <= delta, else delta·|e| - delta²/2), e = y_pred - y_true. Huber 1964.

    Raises ValueError for a delta that is not above 0.
    """
    delta = number(delta, "huber: delta", 0, above=True)
    y_true, y_pred = alike("huber", y_true, y_pred)
    size = absolute(subtract(y_pred, y_true))
    small = clip(size, low=0.0, high=delta)           # m = min(|e|, delta): loss = m²/2 + delta·(|e| - m)
    return _mean(add(scale(square(small), factor=0.5), scale(subtract(size, small), factor=delta)))


def log_cosh(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """loss = mean(log cosh e) = mean(e + log(1 + exp(-2e)) - log 2), e = y_pred - y_true."""
    y_true, y_pred = alike("log_cosh", y_true, y_pred)
    error = subtract(y_pred, y_true)
    return add_constant(_mean(add(error, activation.softplus(scale(error, factor=-2.0)))), value=-math.log(2))


def hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """loss = mean(max(1 - t·y_pred, 0)), t = y_true in {-1, 1}, where 0 counts as -1.

    Keras reads 0 as -1 only in batches of nothing but 0 and 1, so that a rare label changes the meaning of the others.
    """
    y_true, y_pred = alike("hinge", y_true, y_pred)
    return _mean(_margin(y_true, y_pred))


def squared_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """loss = mean(max(1 - t·y_pred, 0)²), t as in hinge."""
    y_true, y_pred = alike("squared_hinge", y_true, y_pred)
    return _mean(square(_margin(y_true, y_pred)))


def categorical_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """loss = max(1 + max((1 - y_true)·y_pred) - sum(y_true·y_pred), 0), y_true one-hot."""
    y_true, y_pred = alike("CategoricalHinge", y_true, y_pred)
    right = multiply(y_true, y_pred)
    axes = (y_pred.ndim - 1,)
    wrong = reduce.max(subtract(y_pred, right), axes=axes)
    return activation.relu(add_constant(subtract(wrong, reduce.sum(right, axes=axes)), value=1.0))


def kl_divergence(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """loss = sum(y_true·log(y_true/y_pred)), both kept within [1e-7, 1]. Kullback and Leibler 1951."""
    y_true, y_pred = alike("kl_divergence", y_true, y_pred)
    t, p = clip(y_true, low=EPSILON, high=1.0), clip(y_pred, low=EPSILON, high=1.0)
    return reduce.sum(multiply(t, log(divide(t, p))), axes=(y_pred.ndim - 1,))


def poisson(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """loss = mean(y_pred - y_true·log(y_pred + 1e-7))."""
    y_true, y_pred = alike("poisson", y_true, y_pred)
    return _mean(subtract(y_pred, multiply(y_true, log(add_constant(y_pred, value=EPSILON)))))


def cosine_similarity(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """loss = -sum(y_true·y_pred)/(‖y_true‖·‖y_pred‖) along the axis: -1 for the same direction; 0 if one is zero."""
    y_true, y_pred = alike("cosine_similarity", y_true, y_pred)
    axes = axes_of(y_pred, whole(axis, "cosine_similarity: axis", None))
    product = reduce.sum(multiply(_unit(y_true, axes), _unit(y_pred, axes)), axes=axes)
    return negative(product)


mse = mean_squared_error
mae = mean_absolute_error
mape = mean_absolute_percentage_error
msle = mean_squared_logarithmic_error
kld = kl_divergence


def _mean(x: Tensor) -> Tensor:
    return reduce.mean(x, axes=(x.ndim - 1,))


def _log1p(x: Tensor) -> Tensor:
    return log(add_constant(clip(x, low=EPSILON, high=math.inf), value=1.0))


def _margin(y_true: Tensor, y_pred: Tensor) -> Tensor:
    t = add_constant(add(y_true, absolute(sign(y_true))), value=-1.0)
    return activation.relu(add_constant(negative(multiply(t, y_pred)), value=1.0))


def _unit(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    norm = clip(reduce.length(x, axes=axes), low=1e-12, high=math.inf)
    return divide(x, reduce.expand(norm, shape=x.shape, axes=axes))


class _Fixed(LossFunctionWrapper):
    """A loss whose function is fixed by the class. Arguments as Loss; the name is that of the function."""
    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = None,
                 dtype: str | None = None) -> None:
        super().__init__(self.function, reduction, name, dtype)


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


class LogCosh(_Fixed):
    """mean(log cosh(y_pred - y_true))."""
    function = staticmethod(log_cosh)


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


class CosineSimilarity(LossFunctionWrapper):
    """minus the cosine of the angle between y_true and y_pred, vectors along `axis`."""

    def __init__(self, axis: int = -1, reduction: str | None = "sum_over_batch_size",
                 name: str | None = "cosine_similarity", dtype: str | None = None) -> None:
        self.axis = whole(axis, "CosineSimilarity: axis", None)
        super().__init__(cosine_similarity, reduction, name, dtype, axis=self.axis)


class Huber(LossFunctionWrapper):
    """mean(e²/2), going on as a straight line where |e| > delta."""

    def __init__(self, delta: float = 1.0, reduction: str | None = "sum_over_batch_size", name: str | None = None,
                 dtype: str | None = None) -> None:
        self.delta = number(delta, "Huber: delta", 0, above=True)
        super().__init__(huber, reduction, name, dtype, delta=self.delta)
