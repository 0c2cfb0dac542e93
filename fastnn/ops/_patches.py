"""Blocks of images as vectors, and back; convolution the other way round; how near two signals are. Floor 2."""

from collections.abc import Sequence

import numpy as np

from fastnn.arguments import whole
from fastnn.engine.kinds import Ints, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._arithmetic import divide, log, multiply, square, subtract
from fastnn.ops._convert import floats, reshaped, tensor
from fastnn.ops._reduction import mean
from fastnn.ops._rules import unlike
from fastnn.ops._shaping import channels_moved, pad, transpose
from fastnn.ops._sizes import of_any_size
from fastnn.ops._windows import as_images, as_pair, as_they_came, conv
from fastnn.ops.rows import conv as rows
from fastnn.ops.rows import index
from fastnn.ops.rows.data import slice as cut

__all__ = ["conv_transpose", "depth_to_space", "fold", "psnr", "space_to_depth", "unfold"]


@of_any_size
def conv_transpose(inputs: TensorLike, kernel: TensorLike, strides: Ints = 1, padding: str = "valid",
                   output_padding: Ints | None = None, data_format: str | None = None,
                   dilation_rate: Ints = 1) -> Tensor:
    """Every input spread over the outputs that `conv` would have read it from: kernel (rows, columns, filters,
    channels), or (steps, filters, channels). A size n becomes n·stride for "same", n·stride + max(window - stride, 0)
    for "valid"; with output_padding (n - 1)·stride + window - 2·pad + output_padding, pad = window // 2 for "same"."""
    x, axes = as_images("conv_transpose", inputs, data_format)
    w = floats(kernel)
    w = reshaped(w, (1, *w.shape)) if axes == 1 else w
    steps, spread = as_pair(strides, axes), as_pair(dilation_rate, axes)
    if padding.lower() not in ("valid", "same"):
        raise ValueError(f"conv_transpose: got padding {shown(padding)}; needs 'valid' or 'same'.")
    same = padding.lower() == "same"
    more = (None, None) if output_padding is None else (0, *as_pair(output_padding, axes)[2 - axes:])[-2:]
    size: tuple[int, ...] = ()
    pads: tuple[int, ...] = ()
    for n, k, s, d, extra in zip(x.shape[1:3], w.shape[:2], steps, spread, more):
        window = (k - 1) * d + 1
        out = n * s + (0 if same else max(window - s, 0)) if extra is None else (
            (n - 1) * s + window - 2 * (window // 2 if same else 0) + extra)
        lack = max((-(-out // s) - 1) * s + window - out, 0) if same else 0
        if (out + lack - window) // s + 1 != n:
            raise ShapeError(f"conv_transpose: got inputs of shape {x.shape} and output_padding {shown(output_padding)}"
                             f"; needs another, or none.\nNo convolution leads from {out} places back to {n}.")
        size, pads = (*size, out), (*pads, lack // 2, lack - lack // 2)
    turned = transpose(w, (0, 1, 3, 2))
    y = rows.conv2d_transpose(x, turned, rows.no_bias(w.shape[2], w), size=size, strides=steps, pads=pads,
                              dilation=spread, groups=1, activation="linear")
    return as_they_came(y, axes, data_format)


@of_any_size
def depth_to_space(x: TensorLike, block_size: int, data_format: str | None = "channels_last") -> Tensor:
    """(batch, h, w, c·b²) → (batch, h·b, w·b, c): the channels of each place as a block of b × b places."""
    x, b = channels_moved("depth_to_space", tensor(x), data_format, 1, -1), whole(block_size, "block_size", None)
    n, h, w, c = x.shape
    if b < 2 or c % (b * b):
        raise ShapeError(f"depth_to_space: x has {c} channels and block_size is {b}; needs block_size >= 2, whose "
                         "square divides them.")
    if data_format == "channels_first":     # there a channel's block lies together
        y = transpose(reshaped(x, (n, h, w, c // (b * b), b, b)), (0, 1, 4, 2, 5, 3))
    else:
        y = transpose(reshaped(x, (n, h, w, b, b, c // (b * b))), (0, 1, 3, 2, 4, 5))
    return channels_moved("depth_to_space", reshaped(y, (n, h * b, w * b, c // (b * b))), data_format, -1, 1)


@of_any_size
def space_to_depth(x: TensorLike, block_size: int, data_format: str | None = "channels_last") -> Tensor:
    """(batch, h·b, w·b, c) → (batch, h, w, c·b²): each block of b × b places as channels. The way back of
    depth_to_space."""
    x, b = channels_moved("space_to_depth", tensor(x), data_format, 1, -1), whole(block_size, "block_size", None)
    n, h, w, c = x.shape
    if b < 2 or h % b or w % b:
        raise ShapeError(f"space_to_depth: x is {x.shape} and block_size {b}; needs block_size >= 2 that divides rows "
                         "and columns.")
    order = (0, 1, 3, 5, 2, 4) if data_format == "channels_first" else (0, 1, 3, 2, 4, 5)
    y = reshaped(transpose(reshaped(x, (n, h // b, b, w // b, b, c)), order), (n, h // b, w // b, c * b * b))
    return channels_moved("space_to_depth", y, data_format, -1, 1)


def _two(value: Ints) -> tuple[int, int]:
    return as_pair(value, 2)


def _places(height: int, width: int, window: tuple[int, int], steps: tuple[int, int],
            spread: tuple[int, int]) -> np.ndarray:
    """(kh·kw, blocks): where in a row of height·width the numbers of each block are."""
    starts = [np.arange(0, n - (k - 1) * d, s) for n, k, s, d in zip((height, width), window, steps, spread)]
    inside = [np.arange(k) * d for k, d in zip(window, spread)]
    down = inside[0][:, None, None, None] + starts[0][:, None]
    across = inside[1][:, None, None] + starts[1]
    return np.asarray(down * width + across).reshape(window[0] * window[1], -1)


@of_any_size
def unfold(x: TensorLike, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> Tensor:
    """Blocks of images (batch, channels, rows, columns) as columns: (batch, channels·kh·kw, blocks)."""
    x = tensor(x)
    if x.ndim != 4:
        raise ShapeError(f"unfold: x is {x.shape}; needs (batch, channels, rows, columns).")
    border = [(0, 0), (0, 0), *((p, p) for p in _two(padding))]
    x = pad(x, border) if any(map(any, border)) else x
    n, c, h, w = x.shape
    places = Tensor(_places(h, w, _two(kernel_size), _two(stride), _two(dilation)).astype(np.int32), constant=True)
    y = index.take(reshaped(x, (n, c, h * w)), places, axis=2)
    return reshaped(y, (n, c * places.shape[0], places.shape[1]))


@of_any_size
def fold(x: TensorLike, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0,
         stride: Ints = 1) -> Tensor:
    """Images (batch, channels, rows, columns) of blocks as `unfold` gives them; where blocks overlap they add up."""
    x = floats(x)
    (height, width), (down, across), window = _two(output_size), _two(padding), _two(kernel_size)
    h, w = height + 2 * down, width + 2 * across
    places = _places(h, w, window, _two(stride), _two(dilation))
    if x.ndim != 3 or x.shape[1] % places.shape[0] or x.shape[2] != places.shape[1]:
        raise ShapeError(f"fold: x is {x.shape}; needs (batch, channels·{places.shape[0]}, {places.shape[1]}) for this "
                         "output_size and kernel_size.")
    n, c = x.shape[0], x.shape[1] // places.shape[0]
    flat = Tensor(places.reshape(-1).astype(np.int32), constant=True)
    y = index.take_grad(reshaped(x, (n, c, flat.shape[0])), flat, axis=2, size=h * w)
    y = reshaped(y, (n, c, h, w))
    for axis, (before, size) in ((2, (down, height)), (3, (across, width))):
        y = cut(y, axis=axis, begin=before, end=before + size)
    return y  # type: ignore[no-any-return]


def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Tensor:
    """The peak signal-to-noise ratio 20 log₁₀(max_val) - 10 log₁₀(mean (x1 - x2)²), in decibels."""
    a, b = floats(x1), floats(x2)
    if unlike(a.shape, b.shape):
        raise ShapeError(f"psnr: x1 is {a.shape} and x2 is {b.shape}; they must be equal.")
    noise = mean(square(subtract(a, b)))
    return multiply(log(divide(float(max_val) ** 2, noise)), 10 / np.log(10))


def patches(images: TensorLike, size: Ints | Sequence[int], strides: Ints | None, dilation_rate: Ints, padding: str,
            data_format: str | None) -> Tensor:
    """Windows of images as their channels: `ops.image.extract_patches`."""
    x = tensor(images)
    single = x.ndim == 3
    x = reshaped(x, (1, *x.shape)) if single else x
    x = channels_moved("extract_patches", x, data_format, 1, -1)
    kh, kw = _two(size)
    c = x.shape[-1]
    kernel = np.eye(kh * kw * c).reshape(kh, kw, c, kh * kw * c)
    y = conv(x, kernel, (kh, kw) if strides is None else strides, padding, dilation_rate=dilation_rate)
    y = channels_moved("extract_patches", y, data_format, -1, 1)
    return reshaped(y, y.shape[1:]) if single else y


