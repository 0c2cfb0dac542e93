"""Normalization of samples and of groups of channels, and the way back. Floor 2.

The magnitudes say that a deviation x - mean is as inexact as its parts, and that sums count term by term.
"""

from typing import Any

import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops.rows.batch_norm import OF_GRADS, average, channels_of, dbeta_magnitude
from fastnn.reference._types import Array


def _layer_shape(x: Shape, **vectors: Shape) -> Shape:
    if len(x) != 2:
        raise ShapeError(f"layer_norm: x is {x}; needs (rows, values); reshape x.")
    return channels_of("layer_norm", x, **vectors)


def _group_shape(x: Shape, gamma: Shape, beta: Shape, groups: int) -> list[Shape]:
    channels_of("group_norm", x, gamma=gamma, beta=beta)
    return [x, *[_groups("group_norm", x, groups)] * 2]


def _groups(name: str, x: Shape, groups: int | None) -> Shape:
    """The shape of the groups' statistics, if all groups have as many channels, at least one."""
    if None not in (x[-1], groups) and (groups < 1 or x[-1] < 1 or x[-1] % groups):  # type: ignore[operator]
        raise ShapeError(f"{name}: groups is {groups} and x is {x}; needs groups that divide the {x[-1]} channels; "
                         "change groups.")
    return (x[0], groups)


def _group_grad_shape(dy: Shape, x: Shape, gamma: Shape, mean: Shape, rstd: Shape) -> list[Shape]:
    shapes = _grad_shape("group_norm_grad", dy, x, mean, rstd, gamma=gamma)
    if len(mean) != 2:
        raise ShapeError(f"group_norm_grad: mean is {mean}; needs ({x[0]}, groups), one row a sample.")
    _groups("group_norm_grad", x, mean[1])
    return shapes


def _grad_shape(name: str, dy: Shape, x: Shape, mean: Shape, rstd: Shape, **vectors: Shape) -> list[Shape]:
    channels_of(name, same_shapes(name, dy=dy, x=x), **vectors)
    if same_shapes(name, mean=mean, rstd=rstd)[:1] != x[:1] or not mean:
        raise ShapeError(f"{name}: mean is {mean}; needs {x[0]} rows, one for each of x; check the statistics.")
    return [x, x[-1:], x[-1:]]


def _wide(mean: Array, rstd: Array, x: Array) -> tuple[Any, Any]:
    """Statistics (b,) or (b, groups), repeated so that they broadcast against x (b, ..., c)."""
    if mean.ndim == 1:
        return mean[:, None], rstd[:, None]
    shape = (len(x), *[1] * (x.ndim - 2), x.shape[-1])
    mean, rstd = (np.repeat(s, x.shape[-1] // s.shape[1], axis=1).reshape(shape) for s in (mean, rstd))
    return mean, rstd


def _dx(dy: Array, x: Array, gamma: Array, mean: Array, rstd: Array) -> Array:
    """The sum of the parts of dx, where the sums of a group are bounded by its mean over the sample times groups."""
    groups = 1 if mean.ndim == 1 else mean.shape[1]
    mean, rstd = _wide(mean, rstd, x)
    normal, scaled, axes = (np.abs(x) + np.abs(mean)) * rstd, np.abs(dy * gamma), tuple(range(1, x.ndim))
    along, across = (np.expand_dims(groups * average(t, axes), axes) for t in (scaled, scaled * normal))
    return rstd * (scaled + along + normal * across)


def _dgamma(dy: Array, x: Array, mean: Array, rstd: Array) -> Array:
    """Σ |dy·x̂|."""
    mean, rstd = _wide(mean, rstd, x)
    return np.sum(np.abs(dy) * (np.abs(x) + np.abs(mean)) * rstd, axis=tuple(range(x.ndim - 1)))


def _normal(x: Array, gamma: Array, beta: Array, mean: Array, rstd: Array) -> Array:
    mean, rstd = _wide(mean, rstd, x)
    return np.abs(gamma) * rstd * (np.abs(x) + np.abs(mean)) + np.abs(beta)


layer_norm = Op(
    "layer_norm", outputs=("y", "mean", "rstd"), may_omit=("mean", "rstd"), ulps=24,
    shape=lambda x, gamma, beta: [_layer_shape(x, gamma=gamma, beta=beta), x[:1], x[:1]],
    shared=dict(grads=lambda dy, x, gamma, mean, rstd: layer_norm_grad(dy, x, gamma, mean, rstd)), vjp=OF_GRADS,
    magnitude=(_normal, lambda x: average(x, (1,)), None), cost=0.3)

layer_norm_grad = Op(
    "layer_norm_grad", outputs=("dx", "dgamma", "dbeta"), may_omit=("dx", "dgamma", "dbeta"), ulps=32, terms=lambda: 64,
    shape=lambda dy, x, gamma, mean, rstd: _grad_shape("layer_norm_grad", dy, _layer_shape(x), mean, rstd, gamma=gamma),
    magnitude=(_dx, _dgamma, dbeta_magnitude), cost=0.5)

group_norm = Op(
    "group_norm", outputs=("y", "mean", "rstd"), may_omit=("mean", "rstd"), ulps=24, shape=_group_shape,
    shared=dict(grads=lambda dy, x, gamma, mean, rstd: group_norm_grad(dy, x, gamma, mean, rstd)), vjp=OF_GRADS,
    magnitude=(_normal, lambda x, mean: np.abs(mean) + np.abs(x).max(initial=0), None), cost=0.4)

group_norm_grad = Op(
    "group_norm_grad", outputs=("dx", "dgamma", "dbeta"), may_omit=("dx", "dgamma", "dbeta"), ulps=32,
    shape=_group_grad_shape,
    magnitude=(_dx, _dgamma, dbeta_magnitude), cost=0.6)
