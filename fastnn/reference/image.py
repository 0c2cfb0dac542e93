"""Images: ranges of values, borders, sizes and mirrors; arrays (batch, rows, columns, channels). NumPy only."""

import numpy as np

from fastnn.reference._types import Array


def rescale(x: Array, *, scale: float, offset: float) -> Array:
    """y = scale·x + offset. x any shape and kind of number → y same shape, float."""
    x = x if x.dtype.kind == "f" else x.astype(np.float32)
    return x * x.dtype.type(scale) + x.dtype.type(offset)


def scale_shift(x: Array, center: Array, scale: Array, shift: Array) -> Array:
    """y_j = (x_j - center_j)·scale_j + shift_j over the last axis. x (…, n), the others (n,) → y (…, n)."""
    return (x - center) * scale + shift


def pad(x: Array, *, before: tuple[int, ...], after: tuple[int, ...], value: float) -> Array:
    """y = x with before[k] elements of `value` in front and after[k] behind along each axis k. x any shape."""
    return np.pad(x, list(zip(before, after)), constant_values=value)


def crop(x: Array, *, before: tuple[int, ...], after: tuple[int, ...]) -> Array:
    """y = x without the first before[k] and the last after[k] elements along each axis k. The adjoint of `pad`."""
    return x[tuple(np.s_[b:n - a] for n, b, a in zip(x.shape, before, after))].copy()


def upsample(x: Array, *, rows: int, columns: int) -> Array:
    """y[b, i, j, c] = x[b, i // rows, j // columns, c]. x (b, h, w, c) → y (b, h·rows, w·columns, c)."""
    return np.repeat(np.repeat(x, rows, axis=1), columns, axis=2)


def upsample_grad(dy: Array, *, rows: int, columns: int) -> Array:
    """dx[b, i, j, c] = the sum of dy over the block of pixel (i, j). dy (b, h·rows, w·columns, c) → dx (b, h, w, c)."""
    b, h, w, c = dy.shape
    return dy.reshape(b, h // rows, rows, w // columns, columns, c).sum(axis=(2, 4))


def _interpolation(n: int, times: int, dtype: np.dtype) -> Array:
    """U (n·times, n): row i has 1 - t and t at the two pixels around (i + ½)/times - ½, cut to the image."""
    position = (np.arange(n * times) + 0.5) / times - 0.5
    low = np.floor(position)
    u = np.zeros((n * times, n))
    np.add.at(u, (np.arange(n * times), np.clip(low, 0, n - 1).astype(int)), 1 - (position - low))
    np.add.at(u, (np.arange(n * times), np.clip(low + 1, 0, n - 1).astype(int)), position - low)
    return u.astype(dtype)


def upsample_bilinear(x: Array, *, rows: int, columns: int) -> Array:
    """y = U x Vᵀ per image and channel: linear between pixel centres, constant outside. x, y as in `upsample`."""
    u, v = _interpolation(x.shape[1], rows, x.dtype), _interpolation(x.shape[2], columns, x.dtype)
    return np.einsum("ih,bhwc,jw->bijc", u, x, v, optimize=True)


def upsample_bilinear_grad(dy: Array, *, rows: int, columns: int) -> Array:
    """dx = Uᵀ dy V: the adjoint of `upsample_bilinear`. dy (b, h·rows, w·columns, c) → dx (b, h, w, c)."""
    u = _interpolation(dy.shape[1] // rows, rows, dy.dtype)
    v = _interpolation(dy.shape[2] // columns, columns, dy.dtype)
    return np.einsum("ih,bijc,jw->bhwc", u, dy, v, optimize=True)


def flip(x: Array, coin: Array, *, rows: bool, columns: bool) -> Array:
    """y_b = x_b, its rows and/or columns in reverse order where coin_b <= ½. x (b, h, w, c), coin (b,) → y as x."""
    mirrored = x[:, ::-1 if rows else 1, ::-1 if columns else 1]
    return np.where((coin <= 0.5)[:, None, None, None], mirrored, x)
