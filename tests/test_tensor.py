"""A tensor as Python has it: numbers, indices, loops, signs, text; and what is refused, by name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import ops
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Tensor, Variable

X = np.arange(6, dtype=np.float32).reshape(2, 3)
x, whole, three = ops.convert_to_tensor(X), ops.convert_to_tensor([1, 2, 3]), ops.convert_to_tensor(3)

SAME: list[tuple[Callable[[], Any], Any]] = [
    (lambda: [3.0 in x, 9.0 in x], [True, False]), (lambda: len(x), 2), (lambda: [r.shape for r in x], [(3,), (3,)]),
    (lambda: list(range(three)), [0, 1, 2]), (lambda: "abcde"[three], "d"),
    (lambda: [10, 20, 30, 40][:three], [10, 20, 30]),
    (lambda: divmod(x + 1, 2.0), divmod(X + 1, 2.0)), (lambda: divmod(7.0, x + 1), divmod(7.0, X + 1)),
    (lambda: whole << 1, [2, 4, 6]), (lambda: 1 << whole, [2, 4, 8]), (lambda: whole >> 1, [0, 1, 1]),
    (lambda: 8 >> whole, [4, 2, 1]), (lambda: x ** 2, X ** 2), (lambda: 2 ** x, 2 ** X), (lambda: x // 2, X // 2),
    (lambda: 7 % (x + 1), 7 % (X + 1)), (lambda: x[:, None], X[:, None]), (lambda: x[..., 0], X[..., 0]),
    (lambda: x[:, ::2], X[:, ::2]), (lambda: x[[1, 0]], X[[1, 0]]), (lambda: x[x > 2], X[X > 2]),
    (lambda: x[three - 2], X[1]), (lambda: x[:, :three - 1], X[:, :2]), (lambda: max(x[0]), 2.0),
    (lambda: sum(x[0]), 3.0),
    (lambda: f"{ops.sum(x):.2f} {three:d}", "15.00 3"), (lambda: round(float(ops.mean(x)), 1), 2.5),
    (lambda: bool(0 < ops.sum(x) < 100), True), (lambda: sorted([three, three - 2])[0], 1),
    (lambda: int(ops.ones((1, 1))), 1), (lambda: x == 3.0, X == 3.0), (lambda: x != X, X != X),
    (lambda: np.ones(3) + x, 1 + X), (lambda: np.float64(2) * x, 2 * X), (lambda: x.ndim, 2),
    (lambda: ops.zeros(np.array([2, 3])), np.zeros((2, 3))), (lambda: ops.zeros((three, 2)), np.zeros((3, 2))),
    (lambda: ops.reshape(x, (three, -1)), X.reshape(3, 2)),
    (lambda: ops.reshape(x, whole[1:] * 0 + [3, 2]), X.reshape(3, 2)),
    (lambda: ops.tile(x, ops.convert_to_tensor([1, 2])), np.tile(X, (1, 2))), (lambda: ops.eye(three), np.eye(3)),
    (lambda: ops.expand_dims(x, np.array([0, -1])), X[None, ..., None]),
    (lambda: ops.roll(x, three, 1), np.roll(X, 3, 1)),
]


@pytest.mark.parametrize("made, want", SAME)
def test_as_python_and_numpy_have_it(made: Callable[[], Any], want: Any) -> None:
    got = made()
    if isinstance(want, tuple) and isinstance(want[0], np.ndarray):
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(np.asarray(a), b)
    elif isinstance(got, Tensor):
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-6)
    else:
        assert got == want


def test_what_is_refused() -> None:
    for wrong, kind, words in (
            (lambda: bool(x), ValueError, "ops.any or ops.all"), (lambda: float(x), ValueError, "one number"),
            (lambda: f"{x:.2f}", ValueError, "format"), (lambda: [1, 2][x[0, 0]], TypeError, "no index"),  # type: ignore
            (lambda: range(whole), TypeError, "no index"), (lambda: x[True], TypeError, "got True"),
            (lambda: x.__setitem__(0, 1.0), TypeError, "slice_update"), (lambda: len(three), TypeError, "no length"),
            (lambda: ops.ones((2, 3, 4))[[0, 1], :, [1, 2]], TypeError, "side by side")):
        with pytest.raises(kind, match=words):
            wrong()


def test_wider_floats_are_computed_in_floatx() -> None:
    """float64 tensors and variables, under float32: their numbers as float32, their gradients in their own dtype."""
    wide = ops.cast(x, "float64")
    assert wide.dtype == "float64" and (wide < 2).dtype == "bool"
    for got in (wide + x, x * wide, ops.sqrt(wide), ops.sum(wide) + 1, ops.matmul(wide, np.ones((3, 1))), wide[0] / 3,
                ops.concatenate([wide, x]) * 1, fastnn.layers.Dense(2)(wide)):
        assert got.dtype == "float32"
    np.testing.assert_allclose((wide + x).numpy(), 2 * X)
    v = Variable(X.astype("float64"), dtype="float64")
    with GradientTape() as tape:
        y = ops.sum(v * v)
    np.testing.assert_allclose(tape.gradient(y, v).numpy(), 2 * X)


def test_indices_that_are_read_in_a_step_are_not_frozen() -> None:
    """A number that Python takes as an index while a step is recorded: the step runs in Python from then on."""
    @fastnn.function
    def step(x: Any, n: Any) -> Any:
        return ops.sum(ops.stack([x * i for i in range(n)]))

    with pytest.warns(UserWarning, match="int\\(\\)"):
        found = [float(step(np.float32(1), np.int32(n))) for n in (3, 4, 5)]
    assert found == [3, 6, 10]
