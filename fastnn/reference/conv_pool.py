"""Convolution, relu and 2x2 max pooling in one, and the way back. NumPy only."""

import numpy as np

from fastnn.reference import conv as _conv
from fastnn.reference import pool as _pool
from fastnn.reference._types import Array

Pair = tuple[int, int]
_ALL, _NONE = (2, 2), (0, 0, 0, 0)
_DEAD = 4


def conv2d_relu_pool(x: Array, w: Array, b: Array, *, strides: Pair, dilation: Pair) -> tuple[Array, Array]:
    """y = max_pool(relu(conv2d(x, w, b))) over windows of 2x2; argmax = which of the 4 cells, 4 where y is 0.

    x (b, h, w, c), w (kh, kw, c, f), b (f,) → y (b, oh, ow, f), argmax the same, uint8. No pads, no groups.
    """
    z = _conv.conv2d(x, w, b, strides=strides, pads=_NONE, dilation=dilation, groups=1, activation="relu")
    y, argmax = _pool.max_pool(z, pool=_ALL, strides=_ALL, pads=_NONE)
    return y, np.where(y > 0, argmax, np.uint8(_DEAD))


def conv2d_relu_pool_grad(x: Array, dy: Array, argmax: Array, *, size: Pair, strides: Pair,
                          dilation: Pair) -> tuple[Array, Array]:
    """The gradients of w, of size (kh, kw), and of b.

    x (b, h, w, c), dy and argmax (b, oh, ow, f) → dw (kh, kw, c, f), db (f,).
    """
    height, width = ((n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[1:3], size, strides, dilation))
    dz = _pool.max_pool_grad(dy, argmax, shape=(height, width), pool=_ALL, strides=_ALL, pads=_NONE)
    dw = _conv.conv2d_weights_grad(x, dz, size=size, strides=strides, pads=_NONE, dilation=dilation, groups=1)
    return dw, dz.sum(axis=(0, 1, 2))
