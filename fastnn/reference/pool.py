"""Pooling over windows of an image, and the way back. NumPy only.

Images are (b, h, w, c). Window (i, j) covers the cells i·sh - top … i·sh - top + kh - 1 of the height and the like of
the width, where pool = (kh, kw), strides = (sh, sw), pads = (top, bottom, left, right). Cells outside the image are not
seen.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fastnn.reference._types import Array

Pair = tuple[int, int]
Pads = tuple[int, int, int, int]


def _cells(x: Array, outside: float, pool: Pair, strides: Pair, pads: Pads) -> Array:
    """The cells of every window, row by row, cells outside the image holding `outside`: (b, oh, ow, c, kh·kw)."""
    top, bottom, left, right = pads
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=outside)
    windows = sliding_window_view(padded, pool, axis=(1, 2))[:, ::strides[0], ::strides[1]]
    return windows.reshape(*windows.shape[:4], pool[0] * pool[1])


def _spread(cells: Array, shape: Pair, pool: Pair, strides: Pair, pads: Pads) -> Array:
    """The adjoint of _cells: every cell added to its place in an image of this (h, w)."""
    b, oh, ow, c, _ = cells.shape
    (h, w), (kh, kw), (sh, sw) = shape, pool, strides
    top, bottom, left, right = pads
    image = np.zeros((b, h + top + bottom, w + left + right, c), cells.dtype)
    for k in range(kh * kw):
        y, x = divmod(k, kw)
        image[:, y:y + (oh - 1) * sh + 1:sh, x:x + (ow - 1) * sw + 1:sw] += cells[..., k]
    return image[:, top:top + h, left:left + w]


def max_pool(x: Array, *, pool: Pair, strides: Pair, pads: Pads) -> tuple[Array, Array]:
    """y = the largest x of each window, NaN where there is one; argmax = its cell, counted row by row in the window.

    x (b, h, w, c) → y (b, oh, ow, c), argmax the same, uint8 where a window has at most 256 cells, else int32. Of
    equal cells it is the first.
    """
    cells = _cells(x, -np.inf, pool, strides, pads)
    inside = _cells(np.ones((1, *x.shape[1:3], 1), bool), False, pool, strides, pads)
    y = np.max(cells, axis=-1)
    argmax = np.argmax(inside & ((cells == y[..., None]) | np.isnan(cells)), axis=-1)
    return y, argmax.astype(np.uint8 if pool[0] * pool[1] <= 256 else np.int32)


def max_pool_grad(dy: Array, argmax: Array, *, shape: Pair, pool: Pair, strides: Pair, pads: Pads) -> Array:
    """dx = Σ dy over the windows whose largest cell this is. dy, argmax (b, oh, ow, c) → dx (b, *shape, c)."""
    chosen = argmax[..., None] == np.arange(pool[0] * pool[1])
    return _spread(np.where(chosen, dy[..., None], np.zeros_like(dy[..., None])), shape, pool, strides, pads)


def average_pool(x: Array, *, pool: Pair, strides: Pair, pads: Pads) -> Array:
    """y = the mean of the window's cells inside the image (as TensorFlow). x (b, h, w, c) → y (b, oh, ow, c)."""
    inside = _cells(np.ones((1, *x.shape[1:3], 1), x.dtype), 0, pool, strides, pads)
    return np.sum(_cells(x, 0, pool, strides, pads), axis=-1) / np.sum(inside, axis=-1)


def average_pool_grad(dy: Array, *, shape: Pair, pool: Pair, strides: Pair, pads: Pads) -> Array:
    """dx = Σ dy / (cells inside the image) over windows that see the cell. dy (b, oh, ow, c) → dx (b, *shape, c)."""
    inside = _cells(np.ones((1, *shape, 1), dy.dtype), 0, pool, strides, pads)
    return _spread(inside * (dy / np.sum(inside, axis=-1))[..., None], shape, pool, strides, pads)
