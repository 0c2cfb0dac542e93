"""stack and unstack: each the other's gradient, for any number of arrays, eagerly and replayed."""

import numpy as np
import pytest

from fastnn import ops
from fastnn.engine.context import recording
from fastnn.engine.gradient import GradientTape, backward
from fastnn.engine.program import Program
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops.rows.elementwise import multiply
from fastnn.ops.rows.stacking import concatenate, stack, unstack

RNG = np.random.default_rng(5)


def floats(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


@pytest.mark.parametrize("steps", [1, 3, 40])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_recurrence_unrolled(steps: int, axis: int, any_backend: str) -> None:
    """h[t] = h[t-1]·w + x[t], y = all h: the gradients are those of the formula, also when the program is replayed."""
    data = floats(steps, 4, 3)
    x = Tensor(np.ascontiguousarray(np.moveaxis(data, 0, axis)), tracked=True)
    w = Tensor(floats(4, 3) / 3, tracked=True)
    seed = Tensor(floats(*x.shape))
    with recording() as calls:
        hs, h = [], Tensor(np.zeros((4, 3), "float32"))
        for step in unstack(x, axis=axis):
            h = ops.add(multiply(h, w), step)
            hs.append(h)
        y = stack(*hs, axis=axis)
        dx, dw = backward(y, [x, w], seed)
    program = Program(calls, keep=[y, dx, dw])
    assert [c.op.name for c in program.calls if "stack" in c.op.name] == ["unstack", "stack", "unstack", "stack"]
    want_h, before = [], np.zeros((4, 3))
    for step in data.astype("float64"):
        before = before * w.data + step
        want_h.append(before)
    d_steps = np.moveaxis(seed.data, axis, 0).astype("float64")
    d_h, want_dw, want_dx = np.zeros((4, 3)), np.zeros((4, 3)), []
    for t in reversed(range(steps)):
        d_h = d_h + d_steps[t]
        want_dx.append(d_h)
        want_dw = want_dw + d_h * (want_h[t - 1] if t else 0)
        d_h = d_h * w.data
    wanted = [np.moveaxis(np.stack(want_h), 0, axis), np.moveaxis(np.stack(want_dx[::-1]), 0, axis), want_dw]
    for run in range(2):
        for got, want in zip((y, dx, dw) if run == 0 else program.results, wanted, strict=True):
            np.testing.assert_allclose(got.data, want, rtol=2e-5, atol=2e-5)
        program.run()


def test_parts_that_nobody_used_have_no_gradient(any_backend: str) -> None:
    x = Tensor(floats(2, 5, 3), tracked=True)
    with GradientTape() as tape:
        parts = unstack(x, axis=1)
        y = ops.add(parts[1], parts[4])
    del parts
    dx = tape.gradient(y, x)
    want = np.zeros((2, 5, 3))
    want[:, [1, 4]] = 1
    np.testing.assert_array_equal(dx.data, want)


def test_only_the_wanted_parts_of_a_concatenation_are_cut_out(any_backend: str) -> None:
    a, b, c = Tensor(floats(2, 3), tracked=True), Tensor(floats(2, 1)), Tensor(floats(2, 4), tracked=True)
    with recording() as calls:
        y = concatenate(a, b, c, a, axis=-1)
        da, dc = backward(y, [a, c], Tensor(np.arange(22, dtype="float32").reshape(2, 11)))
    np.testing.assert_array_equal(y.data, np.concatenate([a.data, b.data, c.data, a.data], -1))
    np.testing.assert_array_equal(da.data, [[8, 10, 12], [30, 32, 34]])
    np.testing.assert_array_equal(dc.data, [[4, 5, 6, 7], [15, 16, 17, 18]])
    assert [call.op.name for call in calls].count("slice") == 3


def test_one_array_gives_a_tuple_of_one() -> None:
    (only,) = unstack(Tensor(floats(2, 1, 3)), axis=1)
    assert only.shape == (2, 3)


def test_the_axis_must_be_known() -> None:
    with pytest.raises(ShapeError, match=r"unstack: x is \(None, None, 3\); axis 1 must be known"):
        unstack(Tensor(None, shape=(None, None, 3), dtype="float32"), axis=1)
    parts = unstack(Tensor(None, shape=(None, 4, 3), dtype="float32"), axis=1)
    assert [p.shape for p in parts] == [(None, 3)] * 4
    assert stack(*parts, axis=1).shape == (None, 4, 3)
    with pytest.raises(TypeError, match=r"stack: got 0 arrays"):
        stack(axis=0)
