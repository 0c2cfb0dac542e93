"""Convolutions of images, their transposes and the gradients of their weights. NumPy only.

Images are (b, h, w, channels), weights (kh, kw, in, out). Output (i, j) and tap (k, l) of the kernel meet at input
(i·sh + k·dh - top, j·sw + l·dw - left), where strides = (sh, sw), dilation = (dh, dw) and pads = (top, bottom, left,
right); outside the image is 0. With groups, channels and filters are cut into as many equal pieces, and the first piece
of the filters sees the first piece of the channels only, and so on.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fastnn.reference import _fused
from fastnn.reference._types import Array

Pair = tuple[int, int]
Pads = tuple[int, int, int, int]


def _patches(x: Array, size: Pair, strides: Pair, pads: Pads, dilation: Pair) -> Array:
    """What every output sees: (b, oh, ow, channels, kh, kw), size = (kh, kw)."""
    top, bottom, left, right = pads
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    window = tuple((k - 1) * d + 1 for k, d in zip(size, dilation))
    patches = sliding_window_view(padded, window, axis=(1, 2))[:, ::strides[0], ::strides[1]]
    return patches[..., ::dilation[0], ::dilation[1]]


def conv2d(x: Array, w: Array, b: Array, *, strides: Pair, pads: Pads, dilation: Pair, groups: int,
           activation: str) -> Array:
    """y[n, i, j, f] = act(b[f] + Σ_klc x[n, i·sh + k·dh - top, j·sw + l·dw - left, c]·w[k, l, c, f]).

    x (b, h, w, c), w (kh, kw, c / groups, f), b (f,) → y (b, oh, ow, f); act as in `dense`. LeCun et al. 1989.
    """
    patches = np.split(_patches(x, w.shape[:2], strides, pads, dilation), groups, axis=3)
    pieces = [np.einsum("nijckl,klcf->nijf", p, v, optimize=True) for p, v in zip(patches, np.split(w, groups, axis=3))]
    return _fused.apply(np.concatenate(pieces, axis=3) + b, activation)


def conv2d_transpose(x: Array, w: Array, b: Array, *, size: Pair, strides: Pair, pads: Pads, dilation: Pair,
                     groups: int, activation: str) -> Array:
    """y[n, i·sh + k·dh - top, j·sw + l·dw - left, f] = act(b[f] + Σ x[n, i, j, c]·w[k, l, c, f]): inputs are spread.

    The transpose of conv2d with these settings on images of size (h, w): with w's two last axes exchanged it is the
    gradient of its x. x (b, oh, ow, c), w (kh, kw, c, f / groups), b (f,) → y (b, h, w, f). Zeiler et al. 2010.
    """
    (kh, kw), (sh, sw), (dh, dw) = w.shape[:2], strides, dilation
    top, bottom, left, right = pads
    batch, rows, columns, _ = x.shape
    filters = w.shape[3] * groups
    canvas = np.zeros((batch, size[0] + top + bottom, size[1] + left + right, filters), x.dtype)
    for k in range(kh):
        for m in range(kw):
            products = [part @ v for part, v in zip(np.split(x, groups, axis=3), np.split(w[k, m], groups, axis=0))]
            canvas[:, k * dh:k * dh + (rows - 1) * sh + 1:sh,
                   m * dw:m * dw + (columns - 1) * sw + 1:sw] += np.concatenate(products, axis=3)
    return _fused.apply(canvas[:, top:top + size[0], left:left + size[1]] + b, activation)


def conv2d_weights_grad(x: Array, dy: Array, *, size: Pair, strides: Pair, pads: Pads, dilation: Pair,
                        groups: int) -> Array:
    """dw[k, l, c, f] = Σ_nij x[n, i·sh + k·dh - top, j·sw + l·dw - left, c]·dy[n, i, j, f]. size is the kernel's.

    x (b, h, w, c), dy (b, oh, ow, f) → dw (kh, kw, c / groups, f).
    """
    patches = np.split(_patches(x, size, strides, pads, dilation), groups, axis=3)
    return np.concatenate([np.einsum("nijckl,nijf->klcf", p, d, optimize=True)
                           for p, d in zip(patches, np.split(dy, groups, axis=3))], axis=3)
