"""Cross-entropies: one number per sample, gradients with respect to predictions. Floor 2.

The error bounds are sizes of the terms before they cancel. t is at most |y_true| + 1 after smoothing.
"""


import numpy as np

from fastnn.ops._op import Op
from fastnn.ops.rows._per_sample import like_pred, per_sample, row_loss, row_loss_grad
from fastnn.ops.rows._work import by_rows
from fastnn.reference._types import Array
from fastnn.reference.crossentropy import _HIGH, _LOW


def _near_limit(q: Array) -> Array:
    """Where rounding decides whether q is clipped, and its gradient is anything."""
    return (np.abs(q / _LOW - 1) < 1e-5) | (np.abs(q - _HIGH) < 1e-6)


def clipped(p: Array) -> Array:
    return np.clip(p, _LOW, _HIGH)


def _binary_size(y_true: Array, y_pred: Array) -> Array:
    p = clipped(y_pred)
    return np.mean((np.abs(y_true) + 2) * (1 - np.log(p) - np.log1p(-p)), axis=-1)


def _binary_grad_size(dy: Array, y_true: Array, y_pred: Array) -> Array:
    p = clipped(y_pred)
    return np.abs(dy)[..., None] * (np.abs(y_true) + 2) * (1 / p + 1 / (1 - p)) / y_pred.shape[-1]


def _categorical_size(y_true: Array, y_pred: Array) -> Array:
    total = np.sum(y_pred, axis=-1, keepdims=True)
    spread = np.sum(np.abs(y_pred), axis=-1, keepdims=True) / np.abs(total)
    return np.sum((np.abs(y_true) + 1) * (spread - np.log(clipped(y_pred / total))), axis=-1)


def _categorical_grad_size(dy: Array, y_true: Array, y_pred: Array) -> Array:
    total = np.sum(y_pred, axis=-1, keepdims=True)
    q = y_pred / total
    g = np.where(_near_limit(q), np.inf, (np.abs(y_true) + 1) / clipped(q))
    spread = np.sum(np.abs(y_pred), axis=-1, keepdims=True) / np.abs(total)
    return np.abs(dy)[..., None] * (g + np.sum(np.abs(q) * g, axis=-1, keepdims=True)) * spread / np.abs(total)


def _softmax_size(y_true: Array, logits: Array) -> Array:
    below = np.max(logits, axis=-1, keepdims=True) - logits
    return np.sum((np.abs(y_true) + 1) * (below + np.log(logits.shape[-1]) + 1), axis=-1)


def _softmax_grad_size(dy: Array, y_true: Array, probabilities: Array) -> Array:
    t = np.abs(y_true) + 1
    return np.abs(dy)[..., None] * (probabilities * np.sum(t, axis=-1, keepdims=True) + t)


def probabilities_size(logits: Array, probabilities: Array) -> Array:
    return probabilities * (1 + np.max(logits, axis=-1, keepdims=True) - logits)


binary_crossentropy_grad = Op("binary_crossentropy_grad", **row_loss_grad("binary_crossentropy_grad"),
                              magnitude=_binary_grad_size, cost=0.5)
binary_crossentropy = Op(
    "binary_crossentropy", **row_loss("binary_crossentropy"), magnitude=_binary_size,
    terms=lambda y_pred: y_pred.shape[-1],
    vjp=dict(y_pred=lambda dy, y_true, y_pred, smoothing: binary_crossentropy_grad(
        dy, y_true, y_pred, smoothing=smoothing)), cost=1)

sigmoid_crossentropy_grad = Op(
    "sigmoid_crossentropy_grad", outputs=("dx",), shape=lambda dy, y_true, logits: like_pred(
        "sigmoid_crossentropy_grad", dy, per_sample("sigmoid_crossentropy_grad", y_true, logits), logits),
    magnitude=lambda dy, y_true, logits: np.abs(dy)[..., None] * (np.abs(y_true) + 2) / logits.shape[-1], cost=0.6)
sigmoid_crossentropy = Op(
    "sigmoid_crossentropy", shape=lambda y_true, logits: per_sample("sigmoid_crossentropy", y_true, logits),
    magnitude=lambda y_true, logits: np.mean(np.abs(logits) * (np.abs(y_true) + 2) + 1, axis=-1),
    terms=lambda logits: logits.shape[-1],
    vjp=dict(logits=lambda dy, y_true, logits, smoothing: sigmoid_crossentropy_grad(
        dy, y_true, logits, smoothing=smoothing)), cost=1)

categorical_crossentropy_grad = Op(
    "categorical_crossentropy_grad", **row_loss_grad("categorical_crossentropy_grad"), magnitude=_categorical_grad_size,
    terms=lambda y_pred: 2 * y_pred.shape[-1], ulps=8, work=lambda y_pred: by_rows(y_pred, 0.5))
categorical_crossentropy = Op(
    "categorical_crossentropy", **row_loss("categorical_crossentropy"), magnitude=_categorical_size,
    terms=lambda y_pred: y_pred.shape[-1],
    vjp=dict(y_pred=lambda dy, y_true, y_pred, smoothing: categorical_crossentropy_grad(
        dy, y_true, y_pred, smoothing=smoothing)), work=lambda y_pred: by_rows(y_pred, 0.5))

softmax_crossentropy_grad = Op(
    "softmax_crossentropy_grad", outputs=("dx",), shape=lambda dy, y_true, probabilities: like_pred(
        "softmax_crossentropy_grad", dy, per_sample("softmax_crossentropy_grad", y_true, probabilities), probabilities),
    magnitude=_softmax_grad_size, terms=lambda probabilities: probabilities.shape[-1],
    work=lambda probabilities: by_rows(probabilities, 0.25))
softmax_crossentropy = Op(
    "softmax_crossentropy", outputs=("loss", "probabilities"), may_omit=("probabilities",),
    shape=lambda y_true, logits: [per_sample("softmax_crossentropy", y_true, logits), logits],
    magnitude=(_softmax_size, probabilities_size), terms=lambda logits: logits.shape[-1],
    vjp=dict(logits=lambda dloss, y_true, probabilities, smoothing: softmax_crossentropy_grad(
        dloss, y_true, probabilities, smoothing=smoothing)), work=lambda logits: by_rows(logits, 0.55))
