"""check_gradients finds wrong gradients and no others; backend="check" says what it has compared."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers as L
from fastnn import ops
from fastnn.engine import backend, check
from fastnn.ops import _op
from fastnn.ops._rules import Rule
from fastnn.teaching import GradientCheck, wide
from tests.conftest import needs_c
from tests.ops import OPS
from tests.test_trace import FAMILIES, bits, dense, recurrent


def rng() -> np.random.Generator:
    """The same numbers for every test, whichever ran before."""
    return np.random.default_rng(5)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_of_each_family_are_right_and_nothing_changes(family: Any, any_backend: str) -> None:
    fastnn.random.set_seed(2)
    model, x, y = family()
    model.fit(x, y, epochs=1, batch_size=3, verbose=0)
    state = [(t, t.data.copy()) for t in model._steps.state() if t.name != "cursor"]
    before, draws = bits(model), [v.numpy().tolist() for v in model.non_trainable_variables]
    found: GradientCheck = fastnn.check_gradients(model, x, y, elements=6)
    assert found.passed and bool(found), found
    assert bits(model) == before and [v.numpy().tolist() for v in model.non_trainable_variables] == draws
    assert all(np.array_equal(t.data, copy) for t, copy in state)
    assert [row.weight for row in found.rows] == [v.name for v in model.trainable_weights]
    assert not found.not_complex
    for row in found.rows:
        assert row.rounding < 1e-3 and row.checked == min(6, int(np.prod(row.shape)))
        for element in row.elements:
            if not element.kink and abs(element.backward) > 1e-6:
                assert element.complex_step is not None
                assert abs(element.complex_step - element.backward) <= 1e-9 * abs(element.backward)


class Halved(L.Layer):
    """x·w², the gradient of w half of what it is."""

    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="w")

    def call(self, x: Any) -> Any:
        return x * self.w * ops.stop_gradient(self.w)


def test_a_layer_with_a_wrong_gradient_is_found() -> None:
    model = fastnn.Sequential([fastnn.Input((3,)), L.Dense(2), Halved(), L.Dense(1)])
    model.compile("sgd", "mse")
    found = fastnn.check_gradients(model, rng().normal(size=(4, 3)), rng().normal(size=(4, 1)))
    wrong = [row for row in found.rows if not row.passed]
    assert not found and [row.shape for row in wrong] == [(2,)] and wrong[0].weight.endswith("/w")
    assert wrong[0].deviation == pytest.approx(0.5, abs=1e-6)
    (name, worst), *_ = found.worst
    assert name == wrong[0].weight and worst.differences == pytest.approx(2 * worst.backward, rel=1e-6)
    assert worst.complex_step == pytest.approx(worst.differences, rel=1e-6)
    assert "WRONG" in str(found) and f"{name}{list(worst.index)}: backward says" in str(found)
    assert "WRONG" in found._repr_html_() and "3 of 4" not in str(found) and "4 of 5 weight arrays right" in str(found)


def test_an_op_with_a_wrong_rule_is_found(monkeypatch: Any) -> None:
    monkeypatch.setitem(OPS["softplus"].vjp, "x", Rule(lambda dy, x: _op.by_name["multiply"](dy, x)))
    model = fastnn.Sequential([fastnn.Input((3,)), L.Dense(2, "softplus"), L.Dense(1)])
    model.compile("sgd", "mse")
    found = fastnn.check_gradients(model, rng().normal(size=(4, 3)), rng().normal(size=(4, 1)))
    assert [row.passed for row in found.rows] == [False, False, True, True]


def test_every_element_or_a_few_and_a_direction() -> None:
    model, x, y = dense()
    every = fastnn.check_gradients(model, x, y, elements=0)
    assert [row.checked for row in every.rows] == [int(np.prod(row.shape)) for row in every.rows]
    few = fastnn.check_gradients(model, x, y, elements=2, samples=1)
    assert few.samples == 1 and all(row.checked <= 2 for row in few.rows)
    assert all(any(not element.index for element in row.elements) for row in few.rows)


def test_backward_is_computed_once_for_all_weights(monkeypatch: Any) -> None:
    names: list[str] = []
    results = wide.results

    def counted(call: Any, arrays: Any) -> Any:
        names.append(call.op.name)
        return results(call, arrays)

    monkeypatch.setattr(wide, "results", counted)
    model, x, y = dense()
    fastnn.check_gradients(model, x, y)
    assert names.count("sigmoid_crossentropy_grad") == 1 and "dense_grad" in names


def test_kinks_are_named_and_not_failed() -> None:
    model = fastnn.Sequential([fastnn.Input((3,)), L.Dense(2, "relu", kernel_initializer="zeros"), L.Dense(1)])
    model.compile("sgd", "mse")
    found = fastnn.check_gradients(model, rng().normal(size=(4, 3)), rng().normal(size=(4, 1)))
    assert found.passed and len(found.rows[0].kinks) == 7 and not found.rows[3].kinks
    assert found.rows[0].kinks[0].kink.startswith("relu in ") and "a kink of relu in" in str(found)


def test_a_kernel_without_complex_numbers_is_named() -> None:
    model = fastnn.Sequential([fastnn.Input((3,)), L.Dense(1)])
    model.compile("sgd", "mae")
    found = fastnn.check_gradients(model, rng().normal(size=(4, 3)), rng().normal(size=(4, 1)))
    assert found.passed and found.not_complex == "mean_absolute_error" and "no complex step" in str(found)
    assert all(e.complex_step is None for row in found.rows for e in row.elements)


def test_what_is_refused() -> None:
    class Own(fastnn.Model):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    inputs = fastnn.Input((2,))
    model = Own(inputs, L.Dense(1)(inputs))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="its own training step"):
        fastnn.check_gradients(model, np.ones((2, 2)), np.ones((2, 1)))
    model, x, y = dense()
    for wrong in ({"samples": 0}, {"elements": -1}, {"tolerance": 0.0}):
        with pytest.raises(ValueError, match="check_gradients"):
            fastnn.check_gradients(model, x, y, **wrong)


# ---- backend="check" ----------------------------------------------------------------------------------------------

@needs_c
def test_the_check_backend_says_what_it_has_compared(capsys: Any) -> None:
    model, x, y = recurrent()
    with fastnn.config.using(backend="check"):
        model.fit(x, y, epochs=3, batch_size=3, verbose=2)
        checked = model.checked
        assert checked.steps == 6 and checked.calls > 6 * 10 and 0 < checked.share < 1
        assert capsys.readouterr().out.splitlines()[-1] == str(checked)
        assert f"checked 6 steps, {checked.calls} calls" in str(checked) and checked.kernel in str(checked)
        assert checked.by_kernel["lstm_steps"][0] == 6
        assert sum(n for n, _ in checked.by_kernel.values()) == checked.calls
        assert max(share for _, share in checked.by_kernel.values()) == checked.share
        model.evaluate(x, y, batch_size=2, verbose=0)
        assert model.checked is not checked and model.checked.steps == 3 and capsys.readouterr().out == ""
        model.fit(x, y, epochs=4, batch_size=3, verbose=0)
        assert model.checked.steps == 8
        model.fit(x, y, epochs=2, batch_size=3, verbose=0, validation_data=(x, y))
        assert model.checked.steps == 2 * 2 + 2 * 2
    last = model.checked
    model.fit(x, y, epochs=1, verbose=2)
    assert model.checked is last and "checked" not in capsys.readouterr().out


@needs_c
def test_the_largest_share_of_the_bound_is_that_of_the_arrays() -> None:
    op = OPS["scale"]
    x = np.arange(1, 6, dtype=np.float32)
    problem, share = check.measured(op, (x,), (x * np.float32(3),), {"factor": 3.0})
    assert not problem and share == 0
    off = x * np.float32(3)
    off[2] = np.nextafter(off[2], np.float32(99))
    bound = op.error_bounds((x,), (3.0 * x.astype(np.float64),), {"factor": 3.0})[0]
    problem, share = check.measured(op, (x,), (off,), {"factor": 3.0})
    assert share == pytest.approx(abs(float(off[2]) - 9.0) / bound[2], rel=1e-6)
    assert bool(problem) == (share > 1) and backend.kernels["scale"].c
