"""Images looked at through small windows: blurred, their edges, how alike two of them are. Floor 2."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.arguments import number, whole
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._arithmetic import add, divide, multiply, square, subtract
from fastnn.ops._convert import floats, is_one, reshaped, whole_numbers
from fastnn.ops._reduction import mean
from fastnn.ops._resize import as_image
from fastnn.ops._rules import unlike
from fastnn.ops._shaping import channels_moved, pad
from fastnn.ops._sizes import of_any_size
from fastnn.ops._windows import depthwise_conv

__all__ = ["gaussian_blur", "sobel_edges", "ssim"]


def _bell(size: int, sigma: float) -> np.ndarray:
    """size weights exp(-t²/(2 sigma²)) around the middle, whose sum is 1."""
    t = np.arange(size) - (size - 1) / 2
    weights = np.exp(-0.5 * (t / sigma) ** 2)
    return np.asarray(weights / weights.sum())


def _filtered(x: Tensor, window: np.ndarray, padding: str) -> Tensor:
    """Each channel of the images through the windows (rows, columns, filters)."""
    kernel = np.repeat(window[:, :, None, :], x.shape[-1], 2)
    y = depthwise_conv(x if x.ndim == 4 else reshaped(x, (1, *x.shape)), kernel.astype(x.dtype), padding=padding)
    return y if x.ndim == 4 else reshaped(y, y.shape[1:])


def _two(name: str, what: str, value: Any) -> list[Any]:
    two = [value, value] if is_one(value) or isinstance(value, float) else list(value)
    if len(two) != 2 or not all(n > 0 for n in two):
        raise ValueError(f"{name}: {what} is {shown(value)}; needs two numbers above 0, for rows and for columns.")
    return two


@of_any_size
def gaussian_blur(images: TensorLike, kernel_size: Sequence[int] = (3, 3), sigma: Sequence[float] = (1.0, 1.0),
                  data_format: str | None = None) -> Tensor:
    """Means over windows, weighed by exp(-(i²/sigma₀² + j²/sigma₁²)/2), the same for each channel; 0 outside.

    >>> gaussian_blur(ops.ones((5, 5, 1)))[2, 2].numpy().round(4)
    array([1.], dtype=float32)
    """
    x = floats(as_image("gaussian_blur", images, data_format))
    size = whole_numbers("gaussian_blur", _two("gaussian_blur", "kernel_size", kernel_size))
    window = np.outer(*map(_bell, size, _two("gaussian_blur", "sigma", sigma)))
    return channels_moved("gaussian_blur", _filtered(x, window[..., None], "same"), data_format, -1, -3)


@of_any_size
def sobel_edges(images: TensorLike, data_format: str | None = None) -> Tensor:
    """How much each channel rises downwards and to the right, (…, 2): differences over two pixels, weighed 1 2 1
    across; images are mirrored at their edges.

    >>> sobel_edges([[[[0.], [0.], [1.]]] * 3])[0, 1, 1, 0].numpy()
    array([0., 4.], dtype=float32)
    """
    x = floats(as_image("sobel_edges", images, data_format))
    down = np.outer([-1, 0, 1], [1, 2, 1])
    wide = pad(x, [(0, 0)] * (x.ndim - 3) + [(1, 1), (1, 1), (0, 0)], mode="reflect")
    y = _filtered(wide, np.stack([down, down.T], -1), "valid")
    y = reshaped(y, (*x.shape, 2))
    return channels_moved("sobel_edges", y, data_format, -2, -4)


@of_any_size
def ssim(image1: TensorLike, image2: TensorLike, max_val: float = 1.0, filter_size: int = 11, filter_sigma: float = 1.5,
         k1: float = 0.01, k2: float = 0.03, data_format: str | None = None) -> Tensor:
    """How alike images are in structure, one number each, 1 for equal ones: the mean over windows and channels of
    (2μ₁μ₂ + c₁)(2σ₁₂ + c₂) / ((μ₁² + μ₂² + c₁)(σ₁² + σ₂² + c₂)), cᵢ = (kᵢ max_val)², windows weighed by a bell.

    Source: Wang, Bovik, Sheikh and Simoncelli 2004. ShapeError for images that are smaller than a window.

    >>> float(ssim(ops.ones((16, 16, 1)), ops.ones((16, 16, 1))))
    1.0
    """
    a, b = (floats(as_image("ssim", image, data_format)) for image in (image1, image2))
    filter_size, max_val = whole(filter_size, "ssim: filter_size"), number(max_val, "ssim: max_val", 0, above=True)
    filter_sigma = number(filter_sigma, "ssim: filter_sigma", 0, above=True)
    if unlike(a.shape, b.shape) or min(a.shape[-3:-1]) < filter_size:
        raise ShapeError(f"ssim: the images are {a.shape} and {b.shape} and filter_size is {filter_size}; needs equal "
                         "shapes, at least one window large.")
    bell = _bell(filter_size, filter_sigma)
    window = np.outer(bell, bell)[..., None]
    mean_a, mean_b = _filtered(a, window, "valid"), _filtered(b, window, "valid")
    both, squares = multiply(mean_a, mean_b), add(square(mean_a), square(mean_b))
    together = subtract(_filtered(multiply(a, b), window, "valid"), both)
    apart = subtract(_filtered(add(square(a), square(b)), window, "valid"), squares)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    y = multiply(divide(add(multiply(both, 2.0), c1), add(squares, c1)), divide(add(multiply(together, 2.0), c2),
                                                                                 add(apart, c2)))
    return mean(y, (-3, -2, -1))
