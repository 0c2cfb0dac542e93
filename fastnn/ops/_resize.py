"""Images in other sizes and colours. Floor 2.

Resizing is a product with a matrix along each axis: a new row is a weighted mean of old ones.
"""

from collections.abc import Callable, Sequence

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._convert import floats, tensor, widened
from fastnn.ops._products import tensordot
from fastnn.ops._shaping import moveaxis, taken
from fastnn.ops._sizes import of_any_size

__all__ = ["resize", "rgb_to_grayscale"]


def _cubic(t: np.ndarray) -> np.ndarray:
    near, far = ((1.5 * t - 2.5) * t) * t + 1, ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t < 1, near, np.where(t < 2, far, 0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: np.where(t < radius, np.sinc(t) * np.sinc(t / radius), 0)


KERNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bilinear": lambda t: np.maximum(0, 1 - t), "bicubic": _cubic, "lanczos3": _lanczos(3), "lanczos5": _lanczos(5)}


def _weights(old: int, new: int, kernel: Callable[[np.ndarray], np.ndarray], antialias: bool) -> np.ndarray:
    """(new, old): what each new place takes of the old ones, centres half a pixel in; rows sum to 1."""
    scale = old / new
    wide = max(scale, 1.0) if antialias else 1.0
    centres = (np.arange(new) + 0.5) * scale - 0.5
    if not antialias and kernel is KERNELS["bilinear"]:
        centres = np.clip(centres, 0, old - 1)
    weights = kernel(np.abs(centres[:, None] - np.arange(old)) / wide)
    return weights / weights.sum(axis=1, keepdims=True)


@of_any_size
def resize(images: TensorLike, size: Sequence[int], interpolation: str = "bilinear", antialias: bool = False,
           data_format: str | None = None) -> Tensor:
    """Images (batch, rows, columns, channels), or one without batch, in another size (rows, columns).

    interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5". antialias: means over wider windows where
    the images become smaller. Centres are half a pixel in, as in TensorFlow."""
    x = tensor(images)
    if data_format not in (None, "channels_last"):
        raise ValueError(f"resize: got data_format {shown(data_format)}; needs 'channels_last'; transpose the axes.")
    if x.ndim not in (3, 4) or len(size) != 2:
        raise ShapeError(f"resize: got images of shape {x.shape} and size {shown(size)}; needs (batch, rows, columns, "
                         "channels) or one image, and two numbers.")
    if interpolation != "nearest" and interpolation not in KERNELS:
        raise ValueError(f"resize: got interpolation {shown(interpolation)}; needs nearest, {', '.join(KERNELS)}.")
    dtype = x.dtype
    for axis, new in zip((x.ndim - 3, x.ndim - 2), size):
        old = x.shape[axis]
        if interpolation == "nearest":
            x = taken(x, np.floor((np.arange(new) + 0.5) * (old / new)).astype(int), axis)
        elif old != new:
            matrix = _weights(old, int(new), KERNELS[interpolation], antialias)
            weights = Tensor(np.asarray(matrix, floats(x).dtype), constant=True)
            x = moveaxis(tensordot(weights, floats(x), [[1], [axis]]), 0, axis)
    return widened(x, dtype) if interpolation == "nearest" else floats(x)


@of_any_size
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Tensor:
    """0.2989 red + 0.587 green + 0.114 blue: one channel of three."""
    x = tensor(images)
    weights = Tensor(np.array([[0.2989], [0.587], [0.114]], floats(x).dtype), constant=True)
    return widened(tensordot(floats(x), weights, 1), x.dtype)
