"""The shape rules of what gives one number per sample: losses and scores. Floor 2."""

from typing import Any

from fastnn.errors import ShapeError
from fastnn.ops._op import Shape


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


def like_pred(op: str, dy: Shape, rows: Shape, y_pred: Shape) -> Shape:
    """The predictions' shape, if dy has one number per sample; ShapeError otherwise."""
    if not _fits(dy, rows):
        raise ShapeError(f"{op}: dy has shape {_written(dy)} but y_pred has shape {_written(y_pred)}; needs one number "
                         f"per sample; reshape dy to {_written(rows)}.")
    return y_pred


def row_loss(name: str) -> dict[str, Any]:
    """The shape rule of a loss of y_true and y_pred."""
    return dict(shape=lambda y_true, y_pred: per_sample(name, y_true, y_pred))


def row_loss_grad(name: str) -> dict[str, Any]:
    """The same for its gradient, which has the predictions' shape."""
    return dict(outputs=("dx",), shape=lambda dy, y_true, y_pred: like_pred(
        name, dy, per_sample(name, y_true, y_pred), y_pred))
