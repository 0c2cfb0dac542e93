"""F-scores: the harmonic mean of precision and recall, weighted. Floor 3; imports ops."""

from typing import Any

import numpy as np

from fastnn.arguments import choice, number, optional
from fastnn.engine.kinds import TensorLike, Weights
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.metrics.columns import as_columns, refuse
from fastnn.metrics.confusion import Counting
from fastnn.ops import _compare as compare
from fastnn.ops.rows import elementwise, reduce
from fastnn.ops.rows.metric import confusion_step

__all__ = ["F1Score", "FBetaScore"]

EPSILON = 1e-7


class FBetaScore(Counting):
    """(1 + β²)·p·r/(β²·p + r + 1e-7), p precision and r recall of each output.

    average: None for one value per output, 'micro' (counts of all outputs together), 'macro' (mean of the outputs'
    scores) or 'weighted' (by their positives). threshold: None calls the highest output of a row positive.
    """
    _averages = ("micro", "macro", "weighted")

    def __init__(self, average: str | None = None, beta: float = 1.0, threshold: float | None = None,
                 name: str | None = "fbeta_score", dtype: str | None = None) -> None:
        where = type(self).__name__
        self.average = optional(choice, average, f"{where}: average", self._averages)
        self.beta = number(beta, f"{where}: beta", 0, above=True)
        self.threshold = optional(number, threshold, f"{where}: threshold", 0, 1, above=True)
        super().__init__([0.5 if self.threshold is None else self.threshold], name, dtype, columns=None)

    def check_targets(self, y_true: np.ndarray, where: str) -> None:
        """LabelError for a target outside [0, 1]."""
        refuse(where, y_true, ~((y_true >= 0) & (y_true <= 1)),
               f"{type(self).__name__} needs 1 for yes and 0 for no in each column.\nMap {{-1, 1}} by (y + 1) / 2, "
               "class numbers by utils.to_categorical(y).")

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in: y_pred (N, c) against y_true of 0 and 1 of the same shape; 0.3 is 0.3 of a positive.
        LabelError for others."""
        true, predicted, weights = as_columns(self.name, y_true, y_pred, sample_weight)
        if self.threshold is None:
            if predicted.shape[1] == 1:
                raise ShapeError(f"{self.name}: y_pred has shape {predicted.shape}, and its only output is always the "
                                 "highest of its row; needs threshold=0.5 for yes or no.")
            predicted = _highest(predicted)
        if self._counts is None:
            self._counts = self._made(predicted.shape[1])  # type: ignore[arg-type]
        each = reduce.expand(weights, shape=predicted.shape, axes=(1,))
        confusion_step(self._counts, true, predicted, each, self._rising)

    def compute(self, counts: np.ndarray | None = None) -> Any:
        """The score of each output, or their average."""
        if counts is None:
            return 0.0
        tp, fp, _, fn = (found[..., 0, :] for found in self._at(counts))
        if self.average == "micro":
            tp, fp, fn = (found.sum(axis=-1, keepdims=True) for found in (tp, fp, fn))
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


def _highest(x: Tensor) -> Tensor:
    """1 for the highest of each row (all that tie) if |x| > 1e-9, else 0, as Keras."""
    highest = reduce.expand(reduce.max(x, axes=(1,)), shape=x.shape, axes=(1,))
    kept = compare.logical_and(compare.greater_equal(x, highest), compare.greater(elementwise.absolute(x), 1e-9))
    return elementwise.cast(kept, dtype=x.dtype)  # type: ignore[no-any-return]
