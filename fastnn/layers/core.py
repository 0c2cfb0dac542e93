"""Dense, Activation, Flatten, Reshape, Dropout. Floor 3."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Unpack

import numpy as np

from fastnn import activations, constraints, initializers, regularizers
from fastnn.arguments import channels_last, flag, is_sequence, optional, shape, share, whole
from fastnn.engine.kinds import ActivationLike, ConstraintLike, Dims, InitializerLike, RegularizerLike
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import KindError, ShapeError, shown
from fastnn.layers._options import CommonOptions, LayerOptions
from fastnn.layers._random import RandomLayer
from fastnn.layers.layer import Layer
from fastnn.ops._memory import sizes_are_tried
from fastnn.ops.rows import data as data_ops
from fastnn.ops.rows.dense import dense, matmul
from fastnn.ops.rows.elementwise import multiply
from fastnn.ops.rows.random import dropout
from fastnn.ops.rows.reduce import expand

__all__ = ["Activation", "Dense", "Dropout", "Flatten", "Reshape"]


class Dense(Layer):
    """y = activation(x W + b). x (..., in) → y (..., units); W (in, units), b (units,).

    Defaults as Keras: linear, Glorot uniform kernel, zero bias.
    Raises TypeError/ValueError for units that are not a whole number >= 1.
    """
    stepwise = True
    supports_masking = True

    def __init__(self, units: int, activation: ActivationLike = None, use_bias: bool = True,
                 kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 activity_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, **kwargs: Unpack[CommonOptions]) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = whole(units, "Dense: units")
        self.activation = activations.get(activation)
        self.use_bias = flag(use_bias, "Dense: use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Dims) -> None:
        """Make kernel and bias."""
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(input_shape)}; needs (batch, ..., features) "
                             "with the number of features known.")
        self.kernel = self.add_weight((input_shape[-1], self.units), self.kernel_initializer, name="kernel",
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.bias: Any = None
        if self.use_bias:
            self.bias = self.add_weight((self.units,), self.bias_initializer, name="bias",
                                        regularizer=self.bias_regularizer, constraint=self.bias_constraint)

    def call(self, x: Tensor) -> Tensor:
        """activation(x W + b)."""
        features = self.kernel.shape[0]
        if x.ndim < 2 or x.shape[-1] != features:
            raise ShapeError(f"{self.name}: got inputs of shape {x.shape}; needs (batch, ..., {features}), as it was "
                             "built." + (" Add a batch axis: x[None]." if x.shape == (features,) else ""))
        rows = x if x.ndim == 2 else data_ops.reshape(x, shape=(-1, features))
        y = dense(rows, self.kernel, self.bias, activation="linear") if self.use_bias else matmul(rows, self.kernel)
        if x.ndim > 2:
            y = data_ops.reshape(y, shape=(-1, *x.shape[1:-1], self.kernel.shape[1]))
        return y if self.activation is None else self.activation(y)


class Activation(Layer):
    """Applies an activation function, by name or as a function of a tensor."""
    stepwise = True
    supports_masking = True

    def __init__(self, activation: ActivationLike, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, x: Tensor) -> Tensor:
        """activation(x)."""
        return self.activation(x)

    def summary_note(self) -> str:
        """The function's name."""
        return str(getattr(self.activation, "__name__", ""))


class Flatten(Layer):
    """(batch, a, b, ...) → (batch, a·b·...). The numbers stay where they are."""

    def __init__(self, data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.data_format = channels_last(data_format, "Flatten")

    def call(self, x: Tensor) -> Tensor:
        """Reshape to two axes."""
        return data_ops.reshape(x, shape=(-1, math.prod(x.shape[1:])))


class Reshape(Layer):
    """(batch, ...) → (batch, *target_shape); one -1 is worked out. The numbers stay where they are."""

    def __init__(self, target_shape: Sequence[int], **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        if not is_sequence(target_shape):
            raise KindError(f"Reshape: target_shape is {shown(target_shape)}; needs a tuple of whole numbers.")
        self.target_shape = tuple(whole(n, "Reshape: target_shape", None) for n in target_shape)
        if any(n < 1 and n != -1 for n in self.target_shape) or self.target_shape.count(-1) > 1:
            raise ValueError(f"Reshape: target_shape is {shown(target_shape)}; needs numbers >= 1, at most one of them "
                             "-1.")

    def call(self, x: Tensor) -> Tensor:
        """Reshape each sample. ShapeError where the sizes differ."""
        if -1 not in self.target_shape and sizes_are_tried():
            return Tensor(None, shape=(x.shape[0], *self.target_shape), dtype=x.dtype)
        size, known = math.prod(x.shape[1:]), math.prod(n for n in self.target_shape if n != -1)
        if size % known if -1 in self.target_shape else size != known:
            raise ShapeError(f"{self.name}: got samples of shape {x.shape[1:]} ({size} numbers); cannot become "
                             f"{self.target_shape}; needs the same count, at most one -1.")
        return data_ops.reshape(x, shape=(-1, *(size // known if n == -1 else n for n in self.target_shape)))


class BaseDropout(RandomLayer):
    """What the layers share that drop numbers: a rate, and a shape of what is dropped together."""

    noise_shape: tuple[int | None, ...] | None = None
    stepwise = True
    supports_masking = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        rate = share(rate, f"{type(self).__name__}: rate")
        super().__init__(seed=seed, **kwargs)
        self.rate = rate

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Drop in training, pass otherwise."""
        if not training or self.rate == 0:
            return x
        if self.noise_shape is None:
            return dropout(x, self._key(), rate=self.rate, stream=0)
        if len(self.noise_shape) != x.ndim or any(m not in (None, 1, n) for n, m in zip(x.shape, self.noise_shape)):
            raise ShapeError(f"{self.name}: got inputs of shape {x.shape} and noise_shape is {self.noise_shape}; needs "
                             f"{x.ndim} axes: 1 or None, or the input's own.")
        sides = tuple(n if m is None else m for n, m in zip(x.shape, self.noise_shape))
        ones = Tensor(None, shape=sides, dtype=x.dtype) if x.symbolic else Tensor(np.ones(sides, x.dtype), "ones")
        mask = dropout(ones, self._key(), rate=self.rate, stream=0)
        axes = tuple(i for i, (n, m) in enumerate(zip(x.shape, sides)) if m != n)
        flat = data_ops.reshape(mask, shape=tuple(n for i, n in enumerate(sides) if i not in axes))
        return multiply(x, expand(flat, shape=x.shape, axes=axes))

    def _seeds(self) -> list[Variable]:
        return super()._seeds() if self.rate else []        # it never draws

    def summary_note(self) -> str:
        """The rate."""
        return f"rate={self.rate:g}"


class Dropout(BaseDropout):
    """In training y = x · keep / (1 - rate), keep = 1 with probability 1 - rate, drawn anew per batch; else y = x.

    rate in [0, 1). noise_shape: axes of length 1 share one draw. seed: an own random stream. Srivastava et al. 2014.
    The mask is a function of (the generator's state, index): backward draws it again instead of storing it.
    """

    def __init__(self, rate: float, noise_shape: Dims | None = None, seed: int | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = optional(shape, noise_shape, "Dropout: noise_shape")


class HandedOn(property):
    """An argument of a layer that parts of it have too, as an attribute: setting it sets theirs, where they are.

    check(value, what it is) gives the value. places: (attribute that holds a part, the part's own attribute)."""

    def __init__(self, check: Callable[[Any, str], Any], *places: tuple[str, str]) -> None:
        super().__init__(self._get, self._put)
        self.check, self.places, self.name = check, places, ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def _get(self, layer: Any) -> Any:
        return getattr(layer, f"_own_{self.name}")

    def _put(self, layer: Any, value: Any) -> None:
        value = self.check(value, f"{type(layer).__name__}: {self.name}")
        setattr(layer, f"_own_{self.name}", value)
        for holder, attribute in self.places:
            part = vars(layer).get(holder)
            if part is not None:
                setattr(part, attribute, value)


class DropoutRate(HandedOn):
    """The dropout rate of a layer with parts that drop. made: one that is made when it is needed first, a Dropout."""

    def __init__(self, *places: tuple[str, str], made: str = "") -> None:
        super().__init__(share, *places, *[(made, "rate")] * bool(made))
        self.made = made

    def _put(self, layer: Any, value: Any) -> None:
        rate = self.check(value, f"{type(layer).__name__}: {self.name}")
        if self.made and rate and vars(layer).get(self.made) is None:
            setattr(layer, self.made, Dropout(rate, seed=layer.seed))
        super()._put(layer, rate)
