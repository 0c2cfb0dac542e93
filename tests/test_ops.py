"""fastnn.ops beside NumPy's formulas: numbers, dtypes, shapes that meet, symbolic shapes, and gradients in float64."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import ops
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import ShapeError
from tests.formulas import beside_numpy

RNG = np.random.default_rng(7)
X, Y, POSITIVE = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4)), RNG.uniform(0.5, 2, (3, 4))
ROW, COLUMN, CUBE = RNG.normal(size=4), RNG.normal(size=(3, 1)), RNG.normal(size=(2, 3, 4))
INSIDE, SQUARE = RNG.uniform(-0.9, 0.9, (3, 4)), RNG.normal(size=(4, 4))
PLACES, BOOLS = np.array([[0, 2], [-1, 1]]), RNG.integers(0, 2, (3, 4)).astype(bool)
PAIRS = [(X, Y), (X, ROW), (COLUMN, ROW), (X, 2.5), (0.5, X), (X, 3)]


def softmax(x: np.ndarray, axis: Any = -1) -> np.ndarray:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# (ours, NumPy's, arguments): floats first, of which gradients are asked
SMOOTH: list[tuple[Any, Any, tuple[Any, ...]]] = [
    *((ours, theirs, pair) for ours, theirs in ((ops.add, np.add), (ops.subtract, np.subtract),
                                                (ops.multiply, np.multiply), (ops.divide, np.divide),
                                                (ops.maximum, np.maximum), (ops.minimum, np.minimum),
                                                (ops.logaddexp, np.logaddexp), (ops.arctan2, np.arctan2))
      for pair in PAIRS),
    (ops.power, np.power, (POSITIVE, X)), (ops.power, np.power, (X, 2)), (ops.power, np.power, (POSITIVE, -1.5)),
    (ops.power, np.power, (2.0, X)), (ops.mod, np.mod, (X, POSITIVE)),
    *((getattr(ops, name), getattr(np, name), (X,)) for name in (
        "exp", "exp2", "expm1", "sin", "cos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "square", "negative",
        "absolute")),
    *((getattr(ops, name), getattr(np, name), (POSITIVE,)) for name in ("sqrt", "log", "log1p", "log2", "log10",
                                                                       "reciprocal", "cbrt")),
    *((getattr(ops, name), getattr(np, name), (INSIDE,)) for name in ("arcsin", "arccos", "arctanh", "tan")),
    (ops.arccosh, np.arccosh, (POSITIVE + 1,)), (ops.rsqrt, lambda x: x ** -0.5, (POSITIVE,)),
    (ops.logsumexp, lambda x: np.log(np.exp(x).sum()), (X,)),
    (lambda x: ops.logsumexp(x, 1, True), lambda x: np.log(np.exp(x).sum(1, keepdims=True)), (X,)),
    *((lambda x, f=ours, a=axis, k=keep: f(x, axis=a, keepdims=k),
       lambda x, f=theirs, a=axis, k=keep: f(x, a, keepdims=k), (CUBE,)) for ours,
       theirs in ((ops.sum, np.sum), (ops.mean, np.mean), (ops.max, np.max), (ops.min, np.min),
                                     (ops.prod, np.prod), (ops.var, np.var), (ops.std, np.std))
      for axis in (None, 1, -1, (0, 2)) for keep in (False, True)),
    (lambda x: ops.norm(x, axis=-1), lambda x: np.linalg.norm(x, axis=-1), (X,)),
    (lambda x: ops.norm(x, ord=1, axis=0), lambda x: np.linalg.norm(x, 1, axis=0), (X,)),
    (lambda x: ops.norm(x, ord=np.inf), lambda x: np.linalg.norm(x, np.inf), (X,)),
    (lambda x: ops.cumsum(x, 1), lambda x: np.cumsum(x, 1), (CUBE,)), (ops.cumsum, np.cumsum, (X,)),
    (lambda x: ops.cumprod(x, 0), lambda x: np.cumprod(x, 0), (X,)), (ops.median, np.median, (X,)),
    (lambda x: ops.average(x, 1, weights=ROW), lambda x: np.average(x, 1, weights=ROW), (X,)),
    (lambda x: ops.sort(x, 0), lambda x: np.sort(x, 0), (X,)),
    (lambda x: ops.top_k(x, 2)[0], lambda x: -np.sort(-x)[:, :2], (X,)),
    (lambda x: ops.where(x > 0.1, x, 0.0), lambda x: np.where(x > 0.1, x, 0), (X,)),
    (lambda x, y: ops.where(BOOLS, x, y), lambda x, y: np.where(BOOLS, x, y), (X, ROW)),
    (lambda x: ops.clip(x, -0.5, 0.7), lambda x: np.clip(x, -0.5, 0.7), (X,)),
    *((lambda x, k=key: x[k], lambda x, k=key: x[k], (CUBE,)) for key in (
        0, -1, (slice(None), 1), (..., 0), (slice(None), None), (None, ..., None), (slice(None), slice(None, None, 2)),
        slice(None, None, -1), (0, 1, 2), [1, 0], (slice(None), [2, 0, 0]), ([0, 1], [1, 2]), CUBE > 0,
        (0, CUBE[0] > 0),
        (slice(1, None), slice(-2, None)), (slice(None), np.array([[0, 1], [2, 0]])))),
    (lambda x: ops.take(x, PLACES, 1), lambda x: np.take(x, PLACES, 1), (X,)), (lambda x: ops.take(x, [3, -1]),
                                                                                 lambda x: np.take(x, [3, -1]), (X,)),
    (lambda x: ops.take_along_axis(x, np.argsort(X, 1), 1), lambda x: np.take_along_axis(x, np.argsort(X, 1), 1), (X,)),
    (lambda x: ops.reshape(x, (2, -1)), lambda x: x.reshape(2, -1), (X,)), (ops.ravel, np.ravel, (X,)),
    (lambda x: ops.transpose(x, (2, 0, 1)), lambda x: np.transpose(x, (2, 0, 1)), (CUBE,)),
    (ops.transpose, np.transpose, (CUBE,)),
    (lambda x: ops.swapaxes(x, 0, -1), lambda x: np.swapaxes(x, 0, -1), (CUBE,)),
    (lambda x: ops.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1), (CUBE,)),
    (lambda x: ops.moveaxis(x, (0, 1), (-1, 0)), lambda x: np.moveaxis(x, (0, 1), (-1, 0)), (CUBE,)),
    (lambda x: ops.expand_dims(x, (0, -1)), lambda x: np.expand_dims(x, (0, -1)), (X,)),
    (lambda x: ops.squeeze(ops.expand_dims(x, 1)), lambda x: x, (X,)),
    (lambda x, y: ops.concatenate([x, y]), lambda x, y: np.concatenate([x, y]), (X, Y)),
    (lambda x, y: ops.concatenate([x, y], axis=-1), lambda x, y: np.concatenate([x, y], -1), (X, COLUMN)),
    (lambda x, y: ops.stack([x, y], axis=1), lambda x, y: np.stack([x, y], 1), (X, Y)),
    (lambda x: ops.unstack(x, axis=1)[2], lambda x: x[:, 2], (X,)),
    (lambda x: ops.split(x, 2, 1)[1], lambda x: x[:, 2:], (X,)),
    (lambda x: ops.split(x, [1, 3], 1)[1], lambda x: x[:, 1:3], (X,)), (ops.flip, np.flip, (X,)),
    (lambda x: ops.flip(x, 1), lambda x: np.flip(x, 1), (CUBE,)),
    (lambda x: ops.roll(x, 2), lambda x: np.roll(x, 2), (X,)),
    (lambda x: ops.roll(x, -1, 1), lambda x: np.roll(x, -1, 1), (X,)),
    (lambda x: ops.repeat(x, 2, 1), lambda x: np.repeat(x, 2, 1), (X,)),
    (lambda x: ops.repeat(x, [1, 0, 2], 0), lambda x: np.repeat(x, [1, 0, 2], 0), (X,)),
    (lambda x: ops.tile(x, (2, 3)), lambda x: np.tile(x, (2, 3)), (X,)),
    (lambda x: ops.tile(x, 2), lambda x: np.tile(x, 2), (X,)),
    *((lambda x, m=mode: ops.pad(x, ((1, 2), (0, 1)), mode=m), lambda x, m=mode: np.pad(x, ((1, 2), (0, 1)), mode=m),
        (X,))
      for mode in ("constant", "reflect", "symmetric", "edge")),
    (ops.tril, np.tril, (CUBE,)), (lambda x: ops.triu(x, 1), lambda x: np.triu(x, 1), (X,)),
    (ops.diag, np.diag, (ROW,)),
    (lambda x: ops.diag(x, -1), lambda x: np.diag(x, -1), (SQUARE,)),
    (lambda x: ops.diag(x, 2), lambda x: np.diag(x, 2), (ROW,)),
    (ops.trace, np.trace, (SQUARE,)), (ops.diff, np.diff, (X,)), (lambda x: ops.rot90(x), np.rot90, (X,)),
    (ops.matmul, np.matmul, (X, Y.T)), (ops.matmul, np.matmul, (CUBE, Y.T)), (ops.matmul, np.matmul, (CUBE, ROW)),
    (ops.matmul, np.matmul, (CUBE, CUBE.transpose(0, 2, 1))), (ops.matmul, np.matmul, (ROW, SQUARE)),
    (ops.matmul, np.matmul, (CUBE[:, None], CUBE.transpose(0, 2, 1))), (ops.matmul, np.matmul, (ROW, ROW)),
    (ops.dot, np.dot, (X, ROW)), (ops.dot, np.dot, (CUBE, SQUARE)), (ops.outer, np.outer, (ROW, COLUMN)),
    (ops.inner, np.inner, (X, Y)), (ops.vdot, np.vdot, (X, Y)), (ops.tensordot, np.tensordot, (CUBE, X)),
    (lambda x, y: ops.tensordot(x, y, [[1], [0]]), lambda x, y: np.tensordot(x, y, [[1], [0]]), (CUBE, X)),
    (ops.cross, np.cross, (X[:, :3], Y[:, :3])), (ops.kron, np.kron, (X, COLUMN)),
    *((lambda *xs, s=spec: ops.einsum(s, *xs), lambda *xs, s=spec: np.einsum(s, *xs), xs) for spec, xs in (
        ("ij,kj->ik", (X, Y)), ("bij,bkj->bik", (CUBE, CUBE)), ("ij->ji", (X,)), ("ii->i", (SQUARE,)),
        ("ii", (SQUARE,)),
        ("ij,j->i", (X, ROW)), ("...ij,jk->...ik", (CUBE, SQUARE)), ("bij,ij->b", (CUBE, X)), ("i,j->ij", (ROW, ROW)),
        ("bij,jk,kl->bil", (CUBE, SQUARE, SQUARE)), ("ij,ij->ij", (X, Y)), ("ij,jk", (X, SQUARE)))),
    (ops.softmax, softmax, (CUBE,)), (lambda x: ops.softmax(x, 1), lambda x: softmax(x, 1), (CUBE,)),
    (lambda x: ops.softmax(x, None), lambda x: softmax(x, None), (X,)),
    (lambda x: ops.softmax(x, (0, 2)), lambda x: softmax(x, (0, 2)), (CUBE,)),
    (lambda x: ops.log_softmax(x, 0), lambda x: np.log(softmax(x, 0)), (X,)),
    (ops.log_sigmoid, lambda x: -np.log1p(np.exp(-x)), (X,)),
    (ops.squareplus, lambda x: (x + np.sqrt(x * x + 4)) / 2, (X,)),
    (ops.glu, lambda x: x[:, :2] / (1 + np.exp(-x[:, 2:])), (X,)), (ops.tanh_shrink, lambda x: x - np.tanh(x), (X,)),
    (lambda x: ops.categorical_crossentropy(softmax(Y), x, from_logits=True),
     lambda x: -(softmax(Y) * np.log(softmax(x))).sum(-1), (X,)),
    (lambda x: ops.categorical_crossentropy(softmax(Y), ops.softmax(x)),
        lambda x: -(softmax(Y) * np.log(softmax(x))).sum(-1), (X,)),
    (lambda x: ops.sparse_categorical_crossentropy([0, 3, 1], x, from_logits=True),
     lambda x: -np.log(softmax(x))[[0, 1, 2], [0, 3, 1]], (X,)),
    (lambda x: ops.binary_crossentropy(BOOLS, x, from_logits=True), lambda x: np.log1p(np.exp(x)) - BOOLS * x, (X,)),
    (lambda x: ops.normalize(x), lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True), (X,)),
    (lambda x: ops.layer_normalization(x, epsilon=0.1), lambda x: (x - x.mean(-1, keepdims=True)) / np.sqrt(
        x.var(-1, keepdims=True) + 0.1), (X,)),
    (lambda x: ops.segment_sum(x, [0, 2, 0], 3), lambda x: np.stack([x[0] + x[2], 0 * x[0], x[1]]), (X,)),
    (lambda x: ops.scatter([[1], [3]], x, (5, 4)), lambda x: np.stack([0 * x[0], x[0], 0 * x[0], x[1], 0 * x[0]]),
        (X[:2],)),
    (lambda x: ops.slice_update(x, (1, 1), Y[:2, :2]),
        lambda x: np.block([[x[:1]], [x[1:, :1], Y[:2, :2], x[1:, 3:]]]), (X,)),
    (lambda x: ops.image.resize(x[None, ..., None], (6, 8), "bilinear")[0, ::2, :, 0], lambda x: _resized(x), (X,)),
]


def _resized(x: np.ndarray) -> np.ndarray:
    """The rows 0, 2, 4 of x twice as large, bilinearly: centres at (i + 1/2)/2 - 1/2, kept inside."""
    def weights(old: int) -> np.ndarray:
        places = np.clip((np.arange(2 * old) + 0.5) / 2 - 0.5, 0, old - 1)
        return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(old)))
    return np.asarray((weights(3) @ x @ weights(4).T)[::2])


# no gradient is asked of these
PLAIN: list[tuple[Any, Any, tuple[Any, ...]]] = [
    *((getattr(ops, name), getattr(np, name), pair) for name in (
        "equal", "not_equal", "less", "less_equal", "greater", "greater_equal") for pair in [*PAIRS, (X, X),
        (PLACES, 1)]),
    *((getattr(ops, name), getattr(np, name), (a, b)) for name in ("logical_and", "logical_or", "logical_xor")
      for a, b in ((BOOLS, BOOLS[0]), (BOOLS, True), (X > 0, np.array([0, 1, 2, 0])))),
    (ops.logical_not, np.logical_not, (BOOLS,)), (ops.bitwise_and, np.bitwise_and, (PLACES, 3)),
    (ops.bitwise_or, np.bitwise_or, (PLACES, 5)), (ops.bitwise_xor, np.bitwise_xor, (PLACES, PLACES[0])),
    (ops.bitwise_not, np.bitwise_not, (PLACES,)), (ops.left_shift, np.left_shift, (PLACES, 2)),
    *((getattr(ops, name), getattr(np, name), (a, b)) for name in ("add", "subtract", "multiply", "floor_divide", "mod",
                                                                   "maximum", "minimum", "divide") for a, b in (
        (PLACES, np.array([3, -2])), (PLACES, 7), (-5, PLACES + 7), (PLACES.astype("int32"), PLACES + 3),
        (PLACES, 0.5))),
    *((getattr(ops, name), getattr(np, name), (x,)) for name in ("sum", "max", "min", "prod", "mean", "argmax",
        "argmin",
                                                                 "abs", "sign", "square", "negative", "sort")
      for x in (PLACES, X)),
    (ops.floor, np.floor, (3 * X,)), (ops.ceil, np.ceil, (3 * X,)), (ops.round, np.round, (3 * X,)),
    (lambda x: ops.round(x, 2), lambda x: np.round(x, 2), (X,)), (ops.trunc, np.trunc, (3 * X,)),
    (ops.floor_divide, np.floor_divide, (X, POSITIVE)), (ops.isnan, np.isnan, (np.array([1, np.nan, np.inf]),)),
    (ops.isfinite, np.isfinite, (np.array([1, np.nan, np.inf]),)),
    (ops.isinf, np.isinf, (np.array([1, np.nan, -np.inf]),)),
    (ops.any, np.any, (BOOLS,)), (ops.all, np.all, (BOOLS,)),
    (lambda x: ops.any(x, 1), lambda x: np.any(x, 1), (BOOLS,)),
    (lambda x: ops.all(x, (0, 1), True), lambda x: np.all(x, (0, 1), keepdims=True), (BOOLS,)),
    (lambda x: ops.count_nonzero(x, 0), lambda x: np.count_nonzero(x, 0), (BOOLS,)),
    *((lambda x, a=axis, k=keep: ops.argmax(x, a, k), lambda x, a=axis, k=keep: np.argmax(x, a, keepdims=k), (CUBE,))
      for axis in (None, 0, 1, -1) for keep in (False, True)),
    (lambda x: ops.argsort(x, 0), lambda x: np.argsort(x, 0, kind="stable"), (X,)),
    (lambda x: ops.searchsorted(np.sort(ROW), x), lambda x: np.searchsorted(np.sort(ROW), x), (X,)),
    (ops.bincount, np.bincount, (np.array([0, 3, 3, 1]),)),
    (lambda x: ops.one_hot(x, 4), lambda x: np.eye(4)[x], (PLACES % 4,)),
    (lambda: ops.arange(5), lambda: np.arange(5), ()), (lambda: ops.arange(1, 7, 2), lambda: np.arange(1, 7, 2), ()),
    (lambda: ops.arange(0.0, 1, 0.25), lambda: np.arange(0, 1, 0.25), ()),
    (lambda: ops.linspace(0, 1, 5), lambda: np.linspace(0, 1, 5), ()),
    (lambda: ops.eye(3, 4, 1), lambda: np.eye(3, 4, 1), ()),
    (lambda: ops.full((2, 3), 7), lambda: np.full((2, 3), 7), ()),
    (ops.zeros_like, np.zeros_like, (X,)), (lambda x: ops.full_like(x, 2), lambda x: np.full_like(x, 2), (X,)),
    (lambda x: ops.cast(x, "int32"), lambda x: x.astype("int32"), (3 * X,)),
    (lambda: ops.meshgrid([1, 2], [3, 4, 5])[1],
                                                                              lambda: np.meshgrid([1, 2],
                                                                                  [3, 4, 5])[1], ()),
    (lambda x: ops.nan_to_num(x), lambda x: np.nan_to_num(x.astype("float32")), (np.array([1.0, np.nan]),)),
    (lambda x: ops.isclose(x, x + 1e-9), lambda x: np.isclose(x, x + 1e-9), (X,)),
    (ops.digitize, np.digitize, (X, np.array([-1.0, 0.5]))),
    *((lambda x, i=i: ops.array_split(x, np.int64(3))[i], lambda x, i=i: np.array_split(x, 3)[i], (ROW,))
      for i in range(3)), (lambda x: ops.moveaxis(x, np.int64(0), np.int32(1)), np.transpose, (X,)),
    *((lambda x, a=axis: ops.average(x, a, weights=ROW), lambda x, a=axis: np.average(x, a, weights=ROW), (SQUARE,))
      for axis in (np.int64(0), 1)), (lambda x: ops.tensordot(x, x, np.int64(1)), lambda x: x @ x, (SQUARE,)),
]


test_as_numpy, test_gradients = beside_numpy(SMOOTH, PLAIN)


def test_numbers_take_the_dtype_of_what_they_meet() -> None:
    f, i, u, b = (ops.convert_to_tensor(np.ones(3, d)) for d in ("float32", "int32", "uint8", "bool"))
    for x, y, dtype in ((f, 2, "float32"), (i, 2, "int32"), (i, 2.5, "float32"), (u, 2, "uint8"), (b, 2, "int32"),
                        (i, f, "float32"), (u, i, "int32"), (i, np.ones(3, "int64"), "int64"),
                        (f, np.ones(3), "float32")):
        assert (x + y).dtype == (y + x).dtype == dtype
    assert (i / i).dtype == "float32" and (i // i).dtype == "int32" and ops.sum(b).dtype == "int32"
    assert ops.convert_to_tensor([1, 2]).dtype == "int32" and ops.convert_to_tensor([1.0]).dtype == "float32"
    assert (i == 1).dtype == "bool" and (f > 0).dtype == "bool" and ops.mean(i).dtype == "float32"
    assert int((i * (2 ** 31 - 1) + 1)[0]) == -2 ** 31
    assert int((i.numpy().astype("int64") + i * 0 + 2 ** 40)[0]) == 2 ** 40 + 1


def test_operators() -> None:
    """Both sides; == compares numbers, hashes and `in` the tensors themselves."""
    x, y = ops.convert_to_tensor(X), ops.convert_to_tensor(Y)
    for ours, theirs in ((x ** 2, X ** 2), (2 ** x, 2 ** X), (x // 0.5, X // 0.5), (2 // x, 2 // X), (x % 0.7, X % 0.7),
                         (7 % x, 7 % X), (x < y, X < Y), (x <= y, X <= Y), (x >= 0, X >= 0), (x < 0, X < 0),
                         (x == y, X == Y),
                         (x != x, X != X), ((x > 0) & (y > 0), (X > 0) & (Y > 0)),
                         ((x > 0) | (y > 0), (X > 0) | (Y > 0)),
                         (~(x > 0), ~(X > 0)), ((x > 0) ^ (y > 0), (X > 0) ^ (Y > 0)), (abs(-x), abs(X)),
                         (round(x, 1), X.round(1)),
                         (X @ y.numpy().T, X @ Y.T), (X.astype("float32") == x, np.ones((3, 4), bool)), (+x, X)):
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-5, atol=1e-6)
    assert x in [x, y] and {x: 1}[x] == 1 and len({x,
        y}) == 2 and (x == None) is False and (x != "a") is True  # noqa: E711
    assert float(max(ops.convert_to_tensor(ROW))) == pytest.approx(ROW.max(), rel=1e-6)
    assert format(ops.sum(x), ".2f") == format(X.sum(), ".2f") and len(x) == 3 and len(list(x)) == 3
    assert [row.shape for row in x] == [(4,)] * 3
    for wrong, error in ((lambda: x[3], IndexError), (lambda: x[0, 0, 0], IndexError), (lambda: x[[7]], IndexError),
                         (lambda: x["a"], TypeError), (lambda: x[np.ones(2, bool)], IndexError),
                         (lambda: len(ops.sum(x)), TypeError)):
        with pytest.raises(error):
            wrong()  # type: ignore[no-untyped-call]


def test_conditions_are_asked_for_no_gradient() -> None:
    x = Variable([-1.0, 0.5, 2.0])
    with GradientTape() as tape:
        y = ops.sum(ops.where(ops.greater(x, 0.0), x * x, ops.floor(x) + x))
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), [1, 1, 4])
    with GradientTape() as tape:
        y = ops.sum(x * ops.stop_gradient(x) + ops.cast(ops.argmax(x), "float32"))
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), x.data)


def test_symbolic_shapes() -> None:
    """Without numbers: an unknown batch stays unknown through what layers are written with."""
    x = Tensor(None, shape=(None, 3, 4), dtype="float32")
    for got, shape in ((x + 1, (None, 3, 4)), (x > 0, (None, 3, 4)), (ops.softmax(x, 1), (None, 3, 4)),
        (x[:, 0], (None, 4)),
                       (x[..., None], (None, 3, 4, 1)), (x[:, ::2], (None, 2, 4)), (ops.sum(x, -1), (None, 3)),
                       (ops.concatenate([x, x], -1), (None, 3, 8)), (ops.where(x > 0, x, 0.0), (None, 3, 4)),
                       (x * x[:, :1], (None, 3, 4)),
                       (ops.matmul(x, ops.swapaxes(x, 1, 2)), (None, 3, 3)), (ops.cumsum(x, 1), (None, 3, 4)),
                       (ops.flip(x, 1), (None, 3, 4)),
                       (ops.argmax(x, -1), (None, 3)), (ops.expand_dims(x, 1), (None, 1, 3, 4)),
                       (ops.zeros_like(x), (None, 3, 4))):
        assert got.symbolic and tuple(got.shape) == shape


def test_shapes_that_do_not_meet_are_named() -> None:
    x, y = ops.zeros((2, 3)), ops.zeros((4, 3))
    for call in (lambda: x + y, lambda: ops.where(x > 0, x, y), lambda: ops.matmul(x, y),
        lambda: ops.concatenate([x, y], 1),
                 lambda: ops.reshape(x, (4,)), lambda: ops.sum(x, 2), lambda: ops.einsum("ij,ij->i", x, y),
                 lambda: ops.split(x, 2, 1), lambda: ops.squeeze(x, 0), lambda: ops.broadcast_to(x, (3, 2))):
        with pytest.raises(ShapeError, match=r"\(2, 3\)|2 and 4"):
            call()  # type: ignore[no-untyped-call]


def test_windows_are_those_of_the_layers() -> None:
    x, w = RNG.normal(size=(2, 7, 6, 4)).astype("float32"), RNG.normal(size=(3, 2, 4, 5)).astype("float32")
    for padding in ("valid", "same"):
        layer = fastnn.layers.Conv2D(5, (3, 2), strides=2, padding=padding, use_bias=False)
        layer(x)
        layer.set_weights([w])
        np.testing.assert_allclose(ops.conv(x, w, 2, padding).numpy(), layer(x).numpy(), rtol=1e-5, atol=1e-6)
        for ours, made in ((ops.max_pool, fastnn.layers.MaxPooling2D),
            (ops.average_pool, fastnn.layers.AveragePooling2D)):
            np.testing.assert_allclose(ours(x, 2, 2, padding).numpy(), made(2, 2, padding)(x).numpy(), rtol=1e-6)
    assert ops.conv(x[:, :, 0], w[:, 0]).shape == (2, 5, 5) and ops.depthwise_conv(x, w[..., :2]).shape == (2, 5, 5, 8)


def test_public_names() -> None:
    """fastnn.ops has Keras' names and no modules but its namespaces; norm and image are what they are in Keras."""
    assert callable(ops.norm) and ops.image.resize and ops.linalg.norm is ops.norm and ops.nn.relu is ops.relu
    assert set(ops.__all__) == {n for n in dir(ops) if not n.startswith("_") and n != "rows"}
