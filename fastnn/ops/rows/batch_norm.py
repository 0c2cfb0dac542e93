"""Normalization of batches, and the way back. Floor 2.

The magnitudes say that a deviation x - mean is as inexact as its parts, and that sums count term by term.
"""

import math
from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._arrays import zeros
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.reference._types import Array


def channels_of(name: str, x: Shape, **vectors: Shape) -> Shape:
    """x, if each vector has one value per channel."""
    if len(x) < 2:
        raise ShapeError(f"{name}: x is {x}; needs (batch, ..., channels); add a batch axis.")
    for vector, shape in vectors.items():
        if len(shape) != 1 or (x[-1] is not None and shape[0] is not None and shape[0] != x[-1]):
            raise ShapeError(f"{name}: {vector} is {shape} and x is {x}; needs one value per channel, ({x[-1]},); "
                             f"check {vector}.")
    return x


def _parts(dy: Array, x: Array, mean: Array, variance: Array, epsilon: float) -> tuple[Any, Any, Any, Any]:
    """1/√(variance + ε), bounds of |x̂|, Σ |dy·x̂| and Σ |dy|."""
    rstd = 1 / np.sqrt(variance + epsilon)
    normal, axes = (np.abs(x) + np.abs(mean)) * rstd, tuple(range(x.ndim - 1))
    return rstd, normal, (np.abs(dy) * normal).sum(axis=axes), np.abs(dy).sum(axis=axes)


def _dx_magnitude(dy: Array, x: Array, gamma: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    rstd, normal, dgamma, dbeta = _parts(dy, x, mean, variance, epsilon)
    count = max(1, math.prod(x.shape[:-1]))
    return np.abs(gamma) * rstd * (np.abs(dy) + dbeta / count + normal * dgamma / count)


def average(x: Array, axes: tuple[int, ...]) -> Array:
    """The mean of |x|; 0 of no values."""
    result: Array = np.abs(x).sum(axis=axes, keepdims=True) / max(1, math.prod(x.shape[axis] for axis in axes))
    return np.squeeze(result, axes)


def dbeta_magnitude(dy: Array) -> Array:
    return np.sum(np.abs(dy), axis=tuple(range(dy.ndim - 1)))


def _shape(x: Shape, gamma: Shape, beta: Shape, moving_mean: Shape, moving_variance: Shape) -> list[Shape]:
    moving = {} if moving_mean == moving_variance == (0,) else dict(moving_mean=moving_mean,
                                                                    moving_variance=moving_variance)
    return [channels_of("batch_norm", x, gamma=gamma, beta=beta, **moving), x[-1:], x[-1:]]


def _dx(dy: Tensor, grads: tuple[Tensor, ...], gamma: Tensor, moving_mean: Tensor, moving_variance: Tensor,
        epsilon: float) -> Tensor:
    """Of moving statistics, which do not move with x: a scale."""
    if moving_mean.shape == (0,):
        return grads[0]
    dx: Tensor = batch_norm(dy, gamma, zeros(gamma), zeros(gamma), moving_variance, epsilon=epsilon)[0]
    return dx


OF_GRADS = dict(x=lambda grads: grads[0], gamma=lambda grads: grads[1], beta=lambda grads: grads[2])

batch_norm: Op = Op(
    "batch_norm", outputs=("y", "mean", "variance"), may_omit=("mean", "variance"), ulps=16,
    optional=("moving_mean", "moving_variance"), shape=_shape,
    shared=dict(grads=lambda dy, x, gamma, mean, variance, epsilon: batch_norm_grad(
        dy, x, gamma, mean, variance, epsilon=epsilon)),
    vjp={**OF_GRADS, "x": _dx},
    magnitude=(lambda x, gamma, beta, mean, variance, epsilon:
               np.abs(gamma) * (np.abs(x) + np.abs(mean)) / np.sqrt(variance + epsilon) + np.abs(beta),
               lambda x: average(x, tuple(range(x.ndim - 1))), None), cost=0.3)

batch_norm_grad = Op(
    "batch_norm_grad", outputs=("dx", "dgamma", "dbeta"), may_omit=("dx", "dgamma", "dbeta"), ulps=24,
    shape=lambda dy, x, gamma, mean, variance: [
        channels_of("batch_norm_grad", same_shapes("batch_norm_grad", dy=dy, x=x), gamma=gamma, mean=mean,
                    variance=variance), x[-1:], x[-1:]],
    magnitude=(_dx_magnitude, lambda dy, x, mean, variance, epsilon: _parts(dy, x, mean, variance, epsilon)[2],
               dbeta_magnitude), cost=0.5)
