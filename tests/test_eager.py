"""Tensors outside of programs: operators, gradients and tapes, and what a single call costs."""

import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from fastnn import ops
from fastnn.engine.context import recording
from fastnn.engine.gradient import GradientTape, backward
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import ShapeError
from fastnn.ops import rows
from fastnn.ops._op import KNOWN
from tests.conftest import needs_c


def tensor(*shape: int) -> Tensor:
    return Tensor(np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape))


def test_same_operator_rules_as_numpy() -> None:
    a, b = tensor(3, 4), tensor(4)
    np.testing.assert_allclose((a + b).numpy(), a.data + b.data)
    np.testing.assert_allclose((a * b - 2.0 / (a + 3)).numpy(), a.data * b.data - 2 / (a.data + 3), rtol=1e-6)
    np.testing.assert_allclose((np.ones((3, 4), np.float32) - a).numpy(), 1 - a.data)
    np.testing.assert_allclose(a[1:, 2].numpy(), a.data[1:, 2])
    np.testing.assert_allclose((b - tensor(4, 1)).numpy().shape, (4, 4))
    with pytest.raises(ShapeError, match="subtract: got shapes"):
        tensor(4) - tensor(3)


def test_gradients_meet_where_paths_join() -> None:
    x = Variable([0.5, -0.25], "x")
    with GradientTape() as tape:
        y = ops.sum(x * x + ops.exp(x) * x)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), 2 * x.data + np.exp(x.data) * (1 + x.data), rtol=1e-6)
    constant = Variable([1.0], "unused")
    assert tape.gradient(y, [x, constant])[1] is None


def test_only_gradients_on_the_path_are_computed() -> None:
    x, w = Tensor(np.ones((4, 3), np.float32)), Variable(np.ones((3, 2)), "w")
    with recording() as calls:
        y = ops.sum(ops.matmul(x, w))
        backward(y, [w])
    assert "matmul_nt" not in [call.op.name for call in calls]      # dX of the first layer


def test_training_through_step_is_an_error_that_explains() -> None:
    w = Variable([0.5], "w")
    with GradientTape():
        y = ops.sum(ops.step(w))
    with pytest.raises(TypeError, match="step: has no gradient"):
        backward(y, [w])


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Reference counts alone free memory: graphs have no cycles."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("taped", [False, True])
def test_own_loops_keep_no_graph(taped: bool, no_collector: None) -> None:
    """`total = total + loss` outside a tape and inside: one batch's tensors are gone when the next one is there."""
    w, total = Variable([0.5, -0.5], "w"), ops.convert_to_tensor(0.0)
    alive = []
    for _ in range(5):
        with GradientTape() as tape:
            middle = ops.exp(w)
            loss = ops.sum(middle * w)
            if taped:
                total = total + loss
        if not taped:
            total = total + loss
        gradient = tape.gradient(loss, w)
        np.testing.assert_allclose(gradient.data, np.exp(w.data) * (1 + w.data), rtol=1e-6)
        alive.append(weakref.ref(middle))
        del middle, loss, tape
        assert sum(ref() is not None for ref in alive) <= taped
    np.testing.assert_allclose(float(total), 5 * np.sum(np.exp(w.data) * w.data), rtol=1e-6)


def test_outside_a_tape_nothing_has_a_gradient() -> None:
    w = Variable([0.5], "w")
    y = ops.exp(w)
    with GradientTape() as tape:
        z = ops.sum(y * w)
    assert y.source is None
    np.testing.assert_allclose(tape.gradient(z, w).numpy(), np.exp([0.5]), rtol=1e-6)


def test_tapes_in_tapes_give_second_derivatives() -> None:
    x = Variable([0.5, 2.0], "x")
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = ops.sum(x * x * x)
        slope = inner.gradient(y, x)
        total = ops.sum(slope)
    np.testing.assert_allclose(slope.numpy(), 3 * x.data ** 2, rtol=1e-6)
    np.testing.assert_allclose(outer.gradient(total, x).numpy(), 6 * x.data, rtol=1e-6)


# ---- eager calls ------------------------------------------------------------------------------------------------

def _python_calls(function: Callable[[], Any]) -> int:
    """How many Python functions run when `function` does."""
    found = 0

    def count(frame: Any, event: str, _: Any) -> None:
        nonlocal found
        found += event == "call"

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return found


@needs_c
@pytest.mark.parametrize("name", ["add", "matmul", "relu", "softmax", "exp"])
def test_an_eager_op_is_one_look_up_and_one_c_call(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules run once per shapes and dtypes; the next call takes a few Python functions (40 before)."""
    op = getattr(rows, {"matmul": "dense", "add": "elementwise", "exp": "elementwise"}.get(
        name, "softmax" if name == "softmax" else "activation"))
    op = getattr(op, name)
    x = tensor(4, 4)
    arguments = (x, x) if name in ("add", "matmul") else (x,)
    first = op(*arguments)
    assert _python_calls(lambda: op(*arguments)) <= 12
    monkeypatch.setattr(type(op), "_by_rules", lambda *_: pytest.fail("the rules ran again"))
    assert op(*arguments).data.tobytes() == first.data.tobytes()
    assert op(*(tensor(4, 4) for _ in arguments)).shape == (4, 4)


@needs_c
def test_what_an_op_remembers_fits_only_what_it_fits() -> None:
    """Another shape, dtype or constant that a rule reads, symbolic tensors, arrays and mistakes go by the rules."""
    x = tensor(4, 6)
    for axes, shape in (((0,), (6,)), ((1,), (4,)), ((0, 1), ())):
        for _ in range(2):
            assert rows.reduce.sum(x, axes=axes).shape == shape
    for factor in (2, 2.0, 0.5, -0.0, True):
        got = rows.elementwise.scale(x, factor=factor)
        assert got.data.tobytes() == (x.data * np.float32(factor)).tobytes()
    assert rows.elementwise.scale(Tensor(None, shape=(4, 6), dtype="float32"), factor=2.0).symbolic
    np.testing.assert_array_equal(rows.elementwise.scale(x.data, factor=2.0).data, 2 * x.data)
    with pytest.raises(TypeError, match="scale"):
        rows.elementwise.scale(x)
    with pytest.raises(TypeError, match="scale"):
        rows.elementwise.scale(x, factor=1.0, value=2.0)
    with pytest.raises(TypeError, match="scale"):
        rows.elementwise.scale(x, x, factor=1.0)
    moved = tensor(4, 6)
    rows.elementwise.add(x, moved)
    moved.data = np.zeros((2, 6), np.float32)
    with pytest.raises(ShapeError, match=r"shape \(2, 6\) now"):
        rows.elementwise.add(x, moved)
    for n in range(2 * KNOWN):
        rows.elementwise.negative(np.zeros(n, np.float32))
    assert len(rows.elementwise.negative._memory.calls) <= KNOWN


@needs_c
def test_two_threads_run_one_ready_call() -> None:
    arrays = [tensor(50, 50) for _ in range(8)]
    wanted = [rows.elementwise.exp(a).data.tobytes() for a in arrays]
    found: list[Any] = [None] * 8

    def work(i: int) -> None:
        found[i] = {rows.elementwise.exp(arrays[i]).data.tobytes() for _ in range(300)}

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [{each} for each in wanted]
