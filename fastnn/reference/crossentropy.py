"""Cross-entropies and their gradients (guide chapters 18, 34, 53-55). NumPy only.

Per sample: the last axis is reduced.

Keras' numbers: probabilities are clipped to [1e-7, 1 - 1e-7], and a clipped probability has gradient 0. The limits
are float32 numbers in float64 too, so that both precisions clip alike.
"""

import numpy as np

from fastnn.reference._types import Array, size
from fastnn.reference.softmax import log_softmax, softmax

_LOW = float(np.float32(1e-7))
_HIGH = float(np.float32(1 - 1e-7))


def binary_crossentropy(y_true: Array, y_pred: Array, *, smoothing: float) -> Array:
    """loss = -mean(t·log p + (1 - t)·log(1 - p)), p clipped, t = y_true·(1 - smoothing) + smoothing/2.

    y_true, y_pred (…, c), probabilities → loss (…). Keras: losses.binary_crossentropy.
    """
    t, p = _smooth(y_true, smoothing, 2), _clip(y_pred)
    return -np.mean(t * np.log(p) + (1 - t) * np.log1p(-p), axis=-1)


def binary_crossentropy_grad(dy: Array, y_true: Array, y_pred: Array, *, smoothing: float) -> Array:
    """dx = dy·((1 - t)/(1 - p) - t/p)/c, 0 where p is clipped. dy (…); y_true, y_pred (…, c) → dx (…, c)."""
    t, p = _smooth(y_true, smoothing, 2), _clip(y_pred)
    return dy[..., None] * np.where(_clipped(y_pred), 0, (1 - t) / (1 - p) - t / p) / y_pred.shape[-1]


def sigmoid_crossentropy(y_true: Array, logits: Array, *, smoothing: float) -> Array:
    """loss = mean(max(x, 0) - x·t + log(1 + exp(-|x|))): binary crossentropy of sigmoid(x), for any x.

    t = y_true·(1 - smoothing) + smoothing/2. y_true, logits x (…, c) → loss (…). TensorFlow's formula.
    """
    t = _smooth(y_true, smoothing, 2)
    share = np.where(logits > 0, 1 - t, -t)     # max(x, 0) - x·t = x·share; of a share of 0 nothing, also of infinity
    with np.errstate(invalid="ignore"):
        linear = np.where(share == 0, 0, logits * share)
    return np.mean(linear + np.log1p(np.exp(-size(logits))), axis=-1)


def sigmoid_crossentropy_grad(dy: Array, y_true: Array, logits: Array, *, smoothing: float) -> Array:
    """dx = dy·(sigmoid(x) - t)/c. dy (…); y_true, logits (…, c) → dx (…, c)."""
    small = np.exp(-np.abs(logits))
    sigmoid = np.where(logits >= 0, 1, small) / (1 + small)
    return dy[..., None] * (sigmoid - _smooth(y_true, smoothing, 2)) / logits.shape[-1]


def categorical_crossentropy(y_true: Array, y_pred: Array, *, smoothing: float) -> Array:
    """loss = -sum(t·log q), q = y_pred/sum(y_pred) clipped, t = y_true·(1 - smoothing) + smoothing/c.

    y_true, y_pred (…, c), probabilities → loss (…). Keras: losses.categorical_crossentropy.
    """
    q = y_pred / np.sum(y_pred, axis=-1, keepdims=True)
    return -np.sum(_smooth(y_true, smoothing, y_pred.shape[-1]) * np.log(_clip(q)), axis=-1)


def categorical_crossentropy_grad(dy: Array, y_true: Array, y_pred: Array, *, smoothing: float) -> Array:
    """dx = dy·(g - sum(q·g))/sum(y_pred), g = -t/q and 0 where q is clipped.

    dy (…); y_true, y_pred (…, c) → dx (…, c).
    """
    total = np.sum(y_pred, axis=-1, keepdims=True)
    q = y_pred / total
    g = np.where(_clipped(q), 0, -_smooth(y_true, smoothing, y_pred.shape[-1]) / _clip(q))
    return dy[..., None] * (g - np.sum(q * g, axis=-1, keepdims=True)) / total


def softmax_crossentropy(y_true: Array, logits: Array, *, smoothing: float) -> tuple[Array, Array]:
    """loss = sum(t·(log sum(exp x) - x)), probabilities = softmax(x), t = y_true·(1 - smoothing) + smoothing/c.

    y_true, logits x (…, c) → loss (…), probabilities (…, c). Logarithms of sums are taken after subtracting max(x).
    """
    t = _smooth(y_true, smoothing, logits.shape[-1])
    with np.errstate(invalid="ignore"):
        terms = np.where(t == 0, 0, t * log_softmax(logits))        # no share of a class with x = -inf is 0
    return -np.sum(terms, axis=-1), softmax(logits)


def softmax_crossentropy_grad(dy: Array, y_true: Array, probabilities: Array, *, smoothing: float) -> Array:
    """dx = dy·(probabilities·sum(t) - t). dy (…); y_true, probabilities (…, c) → dx (…, c).

    TensorFlow leaves sum(t) out, which is the same for targets that sum to 1 and wrong for others.
    """
    t = _smooth(y_true, smoothing, probabilities.shape[-1])
    return dy[..., None] * (probabilities * np.sum(t, axis=-1, keepdims=True) - t)


def _smooth(y_true: Array, smoothing: float, classes: int) -> Array:
    return y_true * (1 - smoothing) + smoothing / classes if smoothing else y_true


def _clip(p: Array) -> Array:
    return np.clip(p, p.dtype.type(_LOW), p.dtype.type(_HIGH))


def _clipped(p: Array) -> Array:
    return (p < p.dtype.type(_LOW)) | (p > p.dtype.type(_HIGH))
