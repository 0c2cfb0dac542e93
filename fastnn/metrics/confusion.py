"""Metrics from true and false positives and negatives at thresholds. Floor 3; imports ops.

One state for all thresholds: the weights of the actual negatives and of the actual positives, by how many thresholds
their prediction exceeds. What exceeds more than i of them is called positive at the i-th.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.arguments import is_sequence, number, optional, whole
from fastnn.engine import backend
from fastnn.engine.kinds import TensorLike, Weights
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.metrics.columns import each_weighed, refuse
from fastnn.metrics.metric import Metric, State
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import data, elementwise
from fastnn.ops.rows.metric import confusion_step, keep_top_k

__all__ = ["FalseNegatives", "FalsePositives", "Precision", "Recall", "TrueNegatives", "TruePositives"]


class Counting(Metric):
    """Base: counts at thresholds, of all outputs together; top_k and class_id choose among them."""
    _direction: str | None = "up"
    top_k: int | None = None
    class_id: int | None = None

    def __init__(self, levels: Sequence[float], name: str | None, dtype: str | None, columns: int | None = 1) -> None:
        super().__init__(dtype, name)
        order = np.argsort(levels, kind="stable")
        self._place = np.argsort(order, kind="stable")      # of each threshold among the rising ones
        rising = np.asarray(levels, np.float32)[order]      # float64 models count the very same samples
        self._rising = Tensor(rising.astype(backend.floatx()), "thresholds", constant=True)
        self._counts = None if columns is None else self._made(columns)

    def _made(self, columns: int) -> State:
        return self.add_variable((2, len(self._place) + 1, columns), name="counts")

    def check_targets(self, y_true: np.ndarray, where: str) -> None:
        """LabelError for a negative target, which is neither no nor yes."""
        refuse(where, y_true, y_true < 0, f"{type(self).__name__} needs 0 for no and 1 for yes.\nMap {{-1, 1}} by "
                                          "(y + 1) / 2.")

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in: y_pred (…, c) against y_true of 0 and not 0; weights of samples, or of each output.
        LabelError for negative y_true."""
        single = as_tensor(y_pred).ndim < 2
        parts = each_weighed(self.name, y_true, y_pred, sample_weight)
        if self.top_k is not None:
            true, predicted, weights = (data.reshape(t, shape=(1, -1)) for t in parts) if single else parts
            parts = true, keep_top_k(predicted, k=self.top_k), weights
        if self.class_id is not None:
            columns = parts[1].shape[1]
            if single or self.class_id >= columns:  # type: ignore[operator]
                raise ShapeError(f"{self.name}: class_id is {self.class_id} and y_pred has shape "
                                 f"{np.shape(y_pred)}; needs (samples, classes), the class from 0 to {columns - 1}.")
            parts = tuple(data.slice(t, axis=1, begin=self.class_id, end=self.class_id + 1)  # type: ignore
                          for t in parts)
        self._count(*(data.reshape(t, shape=(-1, 1)) for t in parts))

    def _count(self, true: Tensor, predicted: Tensor, weights: Tensor) -> None:
        """The step, for (rows, columns) of each."""
        if self._counts is None:
            self._counts = self._made(predicted.shape[1])  # type: ignore[arg-type]
        actual = elementwise.absolute(elementwise.sign(true))       # not 0 is 1, as Keras' cast to bool
        confusion_step(self._counts, actual, predicted, weights, self._rising)

    def compute(self, counts: np.ndarray) -> Any:
        """The ratio of each threshold; one number for one threshold."""
        found = self._ratio(*self._at(counts))[..., 0]
        return found[..., 0] if len(self._place) == 1 else found

    def _at(self, counts: np.ndarray) -> tuple[np.ndarray, ...]:
        """tp, fp, tn, fn (…, thresholds, columns)."""
        negatives, positives = counts[..., 0, :, :], counts[..., 1, :, :]
        return tuple(found[..., self._place, :] for found in (
            _above(positives), _above(negatives), negatives.cumsum(axis=-2)[..., :-1, :],
            positives.cumsum(axis=-2)[..., :-1, :]))

    def _ratio(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _now(self, which: int) -> np.ndarray:
        if self._counts is None:
            return np.zeros(len(self._place))
        found = self._at(self._counts.data)[which]
        return found[:, 0] if found.shape[1] == 1 else found

    @property
    def true_positives(self) -> np.ndarray:
        """What was called positive and is, so far; one number a threshold."""
        return self._now(0)

    @property
    def false_positives(self) -> np.ndarray:
        """What was called positive and is not, so far; one number a threshold."""
        return self._now(1)

    @property
    def true_negatives(self) -> np.ndarray:
        """What was called negative and is, so far; one number a threshold."""
        return self._now(2)

    @property
    def false_negatives(self) -> np.ndarray:
        """What was called negative and is not, so far; one number a threshold."""
        return self._now(3)


class _Count(Counting):
    """How many there are, or the sum of their weights. Positive: y_pred > threshold, 0.5 unless given.

    thresholds: a number in [0, 1], or several for one count each.
    """
    _direction = None

    def __init__(self, thresholds: float | Sequence[float] | None = None, name: str | None = None,
                 dtype: str | None = None) -> None:
        self.thresholds = thresholds
        super().__init__(levels_of(type(self).__name__, thresholds), name, dtype)


class TruePositives(_Count):
    """How many positives were called positive. Arguments as FalsePositives."""

    def _ratio(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> np.ndarray:
        return tp


class FalsePositives(_Count):
    """How many negatives were called positive: y_pred > threshold, 0.5 unless given. With weights, the sum of theirs.

    thresholds: a number in [0, 1], or several for one count each.
    """

    def _ratio(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> np.ndarray:
        return fp


class TrueNegatives(_Count):
    """How many negatives were called negative. Arguments as FalsePositives."""

    def _ratio(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> np.ndarray:
        return tn


class FalseNegatives(_Count):
    """How many positives were called negative. Arguments as FalsePositives."""

    def _ratio(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> np.ndarray:
        return fn


class _Part(Counting):
    """Which part of some is right."""

    def __init__(self, thresholds: float | Sequence[float] | None = None, top_k: int | None = None,
                 class_id: int | None = None, name: str | None = None, dtype: str | None = None) -> None:
        where = type(self).__name__
        self.thresholds, self.top_k = thresholds, optional(whole, top_k, f"{where}: top_k")
        self.class_id = optional(whole, class_id, f"{where}: class_id", 0)
        every = top_k is not None and thresholds is None      # all that top_k leaves
        super().__init__([-np.inf] if every else levels_of(where, thresholds), name, dtype)


class Precision(_Part):
    """tp/(tp + fp): which part of what was called positive is. Positive: y_pred > threshold, 0.5 unless given.

    thresholds: a number in [0, 1], or several for one result each. top_k: positive are the k highest of a row, above
    the threshold if there is one. class_id: look at this output alone.
    """

    def _ratio(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> np.ndarray:
        return divided(tp, tp + fp)


class Recall(_Part):
    """tp/(tp + fn): which part of the positives was found. Positive: y_pred > threshold, 0.5 unless given.

    thresholds: a number in [0, 1], or several for one result each. top_k: positive are the k highest of a row, above
    the threshold if there is one. class_id: look at this output alone.
    """

    def _ratio(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> np.ndarray:
        return divided(tp, tp + fn)


def divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a/b, 0 where b is 0."""
    return np.where(b == 0, 0.0, a / np.where(b == 0, 1.0, b))


def _above(counts: np.ndarray) -> np.ndarray:
    """Σ of what exceeds each threshold."""
    return np.flip(np.flip(counts, axis=-2).cumsum(axis=-2), axis=-2)[..., 1:, :]


def levels_of(where: str, thresholds: Any) -> list[float]:
    """The thresholds as a list of floats, 0.5 unless given."""
    given = [0.5] if thresholds is None else thresholds if is_sequence(thresholds) else [thresholds]
    if not len(given):
        raise ValueError(f"{where}: thresholds is empty; needs at least one number, or None for 0.5.")
    return [number(t, f"{where}: thresholds", 0, 1) for t in given]
