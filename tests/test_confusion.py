"""Metrics of counts at thresholds and of tables of classes: against counting one by one; weights; shapes; mistakes."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers, metrics
from fastnn.metrics import Metric

RNG = np.random.default_rng(3)
Y = RNG.integers(0, 2, (40, 3)).astype(np.float32)
P = np.round(RNG.random((40, 3)), 2).astype(np.float32)
W = RNG.uniform(0.5, 2, 40).astype(np.float32)
LABELS = RNG.integers(0, 3, 40)


def counted(y: Any, p: Any, w: Any, threshold: float) -> tuple[float, ...]:
    """tp, fp, tn, fn, one by one, in float64."""
    w = np.broadcast_to(np.float64(w)[..., None] if np.ndim(w) == 1 else np.float64(w), y.shape)
    called, actual = p > np.float32(threshold), y != 0
    return tuple(float(w[which].sum()) for which in (called & actual, called & ~actual, ~called & ~actual,
                                                     ~called & actual))


@pytest.mark.parametrize("weights", [None, W, W[:, None], RNG.uniform(0, 2, (40, 3)).astype(np.float32), 2.0],
                         ids=["none", "of samples", "a column", "of each", "one"])
def test_counts_are_those_of_counting_one_by_one(weights: Any, any_backend: str) -> None:
    thresholds = [0.5, 0.07, 0.93]
    w = 1.0 if weights is None else weights[:, 0] if np.shape(weights) == (40, 1) else weights
    wanted = np.array([counted(Y, P, w, t) for t in thresholds]).T
    for i, name in enumerate(("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")):
        metric = getattr(metrics, name)(thresholds=thresholds)
        for rows in (slice(0, 25), slice(25, 40)):
            metric.update_state(Y[rows], P[rows], weights if np.ndim(weights) == 0 else weights[rows])
        np.testing.assert_allclose(metric.result(), wanted[i], rtol=1e-12)
    auc = metrics.AUC(thresholds=thresholds)
    auc.update_state(Y, P, weights)
    for i, name in enumerate(("true_positives", "false_positives", "true_negatives", "false_negatives")):
        np.testing.assert_allclose(getattr(auc, name)[1:-1], wanted[i][[1, 0, 2]], rtol=1e-12)


def test_area_under_roc_is_the_chance_of_the_right_order() -> None:
    y, p = Y[:, 0], P[:, 0]
    pairs = [(a > b) + 0.5 * (a == b) for a in p[y == 1] for b in p[y == 0]]
    assert metrics.AUC(num_thresholds=100_001)(y, p) == pytest.approx(np.mean(pairs), abs=1e-6)
    assert metrics.AUC()(y, y) == 1.0 and metrics.AUC()(y, 1 - y) == 0.0
    logits = np.log(p.clip(0.01, 0.99) / (1 - p.clip(0.01, 0.99)))
    assert metrics.AUC(from_logits=True)(y, logits) == pytest.approx(metrics.AUC()(y, p), abs=0.02)


def test_area_under_precision_and_recall_is_davis_and_goadrichs() -> None:
    """Ten samples in order of score; by hand: 1/3·1 + the curves between 1/3 and 2/3, 2/3 and 1."""
    y = np.array([1, 0, 1, 0, 0, 1, 0, 0, 0, 0])
    p = np.linspace(0.95, 0.05, 10)
    fine = metrics.AUC(num_thresholds=2001, curve="PR")(y, p)
    steps = np.linspace(0, 1, 100_001)

    def between(tp: float, fp: float, fp2: float) -> float:      # one more true positive, fp2 - fp more false ones
        called = tp + steps + fp + steps * (fp2 - fp)
        return float(np.trapezoid((tp + steps) / called, steps)) / 3

    assert fine == pytest.approx(1 / 3 + between(1, 1, 1) + between(2, 3, 3), abs=1e-6)


def test_several_labels_have_a_curve_each() -> None:
    each = [metrics.AUC()(Y[:, i], P[:, i], W) for i in range(3)]
    assert metrics.AUC(multi_label=True)(Y, P, W) == pytest.approx(np.mean(each))
    weighed = metrics.AUC(multi_label=True, num_labels=3, label_weights=[1, 0, 2])
    assert weighed(Y, P, W) == pytest.approx((each[0] + 2 * each[2]) / 3)
    one = metrics.AUC(label_weights=[1, 0, 2])
    assert one(Y, P, W) == pytest.approx(metrics.AUC()(Y, P, W[:, None] * [[1, 0, 2]]))
    assert metrics.AUC(multi_label=True).result() == 0.0
    with pytest.raises(fastnn.ShapeError, match="3 columns, and num_labels is 2"):
        metrics.AUC(multi_label=True, num_labels=2)(Y, P)
    with pytest.raises(fastnn.ShapeError, match="the length of label_weights is 2"):
        metrics.AUC(label_weights=[1, 2])(Y, P)


def test_the_best_point_is_the_best_of_all_thresholds() -> None:
    levels = np.arange(50) / 49
    tp, fp, tn, fn = np.array([counted(Y, P, W, t) for t in levels]).T
    called = np.where(tp + fp == 0, 1, tp + fp)
    ratios = {"sensitivity": tp / (tp + fn), "specificity": tn / (tn + fp), "precision": tp / called,
              "recall": tp / (tp + fn)}
    for wanted, needed in (("sensitivity", "specificity"), ("specificity", "sensitivity"), ("precision", "recall"),
                           ("recall", "precision")):
        kind = getattr(metrics, f"{wanted.title()}At{needed.title()}")
        for value in (0.2, 0.55, 0.8, 1.0):
            allowed = ratios[needed] >= value
            best = ratios[wanted][allowed].max() if allowed.any() else 0.0
            assert kind(value, num_thresholds=50)(Y, P, W) == pytest.approx(best)
        of_one = kind(0.5, class_id=2)(Y, P)
        assert of_one == pytest.approx(kind(0.5)(Y[:, 2], P[:, 2]))


# ---- tables of classes ------------------------------------------------------------------------------------------

def table(y: Any, p: Any, w: Any, classes: int = 3) -> np.ndarray:
    found = np.zeros((classes, classes))
    np.add.at(found, (y, p), w)
    return found


@pytest.mark.parametrize("weights", [None, W], ids=["plain", "weighted"])
def test_confusion_matrix(weights: Any, any_backend: str) -> None:
    w = np.ones(40) if weights is None else weights
    wanted = table(LABELS, P.argmax(-1), w)
    for y in (LABELS, LABELS[:, None], np.eye(3)[LABELS]):
        np.testing.assert_allclose(metrics.ConfusionMatrix()(y, P, weights), wanted, rtol=1e-12)
    for normalize, axis in (("true", 1), ("pred", 0), ("all", None)):
        got = metrics.ConfusionMatrix(normalize=normalize)(LABELS, P, weights)
        np.testing.assert_allclose(got, wanted / wanted.sum(axis=axis, keepdims=True), rtol=1e-12)
    yes = metrics.ConfusionMatrix(threshold=0.3)(Y[:, 0], P[:, :1], weights)
    np.testing.assert_allclose(yes, table(Y[:, 0].astype(int), (P[:, 0] > 0.3).astype(int), w, 2), rtol=1e-12)
    assert metrics.ConfusionMatrix(4)(LABELS, P).shape == (4, 4)
    assert not metrics.ConfusionMatrix(4).result().any()
    with pytest.raises(ValueError, match="normalize is 'rows'"):
        metrics.ConfusionMatrix(normalize="rows")


def test_intersection_over_union_of_images() -> None:
    y, p = RNG.integers(0, 3, (5, 4, 6)), RNG.random((5, 4, 6, 3)).astype(np.float32)
    taken = p.argmax(-1)
    wanted = [((y == c) & (taken == c)).sum() / ((y == c) | (taken == c)).sum() for c in range(3)]
    assert metrics.MeanIoU(3)(y, taken) == pytest.approx(np.mean(wanted), abs=1e-6)
    assert metrics.MeanIoU(3, sparse_y_pred=False)(y, p) == pytest.approx(np.mean(wanted), abs=1e-6)
    assert metrics.OneHotIoU(3, [1])(np.eye(3)[y], p) == pytest.approx(wanted[1], abs=1e-6)
    first = metrics.OneHotMeanIoU(3, axis=1)(np.moveaxis(np.eye(3)[y], -1, 1), np.moveaxis(p, -1, 1))
    assert first == pytest.approx(np.mean(wanted), abs=1e-6)
    kept = y != 1
    but_one = [((y == c) & (taken == c)).sum() / (((y == c) | (taken == c)) & kept).sum() for c in (0, 2)]
    assert metrics.IoU(3, [0, 2], ignore_class=1)(y, taken) == pytest.approx(np.mean(but_one), abs=1e-6)
    of_images = metrics.MeanIoU(3)(y, taken, [1, 0, 0, 0, 0])
    assert of_images == pytest.approx(metrics.MeanIoU(3)(y[0], taken[0]))
    of_two = metrics.MeanIoU(2, ignore_class=255)
    assert of_two([0, 1, 255], [0, 1, 1]) == pytest.approx(1.0, abs=1e-6)


def test_classes_that_are_fractions_are_a_trap() -> None:
    with pytest.warns(UserWarning, match="BinaryIoU"):
        metrics.MeanIoU(2)([0, 1], [0.2, 0.9])
    with pytest.raises(fastnn.ShapeError, match="one shape"):
        metrics.MeanIoU(2)([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match="target_class_ids"):
        metrics.IoU(2, [2])


# ---- correlation ------------------------------------------------------------------------------------------------

def test_correlations_are_numpys() -> None:
    t, p = RNG.normal(size=(2, 7, 30))
    wanted = [np.corrcoef(a, b)[0, 1] for a, b in zip(t, p)]
    np.testing.assert_allclose(metrics.pearson_correlation(t, p).numpy(), wanted, rtol=1e-4)
    np.testing.assert_allclose(metrics.pearson_correlation(t.T, p.T, axis=0).numpy(), wanted, rtol=1e-4)
    lin = [2 * np.cov(a, b, bias=True)[0, 1] / (a.var() + b.var() + (a.mean() - b.mean()) ** 2) for a, b in zip(t, p)]
    np.testing.assert_allclose(metrics.concordance_correlation(t, p).numpy(), lin, rtol=1e-4)
    with pytest.raises(fastnn.ShapeError, match="one output is correlated along the batch"):
        metrics.PearsonCorrelation()([[1.0], [2.0]], [[1.0], [2.0]])
    assert metrics.PearsonCorrelation(axis=0)([[1.0], [2.0]], [[1.0], [3.0]]) == pytest.approx(1)


def test_ids_in_order_of_their_scores() -> None:
    metric = metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)
    assert metric([7, 10, 3], [[7, 2, 5], [1, 0, 10], [1, 3, 2]], [1, 1, 2]) == pytest.approx(3 / 4)
    ids = np.array([[7, 2, 5], [1, 0, 10], [1, 3, 2]])
    for labels, best in (([7, 10, 3], ids), ([[7], [10], [3]], ids), ([7, 10, 3], ids[:, :1]), ([[7], [1], [3]], ids)):
        wanted = [float(label in row[:2]) for label, row in zip(np.ravel(labels), best)]
        found = metrics.sparse_top_k_categorical_accuracy(np.array(labels), best, k=2, from_sorted_ids=True)
        assert found.numpy().tolist() == wanted
        metric.reset_state()
        assert metric(np.array(labels), best) == pytest.approx(np.mean(wanted))
    with pytest.raises(fastnn.ShapeError, match="needs one label per row"):
        metrics.sparse_top_k_categorical_accuracy([7], ids, k=2, from_sorted_ids=True)


# ---- trained ----------------------------------------------------------------------------------------------------

def every_metric() -> list[Metric]:
    return [metrics.AUC(), metrics.AUC(curve="PR", multi_label=True, name="pr"), metrics.PrecisionAtRecall(0.5),
            metrics.SensitivityAtSpecificity(0.5), metrics.TruePositives(thresholds=[0.2, 0.4]),
            metrics.ConfusionMatrix(), metrics.MeanIoU(3, sparse_y_pred=False), metrics.ConcordanceCorrelation(),
            metrics.F1Score(), metrics.Recall(top_k=1)]


@pytest.mark.parametrize("sparse", [False, True])
def test_fit_and_evaluate_give_what_the_metric_gives_called(sparse: bool, any_backend: str) -> None:
    chosen = [m for m in every_metric() if not sparse or m.name in ("confusion_matrix", "mean_io_u")]
    chosen = [m for m in chosen if sparse or m.name != "mean_io_u"]
    model = fastnn.Sequential([fastnn.Input((3,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", f"{'sparse_' * sparse}categorical_crossentropy", metrics=chosen)
    y = LABELS if sparse else np.eye(3, dtype=np.float32)[LABELS]
    history = model.fit(P, y, batch_size=16, epochs=2, verbose=0, validation_data=(P, y)).history
    scores = model.evaluate(P, y, batch_size=7, verbose=0, return_dict=True)
    outputs = model.predict(P, verbose=0)
    for kind in chosen:
        metric = type(kind).from_config(kind.get_config())
        wanted = metric(y, outputs)
        for got in (scores[kind.name], history[f"val_{kind.name}"][-1]):
            np.testing.assert_allclose(got, wanted, rtol=1e-6)
        assert np.shape(history[kind.name][0]) == np.shape(wanted)
