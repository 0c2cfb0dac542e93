"""Conv1D, Conv2D and their transposes. Floor 3.

One dimension is two with height 1: a sequence (batch, steps, features) becomes an image (batch, 1, steps, features).
"""

from typing import Any, ClassVar, Unpack

from fastnn import activations, constraints, initializers, regularizers
from fastnn.arguments import channels_last, choice, flag, optional, sizes, whole
from fastnn.engine.kinds import ActivationLike, ConstraintLike, InitializerLike, Ints, RegularizerLike
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import ShapeError, shown
from fastnn.layers._options import CommonOptions, LayerOptions
from fastnn.layers._shapes import checked_rank, same_pads
from fastnn.layers.layer import Layer
from fastnn.literals import CausalPadding
from fastnn.ops.rows import conv as ops
from fastnn.ops.rows.data import reshape, transpose

__all__ = ["Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose"]

_AXES = {1: "batch, steps, features", 2: "batch, rows, columns, channels"}


class Convolution(Layer):
    """What the layers of this family share: a kernel that moves over one or two axes, a bias, an activation."""

    rank: ClassVar[int] = 2
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def __init__(self, kernel_size: Ints, strides: Ints, padding: CausalPadding, data_format: str | None,
                 dilation_rate: Ints, activation: ActivationLike, use_bias: bool, bias_initializer: InitializerLike,
                 bias_regularizer: RegularizerLike, bias_constraint: ConstraintLike,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        kind = type(self).__name__
        self.kernel_size = sizes(kernel_size, f"{kind}: kernel_size", self.rank)
        self.strides = sizes(strides, f"{kind}: strides", self.rank)
        self.dilation_rate = sizes(dilation_rate, f"{kind}: dilation_rate", self.rank)
        self.padding = choice(padding, f"{kind}: padding", self.paddings)
        self.data_format = channels_last(data_format, kind)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(f"{kind}: strides are {self.strides} and dilation_rate is {self.dilation_rate}; at "
                             "most one of them can be more than 1.")
        self.activation = activations.get(activation)
        self.use_bias = flag(use_bias, f"{kind}: use_bias")
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)

    def _channels(self, input_shape: Any) -> int:
        """The number of channels of an input shape that has the layer's axes. ShapeError else."""
        checked_rank(Tensor(None, shape=tuple(input_shape), dtype="float32"), _AXES[self.rank], self.name)
        if input_shape[-1] is None:
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(input_shape)}; needs the number of channels, "
                             "the last axis, known.")
        return int(input_shape[-1])

    def _add_bias(self, filters: int) -> None:
        self.bias: Any = None
        if self.use_bias:
            self.bias = self.add_weight((filters,), self.bias_initializer, name="bias",
                                        regularizer=self.bias_regularizer, constraint=self.bias_constraint)

    def _bias(self, filters: int, like: Tensor) -> Tensor:
        return self.bias if self.use_bias else ops.no_bias(filters, like)

    def _image(self, x: Tensor, channels: int) -> Tensor:
        """x as images, checked: its axes, its channels, and the kernel inside."""
        checked_rank(x, _AXES[self.rank], self.name)
        if x.shape[-1] != channels:
            raise ShapeError(f"{self.name}: got inputs of shape {x.shape}; needs {channels} channels, as it was built.")
        return reshape(x, shape=(-1, 1, *x.shape[1:])) if self.rank == 1 else x

    def _settings(self, x: Tensor) -> dict[str, Any]:
        """strides, pads and dilation for images x. ShapeError for a kernel larger than the image."""
        pads: tuple[int, ...] = ()
        for n, k, s, d in zip(x.shape[1:3], *self._pairs(), strict=False):
            window = (k - 1) * d + 1
            if self.padding == "valid" and window > n:
                raise ShapeError(f"{self.name}: got inputs of shape {self._outer(x.shape)}; needs room for the kernel, "
                                 f"{self.kernel_size}.\nIt covers {window} places, dilation_rate included; there are "
                                 f"{n}. Use larger inputs, a smaller kernel_size or padding='same'.")
            pads += same_pads(n, window, s) if self.padding == "same" else (0, 0)
        if self.padding == "causal":
            pads = (0, 0, (self.kernel_size[0] - 1) * self.dilation_rate[0], 0)
        _, strides, dilation = self._pairs()
        return {"strides": strides, "pads": pads, "dilation": dilation}

    def _pairs(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Kernel size, strides and dilation, for two axes."""
        one, two, three = ((1, *value)[-2:] for value in (self.kernel_size, self.strides, self.dilation_rate))
        return one, two, three

    def _outer(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of images as the layer's user knows it."""
        return (shape[0], *shape[2:]) if self.rank == 1 else shape

    def _weights(self, w: Variable) -> Tensor:
        """A weight as weights of a convolution over two axes."""
        return reshape(w, shape=(1, *w.shape)) if self.rank == 1 else w

    def _finish(self, y: Tensor) -> Tensor:
        """Back from images to the layer's axes, and the activation."""
        return self.activation(reshape(y, shape=(-1, *y.shape[2:])) if self.rank == 1 else y)


class Filters(Convolution):
    """A convolution of `filters` filters with one kernel; the channels may be cut into groups."""

    groups: int = 1

    def __init__(self, filters: int, kernel_initializer: InitializerLike, kernel_regularizer: RegularizerLike,
                 kernel_constraint: ConstraintLike, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = whole(filters, f"{type(self).__name__}: filters")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias. ShapeError for channels that groups does not divide."""
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(input_shape)} and groups {self.groups}; needs a "
                             "number of channels that groups divides.")
        self.kernel = self.add_weight((*self.kernel_size, *self._kernel_channels(channels)), self.kernel_initializer,
                                      name="kernel", regularizer=self.kernel_regularizer,
                                      constraint=self.kernel_constraint)
        self._add_bias(self.filters)

    def _kernel_channels(self, channels: int) -> tuple[int, int]:
        """The last two axes of the kernel."""
        return channels // self.groups, self.filters


class Conv2D(Filters):
    """y[i, j, f] = activation(b[f] + Σ x[i·sh + k·dh - top, j·sw + l·dw - left, c]·kernel[k, l, c, f]).

    x (batch, rows, columns, channels) → (batch, rows', columns', filters); kernel (kh, kw, channels / groups, filters),
    bias (filters,). padding 'valid': no zeros around, rows' = (rows - kh)//sh + 1; 'same': rows' = ⌈rows / sh⌉.
    Defaults as Keras: Glorot uniform kernel, zero bias. Raises TypeError/ValueError for sizes that are no whole numbers
    >= 1, filters that groups do not divide, strides and dilation both over 1; ShapeError for inputs that do not fit.
    """

    def __init__(self, filters: int, kernel_size: Ints, strides: Ints = 1, padding: CausalPadding = "valid",
                 data_format: str | None = None, dilation_rate: Ints = 1, groups: int = 1,
                 activation: ActivationLike = None, use_bias: bool = True,
                 kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 activity_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, **kwargs: Unpack[CommonOptions]) -> None:
        super().__init__(filters, kernel_initializer, kernel_regularizer, kernel_constraint, kernel_size=kernel_size,
                         strides=strides, padding=padding, data_format=data_format, dilation_rate=dilation_rate,
                         activation=activation, use_bias=use_bias, bias_initializer=bias_initializer,
                         bias_regularizer=bias_regularizer, bias_constraint=bias_constraint,
                         activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        self.groups = whole(groups, f"{kind}: groups")
        if self.filters % self.groups:
            raise ValueError(f"{kind}: filters is {self.filters} and groups {self.groups}; needs filters that groups "
                             "divides.")

    def call(self, x: Tensor) -> Tensor:
        """activation(x ∗ kernel + b)."""
        x = self._image(x, self.kernel.shape[-2] * self.groups)
        return self._finish(ops.conv2d(x, self._weights(self.kernel), self._bias(self.filters, x), groups=self.groups,
                                       activation="linear", **self._settings(x)))


class Conv1D(Conv2D):
    """Conv2D over one axis: x (batch, steps, features) → (batch, steps', filters).

    kernel (k, features / groups, filters). padding may be 'causal' too: output t sees inputs up to t only.
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2DTranspose(Filters):
    """Spreads every input over the outputs that a Conv2D would have read it from: the way back of its shapes.

    x (batch, rows, columns, channels) → (batch, rows', columns', filters); kernel (kh, kw, filters, channels).
    rows' = rows·sh for 'same', rows·sh + max(window - sh, 0) for 'valid', window = (kh - 1)·dh + 1; with output_padding
    (rows - 1)·sh + window - 2·pad + output_padding, pad being window//2 for 'same', else 0. Zeiler et al. 2010.
    """

    def __init__(self, filters: int, kernel_size: Ints, strides: Ints = 1, padding: CausalPadding = "valid",
                 output_padding: Ints | None = None, data_format: str | None = None, dilation_rate: Ints = 1,
                 activation: ActivationLike = None, use_bias: bool = True,
                 kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 activity_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, **kwargs: Unpack[CommonOptions]) -> None:
        super().__init__(filters, kernel_initializer, kernel_regularizer, kernel_constraint, kernel_size=kernel_size,
                         strides=strides, padding=padding, data_format=data_format, dilation_rate=dilation_rate,
                         activation=activation, use_bias=use_bias, bias_initializer=bias_initializer,
                         bias_regularizer=bias_regularizer, bias_constraint=bias_constraint,
                         activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        self.output_padding = optional(sizes, output_padding, f"{kind}: output_padding", self.rank, 0)
        if any(n >= s for n, s in zip(self.output_padding or (), self.strides)):
            raise ValueError(f"{kind}: output_padding is {shown(output_padding)} and strides are {self.strides}; "
                             "needs numbers smaller than the strides.")

    def _kernel_channels(self, channels: int) -> tuple[int, int]:
        return self.filters, channels

    def call(self, x: Tensor) -> Tensor:
        """The transposed convolution."""
        x = self._image(x, self.kernel.shape[-1])
        size, pads = self._size_and_pads(x)
        _, strides, dilation = self._pairs()
        w = transpose(self._weights(self.kernel), axes=(0, 1, 3, 2))
        return self._finish(ops.conv2d_transpose(
            x, w, self._bias(self.filters, x), size=size, strides=strides, pads=pads, dilation=dilation, groups=1,
            activation="linear"))

    def _size_and_pads(self, x: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Height and width of the output, and the pads of the convolution that would lead back from there."""
        size: tuple[int, ...] = ()
        pads: tuple[int, ...] = ()
        more = (None,) * 2 if self.output_padding is None else (0, *self.output_padding)[-2:]
        for n, k, s, d, extra in zip(x.shape[1:3], *self._pairs(), more, strict=False):
            window, same = (k - 1) * d + 1, self.padding == "same"
            if extra is None:
                out = n * s + (0 if same else max(window - s, 0))
            else:
                out = (n - 1) * s + window - 2 * (window // 2 if same else 0) + extra
            before, after = same_pads(out, window, s) if same else (0, 0)
            if (out + before + after - window) // s + 1 != n:
                raise ShapeError(f"{self.name}: got inputs of shape {self._outer(x.shape)} and output_padding "
                                 f"{self.output_padding}; needs another, or none.\nNo convolution leads from {out} "
                                 f"places back to {n}.")
            size, pads = (*size, out), (*pads, before, after)
        return size, pads


class Conv1DTranspose(Conv2DTranspose):
    """Conv2DTranspose over one axis: x (batch, steps, features) → (batch, steps', filters).

    kernel (k, filters, features).
    """

    rank = 1
