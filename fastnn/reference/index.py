"""Elements by number: along an axis, one for each place, in order. NumPy only.

An index below 0 counts from the end; one beyond either end takes the element there.
"""

import numpy as np

from fastnn.reference._types import Array


def _places(indices: Array, size: int) -> Array:
    return np.clip(np.where(indices < 0, indices + size, indices), 0, size - 1)


def take(x: Array, indices: Array, *, axis: int) -> Array:
    """y[…, i…, …] = x[…, indices[i…], …] along `axis`. x any dtype, indices int32 of any shape, which y has there."""
    return np.take(x, _places(indices, x.shape[axis]), axis=axis)


def take_grad(dy: Array, indices: Array, *, axis: int, size: int) -> Array:
    """dx[…, k, …] = Σ dy[…, i…, …] over all i with indices[i] = k, in order; `size` long. The adjoint of `take`."""
    flat = _places(indices, size).reshape(-1)
    shape = dy.shape[:axis], dy.shape[axis + indices.ndim:]
    dx = np.zeros((*shape[0], size, *shape[1]), dy.dtype)
    rows = dy.reshape(*shape[0], flat.size, *shape[1])
    np.add.at(np.moveaxis(dx, axis, 0), flat, np.moveaxis(rows, axis, 0))
    return dx


def take_along(x: Array, indices: Array, *, axis: int) -> Array:
    """y[…, i, …] = x[…, indices[…, i, …], …] along `axis`. indices int32, as x but for this axis → y as indices."""
    return np.take_along_axis(x, _places(indices, x.shape[axis]), axis=axis)


def take_along_grad(dy: Array, indices: Array, *, axis: int, size: int) -> Array:
    """dx[…, indices[…, i, …], …] += dy[…, i, …], in order, from 0; `size` long. The adjoint of `take_along`."""
    dx = np.zeros((*dy.shape[:axis], size, *dy.shape[axis + 1:]), dy.dtype)
    places = list(np.ogrid[tuple(slice(n) for n in dy.shape)])
    places[axis] = _places(indices, size)
    np.add.at(dx, tuple(places), dy)
    return dx


def argsort(x: Array) -> Array:
    """y = the indices that sort each row, equal numbers in their order, NaN last. x (…, n), any dtype → y int32."""
    return np.argsort(x, axis=-1, kind="stable").astype(np.int32)


def cumsum(x: Array, *, axis: int, reverse: bool) -> Array:
    """y[…, i, …] = Σ x[…, k, …] over k ≤ i, or k ≥ i if `reverse`, along `axis`. Floats or whole numbers → the same."""
    turned = np.flip(x, axis) if reverse else x
    y = np.cumsum(turned, axis=axis, dtype=np.float64 if x.dtype.kind == "f" else x.dtype).astype(x.dtype)
    return np.flip(y, axis) if reverse else y


def cumprod(x: Array, *, axis: int) -> Array:
    """y[…, i, …] = Π x[…, k, …] over k ≤ i along `axis`. Floats or whole numbers → the same."""
    return np.cumprod(x, axis=axis, dtype=np.float64 if x.dtype.kind == "f" else x.dtype).astype(x.dtype)


def cumprod_grad(dy: Array, x: Array, *, axis: int) -> Array:
    """dx_j = Σ_{i ≥ j} dy_i Π_{k ≤ i, k ≠ j} x_k along `axis`: no division, so that zeros are right too."""
    dy, wide = np.moveaxis(dy, axis, 0).astype(np.float64), np.moveaxis(x, axis, 0).astype(np.float64)
    dx = np.zeros_like(wide)
    for j in range(len(wide)):
        for i in range(j, len(wide)):
            dx[j] += dy[i] * np.prod(wide[:j], axis=0) * np.prod(wide[j + 1:i + 1], axis=0)
    return np.moveaxis(dx, 0, axis).astype(x.dtype)
