"""Variables that a step assigns to: at every step, in its order, and seen by gradients as they were."""

import warnings
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Layer, Variable, metrics, ops
from tests.test_honest import X, Y, fitted, network

# ---- assignments ---------------------------------------------------------------------------------------------------

class Steps(Layer):
    """Counts its calls in a float, a whole number and a vector."""

    def build(self, input_shape: Any) -> None:
        self.n = self.add_weight((), "zeros", trainable=False, name="n")
        self.whole = self.add_weight((), "zeros", dtype="int32", trainable=False, name="whole")
        self.mean = self.add_weight((input_shape[-1],), "zeros", trainable=False, name="mean")

    def call(self, x: Any) -> Any:
        self.n.assign(self.n + 1.0)
        self.whole.assign_add(2)
        self.mean.assign_sub((self.mean - ops.mean(x, axis=0)) * 0.5)
        return x + self.n * 0.001


def test_assignments_happen_at_every_step(any_backend: str) -> None:
    states = []
    for eager in (False, True):
        layer = Steps()
        model = network(layer, eager=eager)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(X, Y, epochs=4, batch_size=8, verbose=0)
        assert float(layer.n) == 20 and int(layer.whole) == 40
        assert eager or f"{layer.n.name} " in model.program("train").full()
        model.evaluate(X, Y, batch_size=20, verbose=0)
        assert float(layer.n) == 22
        for _ in range(3):
            model.predict(X[:1], verbose=0)
        assert float(layer.n) == 25 and int(layer.whole) == 50
        states.append([w.tobytes() for w in model.get_weights()])
    assert states[0] == states[1]


def test_assignments_keep_still_while_only_shapes_count() -> None:
    layer = Steps()
    y = layer(Input((3,)))
    assert y.shape == (None, 3) and float(layer.n) == 0 and int(layer.whole) == 0
    layer(X)
    assert float(layer.n) == 1 and int(layer.whole) == 2 and layer.mean.numpy().any()


def test_assignments_outside_of_steps() -> None:
    v = Variable([1.0, 2.0])
    assert v.assign_add([1.0, 1.0]) is v and v.assign_sub(0.5) is v
    np.testing.assert_array_equal(v.numpy(), [1.5, 2.5])
    for call in (lambda: v.assign_add([1.0, 2.0, 3.0]), lambda: v.assign(1.0)):
        with pytest.raises(ValueError):
            call()
    np.testing.assert_array_equal(v.numpy(), [1.5, 2.5])


class Share(metrics.Metric):
    """How large the share of each column is in the sum of absolute errors."""

    def __init__(self) -> None:
        super().__init__(name="share")
        self.sums = self.add_variable((1,), name="sums")
        self.rows = self.add_variable((), name="rows")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.sums.assign_add(ops.sum(ops.absolute(y_true - y_pred), axis=0))
        self.rows.assign(self.rows + ops.sum(0.0 * y_pred + 1.0))

    def result(self) -> Any:
        return float(np.asarray(self.sums / self.rows)[0])


def test_a_metric_may_assign_and_compute_with_its_states(any_backend: str) -> None:
    history, _, texts = fitted(lambda eager: network(metrics=[Share(), "mae"], eager=eager), eager=False)
    assert not texts
    for record in history[:2]:
        np.testing.assert_allclose(record["share"], record["mae"], rtol=1e-5)


class Doubling(Layer):
    """x·factor, and the factor doubles with each batch; its gradient needs the factor of before."""

    def __init__(self, copied: bool) -> None:
        super().__init__()
        self.copied, self.factor = copied, Variable(1.0, trainable=False)

    def call(self, x: Any) -> Any:
        factor = self.factor + 0.0 if self.copied else self.factor
        y = x * factor
        self.factor.assign(self.factor * 1.5)
        return y


@pytest.mark.parametrize("eager", [False, True])
def test_gradients_read_a_state_as_it_was(eager: bool, any_backend: str) -> None:
    """What is assigned after it was read does not change the gradient of what read it."""
    found = []
    for copied in (True, False):
        model = network(Doubling(copied), eager=eager)
        model.fit(X, Y, epochs=1, batch_size=8, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
    w, state = Variable(3.0), Variable(2.0, trainable=False)
    with fastnn.GradientTape() as tape:
        y = w * state
        state.assign(100.0)
    state.assign(7.0)
    assert float(tape.gradient(y, w)) == 2
