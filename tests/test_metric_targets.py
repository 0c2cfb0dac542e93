"""What metrics count: targets that they cannot count are refused by name, padded steps are left out, and nothing is
lost in sums that a user's metric makes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, layers, metrics, ops
from fastnn.errors import ShapeError
from tests.errors import assert_good_error

RNG = np.random.default_rng(4)
LENGTHS = [3, 1, 4, 2]
TOKENS = np.array([[1, 2, 3, 0], [2, 0, 0, 0], [3, 3, 1, 2], [1, 3, 0, 0]])
KEPT = TOKENS != 0


def test_labels_outside_the_table_are_refused() -> None:
    table = metrics.ConfusionMatrix(num_classes=2)
    with pytest.raises(fastnn.LabelError, match=r"(?s)y_true has the value -1 at \[1\] .*\(y \+ 1\) / 2"):
        table.update_state([1, -1, 1], [0.9, 0.2, 0.4])
    assert not np.any(table.result())
    for metric, y, p in ((metrics.MeanIoU(3), [0, 3], [0, 1]), (metrics.MeanIoU(3), [0, 1.5], [0, 1]),
                         (metrics.BinaryIoU(), [[-1], [1]], [[0.1], [0.9]]),
                         (metrics.ConfusionMatrix(3), [0, 4], [[0.1, 0.2, 0.7]] * 2),
                         (metrics.SparseTopKCategoricalAccuracy(2), [0, 4], [[0.1, 0.2, 0.7]] * 2)):
        with pytest.raises(fastnn.LabelError):
            metric.update_state(y, p)
    with pytest.raises(fastnn.ShapeError, match="y_pred has 5 classes and num_classes is 3"):
        metrics.ConfusionMatrix(3).update_state([0, 1], np.eye(5, dtype=np.float32)[:2])
    with pytest.raises(fastnn.ShapeError, match="y_pred has 5 classes and num_classes is 3"):
        metrics.MeanIoU(3, sparse_y_pred=False).update_state([0, 1], np.eye(5, dtype=np.float32)[:2])
    ignoring = metrics.MeanIoU(2, ignore_class=-1)
    assert ignoring([0, 1, -1], [0, 1, 1]) == pytest.approx(1.0, abs=1e-6)


COUNTS: list[Callable[[], Any]] = [
    metrics.TruePositives, metrics.FalseNegatives, metrics.Precision, metrics.Recall, metrics.AUC,
    lambda: metrics.PrecisionAtRecall(0.5), lambda: metrics.F1Score(threshold=0.5),
    lambda: metrics.ConfusionMatrix(2), metrics.BinaryIoU]


@pytest.mark.parametrize("make", COUNTS)
def test_targets_of_minus_one_and_one_are_refused_before_a_fit(make: Callable[[], Any]) -> None:
    x = RNG.normal(size=(12, 3)).astype(np.float32)
    y = np.where(x.sum(axis=1, keepdims=True) > 0, 1, -1).astype(np.float32)
    model = Sequential([Input((3,)), layers.Dense(1, activation="tanh")])
    model.compile("sgd", "hinge", metrics=[make()])
    before = model.get_weights()
    with pytest.raises(fastnn.LabelError, match=r"fit\(\): y: y_true has the value -1"):
        model.fit(x, y, verbose=0)
    assert all((a == b).all() for a, b in zip(before, model.get_weights()))
    with pytest.raises(fastnn.LabelError, match="-1"):
        make().update_state(y, y)
    model.fit(x, (y + 1) / 2, verbose=0)


def steps(units: int, activation: str) -> Model:
    """A number, or a distribution, for every step of a padded row."""
    tokens = Input((4,))
    x = layers.Embedding(5, 6, mask_zero=True)(tokens)
    return Model(tokens, layers.Dense(units, activation=activation)(layers.LSTM(5, return_sequences=True)(x)))


PER_STEP: dict[str, tuple[Callable[[], Any], int]] = {
    "true positives": (metrics.TruePositives, 1), "precision": (metrics.Precision, 1), "auc": (metrics.AUC, 1),
    "f1": (lambda: metrics.F1Score(threshold=0.5), 1), "r2": (metrics.R2Score, 1), "iou": (metrics.BinaryIoU, 1),
    "table": (lambda: metrics.ConfusionMatrix(2), 1), "table of 3": (lambda: metrics.ConfusionMatrix(3), 3),
    "mean iou": (lambda: metrics.MeanIoU(3, sparse_y_pred=False), 3), "accuracy": (metrics.BinaryAccuracy, 1)}


@pytest.mark.parametrize("name", PER_STEP)
@pytest.mark.parametrize("weighted", [False, True])
def test_padded_steps_do_not_count(name: str, weighted: bool) -> None:
    make, units = PER_STEP[name]
    model = steps(units, "sigmoid" if units == 1 else "softmax")
    y = RNG.integers(0, 2 if units == 1 else 3, (*TOKENS.shape, 1)[:3 if units == 1 else 2])
    loss = "binary_crossentropy" if units == 1 else "sparse_categorical_crossentropy"
    weights = np.arange(1, 5, dtype=np.float32) if weighted else None
    model.compile("sgd", loss, weighted_metrics=[make()])
    got = model.evaluate(TOKENS, y, sample_weight=weights, batch_size=3, verbose=0)[1]
    p = model.predict(TOKENS, verbose=0)
    alone = make()      # the steps that are there, and nothing else
    each = None if weights is None else np.broadcast_to(weights[:, None], KEPT.shape)[KEPT]
    alone.update_state(y[KEPT], p[KEPT], each)
    np.testing.assert_allclose(got, alone.result(), rtol=1e-5)
    direct = make()
    direct.update_state(y, model(TOKENS), weights)
    np.testing.assert_allclose(direct.result(), alone.result(), rtol=1e-5)


class Counter(metrics.Metric):
    """Adds 2^24 and 1 at every step, by the arithmetic of its states."""

    def __init__(self, kind: str) -> None:
        super().__init__(name="counter")
        self.kind, self.n = kind, self.add_weight(name="n")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.n.assign(self.n + 2 ** 24)
        if self.kind == "plus":
            self.n.assign(self.n + 1)
        elif self.kind == "plus, turned":
            self.n.assign(1 + self.n)
        elif self.kind == "minus":
            self.n.assign(self.n - -1)
        elif self.kind == "a tensor":
            self.n.assign(self.n + ops.sum(ops.ones_like(y_pred)) / 4)
        elif self.kind == "a vector":
            self.n.assign(self.n + ops.reshape(y_pred, (-1,)))
        else:
            old = self.n + 1        # of before
            self.n.assign_add(5)
            self.n.assign(old)

    def result(self) -> Any:
        return self.n


@pytest.mark.parametrize("kind", ["plus", "plus, turned", "minus", "a tensor"])
@pytest.mark.parametrize("eagerly", [False, True])
def test_a_count_does_not_end_at_what_a_float32_can_hold(kind: str, eagerly: bool) -> None:
    model = Sequential([Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Counter(kind)], run_eagerly=eagerly)
    history = model.fit(np.ones((20, 2)), np.ones(20), batch_size=4, epochs=2, verbose=0).history
    assert history["counter"] == [5 * (2 ** 24 + 1)] * 2


def test_a_sum_of_before_a_change_is_that_of_before() -> None:
    model = Sequential([Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Counter("old")])
    history = model.fit(np.ones((8, 2)), np.ones(8), batch_size=8, verbose=0).history
    assert history["counter"] == [pytest.approx(2 ** 24 + 1, abs=1)]


def test_a_vector_is_no_number_of_a_count() -> None:
    model = Sequential([Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Counter("a vector")])
    assert_good_error(lambda: model.fit(np.ones((8, 2)), np.ones(8), verbose=0), ShapeError, "assign to 'counter/n'")
