"""Ops that put things in places: parts, segments, images, scans, choices. Numbers, gradients, graphs, refusals."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, ops
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import KindError, ShapeError
from tests.formulas import beside_numpy

RNG = np.random.default_rng(5)
X, FLAT, IMAGES = RNG.normal(size=(4, 3)), RNG.normal(size=6), RNG.uniform(size=(2, 6, 4, 3))
IDS, PLACES = np.array([2, 0, -1, 2, 7, 0]), np.array([[0], [0], [2]])
PAIR, START = RNG.normal(size=(4, 2)), np.array([1, 1])


def summed(x: np.ndarray) -> np.ndarray:
    return np.stack([x[1] + x[5], 0 * x[0], x[0] + x[3]])


def placed(x: np.ndarray, by: Any) -> np.ndarray:
    y = X[:, 0].copy()
    for place, value in zip(PLACES[:, 0], x, strict=True):
        y[place] = by(y[place], value)
    return y


def attended(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    """One head of keys for two neighbouring heads of queries, scores kept within 2."""
    heads = []
    for h in range(4):
        scores = np.einsum("btd,bsd->bts", q[:, :, h], k[:, :, h // 2]) / np.sqrt(3)
        e = np.exp(2 * np.tanh(scores / 2))
        heads.append(np.einsum("bts,bsd->btd", e / e.sum(-1, keepdims=True), k[:, :, h // 2]))
    return np.stack(heads, 2)


SMOOTH: list[tuple[Any, Any, tuple[Any, ...]]] = [
    (lambda x: ops.segment_sum(x, IDS, 3), summed, (FLAT,)),
    (lambda x: ops.segment_max(x, IDS, 3)[0], lambda x: max(x[1], x[5]), (FLAT,)),
    (lambda x: ops.segment_min(x, IDS, 3)[2], lambda x: min(x[0], x[3]), (FLAT,)),
    (lambda x: ops.segment_prod(x, IDS, 3), lambda x: np.array([x[1] * x[5], 1, x[0] * x[3]]), (FLAT,)),
    *((lambda x, r=name: ops.scatter_update(X[:, 0], PLACES, x, reduction=r), lambda x, f=by: placed(x, f), (FLAT[:3],))
      for name, by in (("add", np.add), ("mul", np.multiply), ("max", max), ("min", min))),
    (lambda x: ops.slice(x, START, (2, 2)), lambda x: x[1:3, 1:3], (X,)),
    (lambda x: ops.slice(x, Variable(START, dtype="int32", trainable=False), (2, 2)), lambda x: x[1:3, 1:3], (X,)),
    (lambda x, y: ops.slice_update(x, Variable(START, dtype="int32", trainable=False), y[:2]),
     lambda x, y: np.block([[x[:1]], [x[1:3, :1], y[:2]], [x[3:]]]), (X, PAIR)),
    (lambda x: ops.linspace(x, 2 * x, 4, axis=1), lambda x: np.linspace(x, 2 * x, 4, axis=1), (X,)),
    (lambda x: ops.linspace(x, 1.5, 3, endpoint=False), lambda x: np.linspace(x, 1.5, 3, endpoint=False), (FLAT,)),
    (lambda x: ops.logspace(x, 1.0, 3, base=2), lambda x: np.logspace(x, 1.0, 3, base=2), (FLAT,)),
    (ops.cross, lambda a, b: np.stack([a[:, 1] * b[:, 2], -a[:, 0] * b[:, 2],
                                       a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]], 1), (PAIR, X)),
    (ops.cross, lambda a, b: a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], (PAIR, PAIR[::-1].copy())),
    (lambda x: ops.concatenate([x, 2 * x], axis=None), lambda x: np.concatenate([x, 2 * x], None), (X,)),
    (lambda q, k: ops.dot_product_attention(q, k, k, attn_logits_soft_cap=2.0), attended,
     (RNG.normal(size=(2, 5, 4, 3)), RNG.normal(size=(2, 6, 2, 3)))),
    *((lambda x, n=n, r=r: ops.associative_scan(lambda a, b: a * b, x[:n], reverse=r, axis=0),
       lambda x, n=n, r=r: np.cumprod(x[:n][::-1], 0)[::-1] if r else np.cumprod(x[:n], 0), (FLAT,))
      for n in (1, 2, 3, 5, 6) for r in (False, True)),
    (lambda x: ops.image.crop_images(x, top_cropping=1, target_height=3, left_cropping=1, right_cropping=1),
     lambda x: x[:, 1:4, 1:3], (IMAGES,)),
    (lambda x: ops.image.pad_images(x, bottom_padding=2, target_height=9, left_padding=0, right_padding=1),
     lambda x: np.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0))), (IMAGES,)),
    (lambda x: ops.image.resize(x, (4, 4), "nearest", crop_to_aspect_ratio=True), lambda x: x[:, 1:5], (IMAGES,)),
    (lambda x: ops.image.resize(x, (6, 6), "bilinear", pad_to_aspect_ratio=True, fill_value=0.5),
     lambda x: np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)), constant_values=0.5), (IMAGES,)),
    (lambda x: ops.image.rgb_to_grayscale(x, "channels_first"),
     lambda x: np.tensordot(x, [0.2989, 0.587, 0.114], (1, 0))[:, None], (IMAGES.transpose(0, 3, 1, 2).copy(),)),
]
PLAIN: list[tuple[Any, Any, tuple[Any, ...]]] = [
    (lambda x: ops.multi_hot(x, 5), lambda x: np.eye(5)[x].max(1), (np.array([[0, 2], [4, 4]]),)),
    (lambda x: ops.in_top_k([1, 0], x, 2), lambda x: np.array([False, True]),
     (np.array([[0.1, np.nan, 0.5], [0.3, 0.2, 0.5]]),)),
    (lambda x: ops.allclose(x, x + 1e-9), lambda x: np.asarray(True), (X,)), (ops.unique, np.unique, (IDS,)),
    *((lambda x, i=i: ops.unique(x, True, True, True)[i],
       lambda x, i=i: np.unique(x, True, True, True)[i], (IDS,)) for i in range(4)),
    (lambda x: ops.unique(x, axis=0), lambda x: np.unique(x, axis=0), (np.array([[1, 0], [0, 1], [1, 0]]),)),
    (lambda x: ops.unique(x, size=6, fill_value=9), lambda x: np.array([-1, 0, 2, 7, 9, 9]), (IDS,)),
    (lambda x: ops.unique(x, return_counts=True, size=2)[1], lambda x: np.array([1, 2]), (IDS,)),
]


test_as_numpy, test_gradients = beside_numpy(SMOOTH, PLAIN)


def test_parts_whose_place_is_computed_are_recorded() -> None:
    """A window that moves with a counter: replayed, it is where the counter is now."""
    place = Variable(0, dtype="int32", trainable=False)

    @fastnn.function
    def step(x: Any) -> Any:
        y = ops.slice(x, ops.stack([place, place * 0]), (1, 3))
        place.assign_add(1)
        return y

    for i in range(4):
        np.testing.assert_array_equal(step(X.astype("float32")).numpy(), X[i:i + 1].astype("float32"))


# (function, the result's shape, or shapes, for x (None, 3))
SYMBOLIC: list[tuple[Callable[[Any], Any], Any]] = [
    (lambda x: ops.nonzero(x), [(None,), (None,)]), (lambda x: ops.where(x > 0), [(None,), (None,)]),
    (lambda x: ops.unique(x), [(None,)]), (lambda x: ops.unique(x, return_inverse=True), [(None,), (None, 3)]),
    (lambda x: ops.unique(x, axis=1, size=2), [(None, 2)]),
    (lambda x: ops.segment_sum(x, ops.cast(x[:, 0] > 0, "int32")), [(None, 3)]),
    (lambda x: ops.segment_max(x, ops.cast(x[:, 0] > 0, "int32"), 2), [(2, 3)]), (lambda x: ops.size(x), [()]),
    (lambda x: ops.linspace(x, x + 1, 4, axis=1), [(None, 4, 3)]), (lambda x: ops.allclose(x, x), [()]),
    (lambda x: ops.map(lambda row: {"a": row * 2, "b": ops.sum(row)}, x), [(None, 3), (None,)]),
    (lambda x: ops.while_loop(lambda a: ops.max(a) < 9, lambda a: a + 1, x), [(None, 3)]),
    (lambda x: ops.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * 2 + 1), (0, x)), [(), (None, 3)]),
    (lambda x: ops.scan(lambda c, row: (c + row, c * row), np.zeros(3), x), [(3,), (None, 3)]),
    (lambda x: ops.scan(lambda c, row: (c + row, None), np.zeros(3), x, reverse=True)[0], [(3,)]),
    (lambda x: ops.cond(ops.max(x) > 0.5, lambda: x * 2, lambda: -x), [(None, 3)]),
    (lambda x: ops.switch(ops.cast(ops.max(x) > 0.5, "int32"), [lambda a: a, lambda a: a * 3], x), [(None, 3)]),
    (lambda x: ops.slice(x, (1, 1), (-1, -1)), [(None, 2)]),
    (lambda x: ops.slice(x, ops.cast(x[0, :2] * 0, "int32"), (2, -1)), [(2, None)]),
    (lambda x: ops.associative_scan(lambda a, b: a + b, x), [(None, 3)]),
    (lambda x: ops.unstack(x, num=3, axis=0), [(3,)] * 3),
]


@pytest.mark.parametrize("function, shapes", SYMBOLIC)
def test_in_a_graph(function: Callable[[Any], Any], shapes: Any) -> None:
    """What Python decides by numbers, and what is as long as numbers say, in a functional model."""
    x = Input((3,))
    outputs = fastnn.nest.flatten(function(x))
    assert [t.shape for t in outputs] == shapes
    model = Model(x, outputs)
    rows = RNG.normal(size=(3, 3)).astype("float32")
    wanted = fastnn.nest.flatten(function(ops.convert_to_tensor(rows)))
    for got, want in zip(fastnn.nest.flatten(model(rows)), wanted, strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


def test_loops_are_given_all_that_they_use() -> None:
    """What a loop's function takes from around it never meets the data."""
    x = Input((3,))
    for y in (ops.map(lambda row: row + ops.sum(x), x), ops.scan(lambda c, row: (c, row * x[0]), 0, x)[1],
              ops.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a + x), (0, x))[1]):
        with pytest.raises(ValueError, match="was not given"):
            Model(x, y)(np.ones((2, 3), np.float32))


def test_a_map_over_nothing() -> None:
    """Nothing of the shapes that f gives, in a recorded step and in a model too."""
    def doubled(x: Any) -> Any:
        return ops.map(lambda row: {"a": row * 2, "b": ops.sum(row)}, x)

    x, none = Input((3,)), np.zeros((0, 3), np.float32)
    for function in (doubled, fastnn.function(doubled), Model(x, doubled(x))):
        found = function(none)
        assert (found["a"].shape, found["b"].shape) == ((0, 3), (0,))


def test_what_cannot_be_is_refused() -> None:
    for wrong, words in ((lambda: ops.scatter_update(X, [[0]], X[:1], reduction="mean"), "reduction"),
                         (lambda: ops.scan(lambda c, x: (c, x), 0), "length"), (lambda: ops.scan(3, 0, X), "function"),
                         (lambda: ops.scan(lambda c, x: (c, x), 0, X, unroll=0), "unroll"),
                         (lambda: ops.segment_sum(X, [0, 1]), "each row"),
                         (lambda: ops.rot90(X, 1, (0, 0)), "two axes"),
                         (lambda: ops.image.resize(IMAGES, (0, 3)), "size"),
                         (lambda: ops.image.resize(IMAGES[0, 0], (2, 3)), "images of shape"),
                         (lambda: ops.image.crop_images(IMAGES, 1, 1, 1, 1, 4), "two of the three"),
                         (lambda: ops.image.crop_images(IMAGES, 4, 1, 4, 1), "left"),
                         (lambda: ops.normalize(X, order=1.5), "order"), (lambda: ops.digitize(X, X), "vector"),
                         (lambda: ops.cross(X[:, :1], X), "two or three"),
                         (lambda: ops.cond(Tensor(None, shape=(), dtype="bool"), lambda: X, lambda: X[0]), "alike")):
        with pytest.raises((ValueError, TypeError), match=words):
            wrong()
    with pytest.raises(ShapeError, match="divide"):
        ops.dot_product_attention(np.ones((1, 2, 3, 4)), np.ones((1, 2, 2, 4)), np.ones((1, 2, 2, 4)))
    with pytest.warns(UserWarning, match="always becomes 1"):
        ops.softmax(np.ones((2, 1)))
    with pytest.warns(UserWarning, match="rms_normalization"):
        got = ops.layer_normalization(X, rms_scaling=True, epsilon=0.0)
    np.testing.assert_allclose(got.numpy(), X / X.std(1, keepdims=True), rtol=1e-5)
    with GradientTape() as tape:        # a bool that is chosen by has no gradient, and asks for none
        x = Variable(2.0)
        y = ops.cond(x > 1, lambda: x * x, lambda: x)
    assert float(tape.gradient(y, x)) == 4


def test_the_value_of_a_variable() -> None:
    """What it holds now, as a tensor: gradients flow through it, a recorded step has it anew, it stays as it was."""
    v = Variable(np.array([1.0, 2.0], np.float32))
    with GradientTape() as tape:
        y = ops.sum(v.value * v.value)
    np.testing.assert_allclose(tape.gradient(y, v).numpy(), [2, 4])
    count, before = Variable(0, dtype="int32", trainable=False), v.value

    @fastnn.function
    def step() -> Any:
        count.assign_add(1)
        return count.value * 10, ops.copy(count)

    assert [[int(t) for t in step()] for _ in range(3)] == [[10, 1], [20, 2], [30, 3]]
    v.assign([5.0, 6.0])
    np.testing.assert_array_equal(before.numpy(), [1, 2])
    for dtype in ("bool", "uint8", "int32", "int64", "float32"):
        x = ops.cast([0, 1, 3], dtype)
        assert ops.copy(x).dtype == dtype and ops.copy(x).data is not x.data
        np.testing.assert_array_equal(ops.copy(x).numpy(), x.numpy())


@pytest.mark.parametrize("call", [lambda: ops.take([1.0, 2.0], 0.5), lambda: ops.one_hot([0.0, 1.5], 3),
                                  lambda: ops.take_along_axis([[1.0, 2.0]], [[math.nan]], 1)])
def test_fractions_are_no_indices(call: Any) -> None:
    with pytest.raises(KindError, match=r"for indices; needs whole numbers"):
        call()


@pytest.mark.parametrize("call", [lambda: ops.one_hot([0, 1], 3, sparse=True), lambda: ops.bincount([1], sparse=True),
                                  lambda: ops.multi_hot([0, 1], 3, sparse=True),
                                  lambda: ops.convert_to_tensor([1], sparse=True)])
def test_sparse_arrays_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match="sparse is True; needs False"):
        call()


def test_whole_floats_are_indices() -> None:
    assert ops.take([1.0, 2.0], np.array([1.0], np.float32)).numpy().tolist() == [2.0]
