"""Layers that move numbers: borders, repeated pixels and vectors, axes in another order. Floor 3."""

from collections.abc import Sequence
from typing import Any, Unpack

from fastnn.arguments import borders, channels_last, choice, is_sequence, sizes, whole
from fastnn.engine.kinds import Borders
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, shown
from fastnn.layers._options import LayerOptions
from fastnn.layers._shapes import checked_rank
from fastnn.layers.layer import Layer
from fastnn.ops.image import resize
from fastnn.ops.rows import data as data_ops
from fastnn.ops.rows import image as image_ops

__all__ = [
    "Cropping1D", "Cropping2D", "Permute", "RepeatVector", "UpSampling1D", "UpSampling2D", "ZeroPadding1D",
    "ZeroPadding2D",
]

Border = tuple[int, ...]     # (before, after)

_SEQUENCE, _IMAGE = "batch, steps, features", "batch, rows, columns, channels"
METHODS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


class _Borders(Layer):
    """What paddings and croppings share: two numbers, before and after, for each axis but the first and the last."""

    def _sizes(self, borders: tuple[Border, ...]) -> dict[str, tuple[int, ...]]:
        return {"before": (0, *(b for b, _ in borders), 0), "after": (0, *(a for _, a in borders), 0)}

    def _crop(self, x: Tensor, borders: tuple[Border, ...]) -> Tensor:
        if any(sum(border) >= n for n, border in zip(x.shape[1:], borders)):
            raise ShapeError(f"{self.name}: got inputs of shape {x.shape} and cropping {borders}; nothing would be "
                             "left. Crop less.")
        return image_ops.crop(x, **self._sizes(borders))

    def _pad(self, x: Tensor, borders: tuple[Border, ...]) -> Tensor:
        return image_ops.pad(x, value=0.0, **self._sizes(borders))


class ZeroPadding1D(_Borders):
    """Zeros before and after the steps. x (batch, steps, features) → (batch, before + steps + after, features).

    padding: one number for both ends, or (before, after), default 1. TypeError/ValueError unless whole and >= 0.
    """

    def __init__(self, padding: Borders = 1, data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.data_format = channels_last(data_format, "ZeroPadding1D")
        self.padding = sizes(padding, "ZeroPadding1D: padding", 2, 0)

    def call(self, x: Tensor) -> Tensor:
        """Pad."""
        return self._pad(checked_rank(x, _SEQUENCE, self.name), (self.padding,))


class ZeroPadding2D(_Borders):
    """Zeros around images. x (batch, rows, columns, channels) → (batch, top + rows + bottom, …).

    padding: one number for all sides, (height, width), or ((top, bottom), (left, right)), default (1, 1).
    TypeError/ValueError unless whole and >= 0.
    """

    def __init__(self, padding: Borders = (1, 1), data_format: str | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.data_format = channels_last(data_format, "ZeroPadding2D")
        self.padding = borders(padding, "ZeroPadding2D: padding")

    def call(self, x: Tensor) -> Tensor:
        """Pad."""
        return self._pad(checked_rank(x, _IMAGE, self.name), self.padding)


class Cropping1D(_Borders):
    """Cuts steps off. x (batch, steps, features) → (batch, steps - before - after, features).

    cropping: one number for both ends, or (before, after), default (1, 1). TypeError/ValueError unless whole and >= 0;
    ShapeError where nothing would be left.
    """

    def __init__(self, cropping: Borders = (1, 1), **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.cropping = sizes(cropping, "Cropping1D: cropping", 2, 0)

    def call(self, x: Tensor) -> Tensor:
        """Crop."""
        return self._crop(checked_rank(x, _SEQUENCE, self.name), (self.cropping,))


class Cropping2D(_Borders):
    """Cuts the borders off images. x (batch, rows, columns, channels) → (batch, rows - top - bottom, …, channels).

    cropping: one number for all sides, (height, width), or ((top, bottom), (left, right)), default none.
    TypeError/ValueError unless whole and >= 0; ShapeError where nothing would be left.
    """

    def __init__(self, cropping: Borders = ((0, 0), (0, 0)), data_format: str | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.data_format = channels_last(data_format, "Cropping2D")
        self.cropping = borders(cropping, "Cropping2D: cropping")

    def call(self, x: Tensor) -> Tensor:
        """Crop."""
        return self._crop(checked_rank(x, _IMAGE, self.name), self.cropping)


class UpSampling1D(Layer):
    """Each step `size` times. x (batch, steps, features) → (batch, steps·size, features). size: default 2."""

    def __init__(self, size: int = 2, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.size = whole(size, "UpSampling1D: size")

    def call(self, x: Tensor) -> Tensor:
        """Repeat."""
        _, steps, features = checked_rank(x, _SEQUENCE, self.name).shape
        y = image_ops.upsample(data_ops.reshape(x, shape=(-1, steps, 1, features)), rows=self.size, columns=1)
        return data_ops.reshape(y, shape=(-1, steps * self.size, features))


class UpSampling2D(Layer):
    """Larger images. x (batch, rows, columns, channels) → (batch, rows·size[0], columns·size[1], channels).

    size: one number or two, default (2, 2). interpolation: "nearest" repeats pixels (the default); "bilinear" is linear
    between their centres, as Keras' and TensorFlow's resize; "bicubic", "lanczos3" and "lanczos5" look further.
    MemoryError where no machine could hold the result.
    """

    def __init__(self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest",
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.data_format = channels_last(data_format, "UpSampling2D")
        self.size = sizes(size, "UpSampling2D: size", 2)
        self.interpolation = choice(interpolation, "UpSampling2D: interpolation", METHODS)

    def call(self, x: Tensor) -> Tensor:
        """Enlarge."""
        x = checked_rank(x, _IMAGE, self.name)
        if self.interpolation not in ("nearest", "bilinear"):
            sides = [n * times for n, times in zip(x.shape[1:3], self.size)]
            return resize(x, sides, interpolation=self.interpolation)
        larger = image_ops.upsample if self.interpolation == "nearest" else image_ops.upsample_bilinear
        return larger(x, rows=self.size[0], columns=self.size[1])


class RepeatVector(Layer):
    """The same vector at n steps. x (batch, features) → (batch, n, features)."""

    def __init__(self, n: int, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.n = whole(n, "RepeatVector: n")

    def call(self, x: Tensor) -> Tensor:
        """Repeat."""
        features = checked_rank(x, "batch, features", self.name).shape[1]
        y = image_ops.upsample(data_ops.reshape(x, shape=(-1, 1, 1, features)), rows=self.n, columns=1)
        return data_ops.reshape(y, shape=(-1, self.n, features))


class Permute(Layer):
    """The axes after the batch in another order. dims: their numbers, from 1 on; axis k of y is axis dims[k - 1] of x.

    Permute((2, 1)): x (batch, a, b) → (batch, b, a). TypeError/ValueError unless dims holds each of 1 … n once.
    """

    def __init__(self, dims: Sequence[int], **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        if not is_sequence(dims):
            raise KindError(f"Permute: dims is {shown(dims)}; needs a tuple of axis numbers, such as (2, 1).")
        self.dims = tuple(whole(n, "Permute: dims") for n in dims)
        if sorted(self.dims) != list(range(1, max(1, len(self.dims)) + 1)):
            raise ValueError(f"Permute: dims is {shown(dims)}; needs each of 1 to {max(1, len(self.dims))} once; the "
                             "batch axis stays.")

    def call(self, x: Tensor) -> Tensor:
        """Transpose. ShapeError where dims names another number of axes."""
        if x.ndim != len(self.dims) + 1:
            raise ShapeError(f"{self.name}: got inputs of shape {x.shape}, {x.ndim - 1} axes after the batch; dims is "
                             f"{self.dims}; needs {len(self.dims)}.")
        return data_ops.transpose(x, axes=(0, *self.dims))
