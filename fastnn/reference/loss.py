"""Losses and their gradients (guide chapters 7-9, 41, 53-55). Per sample: the last axis is reduced. NumPy only.

Keras' numbers: probabilities are clipped to [1e-7, 1 - 1e-7], and a clipped probability has gradient 0. The limits
are float32 numbers in float64 too, so that both precisions clip alike. A label that is no class gives NaN.
"""

import numpy as np

from fastnn.reference._types import Array
from fastnn.reference.activation import softmax
from fastnn.reference.metric import sparse_categorical_accuracy

_LOW = float(np.float32(1e-7))
_HIGH = float(np.float32(1 - 1e-7))


def mean_squared_error(y_true: Array, y_pred: Array) -> Array:
    """loss = mean((y_pred - y_true)²). y_true, y_pred (…, c) → loss (…)."""
    return np.mean(np.square(y_pred - y_true), axis=-1)


def mean_squared_error_grad(dy: Array, y_true: Array, y_pred: Array) -> Array:
    """dx = dy·2(y_pred - y_true)/c. dy (…); y_true, y_pred (…, c) → dx (…, c)."""
    return dy[..., None] * 2 * (y_pred - y_true) / y_pred.shape[-1]


def mean_absolute_error(y_true: Array, y_pred: Array) -> Array:
    """loss = mean(|y_pred - y_true|). y_true, y_pred (…, c) → loss (…)."""
    return np.mean(np.abs(y_pred - y_true), axis=-1)


def mean_absolute_error_grad(dy: Array, y_true: Array, y_pred: Array) -> Array:
    """dx = dy·sign(y_pred - y_true)/c, with sign(0) = 0. dy (…); y_true, y_pred (…, c) → dx (…, c)."""
    return dy[..., None] * np.sign(y_pred - y_true) / y_pred.shape[-1]


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
    return np.mean(np.maximum(logits, 0) - logits * t + np.log1p(np.exp(-np.abs(logits))), axis=-1)


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
    log_p = _log_softmax(logits)
    return -np.sum(_smooth(y_true, smoothing, logits.shape[-1]) * log_p, axis=-1), softmax(logits)


def softmax_crossentropy_grad(dy: Array, y_true: Array, probabilities: Array, *, smoothing: float) -> Array:
    """dx = dy·(probabilities·sum(t) - t). dy (…); y_true, probabilities (…, c) → dx (…, c).

    TensorFlow leaves sum(t) out, which is the same for targets that sum to 1 and wrong for others.
    """
    t = _smooth(y_true, smoothing, probabilities.shape[-1])
    return dy[..., None] * (probabilities * np.sum(t, axis=-1, keepdims=True) - t)


def sparse_categorical_crossentropy(labels: Array, y_pred: Array, *, ignore: int) -> Array:
    """loss = log sum(p) - log p[label], p = y_pred clipped; 0 where label = ignore.

    labels (…) int32; y_pred (…, c), probabilities → loss (…). Keras divides by the sum after clipping here.
    """
    p = _clip(y_pred)
    loss = np.log(np.sum(p, axis=-1)) - np.log(_pick(p, labels))
    return _only_known(loss, labels, y_pred, ignore)


def sparse_categorical_crossentropy_grad(dy: Array, labels: Array, y_pred: Array, *, ignore: int) -> Array:
    """dx = dy·(1/sum(p) - [j = label]/p), 0 where clipped or label = ignore.

    dy, labels (…); y_pred (…, c) → dx (…, c).
    """
    p = _clip(y_pred)
    dx = np.where(_clipped(y_pred), 0, 1 / np.sum(p, axis=-1, keepdims=True) - _one_hot(labels, p) / p)
    return _only_known(dy[..., None] * dx, labels, y_pred, ignore)


def sparse_softmax_crossentropy(labels: Array, logits: Array, *, ignore: int) -> tuple[Array, Array, Array]:
    """loss = log sum(exp x) - x[label], 0 where label = ignore; p = softmax(x); right = 1 where label = argmax(p).

    labels (…) int32; logits x (…, c) → loss (…), probabilities p (…, c), right (…), 0 where it is not 1.
    """
    log_p = _log_softmax(logits)
    p = softmax(logits)
    return _only_known(-_pick(log_p, labels), labels, logits, ignore), p, sparse_categorical_accuracy(labels, p)


def sparse_softmax_crossentropy_grad(dy: Array, labels: Array, probabilities: Array, *, ignore: int) -> Array:
    """dx = dy·(probabilities - [j = label]), 0 where label = ignore.

    dy, labels (…); probabilities (…, c) → dx (…, c).
    """
    dx = dy[..., None] * (probabilities - _one_hot(labels, probabilities))
    return _only_known(dx, labels, probabilities, ignore)


def _smooth(y_true: Array, smoothing: float, classes: int) -> Array:
    return y_true * (1 - smoothing) + smoothing / classes if smoothing else y_true


def _clip(p: Array) -> Array:
    return np.clip(p, p.dtype.type(_LOW), p.dtype.type(_HIGH))


def _clipped(p: Array) -> Array:
    return (p < p.dtype.type(_LOW)) | (p > p.dtype.type(_HIGH))


def _log_softmax(x: Array) -> Array:
    x = x - np.max(x, axis=-1, keepdims=True)
    return x - np.log(np.sum(np.exp(x), axis=-1, keepdims=True))


def _one_hot(labels: Array, like: Array) -> Array:
    return (np.arange(like.shape[-1]) == labels[..., None]).astype(like.dtype)


def _pick(x: Array, labels: Array) -> Array:
    """x[label] of every row; any class for labels that are none."""
    return np.take_along_axis(x, np.clip(labels, 0, x.shape[-1] - 1)[..., None], axis=-1)[..., 0]


def _only_known(values: Array, labels: Array, y_pred: Array, ignore: int) -> Array:
    """Values (…) or (…, c), but 0 where the label is `ignore` and NaN where it is no class."""
    labels = labels.reshape(labels.shape + (1,) * (values.ndim - labels.ndim))
    values = np.where((labels >= 0) & (labels < y_pred.shape[-1]), values, values.dtype.type(np.nan))
    return np.where(labels == ignore, values.dtype.type(0), values)
