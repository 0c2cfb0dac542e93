"""Max and average pooling over windows, and over whole images or sequences. Floor 3.

A window's cells outside the image ("same" padding) are not seen: not in a maximum, not in the count of an average. A
NaN in a window makes its result NaN. Gradients of a maximum go to the first of equal cells; of a global one, to all of
them equally.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Unpack

from fastnn.arguments import channels_last, choice, flag, sizes
from fastnn.engine.kinds import Ints
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.layers._options import LayerOptions
from fastnn.layers._shapes import checked_rank, same_pads
from fastnn.layers.layer import Layer
from fastnn.literals import Padding
from fastnn.ops.rows import data as data_ops
from fastnn.ops.rows import reduce
from fastnn.ops.rows.compare import where
from fastnn.ops.rows.elementwise import divide, scale
from fastnn.ops.rows.pool import average_pool, max_pool

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AvgPool1D", "AvgPool2D", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalMaxPool1D", "GlobalMaxPool2D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "MaxPool1D", "MaxPool2D", "MaxPooling1D", "MaxPooling2D",
]

_AXES = {1: "batch, steps, features", 2: "batch, height, width, channels"}


class _Pooling(Layer):
    """Windows of pool_size, `strides` apart (pool_size unless given), over (batch, axes..., channels)."""
    rank: ClassVar[int]
    op: ClassVar[Callable[..., Any]]

    def __init__(self, pool_size: Ints, strides: Ints | None = None, padding: Padding = "valid",
                 data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        where = type(self).__name__
        self.pool_size = sizes(pool_size, f"{where}: pool_size", self.rank)
        self.strides = self.pool_size if strides is None else sizes(strides, f"{where}: strides", self.rank)
        self.padding = choice(padding, f"{where}: padding", ("valid", "same"))
        self.data_format = channels_last(data_format, where)

    def call(self, x: Tensor) -> Tensor:
        """Pool. ShapeError for another rank, or a pool larger than the image where padding is "valid"."""
        checked_rank(x, _AXES[self.rank], self.name)
        size = x.shape[1:-1]
        if self.padding == "valid" and any(n < k for n, k in zip(size, self.pool_size)):
            raise ShapeError(f"{self.name}: got inputs of shape {x.shape} and pool_size is {self.pool_size}; needs a "
                             "pool within the input.\nUse a smaller pool_size, padding='same', or fewer layers "
                             "that shrink.")
        pads = [(0, 0) if self.padding == "valid" else same_pads(n, k, s)
                for n, k, s in zip(size, self.pool_size, self.strides)]
        if self.rank == 1:      # a sequence is an image of one row
            image = data_ops.reshape(x, shape=(-1, 1, *x.shape[1:]))
            y = self._pool(image, (1, *self.pool_size), (1, *self.strides), [(0, 0), *pads])
            return data_ops.reshape(y, shape=(-1, *y.shape[2:]))
        return self._pool(x, self.pool_size, self.strides, pads)

    def _pool(self, x: Tensor, pool: tuple[int, ...], strides: tuple[int, ...], pads: list[tuple[int, int]]) -> Tensor:
        y = type(self).op(x, pool=pool, strides=strides, pads=(*pads[0], *pads[1]))
        return y[0] if isinstance(y, tuple) else y

    def summary_note(self) -> str:
        """The window, and its strides where they differ."""
        text = "x".join(map(str, self.pool_size))
        return text if self.strides == self.pool_size else f"{text}, strides {'x'.join(map(str, self.strides))}"


class MaxPooling1D(_Pooling):
    """The largest of each window of steps. x (batch, steps, features) → (batch, windows, features).

    Windows: ⌊(steps - pool_size) / strides⌋ + 1 with padding "valid", ⌈steps / strides⌉ with "same". TypeError or
    ValueError for sizes that are not whole numbers >= 1; ShapeError when called, for a pool larger than the input.
    """
    rank, op = 1, max_pool

    def __init__(self, pool_size: Ints = 2, strides: Ints | None = None, padding: Padding = "valid",
                 data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class MaxPooling2D(_Pooling):
    """The largest of each window. x (batch, height, width, channels) → (batch, rows, columns, channels).

    Rows: ⌊(height - pool) / stride⌋ + 1 with padding "valid", ⌈height / stride⌉ with "same"; columns alike. Raises as
    MaxPooling1D.
    """
    rank, op = 2, max_pool

    def __init__(self, pool_size: Ints = (2, 2), strides: Ints | None = None, padding: Padding = "valid",
                 data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class AveragePooling1D(_Pooling):
    """The mean of each window of steps, of those inside the input. Shapes and errors as MaxPooling1D."""
    rank, op = 1, average_pool


class AveragePooling2D(_Pooling):
    """The mean of each window, of its cells inside the image. Shapes and errors as MaxPooling2D."""
    rank, op = 2, average_pool


class _GlobalPooling(Layer):
    """One number per channel, from all places of a sample."""
    rank: ClassVar[int]
    op: ClassVar[Callable[..., Any]]

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.data_format = channels_last(data_format, type(self).__name__)
        self.keepdims = flag(keepdims, f"{type(self).__name__}: keepdims")

    def call(self, x: Tensor) -> Tensor:
        """Reduce over all axes but the first and the last. ShapeError for another rank."""
        if x.ndim != self.rank + 2:
            checked_rank(x, _AXES[self.rank], self.name)
        y = type(self).op(x, axes=tuple(range(1, x.ndim - 1)))
        return data_ops.reshape(y, shape=(-1, *[1] * self.rank, x.shape[-1])) if self.keepdims else y


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest over all steps. x (batch, steps, features) → (batch, features), or (batch, 1, features)."""
    rank, op = 1, reduce.max


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest of an image. x (batch, height, width, channels) → (batch, channels), or (batch, 1, 1, channels)."""
    rank, op = 2, reduce.max


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean over all steps that count. x (batch, steps, features) → (batch, features), or (batch, 1, features)."""
    rank, op = 1, reduce.mean

    def call(self, x: Tensor, mask: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """Σ mask·x/Σ mask over the steps; the mean where there is no mask. NaN where no step counts, as in Keras."""
        if mask is None:
            return super().call(x)
        weights = reduce.expand(mask, shape=checked_rank(x, _AXES[1], self.name).shape, axes=(2,))
        kept = where(weights, x, scale(x, factor=0.0))
        y = divide(reduce.sum(kept, axes=(1,)), reduce.sum(weights, axes=(1,)))
        return data_ops.reshape(y, shape=(-1, 1, x.shape[-1])) if self.keepdims else y

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None: the steps are gone."""


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of an image. x (batch, height, width, channels) → (batch, channels), or (batch, 1, 1, channels)."""
    rank, op = 2, reduce.mean


MaxPool1D, MaxPool2D, AvgPool1D, AvgPool2D = MaxPooling1D, MaxPooling2D, AveragePooling1D, AveragePooling2D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
