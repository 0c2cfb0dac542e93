"""Layers that scale by a length: UnitNormalization, RMSNormalization, SpectralNormalization. Floor 3."""

from typing import Any, Unpack

from fastnn import ops
from fastnn.arguments import axes, is_sequence, number, whole
from fastnn.engine.kinds import Dims, Ints
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import KindError, ShapeError
from fastnn.initializers import TruncatedNormal
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer
from fastnn.layers.wrappers import Wrapper

__all__ = ["RMSNormalization", "SpectralNormalization", "UnitNormalization"]

TINY = 1e-12        # under the roots, as in Keras


class UnitNormalization(Layer):
    """y = x / √Σx² along axis, one or several: each sample has length 1. keras.layers.UnitNormalization.

    >>> UnitNormalization()(np.array([[3.0, 4.0]])).numpy()
    array([[0.6, 0.8]], dtype=float32)
    """
    supports_masking = True

    def __init__(self, axis: Ints = -1, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        found = axes(axis, "UnitNormalization: axis")
        self.axis = found if is_sequence(axis) else found[0]

    def call(self, inputs: Tensor) -> Tensor:
        """Divide by the length."""
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=TINY)


class RMSNormalization(Layer):
    """y = scale·x / √(mean(x²) + ε) along axis, one or several; scale, ones at first, has their shape.

    Zhang and Sennrich 2019; keras.layers.RMSNormalization. ShapeError for axes that the inputs do not have.

    >>> RMSNormalization()(np.array([[3.0, 4.0]])).numpy().round(3)
    array([[0.849, 1.131]], dtype=float32)
    """
    supports_masking = True

    def __init__(self, axis: Ints = -1, epsilon: float = 1e-6, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        found = axes(axis, "RMSNormalization: axis")
        self.axis = found if is_sequence(axis) else found[0]
        self.epsilon = number(epsilon, "RMSNormalization: epsilon", 0)

    def _axes(self, rank: int) -> tuple[int, ...]:
        given = axes(self.axis, "RMSNormalization: axis")
        found = tuple(sorted({a % rank for a in given if -rank <= a < rank}))
        if len(found) != len(given):
            raise ShapeError(f"{self.name}: got inputs of {rank} axes and axis is {self.axis}; needs axes from "
                             f"{-rank} to {rank - 1}, each once.")
        return found

    def build(self, input_shape: Dims) -> None:
        """Make the scale."""
        sides: Any = [input_shape[a] for a in self._axes(len(input_shape))]
        self.scale = self.add_weight(sides, "ones", name="scale")

    def call(self, inputs: Tensor) -> Tensor:
        """Normalize."""
        places = self._axes(inputs.ndim)
        scale = ops.reshape(self.scale, [inputs.shape[i] if i in places else 1 for i in range(inputs.ndim)])
        return ops.multiply(ops.rms_normalization(inputs, axis=places, epsilon=self.epsilon), scale)


class SpectralNormalization(Wrapper):
    """A layer whose kernel (or embeddings) is divided, at each training step, by its largest singular value σ.

    σ is followed by power_iterations steps of u ← W·Wᵀ·u / |…|, u being kept from step to step. Outside of training the
    kernel stays. Miyato et al. 2018; keras.layers.SpectralNormalization. TypeError for a layer without such weights.
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = whole(power_iterations, "SpectralNormalization: power_iterations")

    def build(self, input_shape: Dims) -> None:
        """Build the layer inside, and u."""
        super().build(input_shape)
        self.kernel: Any = getattr(self.layer, "kernel", None)
        if self.kernel is None:
            self.kernel = getattr(self.layer, "embeddings", None)
        if not isinstance(self.kernel, Variable):
            raise KindError(f"{self.name}: the layer {self.layer.name!r} has no kernel and no embeddings; needs one of "
                            "them, as Dense and Conv2D have.")
        self.vector_u: Variable = self.add_weight((1, self.kernel.shape[-1]), TruncatedNormal(stddev=0.02),
                                                  name="vector_u", trainable=False)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """The layer's output; in training, with the kernel divided first."""
        if training and not inputs.symbolic:
            w: Tensor = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
            u: Tensor = self.vector_u
            for _ in range(self.power_iterations):
                v = ops.normalize(ops.matmul(u, ops.transpose(w)), axis=None, epsilon=TINY)
                u = ops.normalize(ops.matmul(v, w), axis=None, epsilon=TINY)
            v, u = ops.stop_gradient(v), ops.stop_gradient(u)
            sigma = ops.reshape(ops.matmul(ops.matmul(v, w), ops.transpose(u)), ())
            self.vector_u.assign(u)
            self.kernel.assign(ops.divide(self.kernel, ops.stop_gradient(sigma)))
        return self.layer(inputs)
