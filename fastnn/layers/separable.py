"""DepthwiseConv1D/2D and SeparableConv1D/2D: every channel with weights of its own. Floor 3."""

from typing import Unpack

from fastnn import constraints, initializers, regularizers
from fastnn.arguments import whole
from fastnn.engine.kinds import ActivationLike, ConstraintLike, Dims, InitializerLike, Ints, RegularizerLike
from fastnn.engine.tensor import Tensor, Variable
from fastnn.layers._options import CommonOptions
from fastnn.layers.convolution import Convolution
from fastnn.literals import Padding
from fastnn.ops.rows import conv as ops
from fastnn.ops.rows.data import reshape

__all__ = ["DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"]


class DepthwiseConv2D(Convolution):
    """Every channel is convolved with `depth_multiplier` kernels of its own; nothing is summed over channels.

    x (batch, rows, columns, channels) → (batch, rows', columns', channels·depth_multiplier); output
    c·depth_multiplier + m is channel c with kernel[:, :, c, m]. kernel (kh, kw, channels, depth_multiplier), bias
    (channels·depth_multiplier,). Sizes, errors and defaults as Conv2D.
    """

    def __init__(self, kernel_size: Ints, strides: Ints = 1, padding: Padding = "valid", depth_multiplier: int = 1,
                 data_format: str | None = None, dilation_rate: Ints = 1, activation: ActivationLike = None,
                 use_bias: bool = True, depthwise_initializer: InitializerLike = "glorot_uniform",
                 bias_initializer: InitializerLike = "zeros", depthwise_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, activity_regularizer: RegularizerLike = None,
                 depthwise_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None,
                 **kwargs: Unpack[CommonOptions]) -> None:
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         bias_initializer, bias_regularizer, bias_constraint, activity_regularizer=activity_regularizer,
                         **kwargs)
        self.depth_multiplier = whole(depth_multiplier, f"{type(self).__name__}: depth_multiplier")
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def build(self, input_shape: Dims) -> None:
        """Make kernel and bias."""
        channels = self._channels(input_shape)
        self.kernel = self._add_depthwise("kernel", channels)
        self._add_bias(channels * self.depth_multiplier)

    def _add_depthwise(self, name: str, channels: int) -> Variable:
        return self.add_weight((*self.kernel_size, channels, self.depth_multiplier), self.depthwise_initializer,
                               name=name, regularizer=self.depthwise_regularizer, constraint=self.depthwise_constraint)

    def _depthwise(self, x: Tensor, kernel: Variable, bias: Tensor | None) -> Tensor:
        """A convolution of as many groups as channels."""
        channels = kernel.shape[-2]
        x = self._image(x, channels)
        filters = channels * self.depth_multiplier
        w = reshape(self._weights(kernel), shape=(*self._pairs()[0], 1, filters))
        return ops.conv2d(x, w, ops.no_bias(filters, x) if bias is None else bias, groups=channels,
                          activation="linear", **self._settings(x))

    def call(self, x: Tensor) -> Tensor:
        """activation(x ∗ kernel + b), channel by channel."""
        return self._finish(self._depthwise(x, self.kernel, self.bias if self.use_bias else None))


class DepthwiseConv1D(DepthwiseConv2D):
    """DepthwiseConv2D over one axis: x (batch, steps, features); kernel (k, features, depth_multiplier)."""

    rank = 1


class SeparableConv2D(DepthwiseConv2D):
    """A depthwise convolution without bias, then a Conv2D of size 1 that mixes the channels: fewer weights than Conv2D.

    x (batch, rows, columns, channels) → (batch, rows', columns', filters). depthwise_kernel (kh, kw, channels,
    depth_multiplier), pointwise_kernel (1, 1, channels·depth_multiplier, filters), bias (filters,). Chollet 2017.
    """

    def __init__(self, filters: int, kernel_size: Ints, strides: Ints = 1, padding: Padding = "valid",
                 data_format: str | None = None, dilation_rate: Ints = 1, depth_multiplier: int = 1,
                 activation: ActivationLike = None, use_bias: bool = True,
                 depthwise_initializer: InitializerLike = "glorot_uniform",
                 pointwise_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 depthwise_regularizer: RegularizerLike = None, pointwise_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, activity_regularizer: RegularizerLike = None,
                 depthwise_constraint: ConstraintLike = None, pointwise_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, **kwargs: Unpack[CommonOptions]) -> None:
        super().__init__(kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate, activation,
                         use_bias, depthwise_initializer, bias_initializer, depthwise_regularizer, bias_regularizer,
                         activity_regularizer, depthwise_constraint, bias_constraint, **kwargs)
        self.filters = whole(filters, f"{type(self).__name__}: filters")
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: Dims) -> None:
        """Make both kernels and the bias."""
        channels = self._channels(input_shape)
        self.depthwise_kernel = self._add_depthwise("depthwise_kernel", channels)
        self.pointwise_kernel = self.add_weight(
            (*(1,) * self.rank, channels * self.depth_multiplier, self.filters), self.pointwise_initializer,
            name="pointwise_kernel", regularizer=self.pointwise_regularizer, constraint=self.pointwise_constraint)
        self._add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        """activation((x ∗ depthwise_kernel) · pointwise_kernel + b)."""
        y = self._depthwise(x, self.depthwise_kernel, None)
        return self._finish(ops.conv2d(y, self._weights(self.pointwise_kernel), self._bias(self.filters, y),
                                       strides=(1, 1), pads=(0, 0, 0, 0), dilation=(1, 1), groups=1,
                                       activation="linear"))


class SeparableConv1D(SeparableConv2D):
    """SeparableConv2D over one axis: x (batch, steps, features) → (batch, steps', filters)."""

    rank = 1
