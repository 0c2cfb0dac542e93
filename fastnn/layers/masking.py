"""Masking: steps of a sequence that do not count. Floor 3."""

from typing import Any, Unpack

import numpy as np

from fastnn import ops
from fastnn.arguments import number
from fastnn.engine.tensor import Tensor
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer

__all__ = ["Masking"]

LARGEST = float(np.finfo(np.float32).max)


class Masking(Layer):
    """Steps in which every feature is mask_value do not count for the layers after it, and become 0.

    x (batch, time, features) → same, with a mask (batch, time). mask_value: 0 unless given. keras.layers.Masking.
    """

    stepwise = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.mask_value = number(mask_value, "Masking: mask_value", -LARGEST, LARGEST)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where a step has another feature than mask_value."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, x: Tensor) -> Tensor:
        """x, with zeros in the steps that do not count."""
        return ops.multiply(x, ops.cast(ops.expand_dims(self.compute_mask(x), -1), x.dtype))
