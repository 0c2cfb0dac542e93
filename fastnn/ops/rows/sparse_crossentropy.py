"""Categorical cross-entropies whose targets are class numbers. Floor 2."""


import numpy as np

from fastnn.ops._op import Op
from fastnn.ops.rows._per_sample import like_pred, per_label
from fastnn.ops.rows._work import by_rows
from fastnn.ops.rows.crossentropy import clipped, probabilities_size
from fastnn.reference._types import Array


def _right_size(logits: Array) -> Array | float:
    """Where rounding decides which probability is the highest, anything goes; elsewhere nothing does."""
    if logits.shape[-1] == 1:
        return 0.0
    second, first = np.moveaxis(np.sort(logits, axis=-1)[..., -2:], -1, 0)
    return np.where(first - second < 1e-5 * (1 + np.abs(first)), np.inf, 0.0)


def _sparse_grad_size(dy: Array, y_pred: Array) -> Array:
    p = clipped(y_pred)
    return np.abs(dy)[..., None] * (1 / np.sum(p, axis=-1, keepdims=True) + 1 / p)


sparse_categorical_crossentropy_grad = Op(
    "sparse_categorical_crossentropy_grad", outputs=("dx",), dtypes=dict(labels="int32"),
    shape=lambda dy, labels, y_pred: like_pred(
        "sparse_categorical_crossentropy_grad", dy,
        per_label("sparse_categorical_crossentropy_grad", labels, y_pred), y_pred),
    magnitude=_sparse_grad_size, terms=lambda y_pred: y_pred.shape[-1], work=lambda y_pred: by_rows(y_pred, 0.4))
sparse_categorical_crossentropy = Op(
    "sparse_categorical_crossentropy", dtypes=dict(labels="int32"),
    shape=lambda labels, y_pred: per_label("sparse_categorical_crossentropy", labels, y_pred),
    magnitude=lambda y_pred: 1 + np.log(y_pred.shape[-1]) - np.min(np.log(clipped(y_pred)), axis=-1),
    terms=lambda y_pred: y_pred.shape[-1],
    vjp=dict(y_pred=lambda dy, labels, y_pred, ignore: sparse_categorical_crossentropy_grad(
        dy, labels, y_pred, ignore=ignore)), work=lambda y_pred: by_rows(y_pred, 0.3))

sparse_softmax_crossentropy_grad = Op(
    "sparse_softmax_crossentropy_grad", outputs=("dx",), dtypes=dict(labels="int32"),
    shape=lambda dy, labels, probabilities: like_pred(
        "sparse_softmax_crossentropy_grad", dy,
        per_label("sparse_softmax_crossentropy_grad", labels, probabilities), probabilities),
    magnitude=lambda dy, probabilities: np.abs(dy)[..., None] * (probabilities + 1),
    work=lambda probabilities: by_rows(probabilities, 0.15))
sparse_softmax_crossentropy = Op(
    "sparse_softmax_crossentropy", outputs=("loss", "probabilities", "right"),
    may_omit=("probabilities", "right"), dtypes=dict(labels="int32"),
    shape=lambda labels, logits: [(rows := per_label("sparse_softmax_crossentropy", labels, logits)), logits, rows],
    magnitude=(lambda loss: loss + 1, probabilities_size, _right_size), terms=lambda logits: logits.shape[-1],
    vjp=dict(logits=lambda dloss, labels, probabilities, ignore: sparse_softmax_crossentropy_grad(
        dloss, labels, probabilities, ignore=ignore)), work=lambda logits: by_rows(logits, 0.45))
