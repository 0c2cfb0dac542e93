"""Convolution and pooling over windows of sequences (batch, steps, channels) and images. Floor 2."""

from collections.abc import Callable, Sequence

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, shown
from fastnn.ops._convert import floats, is_one, reshaped
from fastnn.ops._reduction import max as largest
from fastnn.ops._reduction import mean
from fastnn.ops._shaping import channels_moved, concatenate
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import conv as rows
from fastnn.ops.rows import pool

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "conv", "depthwise_conv", "max_pool",
    "separable_conv",
]

Ints = int | Sequence[int]


def as_images(name: str, x: TensorLike, data_format: str | None) -> tuple[Tensor, int]:
    """x as images with the channels last, and how many axes its windows have: a sequence is an image of one row."""
    x = floats(x)
    if x.ndim not in (3, 4):
        raise ShapeError(f"{name}: got inputs of shape {x.shape}; needs (batch, steps, channels) or (batch, rows, "
                         "columns, channels); reshape them.")
    x = channels_moved(name, x, data_format, 1, -1)
    return (reshaped(x, (x.shape[0], 1, *x.shape[1:])), 1) if x.ndim == 3 else (x, 2)


def as_pair(value: Ints, axes: int) -> tuple[int, int]:
    if not is_one(value) and not (isinstance(value, (list, tuple)) and all(map(is_one, value))):
        raise KindError(f"got {shown(value)}; needs a whole number >= 0, or one for each of {axes} axes.")
    numbers = [int(value)] * axes if is_one(value) else [int(n) for n in value]  # type: ignore
    if len(numbers) != axes or min(numbers) < 0:
        raise ShapeError(f"got {shown(value)} for {axes} axes; needs a whole number >= 0, or one for each.")
    return (1, numbers[0]) if axes == 1 else (numbers[0], numbers[1])


def _pads(name: str, x: Tensor, padding: str, windows: tuple[int, int], strides: tuple[int, int]) -> tuple[int, ...]:
    """Zeros before and after each axis: none for "valid", for "same" as many as ⌈n / stride⌉ windows need."""
    padding = padding.lower() if isinstance(padding, str) else padding
    if padding not in ("valid", "same"):
        raise ValueError(f"{name}: got padding {shown(padding)}; needs 'valid' or 'same'.")
    pads: tuple[int, ...] = ()
    for n, window, stride in zip(x.shape[1:3], windows, strides):
        more = 0 if padding == "valid" else max((-(-n // stride) - 1) * stride + window - n, 0)
        pads += (more // 2, more - more // 2)
    return pads


def as_they_came(y: Tensor, axes: int, data_format: str | None) -> Tensor:
    """What became of `as_images`, as the caller has it."""
    y = reshaped(y, (y.shape[0], *y.shape[2:])) if axes == 1 else y
    return channels_moved("", y, data_format, -1, 1)


@of_any_size
def conv(inputs: TensorLike, kernel: TensorLike, strides: Ints = 1, padding: str = "valid",
         data_format: str | None = None, dilation_rate: Ints = 1) -> Tensor:
    """Windows of the inputs times the kernel (rows, columns, channels, filters), or (steps, channels, filters)."""
    x, axes = as_images("conv", inputs, data_format)
    w = floats(kernel)
    w = reshaped(w, (1, *w.shape)) if axes == 1 else w
    steps, spread = as_pair(strides, axes), as_pair(dilation_rate, axes)
    windows = tuple((k - 1) * d + 1 for k, d in zip(w.shape[:2], spread))
    pads = _pads("conv", x, padding, windows, steps)  # type: ignore[arg-type]
    groups = x.shape[-1] // w.shape[2] if x.shape[-1] and w.shape[2] and x.shape[-1] % w.shape[2] == 0 else 1
    return as_they_came(rows.conv2d(x, w, rows.no_bias(w.shape[3], w), strides=steps, pads=pads, dilation=spread,
                             groups=groups, activation="linear"), axes, data_format)


def depthwise_conv(inputs: TensorLike, kernel: TensorLike, strides: Ints = 1, padding: str = "valid",
                   data_format: str | None = None, dilation_rate: Ints = 1) -> Tensor:
    """Each channel by itself: kernel (rows, columns, channels, filters per channel), or (steps, channels, filters)."""
    w = floats(kernel)
    return conv(inputs, reshaped(w, (*w.shape[:-2], 1, w.shape[-2] * w.shape[-1])), strides, padding, data_format,
                dilation_rate)


def separable_conv(inputs: TensorLike, depthwise_kernel: TensorLike, pointwise_kernel: TensorLike, strides: Ints = 1,
                   padding: str = "valid", data_format: str | None = None, dilation_rate: Ints = 1) -> Tensor:
    """depthwise_conv, then conv with windows of one place."""
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, data_format=data_format)


@of_any_size
def max_pool(inputs: TensorLike, pool_size: Ints, strides: Ints | None = None, padding: str = "valid",
             data_format: str | None = None) -> Tensor:
    """The largest number of each window, for each channel."""
    x, axes = as_images("max_pool", inputs, data_format)
    windows = as_pair(pool_size, axes)
    steps = windows if strides is None else as_pair(strides, axes)
    pads = _pads("max_pool", x, padding, windows, steps)
    return as_they_came(pool.max_pool(x, pool=windows, strides=steps, pads=pads)[0], axes, data_format)


@of_any_size
def average_pool(inputs: TensorLike, pool_size: Ints, strides: Ints | None = None, padding: str = "valid",
                 data_format: str | None = None) -> Tensor:
    """The mean of the numbers of each window inside the input, for each channel."""
    x, axes = as_images("average_pool", inputs, data_format)
    windows = as_pair(pool_size, axes)
    steps = windows if strides is None else as_pair(strides, axes)
    pads = _pads("average_pool", x, padding, windows, steps)
    return as_they_came(pool.average_pool(x, pool=windows, strides=steps, pads=pads), axes, data_format)


def _adapted(name: str, inputs: TensorLike, output_size: Ints, data_format: str | None,
             pooled: Callable[..., Tensor], reduce: Callable[..., Tensor]) -> Tensor:
    """Each axis cut into so many windows of nearly one length, from ⌊i·n/count⌋ to ⌈(i + 1)·n/count⌉, and reduced: all
    at once where they divide it."""
    x, axes = as_images(name, inputs, data_format)
    counts = as_pair(output_size, axes)
    if min(*counts, *x.shape[1:3]) < 1:
        raise ShapeError(f"{name}: inputs are {x.shape} and output_size {shown(output_size)}; needs numbers >= 1.")
    even = [n // count if n % count == 0 else 1 for n, count in zip(x.shape[1:3], counts)]
    x = x if even == [1, 1] else pooled(x, even, data_format="channels_last")
    for axis, count in zip((1, 2), counts):
        n = x.shape[axis]
        if n != count:
            ends = [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]
            keys = (slice(None),) * axis
            x = concatenate([reduce(x[(*keys, slice(a, b))], axis, keepdims=True) for a, b in ends], axis)
    return as_they_came(x, axes, data_format)


@of_any_size
def adaptive_average_pool(inputs: TensorLike, output_size: Ints, data_format: str | None = None) -> Tensor:
    """The mean of windows of nearly one size, as many as output_size (rows, columns), or steps, says; where it does not
    divide, neighbours share a row or a column.

    >>> adaptive_average_pool([[[1.], [2.], [6.]]], 2).numpy().ravel()
    array([1.5, 4. ], dtype=float32)
    """
    return _adapted("adaptive_average_pool", inputs, output_size, data_format, average_pool, mean)


@of_any_size
def adaptive_max_pool(inputs: TensorLike, output_size: Ints, data_format: str | None = None) -> Tensor:
    """The largest number of windows of nearly one size, as many as output_size says, as in adaptive_average_pool.

    >>> adaptive_max_pool([[[1.], [2.], [6.]]], 2).numpy().ravel()
    array([2., 6.], dtype=float32)
    """
    return _adapted("adaptive_max_pool", inputs, output_size, data_format, max_pool, largest)
