"""Cross-entropies that weigh samples by how wrong they are: focal, generalized. Floor 3; imports ops.

As in crossentropy.py they start from the logits where those are there.
"""

import math

from fastnn.arguments import flag, number, whole
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.losses.crossentropy import behind
from fastnn.losses.loss import LossFunctionWrapper, alike, prepared
from fastnn.ops._activation import log_softmax, softmax
from fastnn.ops._arithmetic import add, divide, multiply, negative, power, subtract
from fastnn.ops._convert import axis_of
from fastnn.ops._nn import binary_crossentropy as of_each
from fastnn.ops._nn import one_hot
from fastnn.ops._reduction import mean
from fastnn.ops._reduction import sum as sum_
from fastnn.ops.rows._per_sample import per_label
from fastnn.ops.rows.activation import sigmoid
from fastnn.ops.rows.elementwise import clip, log

__all__ = [
    "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy",
    "binary_focal_crossentropy", "categorical_focal_crossentropy", "categorical_generalized_cross_entropy",
]

EPSILON = 1e-7
TINY = 1e-30        # what is 0 is kept so far from it that its powers have a gradient, 0


def binary_focal_crossentropy(y_true: TensorLike, y_pred: TensorLike, apply_class_balancing: bool = False,
                              alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False,
                              label_smoothing: float = 0.0, axis: int = -1) -> Tensor:
    """loss = -mean(w·(t·(1 - p)ᵞ·log p + (1 - t)·pᵞ·log(1 - p))), y_true 0 or 1: what is nearly right counts little.

    w = alpha for t = 1 and 1 - alpha for t = 0 with apply_class_balancing, else 1; between, t = y_true·(1 - s) + s/2 of
    s = label_smoothing, all are mixed by t. y_true, y_pred (…, c) → (…). Lin et al. 2017.
    """
    where = "binary_focal_crossentropy"
    alpha, gamma = number(alpha, f"{where}: alpha"), number(gamma, f"{where}: gamma", 0)
    t, p = alike(where, y_true, y_pred)
    t = _smoothed(t, number(label_smoothing, f"{where}: label_smoothing", 0, 1), 2)
    logits = p if flag(from_logits, f"{where}: from_logits") else behind(p, "sigmoid")
    if logits is None:
        loss = of_each(t, p)
    else:
        p, loss = (sigmoid(p) if from_logits else p), of_each(t, logits, from_logits=True)
    wrong = add(multiply(t, subtract(1.0, p)), multiply(subtract(1.0, t), p))       # 1 - p of what is true
    loss = multiply(_power(wrong, gamma), loss)
    if flag(apply_class_balancing, f"{where}: apply_class_balancing"):
        loss = multiply(add(multiply(t, alpha), multiply(subtract(1.0, t), 1 - alpha)), loss)
    return mean(loss, axis=whole(axis, f"{where}: axis", None))


def categorical_focal_crossentropy(y_true: TensorLike, y_pred: TensorLike, alpha: float = 0.25, gamma: float = 2.0,
                                   from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Tensor:
    """loss = -alpha·sum(t·(1 - p)ᵞ·log p) over the classes, y_true one-hot: what is nearly right counts little.

    t = y_true·(1 - s) + s/c, s = label_smoothing; p is y_pred divided by its sum. y_true, y_pred (…, c) → (…), the
    classes along `axis`. Lin et al. 2017.
    """
    where = "categorical_focal_crossentropy"
    alpha, gamma = number(alpha, f"{where}: alpha"), number(gamma, f"{where}: gamma", 0)
    t, p = alike(where, y_true, y_pred)
    axis = axis_of(p, whole(axis, f"{where}: axis", None))
    t = _smoothed(t, number(label_smoothing, f"{where}: label_smoothing", 0, 1), t.shape[axis])
    logits = p if flag(from_logits, f"{where}: from_logits") else behind(p, "softmax") if axis == p.ndim - 1 else None
    if logits is None:
        p = clip(divide(p, sum_(p, axis, keepdims=True)), low=EPSILON, high=1 - EPSILON)
        logs = log(p)
    else:
        p, logs = (softmax(p, axis) if from_logits else p), log_softmax(logits, axis)
    loss = multiply(multiply(_power(subtract(1.0, p), gamma), alpha), multiply(t, logs))
    return negative(sum_(loss, axis))


def categorical_generalized_cross_entropy(y_true: TensorLike, y_pred: TensorLike, q: float) -> Tensor:
    """loss = (1 - p[label]^q)/q, 0 < q < 1: between cross-entropy (q → 0) and the absolute error, which wrong labels
    do not pull as far. y_true (…) whole numbers from 0, y_pred (…, c) probabilities → (…). Zhang and Sabuncu 2018."""
    where = "categorical_generalized_cross_entropy"
    q = number(q, f"{where}: q", 0, 1, above=True, below=True)
    labels, p = prepared(where, y_true, y_pred, "labels")
    per_label(where, labels.shape, p.shape)
    found = sum_(multiply(p, one_hot(labels, p.shape[-1], dtype=p.dtype)), axis=-1)  # type: ignore[arg-type]
    return divide(subtract(1.0, _power(found, q)), q)


categorical_generalized_cross_entropy.label_kind = "labels"  # type: ignore[attr-defined]


def _smoothed(t: Tensor, smoothing: float, classes: int | None) -> Tensor:
    """t·(1 - s) + s/classes."""
    return add(multiply(t, 1 - smoothing), smoothing / classes) if smoothing else t  # type: ignore[operator]


def _power(x: Tensor, exponent: float) -> Tensor:
    return power(clip(x, low=TINY, high=math.inf), exponent)


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """binary_focal_crossentropy, for yes/no outputs of which one is rare. Arguments as Keras."""

    def __init__(self, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0,
                 from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str | None = "binary_focal_crossentropy",
                 dtype: str | None = None) -> None:
        where = "BinaryFocalCrossentropy"
        self.apply_class_balancing = flag(apply_class_balancing, f"{where}: apply_class_balancing")
        self.alpha, self.gamma = number(alpha, f"{where}: alpha"), number(gamma, f"{where}: gamma", 0)
        self.from_logits = flag(from_logits, f"{where}: from_logits")
        self.label_smoothing = number(label_smoothing, f"{where}: label_smoothing", 0, 1)
        self.axis = whole(axis, f"{where}: axis", None)
        super().__init__(binary_focal_crossentropy, reduction, name, dtype, alpha=self.alpha, gamma=self.gamma,
                         apply_class_balancing=self.apply_class_balancing, from_logits=self.from_logits,
                         label_smoothing=self.label_smoothing, axis=self.axis)


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """categorical_focal_crossentropy, for one class of several that are not equally frequent. Arguments as Keras."""

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0,
                 axis: int = -1, reduction: str | None = "sum_over_batch_size",
                 name: str | None = "categorical_focal_crossentropy", dtype: str | None = None) -> None:
        where = "CategoricalFocalCrossentropy"
        self.alpha, self.gamma = number(alpha, f"{where}: alpha"), number(gamma, f"{where}: gamma", 0)
        self.from_logits = flag(from_logits, f"{where}: from_logits")
        self.label_smoothing = number(label_smoothing, f"{where}: label_smoothing", 0, 1)
        self.axis = whole(axis, f"{where}: axis", None)
        super().__init__(categorical_focal_crossentropy, reduction, name, dtype, alpha=self.alpha, gamma=self.gamma,
                         from_logits=self.from_logits, label_smoothing=self.label_smoothing, axis=self.axis)


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """(1 - p[label]^q)/q, for class numbers some of which are wrong: softmax. Arguments as Keras."""

    def __init__(self, q: float = 0.5, reduction: str | None = "sum_over_batch_size",
                 name: str | None = "categorical_generalized_cross_entropy", dtype: str | None = None) -> None:
        self.q = number(q, "CategoricalGeneralizedCrossEntropy: q", 0, 1, above=True, below=True)
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=self.q)
