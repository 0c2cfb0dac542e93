"""Decompositions beside NumPy's: numbers, what they put together again, gradients in float64, programs, refusals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, layers, ops
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Variable
from fastnn.ops import linalg
from tests.formulas import check_gradients, check_numbers, named

RNG = np.random.default_rng(2)
X, TALL, WIDE = RNG.normal(size=(4, 4)), RNG.normal(size=(5, 3)), RNG.normal(size=(2, 3, 5))
STACK, B, VECTOR = RNG.normal(size=(2, 3, 3)) + 2 * np.eye(3), RNG.normal(size=(4, 2)), RNG.normal(size=4)


def positive(x: np.ndarray) -> np.ndarray:
    """Symmetric and positive definite."""
    return np.asarray(x @ np.swapaxes(x, -1, -2) + np.eye(x.shape[-1]))


def ours_positive(x: Any) -> Any:
    return ops.matmul(x, ops.swapaxes(x, -1, -2)) + np.eye(x.shape[-1])


def even(x: np.ndarray) -> np.ndarray:
    return np.asarray((x + np.swapaxes(x, -1, -2)) / 2)


SMOOTH: list[tuple[Any, Any, tuple[Any, ...]]] = [
    *((lambda x: linalg.cholesky(ours_positive(x)), lambda x: np.linalg.cholesky(positive(x)), (x,))
      for x in (X, STACK)),
    (lambda x: linalg.cholesky(ours_positive(x), upper=True), lambda x: np.linalg.cholesky(positive(x)).T, (X,)),
    (lambda x: linalg.cholesky_inverse(linalg.cholesky(ours_positive(x))), lambda x: np.linalg.inv(positive(x)), (X,)),
    *((linalg.inv, np.linalg.inv, (x,)) for x in (X, STACK)), *((linalg.det, np.linalg.det, (x,)) for x in (X, STACK)),
    (lambda x: linalg.slogdet(x)[1], lambda x: np.linalg.slogdet(x)[1], (STACK,)),
    (lambda x: linalg.logdet(ours_positive(x)), lambda x: np.linalg.slogdet(positive(x))[1], (X,)),
    (linalg.solve, np.linalg.solve, (X, B)), (linalg.solve, np.linalg.solve, (X, VECTOR)),
    *((lambda a, b, low=low: linalg.solve_triangular(a, b, lower=low),
       lambda a, b, low=low: np.linalg.solve(np.tril(a) if low else np.triu(a), b), (X, B)) for low in (True, False)),
    (linalg.lstsq, lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0], (TALL, RNG.normal(size=5))),
    *((linalg.pinv, np.linalg.pinv, (x,)) for x in (TALL, WIDE)),
    *((lambda x, o=order, k=keep: linalg.norm(x, o, keepdims=k), lambda x, o=order, k=keep: np.linalg.norm(
        x, o, keepdims=k), (TALL,)) for order in (2, -2, "nuc", "fro", 1, -1, np.inf, -np.inf)
      for keep in (False, True)),
    *((lambda x, o=order, a=axis: linalg.norm(x, o, a), lambda x, o=order, a=axis: np.linalg.norm(x, o, a), (WIDE,))
      for order in (2, "nuc", 1, np.inf) for axis in ((1, 2), (2, 1), (0, -1))),
    (lambda x: linalg.svd(x, compute_uv=False), lambda x: np.linalg.svd(x, compute_uv=False), (WIDE,)),
    *((lambda x, i=i: linalg.svd(x, full_matrices=False)[i],
       lambda x, i=i: np.linalg.svd(x, full_matrices=False)[i], (x,)) for x in (TALL, WIDE, X) for i in range(3)),
    *((lambda x, i=i: linalg.eigh(x)[i], lambda x, i=i: np.linalg.eigh(even(x))[i], (x,)) for x in (X, STACK)
      for i in range(2)),
    *((lambda x, i=i: linalg.qr(x)[i], lambda x, i=i: np.linalg.qr(x)[i], (x,)) for x in (TALL, X, STACK)
      for i in range(2)),
]
PLAIN: list[tuple[Any, Any, tuple[Any, ...]]] = [
    (lambda x: linalg.qr(x, "complete")[0], lambda x: np.linalg.qr(x, "complete")[0], (TALL,)),
    (lambda x: linalg.svd(x)[2], lambda x: np.linalg.svd(x)[2], (WIDE,)),
    (linalg.matrix_rank, np.linalg.matrix_rank, (TALL @ RNG.normal(size=(3, 6)),)),
    (lambda x: linalg.matrix_rank(x, tol=1.5), lambda x: np.linalg.matrix_rank(x, 1.5), (X,)),
    (lambda x: ops.sort(linalg.eig(x)[0]), lambda x: np.linalg.eigvalsh(x), (even(X),)),
]


@pytest.mark.parametrize("ours, theirs, arguments", named([*SMOOTH, *PLAIN]))
def test_as_numpy(ours: Callable[..., Any], theirs: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    check_numbers(ours, theirs, arguments)


@pytest.mark.parametrize("ours, theirs, arguments", named(SMOOTH))
def test_gradients(ours: Callable[..., Any], theirs: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    check_gradients(ours, theirs, arguments)


def test_rows_are_swapped_and_put_together_again() -> None:
    for x in (X, STACK, TALL, WIDE):
        packed, pivots = (t.numpy() for t in linalg.lu_factor(x))
        for place in np.ndindex(x.shape[:-2]):
            rows = x[place].copy()
            for i, pivot in enumerate(pivots[place]):
                rows[[i, pivot]] = rows[[pivot, i]]
            m, k = len(rows), min(rows.shape)
            lower = np.tril(packed[place][:, :k], -1) + np.eye(m, k)
            np.testing.assert_allclose(lower @ np.triu(packed[place][:k]), rows, atol=1e-5)


def test_a_loss_of_singular_values_trains() -> None:
    """Programs with them run from Python, to the bits of the eager step; a graph has them with any batch."""
    def loss(y: Any, p: Any) -> Any:
        return ops.norm(ops.reshape(p, (-1, 2, 2)) - ops.reshape(y, (-1, 2, 2)), "nuc", (1, 2))

    data = RNG.normal(size=(40, 4)).astype("float32")
    found = []
    for eagerly in (False, True):
        fastnn.random.set_seed(1)
        x = Input((4,))
        model = Model(x, layers.Dense(4)(x))
        model.compile(fastnn.optimizers.SGD(0.05), loss, run_eagerly=eagerly)
        found.append(model.fit(data, data, batch_size=16, epochs=3, verbose=0).history["loss"])
    assert found[0] == found[1] and found[0][-1] < found[0][0]
    singular = fastnn.function(lambda x: linalg.inv(x))        # a program cannot stop: NaN, which training reports
    assert np.isnan([singular(np.ones((2, 2), np.float32)).numpy() for _ in range(3)]).all()
    assert linalg.inv(Input((None, None))).shape == (None, None, None)
    assert [t.shape for t in linalg.eig(Input((3, 3)))] == [(None, 3), (None, 3, 3)]
    matrices = Input((3, 3))
    y = ops.matmul(linalg.inv(matrices), matrices)
    assert y.shape == (None, 3, 3)
    np.testing.assert_allclose(Model(matrices, y)(STACK).numpy(), np.broadcast_to(np.eye(3), (2, 3, 3)), atol=1e-5)


def test_one_matrix_without_an_answer_leaves_those_beside_it_alone() -> None:
    """LAPACK refuses a whole stack; where it finds nothing for NaN, a step that diverges has NaN, as of other ops."""
    stack = np.stack([np.eye(2), -np.eye(2), np.ones((2, 2)), np.full((2, 2), np.nan)]).astype("float32")
    for function, lost in ((linalg.cholesky, {1, 2, 3}), (linalg.inv, {2, 3})):
        found = fastnn.function(function)(stack).numpy()
        assert {i for i, y in enumerate(found) if np.isnan(y).any()} == lost
        assert (found[0] == np.eye(2)).all()
    for made in (*linalg.svd(stack), *linalg.eigh(stack)):
        assert np.isfinite(made.numpy()[:3]).all() and np.isnan(made.numpy()[3]).all()
    assert linalg.svd(stack[3:, :, :1], full_matrices=True)[0].numpy().shape == (1, 2, 2)


def test_directions_of_a_square_matrix_of_lower_rank_have_gradients() -> None:
    """u and vh are complete: no part of their change lies outside and is divided by the singular value 0."""
    x, c = fastnn.Variable(np.diag([1.0, 0.0])), np.array([[1.0, 2.0], [3.0, 4.0]])
    with fastnn.GradientTape() as tape:
        u, _, vh = linalg.svd(x)
        y = ops.sum(u * c) + ops.sum(vh * c)
    sign_u, sign_vh = u.numpy().diagonal(), vh.numpy().diagonal()
    dx = tape.gradient(y, [x])[0].numpy()
    assert np.isfinite(dx).all() and dx[0, 0] == dx[1, 1] == 0
    # x + [[0, b], [a, 0]]: u turns by a, v by b
    np.testing.assert_allclose(dx[1, 0], 3 * sign_u[0] - 2 * sign_u[1], atol=1e-6)
    np.testing.assert_allclose(dx[0, 1], 2 * sign_vh[0] - 3 * sign_vh[1], atol=1e-6)


def test_refusals() -> None:
    for wrong, words in ((lambda: linalg.norm(X, "fro", axis=1), "ord is 'fro'"), (lambda: linalg.norm(X, 3), "two"),
                         (lambda: linalg.norm(VECTOR, "fro"), "fro"), (lambda: linalg.cholesky(TALL), "square"),
                         (lambda: linalg.cholesky(-np.eye(2)), "positive definite"),
                         (lambda: linalg.inv(np.ones((2, 2))), "inverse"), (lambda: linalg.solve(0 * X, B), "inverse"),
                         (lambda: linalg.cholesky_inverse(TALL), "square"),
                         (lambda: linalg.eig([[0.0, 1.0], [-1.0, 0.0]]), "complex"),
                         (lambda: linalg.qr(X, "r"), "mode"),
                         (lambda: linalg.lstsq(X, TALL), "lstsq"), (lambda: linalg.solve(X, TALL), "as many of both")):
        with pytest.raises(ValueError, match=words):
            wrong()
    for function, words in ((lambda x: linalg.svd(x)[0], "full_matrices=False"), (linalg.lu_factor, "solve"),
                            (lambda x: linalg.qr(ops.transpose(x))[0], "as many rows")):
        x = Variable(TALL if function is not linalg.lu_factor else X)
        with GradientTape() as tape:
            y = function(x)
            y = ops.sum(y if not isinstance(y, tuple) else y[0])
        with pytest.raises(TypeError, match=words):
            tape.gradient(y, x)
