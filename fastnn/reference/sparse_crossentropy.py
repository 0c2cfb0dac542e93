"""Categorical cross-entropies whose targets are class numbers, and their gradients (guide chapter 34). NumPy only.

Probabilities are clipped as in crossentropy.py. A label that is no class gives NaN.
"""

import numpy as np

from fastnn.reference._types import Array
from fastnn.reference.crossentropy import _clip, _clipped
from fastnn.reference.metric import sparse_categorical_accuracy
from fastnn.reference.softmax import log_softmax, softmax


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
    log_p = log_softmax(logits)
    p = softmax(logits)
    return _only_known(-_pick(log_p, labels), labels, logits, ignore), p, sparse_categorical_accuracy(labels, p)


def sparse_softmax_crossentropy_grad(dy: Array, labels: Array, probabilities: Array, *, ignore: int) -> Array:
    """dx = dy·(probabilities - [j = label]), 0 where label = ignore.

    dy, labels (…); probabilities (…, c) → dx (…, c).
    """
    dx = dy[..., None] * (probabilities - _one_hot(labels, probabilities))
    return _only_known(dx, labels, probabilities, ignore)


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
