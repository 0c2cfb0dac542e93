"""Metrics of the table of actual and predicted classes: the table, and intersection over union. Floor 3; imports ops.

The state is C[t, p], the weights of what is of class t and was taken for class p, in float64.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.arguments import choice, dtype_of, flag, is_sequence, number, optional, whole
from fastnn.engine import backend
from fastnn.engine.context import is_recording
from fastnn.engine.kinds import DType, TensorLike, Weights
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, shown, warn
from fastnn.losses.loss import spread_weights
from fastnn.metrics.columns import ones, refuse, with_mask
from fastnn.metrics.confusion import divided
from fastnn.metrics.metric import Metric, State
from fastnn.ops import _compare as compare
from fastnn.ops._convert import reshaped
from fastnn.ops._op import as_tensor
from fastnn.ops._reduction import argmax
from fastnn.ops._rules import unlike
from fastnn.ops.rows import elementwise
from fastnn.ops.rows.metric import count_step

__all__ = ["BinaryIoU", "ConfusionMatrix", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]

EPSILON = 1e-7


class ConfusionMatrix(Metric):
    """C[t, p]: how many samples of class t were taken for class p, or the sum of their weights. A (classes, classes).

    y_true: class numbers, or one-hot rows; y_pred: probabilities (…, classes), or one of class 1, cut at `threshold`.
    num_classes: as y_pred has unless given. normalize: 'true' divides by what is of the class, 'pred' by what was
    taken for it, 'all' by the total. Source: sklearn.metrics.confusion_matrix.
    >>> model.compile(loss="sparse_categorical_crossentropy", metrics=[metrics.ConfusionMatrix()])
    """

    def __init__(self, num_classes: int | None = None, normalize: str | None = None, threshold: float = 0.5,
                 name: str | None = "confusion_matrix", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.num_classes = optional(whole, num_classes, "ConfusionMatrix: num_classes", 2)
        self.normalize = optional(choice, normalize, "ConfusionMatrix: normalize", ("true", "pred", "all"))
        self.threshold = number(threshold, "ConfusionMatrix: threshold")
        self._counts: State | None = None

    def settle(self, y_true_shape: tuple[int | None, ...], y_pred_shape: tuple[int | None, ...]) -> None:
        """Class numbers where y_true has no column for each class."""
        columns = y_pred_shape[-1] if y_pred_shape else 1
        self.label_kind = "labels" if columns != 1 and (
            len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1) else "float"

    def check_targets(self, y_true: np.ndarray, where: str) -> None:
        """LabelError for a number that is no class of the table."""
        if self._counts is not None and (self.label_kind == "labels" or y_true.ndim < 2 or y_true.shape[-1] == 1):
            _check_classes(where, y_true, len(self._counts.data))

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in. LabelError for a y_true that is no class of the table."""
        sample_weight = with_mask(self.name, y_pred, sample_weight)
        predicted, true = as_tensor(y_pred), as_tensor(y_true, "any")
        columns = predicted.shape[-1] if predicted.ndim > 1 else 1
        _check_columns(self.name, columns, self.num_classes)
        if self._counts is None:
            classes = self.num_classes or max(2, columns)  # type: ignore[type-var]
            self._counts = self.add_variable((classes, classes), name="counts")  # type: ignore[arg-type]
            if true.data is not None and not is_recording():
                self.check_targets(true.data, self.name)
        if true.ndim == predicted.ndim and true.shape[-1] == columns != 1:
            true = argmax(true, axis=-1)
        if columns == 1:
            predicted = compare.greater(predicted, self.threshold)
        else:
            predicted = argmax(predicted, axis=-1)
        _count(self.name, self._counts, true, predicted, sample_weight)

    def compute(self, counts: np.ndarray | None = None) -> Any:
        """The table, its rows the actual classes."""
        if counts is None:
            return np.zeros((self.num_classes or 2,) * 2)
        axes = {None: (), "true": (-1,), "pred": (-2,), "all": (-2, -1)}[self.normalize]
        return divided(counts, counts.sum(axis=axes, keepdims=True)) if axes else counts


class _Overlap(Metric):
    """Base: counts classes against classes, and reads intersection over union from the table."""
    _direction = "up"

    def __init__(self, num_classes: int, target_class_ids: Sequence[int] | None = None, name: str | None = None,
                 dtype: DType = None, ignore_class: int | None = None, sparse_y_true: bool = True,
                 sparse_y_pred: bool = True, axis: int = -1) -> None:
        where = type(self).__name__
        super().__init__(None, name)
        self.dtype = dtype_of(dtype, f"{where}: dtype", ("int64", "int32", "float32", "float64", "int"))
        self.num_classes = whole(num_classes, f"{where}: num_classes")
        ids = list(range(self.num_classes)) if target_class_ids is None else target_class_ids
        if not is_sequence(ids) or not len(ids):
            raise KindError(f"{where}: target_class_ids is {shown(target_class_ids)}; needs a list of class numbers, "
                            "such as [0, 1].")
        self.target_class_ids = [whole(i, f"{where}: target_class_ids", 0, self.num_classes) for i in ids]
        self.ignore_class = optional(whole, ignore_class, f"{where}: ignore_class", None)
        self.sparse_y_true = flag(sparse_y_true, f"{where}: sparse_y_true")
        self.sparse_y_pred = flag(sparse_y_pred, f"{where}: sparse_y_pred")
        self.axis = whole(axis, f"{where}: axis", None)
        self.label_kind = "labels" if self.sparse_y_true and not self.sparse_y_pred else "float"
        self._warned = False
        self._counts = self.add_variable((self.num_classes, self.num_classes), name="total_confusion_matrix")

    def check_targets(self, y_true: np.ndarray, where: str) -> None:
        """LabelError for a number that is no class."""
        if self.sparse_y_true:
            _check_classes(where, y_true, self.num_classes, self.ignore_class,
                           "; ignore_class leaves one number out." if self.ignore_class is None else ".")

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in, without what is of ignore_class. LabelError for a y_true that is none of the num_classes."""
        sample_weight = with_mask(self.name, y_pred, sample_weight)
        true, predicted = as_tensor(y_true, "any"), as_tensor(y_pred, "any")
        if self.sparse_y_pred and not self._warned and _fractions(predicted):
            self._warned = True
            warn(f"{self.name}: y_pred are numbers of classes here, and an output such as 0.93 is cut to 0. "
                 "Use sparse_y_pred=False for probabilities of classes, BinaryIoU for those of yes and no.")
        true = true if self.sparse_y_true else argmax(true, axis=self.axis)
        if not self.sparse_y_pred:
            _check_columns(self.name, predicted.shape[self.axis], self.num_classes)
            predicted = argmax(predicted, axis=self.axis)
        _count(self.name, self._counts, true, predicted, sample_weight, self.ignore_class)

    def compute(self, counts: np.ndarray) -> Any:
        """The mean of tp/(tp + fp + fn) over the target classes that were seen, actual or predicted."""
        both = np.diagonal(counts, axis1=-2, axis2=-1)[..., self.target_class_ids]
        union = (counts.sum(axis=-2) + counts.sum(axis=-1))[..., self.target_class_ids] - both
        seen = union > 1e-9
        ratios = np.where(seen, both / (union + EPSILON), 0.0)
        return ratios.sum(axis=-1) / (seen.sum(axis=-1) + EPSILON)


class IoU(_Overlap):
    """tp/(tp + fp + fn) of each target class, and the mean of those seen: how well areas overlap, 1 at best.

    sparse_y_true, sparse_y_pred: class numbers if True, else one-hot or probabilities along `axis`. ignore_class: a
    y_true that is left out. Weights count as they are whatever the dtype (Keras cuts them to whole numbers unless it
    is a float). Source: keras.metrics.IoU.
    """

    def __init__(self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: DType = None,
                 ignore_class: int | None = None, sparse_y_true: bool = True, sparse_y_pred: bool = True,
                 axis: int = -1) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class BinaryIoU(_Overlap):
    """IoU of the classes 0 and 1: y_pred is a probability, of class 1 from `threshold` on."""

    def __init__(self, target_class_ids: Sequence[int] = (0, 1), threshold: float = 0.5, name: str | None = None,
                 dtype: DType = None) -> None:
        self.threshold = number(threshold, "BinaryIoU: threshold")
        super().__init__(2, target_class_ids, name, dtype)

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in: y_true of 0 and 1."""
        sample_weight = with_mask(self.name, y_pred, sample_weight)
        predicted = compare.greater_equal(as_tensor(y_pred), self.threshold)
        _count(self.name, self._counts, as_tensor(y_true, "any"), predicted, sample_weight)


class MeanIoU(_Overlap):
    """IoU of all classes, and the mean of those seen. Arguments as IoU without target_class_ids."""

    def __init__(self, num_classes: int, name: str | None = None, dtype: DType = None, ignore_class: int | None = None,
                 sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1) -> None:
        super().__init__(num_classes, None, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(_Overlap):
    """IoU where y_true is one-hot, and y_pred probabilities unless sparse_y_pred. Arguments as IoU."""

    def __init__(self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: DType = None,
                 ignore_class: int | None = None, sparse_y_pred: bool = False, axis: int = -1) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(_Overlap):
    """MeanIoU where y_true is one-hot, and y_pred probabilities unless sparse_y_pred. Arguments as MeanIoU."""

    def __init__(self, num_classes: int, name: str | None = None, dtype: DType = None, ignore_class: int | None = None,
                 sparse_y_pred: bool = False, axis: int = -1) -> None:
        super().__init__(num_classes, None, name, dtype, ignore_class, False, sparse_y_pred, axis)


def _check_classes(where: str, y_true: np.ndarray, classes: int, ignore: int | None = None,
                   more: str = ".") -> None:
    bad = ~((y_true >= 0) & (y_true < classes) & (y_true == np.floor(y_true)))
    refuse(where, y_true, bad if ignore is None else bad & (y_true != ignore),
           f"the table has the classes 0..{classes - 1}.\nUse a larger num_classes or relabel"
           + (", {-1, 1} by (y + 1) / 2" if classes == 2 else "") + more)


def _check_columns(where: str, columns: int | None, classes: int | None) -> None:
    if None not in (columns, classes) and columns > classes:  # type: ignore[operator]
        raise ShapeError(f"{where}: y_pred has {columns} classes and num_classes is {classes}; use the larger.")


def _fractions(predicted: Tensor) -> bool:
    """Whether they are the outputs of a model under training, or fractions."""
    if not predicted.dtype.startswith("float"):
        return False
    if predicted.data is None or is_recording():
        return True
    return bool((predicted.data != np.floor(predicted.data)).any())


def _count(where: str, counts: State, true: Tensor, predicted: Tensor, sample_weight: Weights,
           ignore: int | None = None) -> None:
    """Count class numbers of one shape, (…) or (…, 1), with the weights of samples or of each."""
    if true.ndim != predicted.ndim:
        longer = true if true.ndim > predicted.ndim else predicted
        if longer.shape[-1] == 1:
            shape = [-1 if n is None else n for n in longer.shape[:-1]]
            true, predicted = (reshaped(t, shape) if t is longer else t for t in (true, predicted))
    if unlike(true.shape, predicted.shape):
        raise ShapeError(f"{where}: the classes of y_true have shape {true.shape} and those of y_pred "
                         f"{predicted.shape}; needs one shape.")
    weights = ones(true.shape) if sample_weight is None else spread_weights(
        where, sample_weight, Tensor(None, shape=true.shape, dtype=backend.floatx()))
    if ignore is not None:
        kept = elementwise.cast(compare.not_equal(true, ignore), dtype=weights.dtype)
        weights = elementwise.multiply(weights, kept)
    rows, columns, weights = (reshaped(t, (-1,)) for t in (true, predicted, weights))
    count_step(counts, *(t if t.dtype == "int32" else elementwise.cast(t, dtype="int32") for t in (rows, columns)),
               weights)
