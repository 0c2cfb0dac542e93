"""Images in other sizes and colours. Floor 2.

Resizing is a product with a matrix along each axis: a new row is a weighted mean of old ones.
"""

from collections.abc import Callable, Sequence

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._convert import floats, tensor, whole_numbers, widened
from fastnn.ops._patches import patches
from fastnn.ops._products import tensordot
from fastnn.ops._shaping import channels_moved, moveaxis, pad, taken
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import data

__all__ = ["crop_images", "extract_patches", "pad_images", "resize", "rgb_to_grayscale"]


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


def as_image(name: str, images: TensorLike, data_format: str | None) -> Tensor:
    """One image or a batch of them, channels last."""
    x = tensor(images)
    if x.ndim not in (3, 4):
        raise ShapeError(f"{name}: got images of shape {x.shape}; needs (batch, rows, columns, channels), or one "
                         "image.")
    return channels_moved(name, x, data_format, -3, -1)


@of_any_size
def resize(images: TensorLike, size: Sequence[int], interpolation: str = "bilinear", antialias: bool = False,
           crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
           fill_value: float = 0.0, data_format: str | None = None) -> Tensor:
    """Images (batch, rows, columns, channels), or one without batch, in another size (rows, columns).

    interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5". antialias: means over wider windows where
    the images become smaller. Centres are half a pixel in, as in TensorFlow. So that nothing is stretched,
    crop_to_aspect_ratio cuts what is too long off both ends first, and pad_to_aspect_ratio adds fill_value to both ends
    of what is too short."""
    x = as_image("resize", images, data_format)
    size = whole_numbers("resize", size)
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"resize: size is {shown(size)}; needs two numbers >= 1, rows and columns.")
    if interpolation != "nearest" and interpolation not in KERNELS:
        raise ValueError(f"resize: got interpolation {shown(interpolation)}; needs nearest, {', '.join(KERNELS)}.")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: got crop_to_aspect_ratio and pad_to_aspect_ratio; needs one of them at most.")
    if fill_mode != "constant":
        raise ValueError(f"resize: fill_mode is {shown(fill_mode)}; needs 'constant'.")
    dtype, rows, columns = x.dtype, *size
    height, width = x.shape[-3:-1]
    fits = width * rows // columns, height * columns // rows        # of the new shape, as wide and as high as x
    if crop_to_aspect_ratio:
        x = _cropped(x, max(min(height, fits[0]), 1), max(min(width, fits[1]), 1))
    elif pad_to_aspect_ratio:
        x = _padded(x, max(height, fits[0]), max(width, fits[1]), fill_value)
    for axis, new in zip((x.ndim - 3, x.ndim - 2), (rows, columns)):
        old = x.shape[axis]
        if interpolation == "nearest":
            x = taken(x, np.floor((np.arange(new) + 0.5) * (old / new)).astype(int), axis)
        elif old != new:
            matrix = _weights(old, new, KERNELS[interpolation], antialias)
            weights = Tensor(np.asarray(matrix, floats(x).dtype), constant=True)
            x = moveaxis(tensordot(weights, floats(x), [[1], [axis]]), 0, axis)
    y = widened(x, dtype) if interpolation == "nearest" else floats(x)
    return channels_moved("resize", y, data_format, -1, -3)


def _cropped(x: Tensor, rows: int, columns: int) -> Tensor:
    """The middle of so many rows and columns."""
    for axis, n in ((x.ndim - 3, rows), (x.ndim - 2, columns)):
        begin = (x.shape[axis] - n) // 2
        x = data.slice(x, axis=axis, begin=begin, end=begin + n)
    return x


def _padded(x: Tensor, rows: int, columns: int, value: float) -> Tensor:
    """x in the middle of so many rows and columns of a value."""
    lacking = [(0, 0)] * x.ndim
    for axis, n in ((x.ndim - 3, rows), (x.ndim - 2, columns)):
        before = (n - x.shape[axis]) // 2
        lacking[axis] = before, n - x.shape[axis] - before
    return pad(x, lacking, constant_values=value)


def _margins(name: str, size: int, before: int | None, after: int | None, target: int | None, sign: int) -> list[int]:
    """Two of these three are given: how much there is before, after, and in the end. sign: 1 where it is added."""
    if [before, after, target].count(None) != 1:
        raise ValueError(f"{name}: got {before} before, {after} after and {target} in the end; needs two of the three, "
                         "for rows and for columns.")
    change = None if target is None else sign * (target - size)
    margins = [change - (after or 0) if before is None and change is not None else before,
               change - (before or 0) if after is None and change is not None else after]
    if any(n is None or n < 0 for n in margins) or (sign < 0 and sum(margins) >= size):     # type: ignore[arg-type]
        raise ShapeError(f"{name}: got {before} before, {after} after and {target} in the end of {size}; needs margins "
                         ">= 0, and something to be left.")
    return margins  # type: ignore[return-value]


@of_any_size
def crop_images(images: TensorLike, top_cropping: int | None = None, left_cropping: int | None = None,
                bottom_cropping: int | None = None, right_cropping: int | None = None,
                target_height: int | None = None, target_width: int | None = None,
                data_format: str | None = None) -> Tensor:
    """Images without so many rows at the top and the bottom and columns at the left and the right. Of each three, top,
    bottom and target_height, left, right and target_width, two are given."""
    x = as_image("crop_images", images, data_format)
    for axis, given in ((x.ndim - 3, (top_cropping, bottom_cropping, target_height)),
                        (x.ndim - 2, (left_cropping, right_cropping, target_width))):
        before, after = _margins("crop_images", x.shape[axis], *given, -1)
        x = data.slice(x, axis=axis, begin=before, end=x.shape[axis] - after)
    return channels_moved("crop_images", x, data_format, -1, -3)


@of_any_size
def pad_images(images: TensorLike, top_padding: int | None = None, left_padding: int | None = None,
               bottom_padding: int | None = None, right_padding: int | None = None, target_height: int | None = None,
               target_width: int | None = None, data_format: str | None = None) -> Tensor:
    """Images with so many rows of 0 more at the top and the bottom, and columns at the left and the right. Of each
    three, top, bottom and target_height, left, right and target_width, two are given."""
    x = as_image("pad_images", images, data_format)
    widths = [[0, 0]] * (x.ndim - 3) + [
        _margins("pad_images", x.shape[-3], top_padding, bottom_padding, target_height, 1),
        _margins("pad_images", x.shape[-2], left_padding, right_padding, target_width, 1), [0, 0]]
    return channels_moved("pad_images", pad(x, widths), data_format, -1, -3)


@of_any_size
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Tensor:
    """0.2989 red + 0.587 green + 0.114 blue: one channel of three."""
    x = as_image("rgb_to_grayscale", images, data_format)
    weights = Tensor(np.array([[0.2989], [0.587], [0.114]], floats(x).dtype), constant=True)
    y = widened(tensordot(floats(x), weights, 1), x.dtype)
    return channels_moved("rgb_to_grayscale", y, data_format, -1, -3)


@of_any_size
def extract_patches(images: TensorLike, size: int | Sequence[int], strides: int | Sequence[int] | None = None,
                    dilation_rate: int | Sequence[int] = 1, padding: str = "valid",
                    data_format: str | None = None) -> Tensor:
    """Windows of the images, row by row, as the channels of one place each: (batch, rows', columns', kh·kw·channels).
    strides: the size unless given, so that they do not overlap."""
    return patches(images, size, strides, dilation_rate, padding, data_format)
