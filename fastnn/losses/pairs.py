"""Losses whose targets have a shape of their own: of pairs of samples, circle, and of texts, CTC. Floor 3; imports ops.

Their targets are of the kind "ids": whole numbers of any shape, which need not be classes of the output.
"""


import numpy as np

from fastnn.arguments import flag, number
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.losses.loss import LossFunctionWrapper, prepared
from fastnn.ops._activation import log_softmax, softplus
from fastnn.ops._arithmetic import add, maximum, multiply, negative, subtract
from fastnn.ops._compare import equal, greater, logical_and, logical_not, logical_or, not_equal, where
from fastnn.ops._convert import broadcast_to, reshaped
from fastnn.ops._core import cast, unstack
from fastnn.ops._indexing import take_along_axis
from fastnn.ops._math import logsumexp
from fastnn.ops._op import as_tensor
from fastnn.ops._products import matmul
from fastnn.ops._reduction import sum as sum_
from fastnn.ops._shaping import concatenate, stack, transpose
from fastnn.ops._sizes import of_any_size

__all__ = ["CTC", "Circle", "circle", "ctc"]

NEVER = -1e30       # the logarithm of 0, small enough, and with gradients that are numbers


@of_any_size
def circle(y_true: TensorLike, y_pred: TensorLike, ref_labels: TensorLike | None = None,
           ref_embeddings: TensorLike | None = None, remove_diagonal: bool = True, gamma: float = 80,
           margin: float = 0.4) -> Tensor:
    """loss = softplus(log Σ exp(γ·a·(d - m)) + log Σ exp(γ·b·(1 - m - d))) of each sample: near to those of its label.

    d = max(1 - e·eʳ, 0) between rows of y_pred, which should have length 1; the first sum is over those of the same
    label, a = m + d, the second over the others, b = max(1 + m - d, 0), m = margin. y_true (N,) labels, y_pred (N, d)
    → (N,). ref_labels, ref_embeddings: compare with these instead of the batch; remove_diagonal: not with itself.
    Sun et al. 2020.
    """
    gamma, margin = number(gamma, "circle: gamma"), number(margin, "circle: margin")
    labels, own = prepared("circle", y_true, y_pred, "ids")
    others = own if ref_embeddings is None else as_tensor(ref_embeddings)
    other_labels = labels if ref_labels is None else prepared("circle", ref_labels, own, "ids")[0]
    rows, columns = own.shape[0], others.shape[0]
    for name, found, needed in (("y_true", labels, rows), ("ref_labels", other_labels, columns)):
        if own.ndim != 2 or np.prod(found.shape) != needed:
            raise ShapeError(f"circle: {name} has shape {found.shape}, y_pred {own.shape} and the rows compared with "
                             f"{others.shape}; needs a label for each row of (N, d).")
    distance = maximum(subtract(1.0, matmul(own, transpose(others))), 0.0)
    same = equal(reshaped(labels, (rows, 1)), reshaped(other_labels, (1, columns)))
    other = logical_not(same)
    if flag(remove_diagonal, "circle: remove_diagonal"):
        itself = Tensor(np.eye(rows, columns, dtype=bool), "itself", constant=True)  # type: ignore[arg-type]
        same = logical_and(same, logical_not(itself))
    near = multiply(multiply(add(distance, margin), gamma), add(distance, -margin))
    far = multiply(multiply(maximum(subtract(1 + margin, distance), 0.0), gamma), subtract(1 - margin, distance))
    sums = [logsumexp(where(chosen, terms, NEVER), axis=1) for chosen, terms in ((same, near), (other, far))]
    return softplus(add(*sums))


@of_any_size
def ctc(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """loss = -log of the chance that y_pred spells y_true: connectionist temporal classification, Graves et al. 2006.

    y_true (N, L) labels from 1, filled up with 0 at the end; y_pred (N, T, c) logits, class 0 the blank between labels
    → (N,). Sums over all ways to stretch a text to T steps, step by step. About 1e30 where T is too short for the text.
    """
    labels, logits = prepared("ctc", y_true, y_pred, "ids")
    if labels.ndim != 2 or logits.ndim != 3 or labels.shape[0] != logits.shape[0]:
        raise ShapeError(f"ctc: y_true has shape {labels.shape} and y_pred {logits.shape}; needs labels (N, L) and "
                         "logits (N, T, classes).")
    n, length = labels.shape
    size = 2 * length + 1       # type: ignore[operator]    # a blank before each label and after the last
    blank = Tensor(np.zeros((n, length), np.int32), "blanks", constant=True)  # type: ignore[arg-type]
    last = Tensor(np.zeros((n, 1), np.int32), "blanks", constant=True)  # type: ignore[arg-type]
    text = concatenate([reshaped(stack([blank, labels], axis=2), (n, size - 1)), last], axis=1)
    steps = unstack(take_along_axis(log_softmax(logits), broadcast_to(
        reshaped(text, (n, 1, size)), (n, logits.shape[1], size)), axis=2), axis=1)
    place = np.arange(size)
    skips = Tensor(np.broadcast_to(place % 2 == 1, (n, size)).copy(), "labels", constant=True)
    before = concatenate([Tensor(np.zeros((n, 2), np.int32), "blanks", constant=True),  # type: ignore[arg-type]
                          text[:, :-2]], axis=1)
    skips = logical_and(skips, not_equal(text, before))     # from label to label, unless they are the same
    start = Tensor(np.broadcast_to(place < 2, (n, size)).copy(), "start", constant=True)
    ways = where(start, steps[0], NEVER)
    for step in steps[1:]:
        one, two = (concatenate([Tensor(np.full((n, k), NEVER, step.dtype), "never", constant=True),  # type: ignore
                                 ways[:, :-k]], axis=1) for k in (1, 2))
        ways = add(logsumexp(stack([ways, one, where(skips, two, NEVER)], axis=0), axis=0), step)
    end = multiply(sum_(cast(greater(labels, 0), "int32"), axis=1), 2)
    places = Tensor(np.broadcast_to(place.astype(np.int32), (n, size)).copy(), "places", constant=True)
    end = broadcast_to(reshaped(end, (n, 1)), (n, size))
    ends = logical_or(equal(places, end), equal(places, subtract(end, 1)))
    return negative(logsumexp(where(ends, ways, NEVER), axis=1))


for _function in (circle, ctc):
    _function.label_kind = "ids"  # type: ignore[attr-defined]


class Circle(LossFunctionWrapper):
    """circle, for embeddings: a last layer of rows of length 1, such as UnitNormalization, and y_true class numbers.

    A mean is over the samples whose loss is above 0. Arguments as Keras.
    """

    def __init__(self, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True,
                 reduction: str | None = "sum_over_batch_size", name: str | None = "circle",
                 dtype: str | None = None) -> None:
        self.gamma, self.margin = number(gamma, "Circle: gamma"), number(margin, "Circle: margin")
        self.remove_diagonal = flag(remove_diagonal, "Circle: remove_diagonal")
        super().__init__(circle, reduction, name, dtype, gamma=self.gamma, margin=self.margin,
                         remove_diagonal=self.remove_diagonal)

    def counted(self, y_true: Tensor, y_pred: Tensor, losses: Tensor) -> Tensor | None:
        """1 where the loss is above 0."""
        return cast(greater(losses, 0.0), losses.dtype)


class CTC(LossFunctionWrapper):
    """ctc, for texts read from sequences: y_true (N, L) labels from 1, 0 at the end; y_pred (N, T, classes) logits."""

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc",
                 dtype: str | None = None) -> None:
        super().__init__(ctc, reduction, name, dtype)
