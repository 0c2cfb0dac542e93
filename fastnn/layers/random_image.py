"""Layers that vary images in training: mirrored, turned, zoomed, moved, brighter, of more contrast. Floor 3.

They draw anew for every image of every batch, inside of the program, and pass images through outside of training.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from fastnn.arguments import channels_last, choice, interval, is_sequence, number
from fastnn.engine.tensor import Tensor
from fastnn.errors import shown
from fastnn.layers._context import context
from fastnn.layers._options import LayerOptions
from fastnn.layers._random import RandomLayer
from fastnn.layers._shapes import checked_rank
from fastnn.layers.preprocessing import as_float, constant
from fastnn.ops._memory import batch_is_tried
from fastnn.ops.rows import data as data_ops
from fastnn.ops.rows.affine import FILL_MODES, affine_matrix, affine_transform
from fastnn.ops.rows.elementwise import add, clip, multiply, subtract
from fastnn.ops.rows.image import flip, scale_shift
from fastnn.ops.rows.random import random_uniform
from fastnn.ops.rows.reduce import expand, mean

__all__ = ["RandomBrightness", "RandomContrast", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom"]

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class _RandomImage(RandomLayer):
    """x (batch, rows, columns, channels), uint8 too → float, same shape. `vary` is what happens in training."""
    trains_alone = True     # called directly, it varies images unless told training=False, as in Keras

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Vary each image in training, pass otherwise. One image (rows, columns, channels) is taken too, but not in a
        model, where the first axis is the batch."""
        if x.ndim == 3 and x.shape[0] is not None and not context.in_pass and not batch_is_tried():
            y = self.call(data_ops.reshape(x, shape=(1, *x.shape)), training)
            return data_ops.reshape(y, shape=x.shape)
        x = as_float(checked_rank(x, "batch, rows, columns, channels", self.name))
        return self.vary(x) if training and not x.symbolic else x

    def vary(self, x: Tensor) -> Tensor:
        """The images, each changed at random."""
        raise NotImplementedError

    def _draw(self, rows: int, *limits: tuple[float, float]) -> Tensor:
        """(rows, len(limits)) uniform numbers, those of column k within limits[k]; (rows,) for one pair of limits."""
        if len(limits) == 1:
            return random_uniform(self._key(), shape=(rows,), low=limits[0][0], high=limits[0][1])
        unit = random_uniform(self._key(), shape=(rows, len(limits)), low=0.0, high=1.0)
        lows, spans = [low for low, _ in limits], [high - low for low, high in limits]
        return scale_shift(unit, *map(constant, ([0.0] * len(limits), spans, lows)))


class RandomFlip(_RandomImage):
    """Mirrors an image with probability ½. mode: "horizontal" (left and right), "vertical" (top and bottom), or
    "horizontal_and_vertical", the default, which as in Keras does both at once or none of them."""
    def __init__(self, mode: str = "horizontal_and_vertical", seed: int | None = None, data_format: str | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        mode = choice(mode, "RandomFlip: mode", _MODES)
        super().__init__(seed=seed, **kwargs)
        self.mode, self.data_format = mode, channels_last(data_format, "RandomFlip")

    def vary(self, x: Tensor) -> Tensor:
        """Flip."""
        return flip(x, self._draw(x.shape[0], (0.0, 1.0)), rows="vertical" in self.mode,
                    columns="horizontal" in self.mode)


class _RandomAffine(_RandomImage):
    """Maps images by rotation, zoom and shift about their centre.

    fill_mode: what is outside of the image: "reflect" (dcba|abcd|dcba, the default), "wrap" (abcd|abcd|abcd), "nearest"
    (aaaa|abcd|dddd) or "constant" (fill_value). interpolation: "bilinear", the default, or "nearest".
    """

    def __init__(self, fill_mode: str, interpolation: str, fill_value: float, data_format: str | None,
                 **kwargs: Any) -> None:
        name = type(self).__name__
        fill_mode = choice(fill_mode, f"{name}: fill_mode", FILL_MODES)
        interpolation = choice(interpolation, f"{name}: interpolation", ("nearest", "bilinear"))
        fill_value = number(fill_value, f"{name}: fill_value")
        super().__init__(**kwargs)
        self.data_format = channels_last(data_format, name)
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, fill_value

    def _transform(self, x: Tensor, turns: Tensor | None = None, zoom: Tensor | None = None,
                   shift: Tensor | None = None) -> Tensor:
        rows = x.shape[0]
        transform = affine_matrix(
            constant(np.zeros(rows)) if turns is None else turns,
            constant(np.ones((rows, 2))) if zoom is None else zoom,
            constant(np.zeros((rows, 2))) if shift is None else shift, height=x.shape[1], width=x.shape[2])
        return affine_transform(x, transform, bilinear=self.interpolation == "bilinear",
                                fill_mode=FILL_MODES.index(self.fill_mode), fill_value=self.fill_value)


class RandomRotation(_RandomAffine):
    """Turns images about their centre, counter-clockwise for positive angles.

    factor: the angle in full turns, (lower, upper) or f for (-f, f), from -1 to 1: 0.1 is up to 36° either way.
    fill_mode "reflect", interpolation "bilinear", fill_value 0.0: as in _RandomAffine.
    """
    def __init__(self, factor: float | Sequence[float], fill_mode: str = "reflect", interpolation: str = "bilinear",
                 seed: int | None = None, fill_value: float = 0.0, data_format: str | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        factor = interval(factor, "RandomRotation: factor", -1, 1)
        super().__init__(fill_mode, interpolation, fill_value, data_format, seed=seed, **kwargs)
        self.factor = factor

    def vary(self, x: Tensor) -> Tensor:
        """Turn."""
        return self._transform(x, turns=self._draw(x.shape[0], self.factor))


class RandomZoom(_RandomAffine):
    """Zooms into images (negative factors: what is shown gets larger) or out of them (positive: it gets smaller).

    height_factor, width_factor: part of the size, (lower, upper) or f for (-f, f), above -1 and up to 1: -0.2 shows
    80 % of the height. width_factor None keeps the ratio of the sides.
    """
    def __init__(self, height_factor: float | Sequence[float], width_factor: float | Sequence[float] | None = None,
                 fill_mode: str = "reflect", interpolation: str = "bilinear", seed: int | None = None,
                 fill_value: float = 0.0, data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        factors = [None if f is None and i else _zoom(f, f"RandomZoom: {('height', 'width')[i]}_factor")
                   for i, f in enumerate((height_factor, width_factor))]
        super().__init__(fill_mode, interpolation, fill_value, data_format, seed=seed, **kwargs)
        self.height_factor, self.width_factor = factors

    def vary(self, x: Tensor) -> Tensor:
        """Zoom."""
        rows = x.shape[0]
        limits = [(1 + f[0], 1 + f[1]) for f in (self.height_factor, self.width_factor) if f is not None]
        zoom = self._draw(rows, *limits)
        return self._transform(x, zoom=zoom if zoom.ndim == 2 else expand(zoom, shape=(rows, 2), axes=(1,)))


def _zoom(factor: Any, what: str) -> tuple[float, float]:
    lower, upper = interval(factor, what, -1, 1)
    if -1 in (factor if is_sequence(factor) else (factor,)):
        raise ValueError(f"{what} is {shown(factor)}; needs numbers above -1, up to 1.")
    return lower, upper


class RandomTranslation(_RandomAffine):
    """Moves images. height_factor > 0 moves down, width_factor > 0 to the right.

    height_factor, width_factor: part of the size, (lower, upper) or f for (-f, f), from -1 to 1.
    """
    def __init__(self, height_factor: float | Sequence[float], width_factor: float | Sequence[float],
                 fill_mode: str = "reflect", interpolation: str = "bilinear", seed: int | None = None,
                 fill_value: float = 0.0, data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        height = interval(height_factor, "RandomTranslation: height_factor", -1, 1)
        width = interval(width_factor, "RandomTranslation: width_factor", -1, 1)
        super().__init__(fill_mode, interpolation, fill_value, data_format, seed=seed, **kwargs)
        self.height_factor, self.width_factor = height, width

    def vary(self, x: Tensor) -> Tensor:
        """Move."""
        return self._transform(x, shift=self._draw(x.shape[0], self.height_factor, self.width_factor))


class _RandomColor(_RandomImage):
    """Changes the values of images, which are cut to value_range, default (0, 255)."""
    bounds: ClassVar[tuple[float, float]] = (-1, 1)

    def __init__(self, factor: float | Sequence[float], value_range: Any = (0, 255), seed: int | None = None,
                 data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        name = type(self).__name__
        factor = interval(factor, f"{name}: factor", *self.bounds)
        if not is_sequence(value_range) or len(value_range) != 2:
            raise ValueError(f"{name}: value_range is {shown(value_range)}; needs two numbers: (lowest, highest).")
        low, high = sorted(number(v, f"{name}: value_range") for v in value_range)
        super().__init__(seed=seed, **kwargs)
        self.factor, self.value_range, self.data_format = factor, (low, high), channels_last(data_format, name)

    def _per_image(self, limits: tuple[float, float], x: Tensor) -> Tensor:
        return expand(self._draw(x.shape[0], limits), shape=x.shape, axes=(1, 2, 3))

    def _cut(self, x: Tensor) -> Tensor:
        return clip(x, low=self.value_range[0], high=self.value_range[1])


class RandomContrast(_RandomColor):
    """y = (x - m)·f + m, m the mean of each image's channel, f uniform in [1 - lower, 1 + upper], cut to value_range.

    factor: (lower, upper) from 0 to 1, or one number u, which as in Keras means (0, u).
    """
    bounds = (0, 1)

    def vary(self, x: Tensor) -> Tensor:
        """Change the contrast."""
        middle = expand(mean(x, axes=(1, 2)), shape=x.shape, axes=(1, 2))
        factor = self._per_image((1 - self.factor[0], 1 + self.factor[1]), x)
        return self._cut(add(multiply(subtract(x, middle), factor), middle))


class RandomBrightness(_RandomColor):
    """y = x + d·(highest - lowest), d uniform in factor, cut to value_range.

    factor: (lower, upper), or f for (-f, f), from -1 to 1.
    """

    def vary(self, x: Tensor) -> Tensor:
        """Change the brightness."""
        span = self.value_range[1] - self.value_range[0]
        return self._cut(add(x, self._per_image((self.factor[0] * span, self.factor[1] * span), x)))
