"""Metrics against hand values and Keras; epochs at once; choice by shapes; own metrics; mistakes."""

import inspect
import math
import warnings
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import losses, metrics
from fastnn.engine.context import recording
from fastnn.engine.program import Program
from fastnn.engine.tensor import Tensor
from fastnn.metrics.serialization import CLASSES
from tests.golden import store
from tests.golden.direct import Row, array, close, label
from tests.golden.metrics import ROWS


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_as_keras(row: Row, any_backend: str) -> None:
    kind, arguments, *data = row
    golden = store.read("metrics")["values"][label(row)]
    (y_true, y_pred), w = map(array, data), array("w")
    for weighted in (False, True):
        metric = getattr(metrics, kind)(**arguments)
        assert metric.name == golden["name"]
        for rows in (slice(0, 3), slice(3, 4)):
            metric.update_state(y_true[rows], y_pred[rows], w[rows] if weighted else None)
        close(metric.result(), golden["weighted" if weighted else "plain"])
        again = type(metric).from_config(metric.get_config())
        assert again.get_config() == metric.get_config()
    metric.reset_state()
    assert all(not v.data.any() for v in metric.variables)


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_many_epochs_are_read_at_once(row: Row) -> None:
    kind, arguments, *data = row
    metric = getattr(metrics, kind)(**arguments)
    y_true, y_pred, states, results = *map(array, data), [], []
    for rows in (slice(0, 4), slice(0, 3), slice(1, 4)):
        metric.reset_state()
        results.append(metric(y_true[rows], y_pred[rows]))
        states.append([v.numpy() for v in metric.variables])
    with np.errstate(all="ignore"):
        together = metric.compute(*[np.stack(s) for s in zip(*states)])
    np.testing.assert_array_equal(np.asarray(together), np.asarray(results))


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_symbolic_then_recorded(row: Row, any_backend: str) -> None:
    """What a trainer does: states from shapes alone, one recorded update, replay on other data."""
    kind, arguments, *data = row
    metric, eager = (getattr(metrics, kind)(**arguments) for _ in range(2))
    (a, b), w = map(array, data), array("w")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)       # Accuracy() says what it thinks of outputs
        metric.update_state(Tensor(None, shape=(None, *a.shape[1:]), dtype=a.dtype.name),
                            Tensor(None, shape=(None, *b.shape[1:]), dtype="float32"))
        made = list(metric.variables)
        y_true, y_pred, weight = Tensor(a), Tensor(b), Tensor(w)
        with recording() as calls:
            metric.update_state(y_true, y_pred, weight)
    assert all(v is u for v, u in zip(made, metric.variables, strict=True))
    assert made and all(v.dtype == "float64" for v in made)
    program = Program(calls)
    eager.update_state(a, b, w)
    y_true.data[...], y_pred.data[...], weight.data[...] = a[::-1].copy(), b[::-1].copy(), [1, 1, 2, 0.5]
    program.run()
    eager.update_state(y_true.data, y_pred.data, weight.data)
    np.testing.assert_allclose(metric.result(), eager.result(), rtol=1e-12)


def test_mean_and_sum_by_hand() -> None:
    mean = metrics.Mean()
    assert mean.result() == 0.0
    assert mean([1, 3, 5, 7]) == 4.0
    mean.reset_state()
    assert mean([1, 3, 5, 7], sample_weight=[1, 1, 0, 0]) == 2.0
    mean.reset_state()
    mean.update_state([[1, 3], [5, 7]])
    assert mean(10.0) == pytest.approx((2 + 6 + 10) / 3)
    assert isinstance(mean.result(), float)
    total = metrics.Sum()
    assert total([1, 3, 5, 7]) == 16.0
    total.reset_state()
    assert total([[1, 3], [5, 7]], sample_weight=[1, 0.5]) == 10.0


def test_values_by_hand() -> None:
    assert metrics.BinaryAccuracy()([1, 1, 0, 0], [0.98, 1, 0, 0.6]) == 0.75
    assert metrics.BinaryAccuracy()([1, 1, 0, 0], [0.98, 1, 0, 0.6], [1, 0, 0, 1]) == 0.5
    assert metrics.BinaryAccuracy()([[1, 0]], [[0.5, 0.5]]) == 0.5, "0.5 is not above 0.5"
    assert metrics.Precision()([0, 1, 1, 1], [1, 0, 1, 1]) == pytest.approx(2 / 3)
    assert metrics.Recall()([0, 1, 1, 1], [1, 0, 1, 1]) == pytest.approx(2 / 3)
    assert metrics.Precision()([0, 1], [0, 0]) == 0.0
    assert metrics.SparseCategoricalAccuracy()([[2], [1]], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]]) == 0.5
    assert metrics.R2Score()([[1], [4], [3]], [[2], [4], [4]]) == pytest.approx(1 - 2 / (14 / 3))
    assert metrics.RootMeanSquaredError()([[0], [0]], [[3], [4]]) == pytest.approx(math.sqrt(12.5))
    assert metrics.F1Score(average="micro", threshold=0.5)([[1], [1]], [[1], [0]]) == pytest.approx(2 / 3)
    assert metrics.Accuracy()([[1], [2]], [[1], [3]]) == 0.5


def test_sums_are_float64() -> None:
    mean = metrics.Mean()
    for _ in range(20):
        mean.update_state(np.full(100_000, 16_777_216.0, np.float32))
    assert mean.result() == 16_777_216.0


def test_before_the_first_batch() -> None:
    assert metrics.Precision().result() == 0.0
    assert metrics.F1Score().result() == 0.0
    assert math.isnan(metrics.R2Score().result())


def test_three_axes_are_rows() -> None:
    y, p = (np.random.default_rng(1).random((2, 4, 3)) for _ in range(2))
    y = (y > 0.5).astype(float)
    flat = metrics.Precision()(y.reshape(8, 3), p.reshape(8, 3), np.repeat([1.0, 2.0], 4))
    assert metrics.Precision()(y, p, [1.0, 2.0]) == flat


def test_adjusted_r2_says_when_it_cannot() -> None:
    metric = metrics.R2Score(num_regressors=5)
    metric.update_state([[1.0], [2.0], [4.0]], [[1.0], [2.0], [3.0]])
    with pytest.warns(UserWarning, match="5 regressors"):
        assert metric.result() == pytest.approx(metrics.R2Score()([[1.0], [2.0], [4.0]], [[1.0], [2.0], [3.0]]))


def test_accuracy_of_probabilities_is_a_trap() -> None:
    metric = metrics.Accuracy()
    with pytest.warns(UserWarning, match="BinaryAccuracy"):
        assert metric([[1], [0]], [[0.9], [0.1]]) == 0.0
    metric.update_state([[1]], [[0.9]])      # once is enough
    with pytest.warns(UserWarning, match="BinaryAccuracy"):
        metrics.Accuracy().update_state(Tensor(None, shape=(None, 1), dtype="float32"),
                                        Tensor(None, shape=(None, 1), dtype="float32"))


# ---- choice -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("y, p, kinds", [
    ((None, 1), (None, 1), ("Binary", "Binary")), ((None,), (None, 1), ("Binary", "Binary")),
    ((None,), (None, 10), ("SparseCategorical", "SparseCategorical")),
    ((None, 1), (None, 10), ("SparseCategorical", "SparseCategorical")),
    ((None, 10), (None, 10), ("Categorical", "Categorical")),
    ((None, 5), (None, 5, 10), ("SparseCategorical", "SparseCategorical")),
])
def test_accuracy_and_crossentropy_are_chosen_by_shape(y: Any, p: Any, kinds: tuple[str, str]) -> None:
    for name in ("accuracy", "acc", "Accuracy"):
        metric = metrics.resolve(name, y, p)
        assert type(metric).__name__ == kinds[0] + "Accuracy" and metric.name == name
    for name in ("crossentropy", "ce"):
        metric = metrics.resolve(name, y, p)
        assert type(metric).__name__ == kinds[1] + "Crossentropy" and metric.name == name
    assert metrics.resolve("accuracy", y, p).label_kind == ("labels" if "Sparse" in kinds[0] else "float")


def test_get() -> None:
    assert metrics.get(None) is None
    for name, kind in CLASSES.items():
        needed = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
        if needed and isinstance(kind, type):
            with pytest.raises(TypeError, match=f"{kind.__name__}.*make one, as missing .*{needed[0].name}"):
                metrics.get(name)
            continue
        metric = metrics.get(name)
        assert isinstance(metric, metrics.Metric) and metric.name == name
        assert metric.label_kind == ("labels" if "sparse" in name.lower() else "float")
    for name in ("mse", "mae", "precision", "recall", "f1_score", "r2_score", "binary_crossentropy", "MAE"):
        assert metrics.resolve(name, (None, 1), (None, 1)).name == name
    own = metrics.Precision(name="p")
    assert metrics.get(own) is own
    assert metrics.get(metrics.Recall).name == "recall"
    assert metrics.get({"class_name": "BinaryAccuracy", "config": {"threshold": 0.2}}).threshold == 0.2
    with pytest.raises(ValueError, match="Metric: got 'precison'; did you mean 'precision'"):
        metrics.get("precison")
    with pytest.raises(ValueError, match="depends on the shapes"):
        metrics.get("acc")
    with pytest.raises(TypeError, match="needs a name"):
        metrics.get(3)


def test_a_loss_as_a_metric() -> None:
    metric = metrics.get(losses.SparseCategoricalCrossentropy())
    assert metric.name == "sparse_categorical_crossentropy" and metric.label_kind == "labels"
    assert metric([1], [[0.25, 0.75]]) == pytest.approx(-math.log(0.75))
    assert metrics.get(losses.huber)([[0.0]], [[0.5]]) == pytest.approx(0.125)


def test_directions() -> None:
    assert metrics.get("accuracy")._direction == "up" and metrics.get("mse")._direction == "down"
    assert metrics.get("r2_score")._direction == "up" and metrics.get("cosine_similarity")._direction == "up"


# ---- mistakes ---------------------------------------------------------------------------------------------------

def test_mistakes_are_explained() -> None:
    with pytest.raises(ValueError, match="top_k is 0"):
        metrics.Precision(top_k=0)
    with pytest.raises(ValueError, match=r"thresholds is 1\.5"):
        metrics.Recall(thresholds=1.5)
    with pytest.raises(ValueError, match="empty"):
        metrics.Recall(thresholds=[])
    with pytest.raises(fastnn.ShapeError, match="class_id is 3"):
        metrics.Precision(class_id=3)([[1, 0]], [[0.2, 0.8]])
    with pytest.raises(ValueError, match="average is 'mikro'; did you mean 'micro'"):
        metrics.F1Score(average="mikro")
    with pytest.raises(fastnn.ShapeError, match=r"threshold=0\.5"):
        metrics.F1Score()([[1], [0]], [[0.7], [0.2]])
    with pytest.raises(ValueError, match="k is 0"):
        metrics.TopKCategoricalAccuracy(k=0)
    with pytest.raises(ValueError, match="class_aggregation"):
        metrics.R2Score(class_aggregation="mean")
    with pytest.raises(fastnn.ShapeError):
        metrics.Precision()([[1, 0], [0, 1]], [[0.2], [0.8]])
    with pytest.raises(fastnn.ShapeError, match="one-hot"):
        metrics.SparseCategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])
    with pytest.raises(fastnn.ShapeError, match="sample_weight"):
        metrics.Precision()([[1], [0]], [[0.2], [0.8]], [1.0, 2.0, 3.0])
    with pytest.raises(NotImplementedError, match="update_state"):
        metrics.Metric(name="empty").update_state([1], [1])
    with pytest.raises(NotImplementedError, match="result"):
        metrics.Metric(name="empty").result()


@pytest.mark.parametrize("settings", [dict(top_k=2), dict(top_k=2, class_id=1), dict(top_k=3, thresholds=[0.2, 0.6])])
def test_the_k_highest_of_a_row_are_positive(settings: dict[str, Any], any_backend: str) -> None:
    """As Keras: of those that tie the first; thresholds count among the k."""
    rng = np.random.default_rng(1)
    p, y = np.round(rng.uniform(size=(50, 5)), 1).astype("float32"), rng.integers(0, 2, (50, 5))
    order = np.argsort(-p, axis=-1, kind="stable")[:, :settings["top_k"]]
    kept = np.zeros(p.shape, bool)
    np.put_along_axis(kept, order, True, -1)
    columns = [settings["class_id"]] if "class_id" in settings else range(5)
    weights = rng.uniform(0.5, 2, 50)
    for metric in (metrics.Precision(**settings), metrics.Recall(**settings)):
        metric.update_state(y, p, weights)
        wanted = []
        for level in settings.get("thresholds", [-np.inf]):
            positive = (kept & (p > np.float32(level)))[:, columns]
            actual, w = y[:, columns] == 1, weights[:, None]
            right = (positive & actual) * w
            whole = positive * w if isinstance(metric, metrics.Precision) else actual * w
            wanted.append(right.sum() / whole.sum())
        np.testing.assert_allclose(metric.result(), wanted[0] if len(wanted) == 1 else wanted, rtol=1e-6)


def test_sums_are_float64_whatever_the_dtype() -> None:
    with pytest.warns(UserWarning, match="float64 here always"):
        metric = metrics.MeanAbsoluteError(dtype="int32")
    assert metric.get_config()["dtype"] == "int32" and metric([[1.0]], [[1.75]]) == 0.75
    assert metrics.AUC(num_thresholds=None, thresholds=[0.5]).num_thresholds == 3
