"""Layers that give images another size: Resizing, CenterCrop, RandomCrop. Floor 3."""

from typing import Unpack

from fastnn import ops
from fastnn.arguments import channels_last, choice, flag, number, whole
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.layers._options import LayerOptions
from fastnn.layers._random import RandomLayer
from fastnn.layers.layer import Layer
from fastnn.layers.preprocessing import as_float
from fastnn.layers.reshaping import METHODS
from fastnn.ops.rows.random import random_uniform

__all__ = ["CenterCrop", "RandomCrop", "Resizing"]


def _images(x: Tensor, name: str) -> Tensor:
    """Images (batch, rows, columns, channels), or one without batch, as floats."""
    if x.ndim not in (3, 4):
        raise ShapeError(f"{name}: got inputs of shape {x.shape}; needs (batch, rows, columns, channels).")
    return as_float(x)


def _centred(x: Tensor, rows: int, columns: int, name: str) -> Tensor:
    """The middle of images; where that is larger than they are, the middle of as much of that shape, resized."""
    height, width = x.shape[-3:-1]
    if None in (height, width):
        raise ShapeError(f"{name}: got inputs of shape {x.shape}; needs the number of rows and columns known.")
    if height < rows or width < columns:
        return ops.image.resize(x, (rows, columns), crop_to_aspect_ratio=True)
    top, left = (height - rows) // 2, (width - columns) // 2
    return x[..., top:top + rows, left:left + columns, :]


class Resizing(Layer):
    """Images in another size. x (batch, rows, columns, channels), or one image → (…, height, width, channels).

    interpolation: bilinear, nearest, bicubic, lanczos3 or lanczos5. crop_to_aspect_ratio: cuts what is too long off
    both ends first; pad_to_aspect_ratio: adds fill_value there; else images are stretched. antialias: means over wider
    windows where they become smaller. keras.layers.Resizing.

    >>> Resizing(2, 3)(np.ones((1, 4, 6, 1))).shape
    (1, 2, 3, 1)
    """

    def __init__(self, height: int, width: int, interpolation: str = "bilinear", crop_to_aspect_ratio: bool = False,
                 pad_to_aspect_ratio: bool = False, fill_mode: str = "constant", fill_value: float = 0.0,
                 antialias: bool = False, data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.height, self.width = whole(height, "Resizing: height"), whole(width, "Resizing: width")
        self.interpolation = choice(interpolation, "Resizing: interpolation", METHODS)
        self.crop_to_aspect_ratio = flag(crop_to_aspect_ratio, "Resizing: crop_to_aspect_ratio")
        self.pad_to_aspect_ratio = flag(pad_to_aspect_ratio, "Resizing: pad_to_aspect_ratio")
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ValueError("Resizing: crop_to_aspect_ratio and pad_to_aspect_ratio are both True; needs one of them.")
        self.fill_mode = choice(fill_mode, "Resizing: fill_mode", ("constant",))
        self.fill_value = number(fill_value, "Resizing: fill_value")
        self.antialias = flag(antialias, "Resizing: antialias")
        self.data_format = channels_last(data_format, "Resizing")

    def call(self, x: Tensor) -> Tensor:
        """Resize."""
        return ops.image.resize(_images(x, self.name), (self.height, self.width), interpolation=self.interpolation,
                                antialias=self.antialias, crop_to_aspect_ratio=self.crop_to_aspect_ratio,
                                pad_to_aspect_ratio=self.pad_to_aspect_ratio, fill_mode=self.fill_mode,
                                fill_value=self.fill_value)


class CenterCrop(Layer):
    """The middle of images, of this height and width; of smaller ones, as much of that shape as there is, resized.

    x (batch, rows, columns, channels), or one image → (…, height, width, channels). keras.layers.CenterCrop.

    >>> CenterCrop(2, 2)(np.ones((1, 4, 6, 1))).shape
    (1, 2, 2, 1)
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.height, self.width = whole(height, "CenterCrop: height"), whole(width, "CenterCrop: width")
        self.data_format = channels_last(data_format, "CenterCrop")

    def call(self, x: Tensor) -> Tensor:
        """Crop."""
        return _centred(_images(x, self.name), self.height, self.width, self.name)


class RandomCrop(RandomLayer):
    """In training a part of this height and width at a random place, the same for a batch; else the middle, as
    CenterCrop gives it. keras.layers.RandomCrop.

    >>> RandomCrop(2, 2)(np.ones((1, 4, 6, 1)), training=True).shape
    (1, 2, 2, 1)
    """
    trains_alone = True

    def __init__(self, height: int, width: int, seed: int | None = None, data_format: str | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(seed=seed, **kwargs)
        self.height, self.width = whole(height, "RandomCrop: height"), whole(width, "RandomCrop: width")
        self.data_format = channels_last(data_format, "RandomCrop")

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Crop."""
        x = _images(x, self.name)
        height, width = x.shape[-3:-1]
        small = None in (height, width) or height < self.height or width < self.width
        if not training or x.symbolic or small:
            return _centred(x, self.height, self.width, self.name)
        draws = random_uniform(self._key(), shape=(2,), low=0.0, high=1.0)
        for axis, (size, wanted) in enumerate(((height, self.height), (width, self.width))):
            begin = ops.cast(ops.floor(ops.multiply(draws[axis], float(size - wanted + 1))), "int32")
            begin = ops.minimum(begin, size - wanted)
            x = ops.take(x, ops.add(ops.arange(wanted, dtype="int32"), begin), axis=x.ndim - 3 + axis)
        return x
