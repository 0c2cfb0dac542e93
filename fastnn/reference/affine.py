"""Affine maps of images (batch, rows, columns, channels): rotation, zoom, translation, shear. NumPy only."""

import numpy as np

from fastnn.reference._types import F64, Array

_CONSTANT, _NEAREST, _REFLECT = 0, 1, 2       # fill modes; 3 is wrap
_FAR = 2.0 ** 30                              # positions are cut to ±_FAR, so that they fit an integer


def affine_matrix(turns: Array, zoom: Array, shift: Array, *, height: int, width: int) -> Array:
    """(a0 a1 a2 b0 b1 b2): input = centre + Z R (output - centre) - shift, for images of height × width.

    R turns by `turns` full turns, exactly for quarters; Z and shift are (rows, columns), shift in parts of the size.
    turns (b,), zoom (b, 2), shift (b, 2) → transform (b, 6), as affine_transform takes it.
    """
    turns, (zy, zx), (sy, sx) = turns.astype(F64), zoom.T.astype(F64), shift.T.astype(F64)
    quarter = np.rint(4 * turns)
    rest = 2 * np.pi * (turns - quarter / 4)
    c, s = np.cos(rest), np.sin(rest)
    place = quarter % 4
    cosine = np.select([place == 0, place == 1, place == 2], [c, -s, -c], s)
    sine = np.select([place == 0, place == 1, place == 2], [s, c, -s], -c)
    x, y = (width - 1) / 2, (height - 1) / 2
    a0, a1, b0, b1 = zx * cosine, -zx * sine, zy * sine, zy * cosine
    rows = [a0, a1, x - a0 * x - a1 * y - sx * width, b0, b1, y - b0 * x - b1 * y - sy * height]
    return np.stack(rows, axis=-1).astype(shift.dtype)


def _positions(transform: Array, h: int, w: int) -> tuple[Array, Array]:
    """Where each output pixel looks, (rows, columns), both (b, h, w), in float64."""
    a0, a1, a2, b0, b1, b2 = (t[:, None, None] for t in transform.T.astype(F64))
    i, j = np.arange(h, dtype=F64)[:, None], np.arange(w, dtype=F64)
    y, x = (b1 * i + b2) + b0 * j, (a1 * i + a2) + a0 * j
    return tuple(np.where(p > -_FAR, np.where(p < _FAR, p, _FAR), -_FAR) for p in (y, x))  # type: ignore[return-value]


def _within(index: Array, n: int, mode: int) -> Array:
    """The index of a pixel after filling; -1 for the fill value."""
    if mode == _CONSTANT:
        return np.where((index >= 0) & (index < n), index, -1)
    if mode == _NEAREST:
        return np.clip(index, 0, n - 1)
    if mode == _REFLECT:
        return np.minimum(index % (2 * n), 2 * n - 1 - index % (2 * n))
    return index % n


def _taps(transform: Array, h: int, w: int, bilinear: bool, mode: int) -> list[tuple[Array, Array, Array]]:
    """(weight, row, column) of the pixels that each output pixel mixes; row or column -1 means the fill value."""
    y, x = _positions(transform, h, w)
    if not bilinear:
        nearest = [np.copysign(np.floor(np.abs(p) + 0.5), p).astype(np.int64) for p in (y, x)]
        return [(np.ones_like(y), _within(nearest[0], h, mode), _within(nearest[1], w, mode))]
    y0, x0 = np.floor(y), np.floor(x)
    return [((ty if dy else 1 - ty) * (tx if dx else 1 - tx),
             _within(y0.astype(np.int64) + dy, h, mode), _within(x0.astype(np.int64) + dx, w, mode))
            for ty, tx in [(y - y0, x - x0)] for dy in (0, 1) for dx in (0, 1)]


def affine_transform(x: Array, transform: Array, *, bilinear: bool, fill_mode: int, fill_value: float) -> Array:
    """y[b, i, j] = x[b] at row b0·j + b1·i + b2 and column a0·j + a1·i + a2, between pixels or at the nearest one.

    Pixels outside: 0 fill_value, 1 the edge (aaa|abcd|ddd), 2 reflected (cba|abcd|dcb), 3 wrapped (bcd|abcd|abc).
    x (b, h, w, c), transform (b, 6) → y as x. Keras' ops.image.affine_transform.
    """
    image = np.arange(len(x))[:, None, None]
    y = np.zeros(x.shape, x.dtype)
    for weight, row, column in _taps(transform, x.shape[1], x.shape[2], bilinear, fill_mode):
        inside = ((row >= 0) & (column >= 0))[..., None]
        y += weight[..., None].astype(x.dtype) * np.where(inside, x[image, row, column], x.dtype.type(fill_value))
    return y


def affine_transform_grad(dy: Array, transform: Array, *, bilinear: bool, fill_mode: int) -> Array:
    """dx = each dy put where affine_transform took its y from, with the same weights. dy (b, h, w, c) → dx as dy."""
    image = np.arange(len(dy))[:, None, None]
    dx = np.zeros_like(dy)
    for weight, row, column in _taps(transform, dy.shape[1], dy.shape[2], bilinear, fill_mode):
        inside = ((row >= 0) & (column >= 0))[..., None]
        np.add.at(dx, (np.broadcast_to(image, row.shape), row, column), np.where(inside, weight[..., None] * dy, 0))
    return dx
