"""Optimizer steps: each overwrites the weights and its slots. Floor 2.

The magnitudes say how far rounding may carry: a slot is a sum, so its parts count, not what is left of them; an
error in a slot reaches the weights through the step that is made of it.
"""


import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.reference._types import Array


def _shapes(name: str, *, lr: Shape = (), step: Shape = (), **vectors: Shape) -> list[Shape]:
    """All vectors of one shape, lr and step without axes; one shape per updated input (all but g and ema's w)."""
    shape = same_shapes(name, **vectors)
    for scalar, got in (("lr", lr), ("step", step)):
        if got != ():
            raise ShapeError(f"{name}: {scalar} is {got}; needs a single number of shape (); pass a 0-d array.")
    return [shape] * (len(vectors) - 1 if len(vectors) > 1 else 1)


def _decayed(new: Array, old: Array, rate: float) -> Array:
    """The sum of the parts of old + (new - old)·rate."""
    return np.abs(old) + np.abs(new) * rate


sgd_step = Op("sgd_step", shape=lambda w, g, lr: _shapes("sgd_step", w=w, g=g, lr=lr), updates=("w",),
              magnitude=lambda w, g, lr: np.abs(w) + np.abs(lr * g))

momentum_step = Op(
    "momentum_step", shape=lambda w, g, v, lr: _shapes("momentum_step", w=w, g=g, v=v, lr=lr), updates=("w", "v"),
    magnitude=(lambda w, g, v, lr: np.abs(w) + np.abs(v) + 2 * np.abs(lr * g),
               lambda g, v, lr: np.abs(v) + np.abs(lr * g)))


def _rmsprop_w(w: Array, g: Array, v: Array, lr: Array, rho: float, epsilon: float) -> Array:
    return np.abs(w) + np.abs(lr * g) / np.sqrt(rho * v + (1 - rho) * g ** 2 + epsilon)


rmsprop_step = Op("rmsprop_step", shape=lambda w, g, v, lr: _shapes("rmsprop_step", w=w, g=g, v=v, lr=lr),
                  updates=("w", "v"), magnitude=(_rmsprop_w, None), ulps=8, cost=0.4)


def _rmsprop_full_w(w: Array, g: Array, v: Array, a: Array, m: Array, lr: Array, rho: float, momentum: float,
                    epsilon: float, centered: bool) -> Array:
    v = rho * v + (1 - rho) * g ** 2
    mean = (rho * np.abs(a) + (1 - rho) * np.abs(g)) * centered
    spread = v - (rho * a + (1 - rho) * g) ** 2 * centered + epsilon
    return np.abs(lr * g) / np.sqrt(spread) * (v + mean ** 2 + epsilon) / spread + np.abs(momentum * m) + np.abs(w)


rmsprop_full_step = Op(
    "rmsprop_full_step", updates=("w", "v", "a", "m"),
    shape=lambda w, g, v, a, m, lr: _shapes("rmsprop_full_step", w=w, g=g, v=v, a=a, m=m, lr=lr),
    magnitude=(_rmsprop_full_w, None, lambda g, a: np.abs(a) + np.abs(g),
               lambda g, v, a, m, lr, rho, momentum, epsilon, centered:
               _rmsprop_full_w(m * 0, g, v, a, m, lr, rho, momentum, epsilon, centered)), ulps=8, cost=0.5)


def _adam_w(w: Array, g: Array, m: Array, v: Array, lr: Array, step: Array, beta_1: float, beta_2: float,
            epsilon: float) -> Array:
    return _amsgrad_w(w, g, m, v, v * 0, lr, step, beta_1, beta_2, epsilon)


def _amsgrad_w(w: Array, g: Array, m: Array, v: Array, vhat: Array, lr: Array, step: Array, beta_1: float,
                beta_2: float, epsilon: float) -> Array:
    t = int(step) + 1
    rate = lr * np.sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t)
    largest = np.maximum(vhat, v + (g ** 2 - v) * (1 - beta_2))
    return np.abs(w) + rate * _decayed(g, m, 1 - beta_1) / (np.sqrt(largest) + epsilon)


_ADAM_SLOTS = (lambda g, m, beta_1: _decayed(g, m, 1 - beta_1), lambda g, v, beta_2: _decayed(g ** 2, v, 1 - beta_2))

adam_step = Op("adam_step", updates=("w", "m", "v"), dtypes=dict(step="int64"), ulps=8,
               shape=lambda w, g, m, v, lr, step: _shapes("adam_step", w=w, g=g, m=m, v=v, lr=lr, step=step),
               magnitude=(_adam_w, *_ADAM_SLOTS), cost=0.3)

adam_amsgrad_step = Op(
    "adam_amsgrad_step", updates=("w", "m", "v", "vhat"), dtypes=dict(step="int64"), ulps=8,
    shape=lambda w, g, m, v, vhat, lr, step:
    _shapes("adam_amsgrad_step", w=w, g=g, m=m, v=v, vhat=vhat, lr=lr, step=step),
    magnitude=(_amsgrad_w, *_ADAM_SLOTS, lambda g, v, vhat, beta_2: np.maximum(vhat, _decayed(g ** 2, v, 1 - beta_2))),
    cost=0.5)


def _adagrad_w(w: Array, g: Array, a: Array, lr: Array, epsilon: float) -> Array:
    return np.abs(w) + np.abs(lr * g) / np.sqrt(a + g ** 2 + epsilon)


adagrad_step = Op("adagrad_step", shape=lambda w, g, a, lr: _shapes("adagrad_step", w=w, g=g, a=a, lr=lr),
                  updates=("w", "a"), magnitude=(_adagrad_w, None), ulps=8, cost=0.4)

decay_step = Op("decay_step", shape=lambda w, lr: _shapes("decay_step", w=w, lr=lr), updates=("w",),
                magnitude=lambda w, lr, rate: np.abs(w) * (1 + np.abs(lr * rate)))

clip_value_step = Op("clip_value_step", updates=("g",))

clip_norm_step = Op("clip_norm_step", updates=("g",))

ema_step = Op("ema_step", shape=lambda average, w: _shapes("ema_step", average=average, w=w), updates=("average",),
              magnitude=lambda average, w, momentum: momentum * np.abs(average) + (1 - momentum) * np.abs(w))
