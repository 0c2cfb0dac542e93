"""Sums, means and extremes of what is not NaN: `keras.ops`' nan functions. Floor 2."""

import math

from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.ops._arithmetic import divide, multiply, sqrt, square, subtract
from fastnn.ops._compare import isnan, logical_not, where
from fastnn.ops._convert import floats, reshaped, tensor
from fastnn.ops._quantile import by_fractions
from fastnn.ops._reduction import argmax, argmin, cumprod, cumsum, max, min, prod, sum

__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile",
    "nanprod", "nanquantile", "nanstd", "nansum", "nanvar",
]


def _instead(x: TensorLike, value: float) -> Tensor:
    """x, with a value in the place of NaN; whole numbers as they are."""
    x = tensor(x)
    return where(isnan(x), value, x) if x.dtype.startswith("float") else x  # type: ignore[return-value]


def _counts(x: TensorLike, axis: Axes, keepdims: bool) -> Tensor:
    """How many are not NaN."""
    return sum(logical_not(isnan(floats(x))), axis, keepdims)


def nansum(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Σ of the x that are not NaN; 0 where all are."""
    return sum(_instead(x, 0), axis, keepdims)


def nanprod(x: TensorLike, axis: Axes = None, keepdims: bool = False, dtype: str | None = None) -> Tensor:
    """Π of the x that are not NaN; 1 where all are."""
    return prod(_instead(x, 1), axis, keepdims, dtype)


def nancumsum(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """cumsum with 0 in the place of NaN."""
    return cumsum(_instead(x, 0), axis, dtype)


def nancumprod(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """cumprod with 1 in the place of NaN."""
    return cumprod(_instead(x, 1), axis, dtype)


def nanmean(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The mean of the x that are not NaN; NaN where all are."""
    return divide(nansum(floats(x), axis, keepdims), _counts(x, axis, keepdims))


def nanvar(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The variance of the x that are not NaN; NaN where all are."""
    x = floats(x)
    apart = where(isnan(x), 0.0, subtract(_instead(x, 0), nanmean(x, axis, True)))
    return divide(sum(square(apart), axis, keepdims), _counts(x, axis, keepdims))


def nanstd(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """√nanvar(x)."""
    return sqrt(nanvar(x, axis, keepdims))


def nanmax(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The largest of the x that are not NaN; NaN where all are."""
    y = max(_instead(x, -math.inf), axis, keepdims)
    return _or_nan(x, y, axis, keepdims)


def nanmin(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The smallest of the x that are not NaN; NaN where all are."""
    return _or_nan(x, min(_instead(x, math.inf), axis, keepdims), axis, keepdims)


def _or_nan(x: TensorLike, y: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    if not y.dtype.startswith("float"):
        return y
    return where(_counts(x, axis, keepdims), y, math.nan)  # type: ignore[return-value]


def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the largest x that is not NaN; -1 where all are. int32."""
    found = argmax(_instead(x, -math.inf), axis, keepdims)
    return where(_counts(x, axis, keepdims), found, -1)  # type: ignore[return-value]


def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest x that is not NaN; -1 where all are. int32."""
    found = argmin(_instead(x, math.inf), axis, keepdims)
    return where(_counts(x, axis, keepdims), found, -1)  # type: ignore[return-value]


def nanquantile(x: TensorLike, q: TensorLike, axis: Axes = None, method: str = "linear",
                keepdims: bool = False) -> Tensor:
    """quantile of the x that are not NaN; NaN where all are."""
    x = floats(x)
    counts = _counts(x, axis, True)
    return by_fractions("nanquantile", x, q, axis, method, keepdims, reshaped(counts, counts.shape))


def nanmedian(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The middle of the x that are not NaN; NaN where all are."""
    return nanquantile(x, 0.5, axis, keepdims=keepdims)


def nanpercentile(x: TensorLike, q: TensorLike, axis: Axes = None, method: str = "linear",
                  keepdims: bool = False) -> Tensor:
    """nanquantile of q / 100."""
    return nanquantile(x, multiply(floats(q), 0.01), axis, method, keepdims)
