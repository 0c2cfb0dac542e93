"""BatchNormalization, LayerNormalization, GroupNormalization. Floor 3."""

import math
from typing import Any, Unpack

import numpy as np

from fastnn import constraints, initializers, regularizers
from fastnn.arguments import axes, flag, is_sequence, number, whole
from fastnn.engine import backend
from fastnn.engine.kinds import ConstraintLike, InitializerLike, Ints, RegularizerLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer
from fastnn.ops import broadcast_to
from fastnn.ops.rows import data as data_ops
from fastnn.ops.rows.batch_norm import batch_norm
from fastnn.ops.rows.dense import add_bias, sum_rows
from fastnn.ops.rows.elementwise import add_constant, divide, multiply, sqrt, square, subtract
from fastnn.ops.rows.norm import group_norm, layer_norm
from fastnn.ops.rows.optimizer import ema_step
from fastnn.ops.rows.reduce import expand

__all__ = ["BatchNormalization", "GroupNormalization", "LayerNormalization"]


def _last(x: Tensor, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The order of axes that puts these last."""
    return tuple(axis for axis in range(x.ndim) if axis not in axes) + axes


def _moved(x: Tensor, order: tuple[int, ...]) -> Tensor:
    return x if order == tuple(range(x.ndim)) else data_ops.transpose(x, axes=order)


def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(order.index(axis) for axis in range(len(order)))


class _Normalization(Layer):
    """γ·x̂ + β along some axes: gamma where `scale`, beta where `center`."""
    supports_masking = True

    def __init__(self, axis: Ints, epsilon: float, center: bool, scale: bool, beta_initializer: InitializerLike,
                 gamma_initializer: InitializerLike, beta_regularizer: RegularizerLike,
                 gamma_regularizer: RegularizerLike, beta_constraint: ConstraintLike, gamma_constraint: ConstraintLike,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        where = type(self).__name__
        found = axes(axis, f"{where}: axis")
        self.axis = list(found) if is_sequence(axis) else found[0]
        self.epsilon = number(epsilon, f"{where}: epsilon", 0)
        self.center, self.scale = flag(center, f"{where}: center"), flag(scale, f"{where}: scale")
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Any = None
        self.beta: Any = None
        self._shape: tuple[int, ...] = ()
        self._rank = 0

    def _axes(self, rank: int, shape: Any) -> tuple[int, ...]:
        """The axes counted from the front, increasing. ShapeError where there is no such axis, or it is the batch."""
        given = self.axis if isinstance(self.axis, list) else [self.axis]
        axes = sorted({a + rank if a < 0 else a for a in given})
        if len(axes) != len(given) or axes[0] < 1 or axes[-1] >= rank:
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(shape)} and axis is {self.axis}; needs "
                             f"axes from 1 to {rank - 1}, each once; axis 0 is the batch.")
        return tuple(axes)

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        axes = self._axes(len(input_shape), input_shape)
        self._shape = tuple(input_shape[a] for a in axes)
        if None in self._shape:
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(input_shape)}; needs axis {self.axis} known; "
                             "give the input shape in full.")
        if self.scale:
            self.gamma = self.add_weight(self._shape, self.gamma_initializer, name="gamma",
                                         regularizer=self.gamma_regularizer, constraint=self.gamma_constraint)
        if self.center:
            self.beta = self.add_weight(self._shape, self.beta_initializer, name="beta",
                                        regularizer=self.beta_regularizer, constraint=self.beta_constraint)

    def _order(self, x: Tensor) -> tuple[int, ...]:
        """The axes with the normalized ones last. ShapeError for inputs unlike those it was built for."""
        axes = self._axes(x.ndim, x.shape)
        if tuple(x.shape[a] for a in axes) != self._shape:
            raise ShapeError(f"{self.name}: got inputs of shape {x.shape}; needs {self._shape} along axis {self.axis}, "
                             "as it was built.")
        return _last(x, axes)

    def _weights(self) -> tuple[Tensor, Tensor]:
        """gamma and beta as vectors, or ones and zeros in their place."""
        size, dtype = math.prod(self._shape), backend.floatx()
        gamma = Tensor(np.ones(size, dtype), "one", constant=True) if self.gamma is None else self.gamma
        beta = Tensor(np.zeros(size, dtype), "zero", constant=True) if self.beta is None else self.beta
        if len(self._shape) == 1:
            return gamma, beta
        return data_ops.reshape(gamma, shape=(size,)), data_ops.reshape(beta, shape=(size,))


class BatchNormalization(_Normalization):
    """y = γ·(x - mean)/√(variance + ε) + β for each place of `axis`, the channels. y has x's shape, of any rank.

    In training, mean and (biased) variance are those of the batch, and moving_mean, moving_variance become
    momentum·old + (1 - momentum)·new; otherwise, and where trainable is False, the moving ones are used. Weights:
    gamma, beta (trained), moving_mean, moving_variance. Defaults as Keras. TypeError or ValueError for arguments out of
    range, ShapeError for an axis that the inputs do not have. Ioffe and Szegedy 2015.
    """

    def __init__(self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True,
                 scale: bool = True, beta_initializer: InitializerLike = "zeros",
                 gamma_initializer: InitializerLike = "ones", moving_mean_initializer: InitializerLike = "zeros",
                 moving_variance_initializer: InitializerLike = "ones", beta_regularizer: RegularizerLike = None,
                 gamma_regularizer: RegularizerLike = None, beta_constraint: ConstraintLike = None,
                 gamma_constraint: ConstraintLike = None, **kwargs: Unpack[LayerOptions]) -> None:
        if kwargs.pop("synchronized", False):  # type: ignore[typeddict-item]
            raise ValueError("BatchNormalization: synchronized is True; needs False: fastnn trains on one machine.")
        axis = whole(axis, "BatchNormalization: axis", None)
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                         gamma_regularizer, beta_constraint, gamma_constraint, **kwargs)
        self.momentum = number(momentum, "BatchNormalization: momentum", 0, 1)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Any) -> None:
        """Make gamma, beta and the moving averages."""
        super().build(input_shape)
        self.moving_mean = self.add_weight(self._shape, self.moving_mean_initializer, trainable=False,
                                           name="moving_mean")
        self.moving_variance = self.add_weight(self._shape, self.moving_variance_initializer, trainable=False,
                                               name="moving_variance")

    def call(self, x: Tensor, training: bool = False, mask: Tensor | None = None) -> Tensor:
        """Normalize, and in training move the averages. mask: of steps that do not count in mean and variance."""
        order = self._order(x)
        gamma, beta = self._weights()
        channels_last = _moved(x, order)
        if training and self.trainable:
            if mask is None:
                y, mean, variance = batch_norm(channels_last, gamma, beta, None, None, epsilon=self.epsilon)
            else:
                y, mean, variance = self._masked(channels_last, _moved(self._weights_of(mask, x), order), gamma, beta)
            if not y.symbolic:
                ema_step(self.moving_mean, mean, momentum=self.momentum)
                ema_step(self.moving_variance, variance, momentum=self.momentum)
        else:
            y, _, _ = batch_norm(channels_last, gamma, beta, self.moving_mean, self.moving_variance,
                                 epsilon=self.epsilon)
        return _moved(y, _inverse(order))

    def _weights_of(self, mask: Tensor, x: Tensor) -> Tensor:
        """1 where a number of x counts. ShapeError for a mask that has not all axes of x but the last."""
        if mask.ndim != x.ndim - 1 or any(n not in (1, m) for n, m in zip(mask.shape, x.shape)):
            raise ShapeError(f"{self.name}: got a mask of shape {mask.shape} for inputs of shape {x.shape}; needs one "
                             f"axis less than they, {x.shape[:-1]}.")
        mask = mask if mask.shape == x.shape[:-1] or x.symbolic else broadcast_to(mask, x.shape[:-1])
        return expand(mask, shape=x.shape, axes=(x.ndim - 1,))

    def _masked(self, x: Tensor, weights: Tensor, gamma: Tensor, beta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """y, mean and variance, these from what counts (Keras adds 1e-7 to how much that is)."""
        count = add_constant(sum_rows(weights), value=1e-7)
        axes = tuple(range(x.ndim - 1))
        mean = divide(sum_rows(multiply(x, weights)), count)
        centred = subtract(x, expand(mean, shape=x.shape, axes=axes))
        variance = divide(sum_rows(multiply(square(centred), weights)), count)
        slope = divide(gamma, sqrt(add_constant(variance, value=self.epsilon)))
        y = add_bias(multiply(centred, expand(slope, shape=x.shape, axes=axes)), beta)
        return y, mean, variance

class LayerNormalization(_Normalization):
    """y = γ·(x - mean)/√(variance + ε) + β, mean and variance over `axis` (one or several) of each sample.

    gamma and beta have the shape of these axes; y has x's shape. Defaults as Keras. TypeError or ValueError for
    arguments out of range (rms_scaling is not offered), ShapeError for axes the inputs do not have. Ba et al. 2016.
    """

    def __init__(self, axis: Ints = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
                 beta_initializer: InitializerLike = "zeros", gamma_initializer: InitializerLike = "ones",
                 beta_regularizer: RegularizerLike = None, gamma_regularizer: RegularizerLike = None,
                 beta_constraint: ConstraintLike = None, gamma_constraint: ConstraintLike = None,
                 rms_scaling: bool = False, **kwargs: Unpack[LayerOptions]) -> None:
        if flag(rms_scaling, "LayerNormalization: rms_scaling"):
            raise ValueError("LayerNormalization: rms_scaling is True, which Keras has given up; needs False.")
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                         gamma_regularizer, beta_constraint, gamma_constraint, **kwargs)
        self.rms_scaling = False

    def goes_stepwise(self, call: dict[str, Any]) -> bool:
        """Along the last axis only."""
        return self.axis in (-1, (-1,), [-1])

    def call(self, x: Tensor) -> Tensor:
        """Normalize each sample along the axes."""
        order = self._order(x)
        moved = _moved(x, order)
        rows = data_ops.reshape(moved, shape=(-1, math.prod(self._shape)))
        y = layer_norm(rows, *self._weights(), epsilon=self.epsilon)[0]
        return _moved(data_ops.reshape(y, shape=(-1, *moved.shape[1:])), _inverse(order))


class GroupNormalization(_Normalization):
    """y = γ·(x - mean)/√(variance + ε) + β, mean and variance of each sample's groups of neighbouring channels.

    groups: how many; -1 is one per channel (instance normalization). axis: the channels. Defaults as Keras. ValueError
    for groups that do not divide the channels. Wu and He 2018.
    """

    def __init__(self, groups: int = 32, axis: int = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
                 beta_initializer: InitializerLike = "zeros", gamma_initializer: InitializerLike = "ones",
                 beta_regularizer: RegularizerLike = None, gamma_regularizer: RegularizerLike = None,
                 beta_constraint: ConstraintLike = None, gamma_constraint: ConstraintLike = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        axis = whole(axis, "GroupNormalization: axis", None)
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                         gamma_regularizer, beta_constraint, gamma_constraint, **kwargs)
        self.groups = -1 if isinstance(groups, int) and groups == -1 else whole(groups, "GroupNormalization: groups")

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta. ShapeError for groups that do not divide the channels."""
        channels = input_shape[self._axes(len(input_shape), input_shape)[0]]
        if self.groups != -1 and channels is not None and channels % self.groups:
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(input_shape)} and groups is {self.groups}; "
                             f"needs groups that divide the {channels} channels.\nChange groups; -1: one per channel.")
        super().build(input_shape)

    def call(self, x: Tensor) -> Tensor:
        """Normalize each sample's groups."""
        order = self._order(x)
        groups = self._shape[0] if self.groups == -1 else self.groups
        y = group_norm(_moved(x, order), *self._weights(), groups=groups, epsilon=self.epsilon)[0]
        return _moved(y, _inverse(order))
