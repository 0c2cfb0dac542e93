"""Normalization of batches, and the way back. NumPy only.

The last axis of x holds the channels. Sums are taken in float64, deviations from the mean in a second pass, so that a
mean far larger than the spread does no harm.
"""

import math

import numpy as np

from fastnn.reference._normal import deviations, moments
from fastnn.reference._types import Array


def _rows(x: Array) -> tuple[int, ...]:
    """All axes but the channels."""
    return tuple(range(x.ndim - 1))


def batch_norm(x: Array, gamma: Array, beta: Array, moving_mean: Array, moving_variance: Array, *,
               epsilon: float) -> tuple[Array, Array, Array]:
    """y = γ·(x - mean)/√(variance + ε) + β, with mean and (biased) variance of each channel over the batch, or, where
    they are not empty, the moving ones. The variance that comes out is at most the largest number of its dtype.

    x (..., c), gamma, beta, moving_mean, moving_variance (c,) → y (..., c), mean, variance (c,), those that were used.
    Ioffe and Szegedy 2015.
    """
    mean, variance = moments(x, _rows(x))
    if moving_mean.size:
        mean, variance = moving_mean.astype(np.float64), moving_variance.astype(np.float64)
    y = deviations(x, mean, 1 / np.sqrt(variance + epsilon)) * gamma + beta
    variance = np.minimum(variance, np.finfo(x.dtype).max)
    return y.astype(x.dtype), mean.astype(x.dtype), variance.astype(x.dtype)


def batch_norm_grad(dy: Array, x: Array, gamma: Array, mean: Array, variance: Array, *,
                    epsilon: float) -> tuple[Array, Array, Array]:
    """dγ = Σ dy·x̂, dβ = Σ dy, dx = γ/√(variance + ε)·(dy - dβ/n - x̂·dγ/n), sums over the n values of a channel.

    dy, x (..., c), gamma, mean, variance (c,) → dx (..., c), dgamma, dbeta (c,).
    """
    largest = variance == np.finfo(x.dtype).max
    variance = np.where(largest, moments(x, _rows(x))[1], variance.astype(np.float64)) if largest.any() else variance
    rstd = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    normal = deviations(x, mean, rstd)
    dgamma, dbeta = np.sum(dy * normal, axis=_rows(x)), np.sum(dy, axis=_rows(x), dtype=np.float64)
    count = max(1, math.prod(x.shape[:-1]))
    dx = gamma * rstd * (dy - dbeta / count - normal * dgamma / count)
    return dx.astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)
