"""Normalization of samples and of groups of channels, and the way back. NumPy only.

The last axis of x holds the channels. Sums are taken in float64, deviations from the mean in a second pass, so that a
mean far larger than the spread does no harm.
"""

import math

import numpy as np

from fastnn.reference._normal import deviations, moments
from fastnn.reference._types import Array


def _grouped(x: Array, groups: int) -> Array:
    """(b, ..., c) as (b, rows, groups, c / groups)."""
    return x.reshape(x.shape[0], math.prod(x.shape[1:-1]), groups, x.shape[-1] // groups)


def layer_norm(x: Array, gamma: Array, beta: Array, *, epsilon: float) -> tuple[Array, Array, Array]:
    """y = γ·(x - mean)·rstd + β, with mean and rstd = 1/√(variance + ε) of each row.

    x (rows, n), gamma, beta (n,) → y (rows, n), mean (rows,), rstd (rows,). Ba et al. 2016.
    """
    mean, variance = moments(x, (1,))
    rstd = 1 / np.sqrt(variance + epsilon)
    y = deviations(x, mean[:, None], rstd[:, None]) * gamma + beta
    return y.astype(x.dtype), mean.astype(x.dtype), rstd.astype(x.dtype)


def layer_norm_grad(dy: Array, x: Array, gamma: Array, mean: Array, rstd: Array) -> tuple[Array, Array, Array]:
    """dx = rstd·(γdy - Σ γdy/n - x̂·Σ γdy·x̂/n), sums along the row; dγ = Σ dy·x̂ and dβ = Σ dy over the rows.

    dy, x (rows, n), gamma (n,), mean, rstd (rows,) → dx (rows, n), dgamma, dbeta (n,).
    """
    normal = deviations(x, mean[:, None], rstd[:, None])
    scaled = dy * gamma.astype(np.float64)
    along = [np.sum(terms, axis=1, keepdims=True) / max(1, x.shape[1]) for terms in (scaled, scaled * normal)]
    dx = rstd[:, None] * (scaled - along[0] - normal * along[1])
    dgamma, dbeta = np.sum(dy * normal, axis=0), np.sum(dy, axis=0, dtype=np.float64)
    return dx.astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)


def group_norm(x: Array, gamma: Array, beta: Array, *, groups: int, epsilon: float) -> tuple[Array, Array, Array]:
    """y = γ·(x - mean)·rstd + β, with mean and rstd = 1/√(variance + ε) of each sample's groups of channels.

    x (b, ..., c), gamma, beta (c,) → y (b, ..., c), mean (b, groups), rstd (b, groups). Wu and He 2018.
    """
    cells = _grouped(x, groups)
    mean, variance = moments(cells, (1, 3))
    rstd = 1 / np.sqrt(variance + epsilon)
    normal = deviations(cells, mean[:, None, :, None], rstd[:, None, :, None]).reshape(x.shape)
    return (normal * gamma + beta).astype(x.dtype), mean.astype(x.dtype), rstd.astype(x.dtype)


def group_norm_grad(dy: Array, x: Array, gamma: Array, mean: Array, rstd: Array) -> tuple[Array, Array, Array]:
    """dx = rstd·(γdy - Σ γdy/n - x̂·Σ γdy·x̂/n), sums over the n values of a group; dγ = Σ dy·x̂ and dβ = Σ dy.

    dy, x (b, ..., c), gamma (c,), mean, rstd (b, groups) → dx (b, ..., c), dgamma, dbeta (c,).
    """
    groups = mean.shape[1]
    centre, scale = mean[:, None, :, None], rstd[:, None, :, None]
    normal = deviations(_grouped(x, groups), centre, scale)
    d = _grouped(dy, groups).astype(np.float64)
    scaled = d * gamma.reshape(groups, -1)
    count = max(1, d[0].size // groups) if len(d) else 1
    along = [np.sum(terms, axis=(1, 3), keepdims=True) / count for terms in (scaled, scaled * normal)]
    dx = (scale * (scaled - along[0] - normal * along[1])).reshape(x.shape)
    dgamma, dbeta = (np.sum(terms, axis=(0, 1)).reshape(-1) for terms in (d * normal, d))
    return dx.astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)
