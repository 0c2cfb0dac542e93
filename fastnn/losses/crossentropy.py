"""Losses of probabilities: binary, categorical and sparse categorical cross-entropy. Floor 3; imports ops.

Where y_pred comes straight out of sigmoid or softmax, the loss starts from what went into it (Keras on TensorFlow does
so in fit): log(softmax(x)) is exact where log(p) has nothing left to take the logarithm of. Otherwise probabilities are
clipped to [1e-7, 1 - 1e-7].
"""


from fastnn.arguments import flag, number, optional, whole
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.losses.loss import LossFunctionWrapper, prepared
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import crossentropy as rows
from fastnn.ops.rows import data, elementwise, reduce, sparse_crossentropy

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy", "bce",
    "binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy",
]


def binary_crossentropy(y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0,
                        axis: int = -1) -> Tensor:
    """loss = -mean(t·log p + (1 - t)·log(1 - p)), t = y_true·(1 - s) + s/2, s = label_smoothing.

    y_true, y_pred (…, c) → (…); the mean is over `axis`. from_logits: y_pred is x of p = sigmoid(x).
    """
    smoothing = number(label_smoothing, "binary_crossentropy: label_smoothing", 0, 1)
    y_true, y_pred = prepared("binary_crossentropy", y_true, y_pred)
    logits = behind(y_pred, "sigmoid")
    if logits is not None or from_logits:
        x = y_pred if logits is None else logits
        return rows.sigmoid_crossentropy(_last(y_true, axis), _last(x, axis), smoothing=smoothing)
    return rows.binary_crossentropy(_last(y_true, axis), _last(y_pred, axis), smoothing=smoothing)


def categorical_crossentropy(y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False,
                             label_smoothing: float = 0.0, axis: int = -1) -> Tensor:
    """loss = -sum(t·log p) over the classes, t = y_true·(1 - s) + s/c, s = label_smoothing. y_true is one-hot.

    y_true, y_pred (…, c) → (…), the classes along `axis`. from_logits: y_pred is x of p = softmax(x); otherwise p is
    y_pred divided by its sum.
    """
    smoothing = number(label_smoothing, "categorical_crossentropy: label_smoothing", 0, 1)
    y_true, y_pred = prepared("categorical_crossentropy", y_true, y_pred)
    logits = behind(y_pred, "softmax") if _is_last(y_pred, axis) else None
    if logits is not None or from_logits:
        x = y_pred if logits is None else logits
        return rows.softmax_crossentropy(_last(y_true, axis), _last(x, axis), smoothing=smoothing)[0]
    return rows.categorical_crossentropy(_last(y_true, axis), _last(y_pred, axis), smoothing=smoothing)


def sparse_categorical_crossentropy(y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False,
                                    ignore_class: int | None = None, axis: int = -1) -> Tensor:
    """loss = -log p[label], 0 where the label is ignore_class. y_true (…) whole numbers from 0, y_pred (…, c) → (…).

    from_logits: y_pred is x of p = softmax(x). Raises LabelError for labels that are no class, and ShapeError for
    one-hot y_true.
    """
    ignore = -1 if ignore_class is None else ignore_class
    y_pred = _last(as_tensor(y_pred), axis)
    y_true, y_pred = prepared("sparse_categorical_crossentropy", y_true, y_pred, "labels", ignore_class)
    logits = behind(y_pred, "softmax")
    if logits is not None or from_logits:
        x = y_pred if logits is None else logits
        return sparse_crossentropy.sparse_softmax_crossentropy(y_true, x, ignore=ignore)[0]
    return sparse_crossentropy.sparse_categorical_crossentropy(y_true, y_pred, ignore=ignore)


sparse_categorical_crossentropy.label_kind = "labels"  # type: ignore[attr-defined]


bce = binary_crossentropy


class BinaryCrossentropy(LossFunctionWrapper):
    """-mean(t·log p + (1 - t)·log(1 - p)), for yes/no outputs: sigmoid, and y_true in {0, 1}. Arguments as Keras."""

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str | None = None,
                 dtype: str | None = None) -> None:
        self.from_logits = flag(from_logits, "BinaryCrossentropy: from_logits")
        self.label_smoothing = number(label_smoothing, "BinaryCrossentropy: label_smoothing", 0, 1)
        self.axis = whole(axis, "BinaryCrossentropy: axis", None)
        super().__init__(binary_crossentropy, reduction, name, dtype, from_logits=self.from_logits,
                         label_smoothing=self.label_smoothing, axis=self.axis)


class CategoricalCrossentropy(LossFunctionWrapper):
    """-sum(t·log p), for one class of several: softmax, and y_true one-hot. Arguments as Keras."""

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str | None = None,
                 dtype: str | None = None) -> None:
        self.from_logits = flag(from_logits, "CategoricalCrossentropy: from_logits")
        self.label_smoothing = number(label_smoothing, "CategoricalCrossentropy: label_smoothing", 0, 1)
        self.axis = whole(axis, "CategoricalCrossentropy: axis", None)
        super().__init__(categorical_crossentropy, reduction, name, dtype, from_logits=self.from_logits,
                         label_smoothing=self.label_smoothing, axis=self.axis)


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """-log p[label], for one class of several: softmax, and y_true class numbers. Arguments as Keras.

    ignore_class: samples with this label have loss 0, and a mean is over the others.
    """

    def __init__(self, from_logits: bool = False, ignore_class: int | None = None,
                 reduction: str | None = "sum_over_batch_size", axis: int = -1, name: str | None = None,
                 dtype: str | None = None) -> None:
        self.from_logits = flag(from_logits, "SparseCategoricalCrossentropy: from_logits")
        self.ignore_class = optional(whole, ignore_class, "SparseCategoricalCrossentropy: ignore_class", None, 2 ** 31)
        self.axis = whole(axis, "SparseCategoricalCrossentropy: axis", None)
        super().__init__(sparse_categorical_crossentropy, reduction, name, dtype, from_logits=self.from_logits,
                         ignore_class=self.ignore_class, axis=self.axis)

    def counted(self, y_true: Tensor, y_pred: Tensor, losses: Tensor) -> Tensor | None:
        """1 where the label is not ignore_class."""
        return None if self.ignore_class is None else not_ignored(y_true, y_pred.shape[self.axis], self.ignore_class)


def not_ignored(labels: Tensor, classes: int, ignore: int) -> Tensor:
    """1 where the label is a class other than `ignore`, else 0. labels (…) int32 → (…)."""
    hot = data.one_hot(labels, depth=classes)
    axis = hot.ndim - 1
    known = reduce.sum(hot, axes=(axis,))
    if not 0 <= ignore < classes:
        return known
    ignored = data.slice(hot, axis=axis, begin=ignore, end=ignore + 1)
    return elementwise.subtract(known, reduce.sum(ignored, axes=(axis,)))


def behind(y_pred: Tensor, kind: str) -> Tensor | None:
    """The logits that went into sigmoid or softmax, if that is what made y_pred."""
    call = y_pred.source
    return call.inputs[0] if getattr(getattr(call, "op", None), "probabilities", "") == kind else None


def _is_last(x: Tensor, axis: int) -> bool:
    axis = whole(axis, "cross-entropy: axis", None)
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"cross-entropy: axis is {axis} and y_pred has shape {x.shape}; needs one of its axes.")
    return axis % x.ndim == x.ndim - 1


def _last(x: Tensor, axis: int) -> Tensor:
    """x with `axis` moved to the end."""
    if _is_last(x, axis):
        return x
    order = [a for a in range(x.ndim) if a != axis % x.ndim]
    return data.transpose(x, axes=(*order, axis % x.ndim))
