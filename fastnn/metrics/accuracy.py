"""How often predictions are right. Floor 3; imports ops and losses."""


import numpy as np

from fastnn.arguments import flag, number, whole
from fastnn.engine import backend
from fastnn.engine.context import is_recording
from fastnn.engine.kinds import TensorLike, Weights
from fastnn.engine.tensor import Tensor
from fastnn.errors import warn
from fastnn.losses.loss import prepared
from fastnn.metrics.means import MeanMetricWrapper
from fastnn.ops._compare import equal
from fastnn.ops._convert import reshaped
from fastnn.ops._op import as_tensor
from fastnn.ops._reduction import any as any_of
from fastnn.ops._shaping import expand_dims
from fastnn.ops.rows import compare, data, elementwise
from fastnn.ops.rows import metric as rows
from fastnn.ops.rows._per_sample import per_label

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]


def accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """1 where y_true = y_pred, else 0, element by element."""
    return elementwise.cast(compare.equal(*prepared("accuracy", y_true, y_pred)), dtype=backend.floatx())


def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5) -> Tensor:
    """mean((y_pred > threshold) = y_true) over the last axis. (…, c) → (…); for single rows (N,) each number counts."""
    y_true, y_pred = prepared("binary_accuracy", y_true, y_pred)
    if y_pred.ndim == y_true.ndim == 1:
        y_true, y_pred = (data.reshape(t, shape=(-1, 1)) for t in (y_true, y_pred))
    return rows.binary_accuracy(y_true, y_pred, threshold=number(threshold, "binary_accuracy: threshold"))


def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """1 where argmax(y_true) = argmax(y_pred), else 0. (…, c) → (…)."""
    return rows.categorical_accuracy(*prepared("categorical_accuracy", y_true, y_pred))


def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """1 where the label is argmax(y_pred), else 0. y_true (…) class numbers; y_pred (…, c) → (…)."""
    return rows.sparse_categorical_accuracy(*prepared("sparse_categorical_accuracy", y_true, y_pred, "labels"))


def top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5) -> Tensor:
    """1 where argmax(y_true) is among the k highest of y_pred, else 0. (…, c) → (…)."""
    k = whole(k, "top_k_categorical_accuracy: k")
    return rows.top_k_accuracy(*prepared("top_k_categorical_accuracy", y_true, y_pred), k=k)


def sparse_top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5,
                                      from_sorted_ids: bool = False) -> Tensor:
    """1 where the label is among the k highest of y_pred, else 0. y_true (…) class numbers; y_pred (…, c) → (…).

    from_sorted_ids: y_pred are the numbers of the best classes, the best first, and the first k of them count.
    """
    k = whole(k, "sparse_top_k_categorical_accuracy: k")
    if flag(from_sorted_ids, "sparse_top_k_categorical_accuracy: from_sorted_ids"):
        ids, labels = as_tensor(y_pred, "any"), as_tensor(y_true, "any")
        if labels.ndim == ids.ndim > 0 and labels.shape[-1] == 1:
            labels = reshaped(labels, labels.shape[:-1])
        per_label("sparse_top_k_categorical_accuracy", labels.shape, ids.shape)
        first = data.slice(ids, axis=ids.ndim - 1, begin=0, end=min(k, ids.shape[-1]))  # type: ignore[type-var]
        hits = equal(expand_dims(labels, -1), first)
        return elementwise.cast(any_of(hits, -1), dtype=backend.floatx())
    return rows.sparse_top_k_accuracy(*prepared("sparse_top_k_categorical_accuracy", y_true, y_pred, "labels"), k=k)


for _function in (sparse_categorical_accuracy, sparse_top_k_categorical_accuracy):
    _function.label_kind = "labels"  # type: ignore[attr-defined]


class Accuracy(MeanMetricWrapper):
    """How often y_pred equals y_true exactly: for predicted classes, not for probabilities (a warning says so)."""
    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: str | None = None) -> None:
        super().__init__(accuracy, name, dtype)
        self._warned = False

    def update_state(  # type: ignore[override]
            self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in. Warns once if y_pred are fractions, or the outputs of a model."""
        if not self._warned and _fractional(y_pred):
            self._warned = True
            warn(f"{self.name}: Accuracy() counts where y_pred equals y_true exactly, and an output such as "
                 "0.93 never equals a label. Use metrics=['accuracy'], or BinaryAccuracy, Categorical"
                 "Accuracy, SparseCategoricalAccuracy.")
        super().update_state(y_true, y_pred, sample_weight)


class BinaryAccuracy(MeanMetricWrapper):
    """How often y_pred > threshold agrees with y_true in {0, 1}, over all outputs."""
    _direction = "up"

    def __init__(self, name: str | None = "binary_accuracy", dtype: str | None = None, threshold: float = 0.5) -> None:
        self.threshold = number(threshold, "BinaryAccuracy: threshold")
        super().__init__(binary_accuracy, name, dtype, threshold=self.threshold)

    def update_state(  # type: ignore[override]
            self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in, with weights of samples, or of each output."""
        y_true, y_pred = prepared(self.name, y_true, y_pred)
        if sample_weight is not None and as_tensor(sample_weight).shape == y_pred.shape and y_pred.ndim > 1:
            mask = y_pred.mask
            y_true, y_pred = (expand_dims(t, -1) for t in (y_true, y_pred))      # each output is a sample
            y_pred.mask = mask
        super().update_state(y_true, y_pred, sample_weight)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the highest output is the class of the one-hot y_true."""
    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the highest output is the class number y_true."""
    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the one-hot y_true is among the k highest outputs."""
    _direction = "up"

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: str | None = None) -> None:
        self.k = whole(k, "TopKCategoricalAccuracy: k")
        super().__init__(top_k_categorical_accuracy, name, dtype, k=self.k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class number y_true is among the k highest outputs.

    from_sorted_ids: y_pred are the numbers of the best classes, the best first, and the first k of them count.
    """
    _direction = "up"

    def __init__(self, k: int = 5, name: str | None = "sparse_top_k_categorical_accuracy", dtype: str | None = None,
                 from_sorted_ids: bool = False) -> None:
        self.k = whole(k, "SparseTopKCategoricalAccuracy: k")
        self.from_sorted_ids = flag(from_sorted_ids, "SparseTopKCategoricalAccuracy: from_sorted_ids")
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=self.k,
                         from_sorted_ids=self.from_sorted_ids)
        if self.from_sorted_ids:        # as many columns as ids, whatever the classes
            self.label_kind = "float"


def _fractional(y_pred: TensorLike) -> bool:
    """Whether y_pred are outputs of a model under training, or hold fractions."""
    if isinstance(y_pred, Tensor):
        if y_pred.data is None or is_recording():
            return y_pred.dtype.startswith("float")
        y_pred = y_pred.data
    array = np.asarray(y_pred)
    return bool(array.dtype.kind == "f" and (array != np.floor(array)).any())
