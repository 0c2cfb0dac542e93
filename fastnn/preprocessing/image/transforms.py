"""Transformations of a batch of images (n, h, w, c), each image with its own parameters. Floor 5.

`parameters` are dicts of arrays of length n with the keys of Keras: theta, tx, ty, shear, zx, zy, flip_horizontal,
flip_vertical, and, where they are asked for, channel_shift_intensity and brightness.
"""

import numpy as np
import numpy.typing as npt

from fastnn.engine import backend
from fastnn.engine.context import not_recording
from fastnn.ops.rows import affine

Array = npt.NDArray[np.floating]
Parameters = dict[str, npt.NDArray[np.floating]]

DEFAULTS = {"theta": 0.0, "tx": 0.0, "ty": 0.0, "shear": 0.0, "zx": 1.0, "zy": 1.0, "flip_horizontal": 0.0,
            "flip_vertical": 0.0}
OPTIONAL = ("channel_shift_intensity", "brightness")
_EDGE = 1e-4        # of a pixel: what rounding may put beyond the last one


def matrices(p: Parameters, height: int, width: int) -> Array:
    """(n, 6): a0 a1 a2 b0 b1 b2, the pixel (x, y) shows what was at (a0·x + a1·y + a2, b0·x + b1·y + b2).

    R(theta) · T(tx, ty) · S(shear) · Z(zx, zy) about the centre of the image, angles in degrees, as Keras'
    apply_affine_transform; then the flips: a flip in the matrix costs nothing, 300 us for 32 images of 32x32x3 by
    itself. Keras exchanges height and width in the centre, so that images that are not square turn about a point
    beside it; here the centre is the centre.
    """
    theta, shear = np.deg2rad(p["theta"]), np.deg2rad(p["shear"])
    c, s, zx, zy = np.cos(theta), np.sin(theta), p["zx"], p["zy"]
    a0, b0 = c * zx, s * zx
    a1 = (-c * np.sin(shear) - s * np.cos(shear)) * zy
    b1 = (-s * np.sin(shear) + c * np.cos(shear)) * zy
    x, y = (width - 1) / 2, (height - 1) / 2
    a2 = x + c * p["tx"] - s * p["ty"] - a0 * x - a1 * y
    b2 = y + s * p["tx"] + c * p["ty"] - b0 * x - b1 * y
    left, up = p["flip_horizontal"], p["flip_vertical"]
    a2 = a2 + left * a0 * (width - 1) + up * a1 * (height - 1)
    b2 = b2 + left * b0 * (width - 1) + up * b1 * (height - 1)
    columns = a0 * (1 - 2 * left), a1 * (1 - 2 * up), a2, b0 * (1 - 2 * left), b1 * (1 - 2 * up), b2
    return np.stack(np.broadcast_arrays(*columns), axis=1)


def warped(x: Array, p: Parameters, fill_mode: str, cval: float, order: int) -> Array:
    """The images turned, shifted, sheared, zoomed and flipped; all of them in one call of C."""
    h, w = x.shape[1:3]
    m = matrices(p, h, w)
    if (m == [1, 0, 0, 0, 1, 0]).all():
        return x
    with not_recording():
        y = affine.affine_transform(x, m.astype(backend.floatx()), bilinear=order == 1,
                                    fill_mode=affine.FILL_MODES.index(fill_mode), fill_value=float(cval)).data
    if fill_mode == "constant":     # as SciPy: beyond the middle of the outermost pixels there is cval alone
        i, j = np.arange(h)[:, None], np.arange(w)
        a0, a1, a2, b0, b1, b2 = m.T[..., None, None]
        column, row = a0 * j + a1 * i + a2, b0 * j + b1 * i + b2
        outside = (np.abs(column - (w - 1) / 2) > (w - 1) / 2 + _EDGE) | (
            np.abs(row - (h - 1) / 2) > (h - 1) / 2 + _EDGE)
        y[outside] = cval
    return np.asarray(y)


def _each(values: Array) -> Array:
    """One value per image, to be combined with (n, h, w, c)."""
    return values.reshape(-1, 1, 1, 1)


def channel_shifted(x: Array, intensity: Array) -> Array:
    """x + intensity, cut to the smallest and largest value of each image."""
    low, high = x.min(axis=(1, 2, 3), keepdims=True), x.max(axis=(1, 2, 3), keepdims=True)
    return np.asarray(np.clip(x + _each(intensity).astype(x.dtype), low, high))


def brightened(x: Array, factor: Array) -> Array:
    """Pixels times factor in whole numbers 0..255, as Pillow's ImageEnhance.Brightness, which Keras uses.

    Images with values outside 0..255 are mapped to it and back. A fourth channel (alpha) stays.
    """
    low, high = x.min(axis=(1, 2, 3), keepdims=True), x.max(axis=(1, 2, 3), keepdims=True)
    scaled = (low < 0) | (high > 255)
    span = np.where(high > low, high - low, 1)
    pixels = np.where(scaled, (x - low) / span * 255, x).astype(np.uint8).astype(np.float32)
    y = np.trunc(np.clip(pixels * _each(factor).astype(np.float32), 0, 255))
    if x.shape[3] == 4:
        y[..., 3] = pixels[..., 3]
    return np.asarray(np.where(scaled, y / 255 * (high - low) + low, y)).astype(x.dtype)


def transformed(x: Array, p: Parameters, fill_mode: str, cval: float, order: int) -> Array:
    """x (n, h, w, c) after all that the parameters ask for: a new array, or x itself where they ask for nothing."""
    y = warped(x, p, fill_mode, cval, order)
    if "channel_shift_intensity" in p:
        y = channel_shifted(y, p["channel_shift_intensity"])
    return brightened(y, p["brightness"]) if "brightness" in p else y
