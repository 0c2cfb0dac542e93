"""LayerNormalization, GroupNormalization, and what BatchNormalization shares with them. Floor 3."""

import math
from typing import Any, Unpack

import numpy as np

from fastnn import constraints, initializers, ops, regularizers
from fastnn.arguments import axes, flag, is_sequence, number, whole
from fastnn.engine import backend
from fastnn.engine.kinds import ConstraintLike, InitializerLike, Ints, RegularizerLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, warn
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer
from fastnn.ops.rows import data as data_ops
from fastnn.ops.rows.norm import group_norm, layer_norm

__all__ = ["GroupNormalization", "LayerNormalization"]


def _last(x: Tensor, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The order of axes that puts these last."""
    return tuple(axis for axis in range(x.ndim) if axis not in axes) + axes


def moved(x: Tensor, order: tuple[int, ...]) -> Tensor:
    """x with its axes in this order."""
    return x if order == tuple(range(x.ndim)) else data_ops.transpose(x, axes=order)


def inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    """The order that undoes it."""
    return tuple(order.index(axis) for axis in range(len(order)))


def unit(size: int) -> tuple[Tensor, Tensor]:
    """Ones and zeros: gamma and beta that change nothing."""
    return (Tensor(np.ones(size, backend.floatx()), "one", constant=True),
            Tensor(np.zeros(size, backend.floatx()), "zero", constant=True))


class AffineNormalization(Layer):
    """γ·x̂ + β along some axes: gamma where `scale`, beta where `center`."""
    supports_masking = True
    rms_scaling = False     # of LayerNormalization alone: gamma whatever `scale` says, and no beta

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
        if self.scale or self.rms_scaling:
            self.gamma = self.add_weight(self._shape, self.gamma_initializer, name="gamma",
                                         regularizer=self.gamma_regularizer, constraint=self.gamma_constraint)
        if self.center and not self.rms_scaling:
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
        size = math.prod(self._shape)
        ones, zeros = unit(size)
        gamma, beta = ones if self.gamma is None else self.gamma, zeros if self.beta is None else self.beta
        if len(self._shape) == 1:
            return gamma, beta
        return data_ops.reshape(gamma, shape=(size,)), data_ops.reshape(beta, shape=(size,))


class LayerNormalization(AffineNormalization):
    """y = γ·(x - mean)/√(variance + ε) + β, mean and variance over `axis` (one or several) of each sample.

    gamma and beta have the shape of these axes; y has x's shape. rms_scaling: y = γ·x/√(variance + ε), the mean left in
    and no beta; Keras gave it up for RMSNormalization, and both warn. Defaults as Keras. TypeError or ValueError for
    arguments out of range, ShapeError for axes the inputs do not have. Ba et al. 2016.
    """

    def __init__(self, axis: Ints = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
                 beta_initializer: InitializerLike = "zeros", gamma_initializer: InitializerLike = "ones",
                 beta_regularizer: RegularizerLike = None, gamma_regularizer: RegularizerLike = None,
                 beta_constraint: ConstraintLike = None, gamma_constraint: ConstraintLike = None,
                 rms_scaling: bool = False, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                         gamma_regularizer, beta_constraint, gamma_constraint, **kwargs)
        self.rms_scaling = flag(rms_scaling, "LayerNormalization: rms_scaling")
        if self.rms_scaling:
            warn("LayerNormalization: rms_scaling divides by the deviation, not by the root mean square; use "
                 "layers.RMSNormalization for that.")

    def goes_stepwise(self, call: dict[str, Any]) -> bool:
        """Along the last axis only."""
        return self.axis in (-1, (-1,), [-1])

    def call(self, x: Tensor) -> Tensor:
        """Normalize each sample along the axes."""
        order = self._order(x)
        turned = moved(x, order)
        if self.rms_scaling:
            last = tuple(range(x.ndim - len(self._shape), x.ndim))
            deviation = ops.sqrt(ops.add(ops.var(turned, axis=last, keepdims=True), self.epsilon))
            return moved(ops.multiply(ops.divide(turned, deviation), self.gamma), inverse(order))
        rows = data_ops.reshape(turned, shape=(-1, math.prod(self._shape)))
        y = layer_norm(rows, *self._weights(), epsilon=self.epsilon)[0]
        return moved(data_ops.reshape(y, shape=turned.shape), inverse(order))


class GroupNormalization(AffineNormalization):
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
        y = group_norm(moved(x, order), *self._weights(), groups=groups, epsilon=self.epsilon)[0]
        return moved(y, inverse(order))
