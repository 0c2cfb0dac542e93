"""Perceptron: the first network that learnt (study guide, chapter 2). Floor 4; imports engine, ops and data checks."""

from typing import Any

import numpy as np

from fastnn.arguments import number, optional, whole
from fastnn.engine.context import recording
from fastnn.engine.program import Program
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import LabelError, NotBuiltError, ShapeError
from fastnn.feeding.checks import to_array
from fastnn.ops.rows.dense import perceptron_step


class Perceptron:
    """ŷ = step(w·[1, x]), where step(z) is 1 for z >= 0, else 0; for each sample w += learning_rate·(y - ŷ)·[1, x].

    x (input_size,) → 0 or 1. `weights` (input_size + 1,), float64, bias first, zeros at the start; training twice goes
    on from them. input_size: from the first data unless given. epochs: how often fit goes through the samples, in
    order. After fit, `errors_` has the number of samples that were wrong at the end of each epoch, and `program` the
    one call that an epoch is. TypeError or ValueError for arguments that cannot be. Source: Rosenblatt 1958; the guide.
    """

    def __init__(self, input_size: int | None = None, learning_rate: float = 0.1, epochs: int = 10) -> None:
        self.input_size = optional(whole, input_size, "Perceptron: input_size")
        self.learning_rate = number(learning_rate, "Perceptron: learning_rate", 0, above=True)
        self.epochs = whole(epochs, "Perceptron: epochs", 0)
        self.weights: Any = None if self.input_size is None else np.zeros(self.input_size + 1)
        self.errors_: list[int] = []
        self.program: Program | None = None

    def fit(self, X: Any, y: Any) -> "Perceptron":
        """Learn from samples X (samples, features) and labels y (samples,), 0 or 1; returns self.

        ShapeError for shapes that do not fit, LabelError for other labels, ValueError for what is not finite; nothing
        has changed then. Ctrl-C leaves the weights as they were too.
        """
        rate = number(self.learning_rate, "Perceptron: learning_rate", 0, above=True)
        epochs = whole(self.epochs, "Perceptron: epochs", 0)
        samples = self._samples(X, "fit(): X")
        targets = _labels(y, len(samples), "fit(): y")
        start = np.zeros(samples.shape[1] + 1) if self.weights is None else self._checked_weights(samples.shape[1])
        w = Variable(start, "weights", dtype="float64")
        errors = []
        program = None
        for _ in range(epochs):
            if program is None:
                with recording() as calls:
                    perceptron_step(w, Tensor(samples, "x"), Tensor(targets, "y"), learning_rate=rate)
                program = Program(calls, "perceptron, one epoch")
            else:
                program.run()
            errors.append(int(np.sum(_step(w.data, samples) != targets)))
        if not np.isfinite(w.data).all():
            raise ValueError("fit(): the weights overflow float64; X is too large; scale X, for instance to [0, 1].")
        self.weights, self.errors_, self.program = w.numpy(), errors, program
        self.input_size = samples.shape[1]
        return self

    train = fit      # the guide's name

    def predict(self, x: Any) -> Any:
        """0 or 1 for one sample (features,), an int array (samples,) for many (samples, features)."""
        array = to_array(x, "predict(): x")
        size = self._size("predict()")
        one = array.shape == (size,) or (size == 1 and array.ndim == 0)
        samples = self._samples(array.reshape(1, size) if one else array, "predict(): x")
        labels = _step(self._checked_weights(size), samples)
        return int(labels[0]) if one else labels

    def score(self, X: Any, y: Any) -> float:
        """The part of the samples that is classified as y says."""
        size = self._size("score()")
        samples = self._samples(X, "score(): X")
        targets = _labels(y, len(samples), "score(): y")
        return float(np.mean(_step(self._checked_weights(size), samples) == targets))

    def __repr__(self) -> str:
        return f"Perceptron(input_size={self.input_size}, learning_rate={self.learning_rate}, epochs={self.epochs})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "program": None}      # it holds the training data

    def _size(self, where: str) -> int:
        if self.input_size is None:
            raise NotBuiltError(f"{where}: the number of inputs is not known; needs fit(X, y) first, or input_size.")
        return self.input_size

    def _checked_weights(self, size: int) -> np.ndarray:
        """The weights as float64; they are the user's to change."""
        weights = np.array(to_array(self.weights, "Perceptron: weights"), np.float64)
        if weights.shape != (size + 1,):
            raise ShapeError(f"Perceptron: weights has shape {weights.shape}; needs ({size + 1},): the bias, then one "
                             "weight per feature.")
        return weights

    def _samples(self, X: Any, where: str) -> np.ndarray:
        """X as float64 (samples, features), checked."""
        array = to_array(X, where)
        if array.ndim == 1 and self.input_size in (None, 1):
            array = array[:, None]
        if array.ndim != 2:
            hint = "pass x[None] for one sample" if array.ndim == 1 else "reshape it"
            raise ShapeError(f"{where} has shape {array.shape}; needs (samples, features); {hint}.")
        if array.shape[1] != (self.input_size or array.shape[1]) or not array.shape[1]:
            raise ShapeError(f"{where} has {array.shape[1]} features; needs {self.input_size or 'at least 1'}; "
                             "make another Perceptron for other data.")
        if not len(array) and not where.startswith("predict"):
            raise ValueError(f"{where} has no rows; needs at least one sample.")
        samples = np.ascontiguousarray(array, np.float64)
        bad = np.argwhere(~np.isfinite(samples))
        if len(bad):
            row, column = map(int, bad[0])
            raise ValueError(f"{where} has {len(bad)} values that are not finite, the first at row {row}, column "
                             f"{column}: {samples[row, column]}; remove or replace them.")
        return samples


def _step(weights: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """1 where w·[1, x] >= 0, else 0, per row; the terms are added in order, as the kernel does."""
    z = np.full(len(samples), weights[0])
    with np.errstate(all="ignore"):
        for weight, feature in zip(weights[1:], samples.T):
            z += weight * feature
    return (z >= 0).astype(int)


def _labels(y: Any, count: int, where: str) -> np.ndarray:
    """y as float64 (count,), every label 0 or 1."""
    labels = to_array(y, where)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (count,):
        raise ShapeError(f"{where} has shape {labels.shape}; needs ({count},): one label per row of X.")
    bad = np.flatnonzero((labels != 0) & (labels != 1))
    if len(bad):
        hint = "map {-1, 1} by (y + 1) // 2" if np.isin(labels, (-1, 1)).all() else "relabel, for instance y == 3"
        raise LabelError(f"{where} has labels other than 0 and 1: {labels[bad[0]]:g} at row {bad[0]} ({len(bad)} rows "
                         f"bad); needs 0 or 1.\nTo mend it, {hint}.")
    return np.ascontiguousarray(labels, np.float64)
