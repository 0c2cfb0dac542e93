"""Metrics from true and false positives and negatives: precision, recall, F-scores. Floor 3; imports ops.

The counts of one threshold are a (4, c) state: rows true positives, false positives, true negatives, false negatives,
one column per output. It is made at the first batch, when c is known.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.arguments import choice, is_sequence, number, optional, whole
from fastnn.engine.kinds import TensorLike, Weights
from fastnn.errors import ShapeError
from fastnn.metrics.columns import as_columns
from fastnn.metrics.metric import Metric, State
from fastnn.ops.rows import data
from fastnn.ops.rows.metric import confusion_step, hardmax_confusion_step, keep_top_k

EPSILON = 1e-7


class _Counting(Metric):
    """Counts at one or several thresholds, over all outputs or over the one named by class_id."""
    _direction = "up"

    def __init__(self, thresholds: float | Sequence[float] | None = None, top_k: int | None = None,
                 class_id: int | None = None, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.thresholds, self.top_k = thresholds, optional(whole, top_k, f"{type(self).__name__}: top_k")
        self.class_id = optional(whole, class_id, f"{type(self).__name__}: class_id", 0)
        self._levels = ([-np.inf] if top_k is not None and thresholds is None      # all that top_k leaves
                        else _levels(type(self).__name__, thresholds))
        self._counts: list[State] = []

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in: y_pred (…, c) against y_true of 0 and 1 of the same shape."""
        true, predicted, weights = as_columns(self.name, y_true, y_pred, sample_weight)
        if self.top_k is not None:
            predicted = keep_top_k(predicted, k=self.top_k)
        if self.class_id is not None:
            if self.class_id >= predicted.shape[1]:
                raise ShapeError(f"{self.name}: class_id is {self.class_id} and y_pred has shape {predicted.shape}; "
                                 f"needs a column from 0 to {predicted.shape[1] - 1}.")
            begin = self.class_id
            true, predicted = (data.slice(t, axis=1, begin=begin, end=begin + 1) for t in (true, predicted))
        if not self._counts:
            self._counts = [self.add_variable((4, predicted.shape[1]), name=f"counts_{i}")
                            for i in range(len(self._levels))]
        for counts, level in zip(self._counts, self._levels):
            confusion_step(counts, true, predicted, weights, threshold=level)

    def compute(self, *counts: np.ndarray) -> Any:
        """right/(right + wrong) of each threshold, 0 where there is none."""
        if not counts:
            return np.zeros(len(self._levels)) if len(self._levels) > 1 else 0.0
        values = [self._ratio(*np.moveaxis(c.sum(axis=-1), -1, 0)) for c in counts]
        return values[0] if len(values) == 1 else np.stack(values, axis=-1)

    def _ratio(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class Precision(_Counting):
    """tp/(tp + fp): which part of what was called positive is. Positive: y_pred > threshold, 0.5 unless given.

    thresholds: a number in [0, 1], or several for one result each. top_k: positive are the k highest of a row, above
    the threshold if there is one. class_id: look at this output alone.
    """

    def _ratio(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> np.ndarray:
        return _divided(tp, tp + fp)


class Recall(_Counting):
    """tp/(tp + fn): which part of the positives was found. Positive: y_pred > threshold, 0.5 unless given.

    thresholds: a number in [0, 1], or several for one result each. top_k: positive are the k highest of a row, above
    the threshold if there is one. class_id: look at this output alone.
    """

    def _ratio(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> np.ndarray:
        return _divided(tp, tp + fn)


class FBetaScore(Metric):
    """(1 + β²)·p·r/(β²·p + r + 1e-7), p precision and r recall of each output.

    average: None for one value per output, 'micro' (counts of all outputs together), 'macro' (mean of the outputs'
    scores) or 'weighted' (by their positives). threshold: None calls the highest output of a row positive.
    """
    _direction = "up"
    _averages = ("micro", "macro", "weighted")

    def __init__(self, average: str | None = None, beta: float = 1.0, threshold: float | None = None,
                 name: str | None = "fbeta_score", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        where = type(self).__name__
        self.average = optional(choice, average, f"{where}: average", self._averages)
        self.beta = number(beta, f"{where}: beta", 0, above=True)
        self.threshold = optional(number, threshold, f"{where}: threshold", 0, 1, above=True)
        self._counts: State | None = None

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in: y_pred (N, c) against y_true of 0 and 1 of the same shape."""
        y_true, y_pred, weights = as_columns(self.name, y_true, y_pred, sample_weight)
        if self._counts is None:
            self._counts = self.add_variable((4, y_pred.shape[1]), name="counts")
        if self.threshold is None:
            hardmax_confusion_step(self._counts, y_true, y_pred, weights)
        else:
            confusion_step(self._counts, y_true, y_pred, weights, threshold=self.threshold)

    def compute(self, counts: np.ndarray | None = None) -> Any:
        """The score of each output, or their average."""
        if counts is None:
            return 0.0
        if self.average == "micro":
            counts = counts.sum(axis=-1, keepdims=True)
        tp, fp, _, fn = np.moveaxis(counts, -2, 0)
        precision, recall = tp / (tp + fp + EPSILON), tp / (tp + fn + EPSILON)
        square = self.beta ** 2
        score = (1 + square) * precision * recall / (square * precision + recall + EPSILON)
        if self.average is None:
            return score
        if self.average == "weighted":
            positives = tp + fn
            return (score * positives / (positives.sum(axis=-1, keepdims=True) + EPSILON)).sum(axis=-1)
        return score.mean(axis=-1)


class F1Score(FBetaScore):
    """2·p·r/(p + r + 1e-7), p precision and r recall of each output. Arguments as FBetaScore without beta."""

    def __init__(self, average: str | None = None, threshold: float | None = None, name: str | None = "f1_score",
                 dtype: str | None = None) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)


def _divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where(b == 0, 0.0, a / np.where(b == 0, 1.0, b))


def _levels(where: str, thresholds: Any) -> list[float]:
    """The thresholds as a list of floats, 0.5 unless given."""
    given = [0.5] if thresholds is None else thresholds if is_sequence(thresholds) else [thresholds]
    if not len(given):
        raise ValueError(f"{where}: thresholds is empty; needs at least one number, or None for 0.5.")
    return [number(t, f"{where}: thresholds", 0, 1) for t in given]
