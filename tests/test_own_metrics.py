"""Metrics of one's own, those that a model holds, states of several numbers, what metrics say after a fit."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import metrics, ops
from fastnn.engine.context import recording
from fastnn.engine.program import Program
from fastnn.engine.tensor import Tensor

# ---- own metrics ------------------------------------------------------------------------------------------------

def test_a_function_as_a_metric() -> None:
    def worst(y_true: Any, y_pred: Any) -> Any:
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    metric = metrics.get(worst)
    assert metric.name == "worst"
    assert metric([[1.0, 2.0]], [[1.5, 5.0]]) == 3.0


class BiasedMean(metrics.Metric):
    """A metric as in a Keras tutorial: own states, assign_add, arithmetic in result."""

    def __init__(self, name: str = "biased_mean") -> None:
        super().__init__(name=name)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.total.assign_add(ops.sum(y_pred))
        self.count.assign_add(ops.sum(ops.equal(y_true, y_true)))

    def result(self) -> Any:
        return 1 + self.total / (self.count + 1)


def test_a_metric_of_ones_own(any_backend: str) -> None:
    metric = BiasedMean()
    y_true, y_pred = Tensor(np.zeros((2, 1), np.float32)), Tensor(np.array([[1.0], [2.0]], np.float32))
    with recording() as calls:
        metric.update_state(y_true, y_pred)
    y_pred.data[...] = [[4.0], [5.0]]
    Program(calls).run()
    assert float(metric.result()) == 1 + 12 / 5
    assert not hasattr(metric, "compute")
    with pytest.raises(ValueError, match="start at zero"):
        metric.add_weight(initializer="ones")


def test_a_result_of_ones_own_stands_before_the_inherited_compute() -> None:
    class Root(metrics.MeanSquaredError):
        def result(self) -> float:
            return float(np.sqrt(self.total.data / self.count.data))

    assert not Root()._computed and metrics.MeanSquaredError()._computed
    assert Root()([[0.0]], [[3.0]]) == 3.0


def test_metrics_that_a_model_holds_are_found_however_they_came_there() -> None:
    """Set, put into a list, tuple or dict that was there before, or held by a layer; gone when they are taken out."""
    model = fastnn.Sequential([fastnn.layers.Input((2,)), fastnn.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.boxes = [], {}, 3
    own = [metrics.Mean(name=f"m{i}") for i in range(4)]
    assert not set(own) & set(model.metrics)
    model.boxes[0].append(own[0])
    assert own[0] in model.metrics
    model.boxes[1]["x"] = own[1]
    model.layers[0].seen = (own[2],)
    assert [m for m in model.metrics if m in own] == own[:3]
    model.layers[0].seen = own[3]
    model.boxes[0].clear()
    assert [m for m in model.metrics if m in own] == [own[1], own[3]]
    own[3].inside = [own[0]]
    own[0].update_state([1.0])
    assert set(map(id, own[0].states())) < set(map(id, own[3].states()))


def test_weights_of_each_output(any_backend: str) -> None:
    y, p, w = np.array([[1, 0], [0, 1]]), np.array([[0.9, 0.8], [0.2, 0.4]]), np.array([[1.0, 2.0], [3.0, 0.5]])
    assert metrics.BinaryAccuracy()(y, p, w) == pytest.approx(4 / 6.5)
    assert metrics.BinaryAccuracy()(y[:, :1], p[:, :1], w[:, :1]) == 1.0


def test_states_of_several_numbers_are_added_to_in_float64(any_backend: str) -> None:
    class PerClass(metrics.Metric):
        def __init__(self) -> None:
            super().__init__(name="per_class")
            self.seen = self.add_weight(shape=(2,), name="seen")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.seen.assign_add(ops.sum(y_true, axis=0))
            self.seen.assign_add(0.5)

        def compute(self, seen: np.ndarray) -> Any:
            return seen

    metric, y = PerClass(), Tensor(np.array([[1.0, 0.0], [2.0, 1.0]], np.float32))
    metric.seen.data[...] = 2.0 ** 24
    with recording() as calls:
        metric.update_state(y, y)
    Program(calls).run()
    assert (metric.result() - 2.0 ** 24).tolist() == [7.0, 3.0], "twice 3.5 and 1.5; in float32 halves are lost"
    with pytest.raises(fastnn.ShapeError):
        metric.seen.assign_add([1.0, 2.0, 3.0])


@pytest.mark.parametrize("epochs", [1, 2, 5])
@pytest.mark.parametrize("more", [{}, {"validation_split": 0.2}], ids=str)
def test_after_fit_metrics_say_what_the_last_pass_said(epochs: int, more: dict[str, Any], any_backend: str) -> None:
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    model = fastnn.Sequential([fastnn.Input((3,)), fastnn.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, x[:, :1] > 0, epochs=epochs, verbose=0, **more).history
    for metric in model.metrics:
        said = history["val_" * bool(more) + metric.name][-1]
        assert float(metric.result()) == pytest.approx(said, rel=1e-6) and said > 0


def test_a_result_of_ones_own_goes_on_to_that_of_a_built_in() -> None:
    class Tenfold(metrics.MeanAbsoluteError):
        def result(self) -> Any:
            return super().result() * 10.0

    class Thousandfold(Tenfold):
        def compute(self, total: Any, count: Any) -> Any:
            return super().compute(total, count) * 1000.0

    one: Any = metrics.MeanAbsoluteError(name="one")        # of one metric, not of its class
    one.result = lambda: type(one).result(one) + 5.0
    found = [Tenfold(name="ten"), Thousandfold(name="thousand"), one]
    model = fastnn.Sequential([fastnn.Input((3,)), fastnn.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae", *found])
    x = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
    history = model.fit(x, x[:, :1], epochs=6, verbose=0).history     # most of them without Python in between
    plain = np.asarray(history["mae"])
    np.testing.assert_allclose(history["ten"], plain * 10, rtol=1e-6)
    np.testing.assert_allclose(history["thousand"], plain * 10_000, rtol=1e-6)
    np.testing.assert_allclose(history["one"], plain + 5, rtol=1e-6)


def test_a_reset_given_to_one_metric_is_asked_in_every_epoch() -> None:
    resets: list[int] = []
    one: Any = metrics.MeanAbsoluteError(name="one")
    one.reset_state = lambda: resets.append(1)
    model = fastnn.Sequential([fastnn.Input((1,)), fastnn.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[one])
    x = np.ones((4, 1), np.float32)
    model.fit(x, x, epochs=6, verbose=0)
    assert len(resets) == 6 and one.count.numpy() == 6 * 4
