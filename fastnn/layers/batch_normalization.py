"""BatchNormalization, with batch renormalization. Floor 3."""

from typing import Any, Unpack

import numpy as np

from fastnn import initializers, ops
from fastnn.arguments import flag, number, optional, whole
from fastnn.engine.kinds import ConstraintLike, InitializerLike, RegularizerLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, nearest, shown
from fastnn.layers._options import LayerOptions
from fastnn.layers.normalization import AffineNormalization, inverse, moved, unit
from fastnn.ops import broadcast_to
from fastnn.ops.rows.batch_norm import batch_norm
from fastnn.ops.rows.dense import add_bias, sum_rows
from fastnn.ops.rows.elementwise import add_constant, divide, multiply, sqrt, square, subtract
from fastnn.ops.rows.optimizer import ema_step
from fastnn.ops.rows.reduce import expand

__all__ = ["BatchNormalization"]

_LIMITS = ("rmax", "rmin", "dmax")


class BatchNormalization(AffineNormalization):
    """y = γ·(x - mean)/√(variance + ε) + β for each place of `axis`, the channels. y has x's shape, of any rank.

    In training, mean and (biased) variance are those of the batch, and moving_mean, moving_variance become
    momentum·old + (1 - momentum)·new; otherwise, and where trainable is False, the moving ones are used. Weights:
    gamma, beta (trained), moving_mean, moving_variance. Defaults as Keras. TypeError or ValueError for arguments out of
    range, ShapeError for an axis that the inputs do not have. Ioffe and Szegedy 2015.

    renorm: batch renormalization, for small batches. In training y = γ·(r·x̂ + d) + β with x̂ as above, σ = √(variance +
    ε), r = σ/renorm_stddev and d = (mean - renorm_mean)/renorm_stddev, through which no gradient goes; renorm_clipping,
    {"rmin": …, "rmax": …, "dmax": …} or some of them, keeps r in [rmin, rmax] and d in [-dmax, dmax]. renorm_mean and
    renorm_stddev (at least √ε) are averages of mean and σ with renorm_momentum; moving_stddev is that of σ with
    momentum, and moving_variance its square less ε. Ioffe 2017.
    """

    def __init__(self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True,
                 scale: bool = True, beta_initializer: InitializerLike = "zeros",
                 gamma_initializer: InitializerLike = "ones", moving_mean_initializer: InitializerLike = "zeros",
                 moving_variance_initializer: InitializerLike = "ones", beta_regularizer: RegularizerLike = None,
                 gamma_regularizer: RegularizerLike = None, beta_constraint: ConstraintLike = None,
                 gamma_constraint: ConstraintLike = None, renorm: bool = False,
                 renorm_clipping: dict[str, float] | None = None, renorm_momentum: float = 0.99,
                 **kwargs: Unpack[LayerOptions]) -> None:
        if kwargs.pop("synchronized", False):  # type: ignore[typeddict-item]
            raise ValueError("BatchNormalization: synchronized is True; needs False: fastnn trains on one machine.")
        axis = whole(axis, "BatchNormalization: axis", None)
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                         gamma_regularizer, beta_constraint, gamma_constraint, **kwargs)
        self.momentum = number(momentum, "BatchNormalization: momentum", 0, 1)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm = flag(renorm, "BatchNormalization: renorm")
        self.renorm_momentum = number(renorm_momentum, "BatchNormalization: renorm_momentum", 0, 1)
        self.renorm_clipping = optional(_limits, renorm_clipping, "BatchNormalization: renorm_clipping")
        if self.renorm_clipping and not self.renorm:
            raise ValueError(f"BatchNormalization: renorm_clipping is {renorm_clipping} and renorm is False; needs "
                             "renorm=True, or no renorm_clipping.")

    def build(self, input_shape: Any) -> None:
        """Make gamma, beta and the moving averages."""
        super().build(input_shape)
        self.moving_mean = self.add_weight(self._shape, self.moving_mean_initializer, trainable=False,
                                           name="moving_mean")
        self.moving_variance = self.add_weight(self._shape, self.moving_variance_initializer, trainable=False,
                                               name="moving_variance")
        if self.renorm:
            def deviation(shape: tuple[int, ...], dtype: str) -> np.ndarray:
                return np.sqrt(self.moving_variance.numpy())

            self.moving_stddev = self.add_weight(self._shape, deviation, trainable=False, name="moving_stddev")
            self.renorm_mean = self.add_weight(self._shape, self.moving_mean_initializer, trainable=False,
                                               name="renorm_mean")
            self.renorm_stddev = self.add_weight(self._shape, deviation, trainable=False, name="renorm_stddev")

    def call(self, x: Tensor, training: bool = False, mask: Tensor | None = None) -> Tensor:
        """Normalize, and in training move the averages. mask: of steps that do not count in mean and variance."""
        order = self._order(x)
        gamma, beta = self._weights()
        channels_last = moved(x, order)
        if not (training and self.trainable):
            y, _, _ = batch_norm(channels_last, gamma, beta, self.moving_mean, self.moving_variance,
                                 epsilon=self.epsilon)
            return moved(y, inverse(order))
        weights = None if mask is None else moved(self._weights_of(mask, x), order)
        ones_and_zeros = unit(*self._shape) if self.renorm else (gamma, beta)
        y, mean, variance = self._of_batch(channels_last, weights, *ones_and_zeros)
        if self.renorm:
            y = self._renormed(y, mean, variance, gamma, beta)
        elif not y.symbolic:
            ema_step(self.moving_mean, mean, momentum=self.momentum)
            ema_step(self.moving_variance, variance, momentum=self.momentum)
        return moved(y, inverse(order))

    def _renormed(self, x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """γ·(r·x̂ + d) + β, and the averages moved."""
        mean = ops.stop_gradient(mean)
        deviation = ops.stop_gradient(sqrt(add_constant(variance, value=self.epsilon)))
        least = ops.maximum(self.renorm_stddev, self.epsilon ** 0.5)        # early in training it may be near 0
        limits = {"rmin": 0.0, "rmax": np.inf, "dmax": np.inf, **(self.renorm_clipping or {})}
        r = ops.clip(ops.divide(deviation, least), limits["rmin"], limits["rmax"])
        d = ops.clip(ops.divide(ops.subtract(mean, self.renorm_mean), least), -limits["dmax"], limits["dmax"])
        r, d = ops.stop_gradient(r), ops.stop_gradient(d)
        y = ops.add(ops.multiply(gamma, ops.add(ops.multiply(r, x), d)), beta)
        if not x.symbolic:
            for average, now, momentum in ((self.renorm_mean, mean, self.renorm_momentum),
                                           (self.renorm_stddev, deviation, self.renorm_momentum),
                                           (self.moving_mean, mean, self.momentum),
                                           (self.moving_stddev, deviation, self.momentum)):
                ema_step(average, now, momentum=momentum)
            self.moving_variance.assign(ops.relu(ops.subtract(ops.square(self.moving_stddev), self.epsilon)))
        return y

    def _of_batch(self, x: Tensor, weights: Tensor | None, gamma: Tensor,
                  beta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """y, mean and variance of a batch, of what counts in it."""
        if weights is not None:
            return self._masked(x, weights, gamma, beta)
        y, mean, variance = batch_norm(x, gamma, beta, None, None, epsilon=self.epsilon)
        return y, mean, variance

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


def _limits(given: Any, what: str) -> dict[str, float]:
    """The bounds of renorm_clipping as numbers >= 0."""
    if not isinstance(given, dict):
        raise KindError(f"{what} is {shown(given)}; needs a dict such as {{'rmin': 0.3, 'rmax': 3, 'dmax': 5}}.")
    if unknown := sorted(map(str, set(given) - set(_LIMITS))):
        raise ValueError(f"{what} has {unknown[0]!r}; {nearest(unknown[0], _LIMITS)}")
    found = {name: number(value, f"{what}: {name}", 0) for name, value in given.items() if value is not None}
    if found.get("rmin", 0.0) > found.get("rmax", np.inf):
        raise ValueError(f"{what} has rmin {found['rmin']:g} and rmax {found['rmax']:g}; needs rmin <= rmax.")
    return found
