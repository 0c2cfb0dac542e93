"""Ops beside NumPy's formulas: their numbers, and their gradients in float64 by central differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastnn import ops
from fastnn.engine import backend
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Variable


def named(rows: list[Any]) -> list[Any]:
    """Rows (ours, theirs, arguments) as parameters of a test."""
    return [pytest.param(*row, id=f"{getattr(row[0], '__name__', 'op')}-{i}") for i, row in enumerate(rows)]


def beside_numpy(smooth: list[Any], plain: list[Any]) -> tuple[Callable[..., None], Callable[..., None]]:
    """test_as_numpy of all rows on both backends, and test_gradients of the smooth ones."""
    @pytest.mark.parametrize("ours, theirs, arguments", named([*smooth, *plain]))
    def as_numpy(ours: Callable[..., Any], theirs: Callable[..., Any], arguments: tuple[Any, ...],
                 any_backend: str) -> None:
        check_numbers(ours, theirs, arguments)

    @pytest.mark.parametrize("ours, theirs, arguments", named(smooth))
    def gradients(ours: Callable[..., Any], theirs: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        check_gradients(ours, theirs, arguments)

    return as_numpy, gradients


def check_numbers(ours: Callable[..., Any], theirs: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Floats within float32's accuracy, all else exactly, with the dtype's kind."""
    want = np.asarray(theirs(*arguments))
    got = ours(*[ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a for a in arguments])
    assert got.shape == want.shape and np.dtype(got.dtype).kind == want.dtype.kind
    np.testing.assert_allclose(got.numpy(), want, rtol=2e-5, atol=2e-6)


def check_gradients(ours: Callable[..., Any], theirs: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """The derivative along a random direction for each array, of sums with random weights."""
    rng = np.random.default_rng(3)
    with backend.using(floatx="float64"):
        made = [Variable(a) if isinstance(a, np.ndarray) else a for a in arguments]
        weights = rng.normal(size=np.shape(theirs(*arguments)))
        with GradientTape() as tape:
            loss = ops.sum(ours(*made) * weights)
        for i, a in enumerate(arguments):
            if not isinstance(a, np.ndarray):
                continue
            gradient = tape.gradient(loss, made[i])
            direction = rng.normal(size=a.shape)
            ends = [float((theirs(*arguments[:i], a + s * 1e-6 * direction, *arguments[i + 1:]) * weights).sum())
                    for s in (1, -1)]
            assert gradient.shape == a.shape
            exact = float((gradient.numpy() * direction).sum())
            assert exact == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-6)
