"""Activation functions that have parameters, as layers. Floor 3."""

from typing import Any, Unpack

from fastnn import activations, constraints, initializers, regularizers
from fastnn.arguments import axes, is_sequence, number, optional
from fastnn.engine.kinds import Axes, ConstraintLike, InitializerLike, RegularizerLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer
from fastnn.ops import broadcast_to
from fastnn.ops.rows.activation import prelu
from fastnn.ops.rows.compare import where
from fastnn.ops.rows.data import reshape
from fastnn.ops.rows.elementwise import add_constant, cast, multiply, scale
from fastnn.ops.rows.reduce import expand

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]

_HIDDEN = -3e38      # what a masked place is before softmax


class ReLU(Layer):
    """y = max_value where x >= max_value, x where threshold <= x, else negative_slope·(x - threshold)."""
    stepwise = True
    supports_masking = True

    def __init__(self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.max_value = optional(number, max_value, "ReLU: max_value", 0)
        self.negative_slope = number(negative_slope, "ReLU: negative_slope", 0)
        self.threshold = number(threshold, "ReLU: threshold", 0)

    def call(self, x: Tensor) -> Tensor:
        """relu(x)."""
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """y = x where x > 0, else negative_slope·x. Keras' default slope is 0.3; the guide's is 0.01 (pass it). `alpha`,
    the slope's old name, is accepted."""
    stepwise = True
    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Unpack[LayerOptions]) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)  # type: ignore[typeddict-item]
        super().__init__(**kwargs)
        self.negative_slope = number(negative_slope, "LeakyReLU: negative_slope", 0)

    def call(self, x: Tensor) -> Tensor:
        """leaky_relu(x)."""
        return activations.leaky_relu(x, self.negative_slope)

    def summary_note(self) -> str:
        """The slope."""
        return f"negative_slope={self.negative_slope:g}"


class ELU(Layer):
    """y = x where x > 0, else alpha·(exp(x) - 1)."""
    stepwise = True
    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.alpha = number(alpha, "ELU: alpha", 0)

    def call(self, x: Tensor) -> Tensor:
        """elu(x)."""
        return activations.elu(x, self.alpha)


class PReLU(Layer):
    """y = x where x > 0, else alpha·x with a learned alpha per feature (He et al. 2015); shaped as the sample.

    shared_axes: axes along which the places share one alpha, whose length there is 1: (1, 2) for one alpha a channel.
    """
    supports_masking = True

    def __init__(self, alpha_initializer: InitializerLike = "zeros", alpha_regularizer: RegularizerLike = None,
                 alpha_constraint: ConstraintLike = None, shared_axes: Axes = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.shared_axes = optional(axes, shared_axes, "PReLU: shared_axes")
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)

    def build(self, input_shape: Any) -> None:
        """Make alpha."""
        rank = len(input_shape)
        self._shared = tuple(sorted({a % rank for a in self.shared_axes or () if -rank < a < rank}))
        if len(self._shared) != len(self.shared_axes or ()) or 0 in self._shared:
            raise ShapeError(f"{self.name}: shared_axes is {self.shared_axes} and the inputs are {tuple(input_shape)}; "
                             f"needs axes from 1 to {rank - 1}, each once.")
        sides = tuple(1 if i in self._shared else n for i, n in enumerate(input_shape) if i)
        if None in sides:
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(input_shape)}; needs all axes known but the "
                             "batch and shared_axes.")
        self.alpha = self.add_weight(sides, self.alpha_initializer, name="alpha",
                                     regularizer=self.alpha_regularizer, constraint=self.alpha_constraint)

    def call(self, x: Tensor) -> Tensor:
        """prelu(x, alpha)."""
        if not self._shared:
            return prelu(x, self.alpha)
        alpha = reshape(self.alpha, shape=tuple(n for i, n in enumerate(self.alpha.shape, 1) if i not in self._shared))
        return prelu(x, expand(alpha, shape=x.shape[1:], axes=tuple(i - 1 for i in self._shared)))


class Softmax(Layer):
    """y = exp(x) / sum(exp(x)) over `axis`, or several together."""
    supports_masking = True

    def __init__(self, axis: Axes = -1, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        found = axes(axis, "Softmax: axis")
        self.axis = found if is_sequence(axis) else found[0]

    def call(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """softmax(x), where places whose mask is 0 get nothing. mask: x's shape, or what repeats to it."""
        if mask is None:
            return activations.softmax(x, self.axis)
        hidden = add_constant(scale(x, factor=0.0), value=_HIDDEN)
        seen = broadcast_to(cast(mask, dtype=x.dtype), x.shape)
        return multiply(activations.softmax(where(seen, x, hidden), self.axis), seen)
