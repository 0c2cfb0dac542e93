"""Optimizer steps with the numerics of Keras 3 (guide chapters 9, 10, 13, 41-45). NumPy only.

w: weights, g: their gradient, slots: what an optimizer remembers of each weight; all of one shape.
lr: the learning rate, 0-d. step: how many steps came before this one, 0-d int64.
"""

import math

import numpy as np

from fastnn.reference._types import F64, Array


def sgd_step(w: Array, g: Array, lr: Array) -> Array:
    """w - lr·g."""
    new: Array = w - lr * g
    return new


def momentum_step(w: Array, g: Array, v: Array, lr: Array, *, momentum: float, nesterov: bool) -> tuple[Array, Array]:
    """v = momentum·v - lr·g;  w += momentum·v - lr·g if nesterov, else v. → w, v. Polyak 1964; Nesterov 1983.

    The learning rate is inside v, unlike in PyTorch: it matters when the rate changes.
    """
    v = momentum * v - lr * g
    return w + (momentum * v - lr * g if nesterov else v), v


def rmsprop_step(w: Array, g: Array, v: Array, lr: Array, *, rho: float, epsilon: float) -> tuple[Array, Array]:
    """v = rho·v + (1 - rho)·g²;  w -= lr·g / √(v + epsilon). → w, v. Tieleman and Hinton 2012."""
    v = rho * v + (1 - rho) * g ** 2
    return w - lr * g / np.sqrt(v + epsilon), v


def rmsprop_full_step(w: Array, g: Array, v: Array, a: Array, m: Array, lr: Array, *, rho: float, momentum: float,
                      epsilon: float, centered: bool) -> tuple[Array, Array, Array, Array]:
    """v = rho·v + (1 - rho)·g²;  a = rho·a + (1 - rho)·g;  m = momentum·m + lr·g / √(v - a² + epsilon);  w -= m.

    Not centered: a stays as it is and counts as 0. No momentum: m stays as it is, and w moves by what m would gain.
    → w, v, a, m. Graves 2013.
    """
    v = rho * v + (1 - rho) * g ** 2
    a = rho * a + (1 - rho) * g if centered else a.copy()
    change = lr * g / np.sqrt((v - a ** 2 if centered else v) + epsilon)
    if momentum > 0:
        change = m = momentum * m + change
    return w - change, v, a, m.copy()


def adam_step(w: Array, g: Array, m: Array, v: Array, lr: Array, step: Array, *, beta_1: float, beta_2: float,
              epsilon: float) -> tuple[Array, Array, Array]:
    """m += (g - m)·(1 - beta_1);  v += (g² - v)·(1 - beta_2);  w -= rate·m / (√v + epsilon). → w, m, v.

    With t = step + 1, rate = lr·√(1 - beta_2ᵗ) / (1 - beta_1ᵗ). Kingma and Ba 2015, the form before their section 2.1.
    """
    m = m + (g - m) * (1 - beta_1)
    v = v + (g ** 2 - v) * (1 - beta_2)
    return w - m * _adam_rate(lr, step, beta_1, beta_2) / (np.sqrt(v) + epsilon), m, v


def adam_amsgrad_step(w: Array, g: Array, m: Array, v: Array, vhat: Array, lr: Array, step: Array, *, beta_1: float,
                      beta_2: float, epsilon: float) -> tuple[Array, Array, Array, Array]:
    """As adam_step, with the largest v so far, vhat = max(vhat, v), in the place of v. → w, m, v, vhat.

    Reddi et al. 2018.
    """
    m = m + (g - m) * (1 - beta_1)
    v = v + (g ** 2 - v) * (1 - beta_2)
    vhat = np.maximum(vhat, v)
    return w - m * _adam_rate(lr, step, beta_1, beta_2) / (np.sqrt(vhat) + epsilon), m, v, vhat


def _adam_rate(lr: Array, step: Array, beta_1: float, beta_2: float) -> float:
    """The step size with both bias corrections."""
    t = int(step) + 1
    return float(lr) * math.sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t)


def adagrad_step(w: Array, g: Array, a: Array, lr: Array, *, epsilon: float) -> tuple[Array, Array]:
    """a += g²;  w -= lr·g / √(a + epsilon). → w, a. Duchi et al. 2011."""
    a = a + g ** 2
    return w - lr * g / np.sqrt(a + epsilon), a


def decay_step(w: Array, lr: Array, *, rate: float) -> Array:
    """w - lr·rate·w: weight decay apart from the gradient. Loshchilov and Hutter 2019."""
    return w - w * rate * lr


def clip_value_step(g: Array, *, value: float) -> Array:
    """g limited to -value ... value."""
    return np.clip(g, -value, value)


def clip_norm_step(g: Array, *, norm: float) -> Array:
    """g·norm / max(norm, ‖g‖): the same direction, at most this long. Pascanu et al. 2013."""
    return g * float(norm / np.maximum(norm, np.sqrt(np.square(g, dtype=F64).sum())))


def ema_step(average: Array, w: Array, *, momentum: float) -> Array:
    """momentum·average + (1 - momentum)·w: the exponential moving average of the weights."""
    return momentum * average + (1 - momentum) * w
