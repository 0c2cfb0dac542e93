"""Layers that disturb their input in training: noise, and dropout of whole channels. Floor 3."""

import math
from typing import Any, Unpack

from fastnn import ops
from fastnn.arguments import channels_last, number, optional, shape, share
from fastnn.engine.tensor import Tensor, Variable
from fastnn.layers._options import LayerOptions
from fastnn.layers._random import RandomLayer
from fastnn.layers._shapes import checked_rank
from fastnn.layers.core import BaseDropout
from fastnn.ops.rows.elementwise import add, multiply
from fastnn.ops.rows.random import random_normal

__all__ = ["AlphaDropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D"]

LOWEST = -1.0507009873554805 * 1.6732632423543772     # of selu


class SpatialDropout1D(BaseDropout):
    """Dropout of whole features: all steps of one are kept or dropped together. x (batch, steps, features) → same.

    rate: the share that is dropped, 0 <= rate < 1. Tompson et al. 2014.
    """

    noise_shape = (None, 1, None)

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Drop in training, pass otherwise."""
        return super().call(checked_rank(x, "batch, steps, features", self.name), training)


class SpatialDropout2D(BaseDropout):
    """Dropout of whole channels: all pixels of one are kept or dropped together. x (batch, rows, columns, channels).

    rate: the share that is dropped, 0 <= rate < 1. Tompson et al. 2014.
    """

    noise_shape = (None, 1, 1, None)

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(rate, seed, **kwargs)
        self.data_format = channels_last(data_format, "SpatialDropout2D")

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Drop in training, pass otherwise."""
        return super().call(checked_rank(x, "batch, rows, columns, channels", self.name), training)


class AlphaDropout(BaseDropout):
    """Dropout that keeps mean and variance behind selu: in training a share `rate` of the numbers becomes selu's lowest
    value, -1.758, and a·x + b puts mean and variance back. noise_shape: as Dropout.

    Klambauer et al. 2017; keras.layers.AlphaDropout.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = optional(shape, noise_shape, "AlphaDropout: noise_shape")

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Drop in training, pass otherwise."""
        if not training or self.rate == 0:
            return x
        kept = ops.greater(super().call(ops.add(ops.multiply(x, 0.0), 1.0), training), 0.0)
        a = ((1 - self.rate) * (1 + self.rate * LOWEST ** 2)) ** -0.5
        return ops.add(ops.multiply(ops.where(kept, x, LOWEST), a), -a * LOWEST * self.rate)


class GaussianNoise(RandomLayer):
    """In training y = x + stddev·z with z normal, drawn anew per batch; else y = x. stddev from 0 to 1, as in Keras."""
    stepwise = True
    supports_masking = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        stddev = number(stddev, "GaussianNoise: stddev", 0, 1)
        super().__init__(seed=seed, **kwargs)
        self.stddev = stddev

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Add noise in training, pass otherwise."""
        if not training or self.stddev == 0 or x.symbolic:
            return x
        return add(x, random_normal(self._key(), shape=x.shape, mean=0.0, stddev=self.stddev))

    def _seeds(self) -> list[Variable]:
        return super()._seeds() if self.stddev else []

    def summary_note(self) -> str:
        """The deviation."""
        return f"stddev={self.stddev:g}"


class GaussianDropout(RandomLayer):
    """In training y = x·(1 + s·z) with z normal, s² = rate/(1 - rate), drawn anew per batch; else y = x.

    The mean and the deviation are those of Dropout with this rate, 0 <= rate < 1. Srivastava et al. 2014, section 10.
    """
    stepwise = True
    supports_masking = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        rate = share(rate, "GaussianDropout: rate")
        super().__init__(seed=seed, **kwargs)
        self.rate = rate

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Multiply by noise in training, pass otherwise."""
        if not training or self.rate == 0 or x.symbolic:
            return x
        deviation = math.sqrt(self.rate / (1 - self.rate))
        return multiply(x, random_normal(self._key(), shape=x.shape, mean=1.0, stddev=deviation))

    def _seeds(self) -> list[Variable]:
        return super()._seeds() if self.rate else []

    def summary_note(self) -> str:
        """The rate."""
        return f"rate={self.rate:g}"
