"""Convolution, relu and 2x2 max pooling in one: what a program does instead of the three (rewrites.py). Floor 2."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops.rows import conv, pool
from fastnn.ops.rows._work import convolution, size
from fastnn.reference import conv_pool as reference
from fastnn.reference._types import Array

Pair = tuple[int, int]
_POOL: dict[str, Any] = dict(pool=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0))
_NONE = (0, 0, 0, 0)


def _shape(x: Shape, w: Shape, b: Shape, strides: Pair, dilation: Pair) -> list[Shape]:
    y = conv.conv2d_shape("conv2d_relu_pool", x, w, b, (strides, _NONE, dilation, 1))
    if any(n is not None and n < 2 for n in y[1:3]):
        raise ShapeError(f"conv2d_relu_pool: x is {x} and w is {w}, which gives {y}; needs at least 2 x 2 outputs; use "
                         "larger images.")
    pooled = (y[0], *(None if n is None else n // 2 for n in y[1:3]), y[3])
    return [pooled, pooled]


def _grad_shape(x: Shape, dy: Shape, argmax: Shape, size: Pair, strides: Pair,
                dilation: Pair) -> list[Shape]:
    channels, filters = x[-1], dy[-1]
    expected, _ = _shape(x, (*size, channels, filters), (filters,), strides, dilation)
    same_shapes("conv2d_relu_pool_grad", expected=expected, dy=dy, argmax=argmax)
    return [(*size, channels, filters), (filters,)]


def _magnitude(x: Array, w: Array, b: Array, strides: Pair, dilation: Pair) -> Array:
    return reference.conv2d_relu_pool(np.abs(x), np.abs(w), np.abs(b), strides=strides, dilation=dilation)[0]


def _grad_magnitude(i: int) -> Callable[..., Array]:
    def magnitude(x: Array, dy: Array, argmax: Array, size: Pair, strides: Pair, dilation: Pair) -> Array:
        return reference.conv2d_relu_pool_grad(np.abs(x), np.abs(dy), argmax, size=size, strides=strides,
                                               dilation=dilation)[i]
    return magnitude


def _x_grad(x: Tensor, w: Tensor, dy: Tensor, argmax: Tensor, strides: Pair, dilation: Pair) -> Tensor:
    size = tuple((n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[1:3], w.shape, strides, dilation))
    dz = pool.max_pool_grad(dy, argmax, shape=size, **_POOL)
    dx: Tensor = conv.conv2d_transpose(dz, conv.turned(w), conv.no_bias(x.shape[3], x), size=x.shape[1:3],
                                       strides=strides, pads=_NONE, dilation=dilation, groups=1, activation="linear")
    return dx


conv2d_relu_pool: Op = Op(
    "conv2d_relu_pool", shape=_shape, outputs=("y", "argmax"), may_omit=("argmax",), result=("float", "uint8"),
    shared=dict(grads=lambda dy, argmax, x, w, strides, dilation: conv2d_relu_pool_grad(
        x, dy, argmax, size=w.shape[:2], strides=strides, dilation=dilation)),
    vjp=dict(x=lambda dy, argmax, x, w, strides, dilation: _x_grad(x, w, dy, argmax, strides, dilation),
             w=lambda grads: grads[0], b=lambda grads: grads[1]),
    magnitude=(_magnitude, None), terms=lambda w: w.shape[0] * w.shape[1] * w.shape[2] + 1,
    flops=lambda w, y: 8 * w[0] * w[1] * w[2] * math.prod(y),
    work=lambda w, y: convolution(4 * size(y[:3]), w, 1) + 0.8 * size(y))

conv2d_relu_pool_grad: Op = Op(
    "conv2d_relu_pool_grad", shape=_grad_shape, outputs=("dw", "db"), may_omit=("dw", "db"),
    dtypes=dict(argmax="uint8"),
    magnitude=(_grad_magnitude(0), _grad_magnitude(1)), terms=lambda dy: 4 * dy.shape[0] * dy.shape[1] * dy.shape[2],
    flops=lambda dy, dw: 8 * dw[0] * dw[1] * dw[2] * math.prod(dy),
    work=lambda dy, dw: convolution(4 * size(dy[:3]), dw, 1) + 0.8 * size(dy))
