"""Metrics of a whole curve of thresholds: the area under it, and the best point on it. Floor 3; imports ops."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.arguments import choice, flag, number, numbers, optional, whole
from fastnn.engine.kinds import TensorLike, Weights
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.metrics.columns import each_weighed
from fastnn.metrics.confusion import Counting, divided, levels_of
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import elementwise, reduce
from fastnn.ops.rows.activation import sigmoid

__all__ = ["AUC", "PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"]

EPSILON = 1e-7


class _Curve(Counting):
    """Counts at many thresholds in [0, 1], to which y_pred is cut."""

    def _count(self, true: Tensor, predicted: Tensor, weights: Tensor) -> None:
        super()._count(true, elementwise.clip(predicted, low=0.0, high=1.0), weights)


class AUC(_Curve):
    """The area under the curve: of ROC the chance that a positive scores above a negative, 1 at best, 0.5 by guessing.

    curve: 'ROC' (recall over fp/(fp + tn)), 'PR' (precision over recall) or 'PRGAIN'. summation_method: 'interpolation'
    (Davis and Goadrich 2006 for PR, else trapezoids), 'minoring' or 'majoring'. The curve is taken at num_thresholds
    even thresholds, or at `thresholds` and the two ends. multi_label: a curve for each of the num_labels columns, and
    their mean by label_weights; without it label_weights weigh the columns of one curve. from_logits: y_pred is x of
    sigmoid(x). Source: keras.metrics.AUC.
    """

    def __init__(self, num_thresholds: int | None = 200, curve: str = "ROC", summation_method: str = "interpolation",
                 name: str | None = None, dtype: str | None = None, thresholds: Sequence[float] | None = None,
                 multi_label: bool = False, num_labels: int | None = None,
                 label_weights: Sequence[float] | None = None, from_logits: bool = False) -> None:
        given = None if thresholds is None else sorted(levels_of("AUC", thresholds))
        if num_thresholds is not None or given is None:
            num_thresholds = whole(num_thresholds, "AUC: num_thresholds", 2)
        self.num_thresholds: int = num_thresholds if given is None else len(given) + 2  # type: ignore[assignment]
        self.curve = choice(_word(curve, str.upper), "AUC: curve", ("ROC", "PR", "PRGAIN"))
        self.summation_method = choice(_word(summation_method, str.lower), "AUC: summation_method",
                                       ("interpolation", "minoring", "majoring"))
        self.multi_label = flag(multi_label, "AUC: multi_label")
        self.num_labels = optional(whole, num_labels, "AUC: num_labels")
        if self.num_labels and not self.multi_label:
            raise ValueError("AUC: num_labels is given without multi_label=True; needs both, or none.")
        self.label_weights = None if label_weights is None else numbers(label_weights, "AUC: label_weights").tolist()
        self.from_logits = flag(from_logits, "AUC: from_logits")
        self._inner = given
        inner = np.arange(1, self.num_thresholds - 1) / (self.num_thresholds - 1) if given is None else given
        self.thresholds = [-EPSILON, *map(float, inner), 1 + EPSILON]
        super().__init__(self.thresholds, name, dtype, self.num_labels if self.multi_label else 1)

    def _argument(self, name: str) -> Any:
        return self._inner if name == "thresholds" else super()._argument(name)

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> None:
        """Take a batch in: y_pred (…, c) from 0 to 1 against y_true of 0 and not 0."""
        if self.from_logits:
            y_pred = sigmoid(as_tensor(y_pred))
        if not self.multi_label and self.label_weights is None:
            super().update_state(y_true, y_pred, sample_weight)
            return
        true, predicted, weights = each_weighed(self.name, y_true, y_pred, sample_weight)
        columns = predicted.shape[1]
        for given, name in ((self.num_labels, "num_labels"), (self.label_weights and len(self.label_weights),
                                                              "the length of label_weights")):
            if given not in (None, columns):
                raise ShapeError(f"{self.name}: y_pred has shape {np.shape(y_pred)}, {columns} columns, and {name} is "
                                 f"{given}; needs as many.")
        if self.multi_label:
            self._count(true, predicted, weights)
            return
        of_labels = Tensor(np.asarray(self.label_weights, predicted.dtype), "label weights", constant=True)
        weights = elementwise.multiply(weights, reduce.expand(of_labels, shape=predicted.shape, axes=(0,)))
        super().update_state(true, predicted, weights)

    def compute(self, counts: np.ndarray | None = None) -> Any:
        """The area; of several labels the mean of their areas."""
        if counts is None:
            return 0.0
        tp, fp, tn, fn = self._at(counts)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _davis_goadrich(tp, fp, fn)
        else:
            x, y = getattr(self, f"_{self.curve.lower()}")(tp, fp, tn, fn)
            left, right = y[..., :-1, :], y[..., 1:, :]
            height = {"interpolation": (left + right) / 2, "minoring": np.minimum(left, right),
                      "majoring": np.maximum(left, right)}[self.summation_method]
            areas = (x[..., :-1, :] - x[..., 1:, :]) * height
        found = np.ascontiguousarray(np.moveaxis(areas, -2, -1)).sum(axis=-1)     # in one order, however many epochs
        if not self.multi_label:
            return found[..., 0]
        if self.label_weights is None:
            return found.mean(axis=-1)
        weights = np.asarray(self.label_weights)
        return divided((found * weights).sum(axis=-1), weights.sum())

    @staticmethod
    def _roc(tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return divided(fp, fp + tn), divided(tp, tp + fn)

    @staticmethod
    def _pr(tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return divided(tp, tp + fn), divided(tp, tp + fp)

    @staticmethod
    def _prgain(tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Flach and Kull 2015; a gain in recall below 0 counts as 0, and where nothing is found gains are 0 and 1."""
        odds = divided(tp + fn, tn + fp)
        recall = np.where(tp == 0, 0.0, 1 - odds * divided(fn, tp))
        return np.maximum(recall, 0.0), np.where(tp == 0, 1.0, 1 - odds * divided(fp, tp))


def _word(value: Any, case: Any) -> Any:
    """Text in the letters of the options; what is no text as it is."""
    return case(value) if isinstance(value, str) else value


def _davis_goadrich(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
    """∫ precision d recall between neighbouring thresholds, true positives growing in line with what is called one.

    With p = tp + fp and tp = slope·p + intercept: slope·(Δtp + intercept·log(p₀/p₁))/(tp₁ + fn₁).
    """
    called = tp + fp
    before, after = called[..., :-1, :], called[..., 1:, :]
    gained = tp[..., :-1, :] - tp[..., 1:, :]
    slope = divided(gained, np.maximum(before - after, 0.0))
    intercept = tp[..., 1:, :] - slope * after
    ratio = np.where((before > 0) & (after > 0), divided(before, after), 1.0)
    return divided(slope * (gained + intercept * np.log(ratio)), tp[..., 1:, :] + fn[..., 1:, :])


class _Best(_Curve):
    """The highest of one ratio at the thresholds where another is at least so high; 0 where it nowhere is."""
    _needed = ""

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None,
                 dtype: str | None) -> None:
        where = type(self).__name__
        setattr(self, self._needed, number(value, f"{where}: {self._needed}", 0, 1))
        self.num_thresholds = whole(num_thresholds, f"{where}: num_thresholds")
        self.class_id = optional(whole, class_id, f"{where}: class_id", 0)
        levels = [0.5] if self.num_thresholds == 1 else np.arange(self.num_thresholds) / (self.num_thresholds - 1)
        super().__init__(levels, name, dtype)  # type: ignore[arg-type]

    def compute(self, counts: np.ndarray) -> Any:
        """The best ratio."""
        tp, fp, tn, fn = (found[..., 0] for found in self._at(counts))
        wanted, needed = self._pair(tp, fp, tn, fn)
        return np.where(needed >= getattr(self, self._needed), wanted, 0.0).max(axis=-1)

    def _pair(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is maximized, and what has to be high enough."""
        raise NotImplementedError


class SensitivityAtSpecificity(_Best):
    """The best tp/(tp + fn) of the thresholds where tn/(tn + fp) >= specificity.

    num_thresholds even ones from 0 to 1 are tried, 0.5 if one. class_id: look at this output alone.
    """
    _needed = "specificity"

    def __init__(self, specificity: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def _pair(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return divided(tp, tp + fn), divided(tn, tn + fp)


class SpecificityAtSensitivity(_Best):
    """The best tn/(tn + fp) of the thresholds where tp/(tp + fn) >= sensitivity. As SensitivityAtSpecificity."""
    _needed = "sensitivity"

    def __init__(self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def _pair(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return divided(tn, tn + fp), divided(tp, tp + fn)


class PrecisionAtRecall(_Best):
    """The best tp/(tp + fp) of the thresholds where tp/(tp + fn) >= recall. As SensitivityAtSpecificity."""
    _needed = "recall"

    def __init__(self, recall: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def _pair(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return divided(tp, tp + fp), divided(tp, tp + fn)


class RecallAtPrecision(_Best):
    """The best tp/(tp + fn) of the thresholds where tp/(tp + fp) >= precision. As SensitivityAtSpecificity."""
    _needed = "precision"

    def __init__(self, precision: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def _pair(self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return divided(tp, tp + fn), divided(tp, tp + fp)
