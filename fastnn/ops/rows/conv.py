"""Convolutions of images (batch, height, width, channels), their transposes and gradients. Floor 2.

Padding is explicit, (top, bottom, left, right); layers turn "same", "valid" and "causal" into it.
"""

import math

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape
from fastnn.ops._rules import differ
from fastnn.ops.rows._work import convolution, size
from fastnn.ops.rows.activation import before_activation
from fastnn.ops.rows.data import transpose
from fastnn.ops.rows.dense import sum_rows
from fastnn.reference import conv as reference

Pair = tuple[int, int]
Pads = tuple[int, int, int, int]
Settings = tuple[Pair, tuple[int, int, int, int], Pair, int]      # strides, pads, dilation, groups


def _check(name: str, x: Shape, w: Shape, b: Shape, transposed: bool, settings: Settings) -> None:
    """ShapeError for what no convolution has: ranks, settings, channels that do not fit."""
    strides, pads, dilation, groups = settings
    if len(x) != 4 or len(w) != 4:
        raise ShapeError(f"{name}: x is {x} and w is {w}; needs images (batch, height, width, channels) and weights "
                         "(height, width, in, out); reshape them.")
    if 0 in w[:2]:
        raise ShapeError(f"{name}: w is {w}; needs at least one row and one column of weights; use a larger kernel.")
    if min(*strides, *dilation, groups) < 1 or min(pads) < 0:
        raise ShapeError(f"{name}: strides are {strides}, pads {pads}, dilation {dilation} and groups {groups}; needs "
                         "numbers >= 1, and pads >= 0; change them.")
    channels, filters = w[2:] if transposed else (w[2] * groups, w[3])  # type: ignore[operator]
    if differ(x[3], channels) or (channels if transposed else filters) % groups:  # type: ignore[operator]
        raise ShapeError(f"{name}: x is {x}, w is {w} and groups is {groups}; needs {channels} channels in x, and "
                         "channels and filters divisible by groups; check the number of channels.")
    if b != (filters * groups if transposed else filters,):  # type: ignore[operator]
        raise ShapeError(f"{name}: b is {b} and w is {w}; needs one bias per filter; check b.")


def _output_size(name: str, size: Shape, kernel: Shape, settings: Settings) -> Shape:
    """Height and width of what a convolution gives; ShapeError where the kernel does not fit into the image."""
    strides, pads, dilation, _ = settings
    result = []
    for axis, (n, k, s, d) in enumerate(zip(size, kernel, strides, dilation)):
        padded = None if n is None else n + pads[2 * axis] + pads[2 * axis + 1]
        window = (k - 1) * d + 1  # type: ignore[operator]
        if padded is not None and padded < window:
            wide = "" if dilation == (1, 1) else f" with dilation {dilation}"
            raise ShapeError(f"{name}: images are {size} and the kernel is {kernel}{wide}; needs a kernel within the "
                             "image; use a smaller kernel, larger images or padding='same'.")
        result.append(None if padded is None else (padded - window) // s + 1)
    return tuple(result)


def conv2d_shape(name: str, x: Shape, w: Shape, b: Shape, settings: Settings) -> Shape:
    """What a convolution gives. ShapeError, with the kernel's name, for what does not fit."""
    _check(name, x, w, b, False, settings)
    return (x[0], *_output_size(name, x[1:3], w[:2], settings), w[3])


def _transpose_shape(x: Shape, w: Shape, b: Shape, size: Pair, strides: Pair, pads: Pads, dilation: Pair,
                     groups: int) -> Shape:
    settings = strides, pads, dilation, groups
    _check("conv2d_transpose", x, w, b, True, settings)
    expected = _output_size("conv2d_transpose", size, w[:2], settings)
    if any(differ(m, n) for m, n in zip(x[1:3], expected)):
        raise ShapeError(f"conv2d_transpose: x is {x}, and a convolution of {size} with the kernel {w[:2]} gives "
                         f"{expected}; needs equal sizes; change size or pads.")
    return (x[0], *size, w[3] * groups)  # type: ignore[operator]


def _weights_grad_shape(x: Shape, dy: Shape, size: Pair, strides: Pair, pads: Pads, dilation: Pair,
                        groups: int) -> Shape:
    name, settings = "conv2d_weights_grad", (strides, pads, dilation, groups)
    if len(x) != 4 or len(dy) != 4 or differ(x[0], dy[0]) or x[3] % groups or dy[3] % groups:  # type: ignore[operator]
        raise ShapeError(f"{name}: x is {x}, dy is {dy} and groups is {groups}; needs images of the same batch, "
                         "channels divisible by groups; check both.")
    expected = _output_size(name, x[1:3], size, settings)
    if any(differ(m, n) for m, n in zip(dy[1:3], expected)):
        raise ShapeError(f"{name}: x is {x} and dy is {dy}; a convolution of x gives {expected}; needs equal sizes; "
                         "check them.")
    return (*size, x[3] // groups, dy[3])  # type: ignore[operator]


def no_bias(filters: int, like: Tensor) -> Tensor:
    """Zeros where a kernel wants a bias."""
    return Tensor(np.zeros(filters, like.dtype), "zeros", constant=True)


def turned(w: Tensor) -> Tensor:
    """The weights with in and out exchanged, as the transposed convolution takes them."""
    return transpose(w, axes=(0, 1, 3, 2))


conv2d: Op = Op(
    "conv2d", shape=lambda x, w, b, strides, pads, dilation, groups: conv2d_shape(
        "conv2d", x, w, b, (strides, pads, dilation, groups)),
    shared=dict(dz=lambda dy, y, activation: before_activation(dy, y, activation)),
    vjp=dict(x=lambda dz, x, w, strides, pads, dilation, groups: conv2d_transpose(
                 dz, turned(w), no_bias(x.shape[3], x), size=x.shape[1:3], strides=strides, pads=pads,
                 dilation=dilation, groups=groups, activation="linear"),
             w=lambda dz, x, w, strides, pads, dilation, groups: conv2d_weights_grad(
                 x, dz, size=w.shape[:2], strides=strides, pads=pads, dilation=dilation, groups=groups),
             b=lambda dz: sum_rows(dz)),
    magnitude=lambda x, w, b, strides, pads, dilation, groups, activation: reference.conv2d(
        np.abs(x), np.abs(w), np.abs(b), strides=strides, pads=pads, dilation=dilation, groups=groups,
        activation="linear") + (activation == "sigmoid"),
    terms=lambda w: w.shape[0] * w.shape[1] * w.shape[2] + 1,
    flops=lambda w, y: 2 * w[0] * w[1] * w[2] * math.prod(y),
    work=lambda w, y, groups: convolution(size(y[:3]), w, groups))

conv2d_transpose: Op = Op(
    "conv2d_transpose", shape=_transpose_shape,
    shared=dict(dz=lambda dy, y, activation: before_activation(dy, y, activation)),
    vjp=dict(x=lambda dz, x, w, strides, pads, dilation, groups: conv2d(
                 dz, turned(w), no_bias(x.shape[3], x), strides=strides, pads=pads, dilation=dilation, groups=groups,
                 activation="linear"),
             w=lambda dz, x, w, strides, pads, dilation, groups: turned(conv2d_weights_grad(
                 dz, x, size=w.shape[:2], strides=strides, pads=pads, dilation=dilation, groups=groups)),
             b=lambda dz: sum_rows(dz)),
    magnitude=lambda x, w, b, size, strides, pads, dilation, groups, activation: reference.conv2d_transpose(
        np.abs(x), np.abs(w), np.abs(b), size=size, strides=strides, pads=pads, dilation=dilation, groups=groups,
        activation="linear") + (activation == "sigmoid"),
    terms=lambda w, groups: w.shape[0] * w.shape[1] * w.shape[2] // groups + 1,
    flops=lambda x, w: 2 * w[0] * w[1] * w[3] * math.prod(x),
    work=lambda x, w, groups: convolution(size(x[:3]), (*w[:2], w[2] // groups, w[3] * groups), groups))

conv2d_weights_grad: Op = Op(
    "conv2d_weights_grad", shape=_weights_grad_shape, outputs=("dw",),
    magnitude=lambda x, dy, size, strides, pads, dilation, groups: reference.conv2d_weights_grad(
        np.abs(x), np.abs(dy), size=size, strides=strides, pads=pads, dilation=dilation, groups=groups),
    terms=lambda dy: dy.shape[0] * dy.shape[1] * dy.shape[2],
    flops=lambda dy, dw: 2 * dw[0] * dw[1] * dw[2] * math.prod(dy),
    work=lambda dy, dw, groups: convolution(size(dy[:3]), dw, groups))
