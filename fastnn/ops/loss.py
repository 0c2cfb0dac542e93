"""Losses as ops: one number per sample, gradients with respect to predictions. Floor 2; imports engine."""

from typing import Any

import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape
from fastnn.reference.loss import _HIGH, _LOW


def _fits(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) and all(m == n or m is None or n is None for m, n in zip(a, b))


def _written(shape: Shape) -> str:
    return str(tuple("batch" if n is None else n for n in shape)).replace("'", "")


def _advice(op: str, y_true: Shape, y_pred: Shape) -> str:
    """What is wrong with targets of this shape, and what would fit."""
    got = f"{op}: y_true has shape {_written(y_true)}"
    if "categorical" in op or "softmax" in op or op == "top_k_accuracy":
        other = "sparse_" + op.removesuffix("_grad")
        if _fits(y_true, y_pred[:-1]) or _fits(y_true, (*y_pred[:-1], 1)):
            return (f"{got} of labels but y_pred has shape {_written(y_pred)}; use {other} or one-hot labels "
                    "(fastnn.utils.to_categorical).")
    if len(y_pred) and y_pred[-1] == 1 and _fits(y_true, y_pred[:-1]):
        return (f"{got} but y_pred has shape {_written(y_pred)}; needs equal shapes; "
                f"reshape y_true to {_written(y_pred)}, e.g. y_true[..., None].")
    if len(y_true) and y_true[-1] == 1 and _fits(y_true[:-1], y_pred):
        return (f"{got} but y_pred has shape {_written(y_pred)}; needs equal shapes; "
                f"reshape y_pred to {_written(y_true)}, e.g. y_pred[..., None].")
    if len(y_true) == len(y_pred) and _fits(y_true[:-1], y_pred[:-1]):
        return (f"{got} but y_pred has shape {_written(y_pred)}; needs equal shapes; give the last layer "
                f"{y_true[-1]} units or reshape y_true to {_written(y_pred)}.")
    return (f"{got} but y_pred has shape {_written(y_pred)}; needs equal shapes; "
            f"reshape y_true to {_written(y_pred)}.")


def per_sample(op: str, y_true: Shape, y_pred: Shape) -> Shape:
    """The shape of one number per sample, from targets and predictions of one shape; ShapeError otherwise."""
    if not _fits(y_true, y_pred):
        raise ShapeError(_advice(op, y_true, y_pred))
    _check_last_axis(op, y_pred)
    return y_pred[:-1]


def per_label(op: str, labels: Shape, y_pred: Shape) -> Shape:
    """The shape of one number per sample, from one label per row of predictions; ShapeError otherwise."""
    _check_last_axis(op, y_pred)
    if not _fits(labels, y_pred[:-1]):
        got = f"{op}: labels have shape {_written(labels)} but y_pred has shape {_written(y_pred)}"
        needs = f"needs one label per row, {_written(y_pred[:-1])}"
        if _fits(labels, (*y_pred[:-1], 1)):
            raise ShapeError(f"{got}; {needs}; reshape labels to {_written(y_pred[:-1])}, e.g. labels[..., 0].")
        if _fits(labels, y_pred):
            other = op.removesuffix("_grad").removeprefix("sparse_")
            raise ShapeError(f"{got}; {needs}; these look one-hot: use {other} or labels.argmax(axis=-1).")
        raise ShapeError(f"{got}; {needs}; reshape labels or check the last layer's output.")
    return y_pred[:-1]


def _check_last_axis(op: str, y_pred: Shape) -> None:
    if not y_pred or y_pred[-1] == 0:
        raise ShapeError(f"{op}: y_pred has shape {_written(y_pred)}; needs a last axis of at least 1, as it is "
                         "the one reduced; reshape y_pred to (samples, outputs).")


def _like_pred(op: str, dy: Shape, rows: Shape, y_pred: Shape) -> Shape:
    if not _fits(dy, rows):
        raise ShapeError(f"{op}: dy has shape {_written(dy)} but y_pred has shape {_written(y_pred)}; needs one number "
                         f"per sample; reshape dy to {_written(rows)}.")
    return y_pred


def _dense(name: str) -> dict[str, Any]:
    """The shape rule of a loss of y_true and y_pred."""
    return dict(shape=lambda y_true, y_pred: per_sample(name, y_true, y_pred))


def _dense_grad(name: str) -> dict[str, Any]:
    return dict(outputs=("dx",), shape=lambda dy, y_true, y_pred: _like_pred(
        name, dy, per_sample(name, y_true, y_pred), y_pred))


# Error bounds: sizes of the terms before they cancel. t is at most |y_true| + 1 after smoothing.

def _near_limit(q: Any) -> Any:
    """Where rounding decides whether q is clipped, and its gradient is anything."""
    return (np.abs(q / _LOW - 1) < 1e-5) | (np.abs(q - _HIGH) < 1e-6)


def _clip(p: Any) -> Any:
    return np.clip(p, _LOW, _HIGH)


def _binary_size(y_true: Any, y_pred: Any) -> Any:
    p = _clip(y_pred)
    return np.mean((np.abs(y_true) + 2) * (1 - np.log(p) - np.log1p(-p)), axis=-1)


def _binary_grad_size(dy: Any, y_true: Any, y_pred: Any) -> Any:
    p = _clip(y_pred)
    return np.abs(dy)[..., None] * (np.abs(y_true) + 2) * (1 / p + 1 / (1 - p)) / y_pred.shape[-1]


def _categorical_size(y_true: Any, y_pred: Any) -> Any:
    total = np.sum(y_pred, axis=-1, keepdims=True)
    spread = np.sum(np.abs(y_pred), axis=-1, keepdims=True) / np.abs(total)
    return np.sum((np.abs(y_true) + 1) * (spread - np.log(_clip(y_pred / total))), axis=-1)


def _categorical_grad_size(dy: Any, y_true: Any, y_pred: Any) -> Any:
    total = np.sum(y_pred, axis=-1, keepdims=True)
    q = y_pred / total
    g = np.where(_near_limit(q), np.inf, (np.abs(y_true) + 1) / _clip(q))
    spread = np.sum(np.abs(y_pred), axis=-1, keepdims=True) / np.abs(total)
    return np.abs(dy)[..., None] * (g + np.sum(np.abs(q) * g, axis=-1, keepdims=True)) * spread / np.abs(total)


def _softmax_size(y_true: Any, logits: Any) -> Any:
    below = np.max(logits, axis=-1, keepdims=True) - logits
    return np.sum((np.abs(y_true) + 1) * (below + np.log(logits.shape[-1]) + 1), axis=-1)


def _softmax_grad_size(dy: Any, y_true: Any, probabilities: Any) -> Any:
    t = np.abs(y_true) + 1
    return np.abs(dy)[..., None] * (probabilities * np.sum(t, axis=-1, keepdims=True) + t)


def _probabilities_size(logits: Any, probabilities: Any) -> Any:
    return probabilities * (1 + np.max(logits, axis=-1, keepdims=True) - logits)


def _right_size(logits: Any) -> Any:
    """Where rounding decides which probability is the highest, anything goes; elsewhere nothing does."""
    if logits.shape[-1] == 1:
        return 0.0
    second, first = np.moveaxis(np.sort(logits, axis=-1)[..., -2:], -1, 0)
    return np.where(first - second < 1e-5 * (1 + np.abs(first)), np.inf, 0.0)


def _sparse_grad_size(dy: Any, y_pred: Any) -> Any:
    p = _clip(y_pred)
    return np.abs(dy)[..., None] * (1 / np.sum(p, axis=-1, keepdims=True) + 1 / p)


mean_squared_error_grad = Op("mean_squared_error_grad", **_dense_grad("mean_squared_error_grad"))
mean_squared_error = Op(
    "mean_squared_error", **_dense("mean_squared_error"), terms=lambda y_pred: y_pred.shape[-1],
    vjp=dict(y_true=lambda dy, y_true, y_pred: mean_squared_error_grad(dy, y_pred, y_true),
             y_pred=lambda dy, y_true, y_pred: mean_squared_error_grad(dy, y_true, y_pred)))

mean_absolute_error_grad = Op("mean_absolute_error_grad", **_dense_grad("mean_absolute_error_grad"))
mean_absolute_error = Op(
    "mean_absolute_error", **_dense("mean_absolute_error"), terms=lambda y_pred: y_pred.shape[-1],
    vjp=dict(y_true=lambda dy, y_true, y_pred: mean_absolute_error_grad(dy, y_pred, y_true),
             y_pred=lambda dy, y_true, y_pred: mean_absolute_error_grad(dy, y_true, y_pred)))

binary_crossentropy_grad = Op("binary_crossentropy_grad", **_dense_grad("binary_crossentropy_grad"),
                              magnitude=_binary_grad_size)
binary_crossentropy = Op(
    "binary_crossentropy", **_dense("binary_crossentropy"), magnitude=_binary_size,
    terms=lambda y_pred: y_pred.shape[-1],
    vjp=dict(y_pred=lambda dy, y_true, y_pred, smoothing: binary_crossentropy_grad(
        dy, y_true, y_pred, smoothing=smoothing)))

sigmoid_crossentropy_grad = Op(
    "sigmoid_crossentropy_grad", outputs=("dx",), shape=lambda dy, y_true, logits: _like_pred(
        "sigmoid_crossentropy_grad", dy, per_sample("sigmoid_crossentropy_grad", y_true, logits), logits),
    magnitude=lambda dy, y_true, logits: np.abs(dy)[..., None] * (np.abs(y_true) + 2) / logits.shape[-1])
sigmoid_crossentropy = Op(
    "sigmoid_crossentropy", shape=lambda y_true, logits: per_sample("sigmoid_crossentropy", y_true, logits),
    magnitude=lambda y_true, logits: np.mean(np.abs(logits) * (np.abs(y_true) + 2) + 1, axis=-1),
    terms=lambda logits: logits.shape[-1],
    vjp=dict(logits=lambda dy, y_true, logits, smoothing: sigmoid_crossentropy_grad(
        dy, y_true, logits, smoothing=smoothing)))

categorical_crossentropy_grad = Op(
    "categorical_crossentropy_grad", **_dense_grad("categorical_crossentropy_grad"), magnitude=_categorical_grad_size,
    terms=lambda y_pred: 2 * y_pred.shape[-1], ulps=8)
categorical_crossentropy = Op(
    "categorical_crossentropy", **_dense("categorical_crossentropy"), magnitude=_categorical_size,
    terms=lambda y_pred: y_pred.shape[-1],
    vjp=dict(y_pred=lambda dy, y_true, y_pred, smoothing: categorical_crossentropy_grad(
        dy, y_true, y_pred, smoothing=smoothing)))

softmax_crossentropy_grad = Op(
    "softmax_crossentropy_grad", outputs=("dx",), shape=lambda dy, y_true, probabilities: _like_pred(
        "softmax_crossentropy_grad", dy, per_sample("softmax_crossentropy_grad", y_true, probabilities), probabilities),
    magnitude=_softmax_grad_size, terms=lambda probabilities: probabilities.shape[-1])
softmax_crossentropy = Op(
    "softmax_crossentropy", outputs=("loss", "probabilities"), gives=dict(probabilities=("softmax", ("logits",))),
    shape=lambda y_true, logits: [per_sample("softmax_crossentropy", y_true, logits), logits],
    magnitude=(_softmax_size, _probabilities_size), terms=lambda logits: logits.shape[-1],
    vjp=dict(logits=lambda dloss, y_true, probabilities, smoothing: softmax_crossentropy_grad(
        dloss, y_true, probabilities, smoothing=smoothing)))

sparse_categorical_crossentropy_grad = Op(
    "sparse_categorical_crossentropy_grad", outputs=("dx",), dtypes=dict(labels="int32"),
    shape=lambda dy, labels, y_pred: _like_pred(
        "sparse_categorical_crossentropy_grad", dy,
        per_label("sparse_categorical_crossentropy_grad", labels, y_pred), y_pred),
    magnitude=_sparse_grad_size, terms=lambda y_pred: y_pred.shape[-1])
sparse_categorical_crossentropy = Op(
    "sparse_categorical_crossentropy", dtypes=dict(labels="int32"),
    shape=lambda labels, y_pred: per_label("sparse_categorical_crossentropy", labels, y_pred),
    magnitude=lambda y_pred: 1 + np.log(y_pred.shape[-1]) - np.min(np.log(_clip(y_pred)), axis=-1),
    terms=lambda y_pred: y_pred.shape[-1],
    vjp=dict(y_pred=lambda dy, labels, y_pred, ignore: sparse_categorical_crossentropy_grad(
        dy, labels, y_pred, ignore=ignore)))

sparse_softmax_crossentropy_grad = Op(
    "sparse_softmax_crossentropy_grad", outputs=("dx",), dtypes=dict(labels="int32"),
    shape=lambda dy, labels, probabilities: _like_pred(
        "sparse_softmax_crossentropy_grad", dy,
        per_label("sparse_softmax_crossentropy_grad", labels, probabilities), probabilities),
    magnitude=lambda dy, probabilities: np.abs(dy)[..., None] * (probabilities + 1))
sparse_softmax_crossentropy = Op(
    "sparse_softmax_crossentropy", outputs=("loss", "probabilities", "right"), dtypes=dict(labels="int32"),
    gives=dict(probabilities=("softmax", ("logits",)),
               right=("sparse_categorical_accuracy", ("labels", "probabilities"))),
    shape=lambda labels, logits: [(rows := per_label("sparse_softmax_crossentropy", labels, logits)), logits, rows],
    magnitude=(lambda loss: loss + 1, _probabilities_size, _right_size), terms=lambda logits: logits.shape[-1],
    vjp=dict(logits=lambda dloss, labels, probabilities, ignore: sparse_softmax_crossentropy_grad(
        dloss, labels, probabilities, ignore=ignore)))
