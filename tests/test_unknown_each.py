"""Each axis of each argument of each op unknown in turn: the shape in a graph is that of the numbers, and refuses what
no numbers can be."""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, layers, ops
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.nest import flatten
from tests import test_linalg, test_ops, test_ops_as_numpy, test_ops_by_place

TABLES = {f"{module.__name__}.{name}": getattr(module, name) for module in (
    test_ops, test_ops_by_place, test_ops_as_numpy, test_linalg) for name in ("SMOOTH", "PLAIN")}
# what must be known: how many arrays come out, how many axes; rows and columns where the smaller one counts
KNOWN = ("must be known", "two or three numbers", "matrices of known size", "for this output_size")


def as_arguments(arguments: tuple[Any, ...]) -> list[Any]:
    return [a.astype("float32") if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in arguments]


def shapes(outputs: Any) -> list[tuple[int | None, ...]]:
    return [tuple(t.shape) for t in flatten(outputs, (Tensor, np.ndarray, np.generic))]


def fit(symbolic: Any, real: Any) -> bool:
    return len(symbolic) == len(real) and all(
        len(a) == len(b) and all(m in (None, n) for m, n in zip(a, b)) for a, b in zip(symbolic, real))


def check(ours: Callable[..., Any], arguments: list[Any], i: int, axis: int) -> None:
    """The symbolic shape, of these numbers and of one row less; and the model's numbers."""
    whole = arguments[i]
    x = Input(batch_shape=(*whole.shape[:axis], None, *whole.shape[axis + 1:]), dtype=str(whole.dtype))
    try:
        y = ours(*arguments[:i], x, *arguments[i + 1:])
    except ShapeError as error:
        assert any(words in str(error) for words in KNOWN), str(error)
        return
    data = ops.convert_to_tensor(whole)
    want = ours(*arguments[:i], data, *arguments[i + 1:])
    assert fit(shapes(y), shapes(want))
    if whole.shape[axis] > 1:
        with contextlib.suppress(ValueError, IndexError):       # that many may not be
            less = ours(*arguments[:i], np.take(whole, range(whole.shape[axis] - 1), axis), *arguments[i + 1:])
            assert fit(shapes(y), shapes(less))
    tensors = [t for t in flatten(y, Tensor) if t.symbolic]
    for got, number in zip(flatten(Model(x, tensors)(data)) if tensors else (), flatten(want, Tensor)):
        np.testing.assert_allclose(np.asarray(got), np.asarray(number), rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:softmax")
@pytest.mark.parametrize("name", TABLES)
def test_shapes_are_those_of_the_numbers(name: str) -> None:
    wrong = []
    for row, (ours, _, arguments) in enumerate(TABLES[name]):
        if "ours_positive" in getattr(getattr(ours, "__code__", None), "co_names", ()):
            continue        # a row whose own Python computes with the sizes
        arguments = as_arguments(arguments)
        for i, axis in [(i, axis) for i, a in enumerate(arguments) if isinstance(a, np.ndarray)
                        for axis in range(a.ndim)]:
            try:
                check(ours, arguments, i, axis)
            except Exception as error:
                wrong.append(f"row {row}, argument {i}, axis {axis}: {type(error).__name__}: {error}"[:160])
    assert not wrong, "\n".join(wrong)


def test_sizes_that_meet_are_known() -> None:
    """What is not known is the size that it meets, of arrays too; NumPy repeats an axis of one."""
    steps, ones = Input((None, 3)), np.ones((5, 3), "float32")
    for y, shape in (
            (steps + ones, (None, 5, 3)), (ones * steps, (None, 5, 3)), (ops.where(steps > 0, ones, 0.0), (None, 5, 3)),
            (ops.broadcast_to(Input(batch_shape=(None, 3)), (5, 3)), (5, 3)), (ops.cross(steps, ones), (None, 5, 3)),
            (ops.geomspace(Input(batch_shape=(None, 3)), ones, 4, axis=1), (5, 4, 3)),
            (ops.repeat(steps, [1, 2, 0, 4], axis=1), (None, 7, 3)), (ops.squeeze(steps, 1), (None, 3)),
            (ops.linalg.cholesky(Input((None, 5))), (None, 5, 5)), (ops.solve(Input((None, 5)), Input((5, 2))),
                                                                    (None, 5, 2)),
            (layers.Add()([steps, Input((5, 3))]), (None, 5, 3)),
            (layers.Concatenate()([steps, Input((5, 2))]), (None, 5, 5)),
            (layers.Dot(axes=1)([steps, Input((5, 2))]), (None, 3, 2)),
            (ops.image.pad_images(Input((None, 6, 3)), 1, 1, target_height=9, target_width=8), (None, 9, 8, 3))):
        assert y.shape == shape
    data = np.ones((2, 1, 3), "float32")
    np.testing.assert_array_equal(Model(steps, steps + ones)(data), data + ones)
    met = layers.Add()([layers.Masking()(steps), layers.Masking()(Input((5, 3)))])
    assert met.mask is not None and met.mask.shape == (None, 5)


def test_what_is_cut_off_may_be_shorter() -> None:
    """At most four steps are no four steps."""
    x = Input((None, 3))
    model = Model(x, x[:, :4])
    assert model.output_shape == (None, None, 3) and model(np.ones((2, 3, 3))).shape == (2, 3, 3)
    assert x[:, -1:].shape == (None, 1, 3)      # there is one


def test_one_sample_keeps_its_batch() -> None:
    x = Input((1, 3))
    model = Model(x, ops.squeeze(x))
    assert model.output_shape == (None, 3) and model.predict(np.ones((1, 1, 3)), verbose=0).shape == (1, 3)


def test_sizes_that_data_say() -> None:
    """A shape computed in the graph."""
    x = Input(batch_shape=(None, 6))
    sizes = Input(batch_shape=(2,), dtype="int32")
    a, b = ops.reshape(x, sizes), ops.reshape(x, (ops.size(x) // 4, 4))
    assert a.shape == (None, None) and b.shape == (None, 4)
    made = Model([x, sizes], [a, b])([np.arange(12.0).reshape(2, 6), np.array([4, 3])])
    assert [t.shape for t in made] == [(4, 3), (3, 4)]
    counts = ops.bincount(Input((3,), dtype="int32"))
    assert counts.shape == (None, None)


def test_what_no_numbers_can_be_is_refused() -> None:
    """By name, of the sizes as they are, whatever was tried in the place of those that are not known."""
    x = Input((None, 3))
    for call in (lambda: x + np.ones((5, 4)), lambda: ops.repeat(np.ones((5, 3)), [1, 2], 0), lambda: ops.squeeze(x, 2),
                 lambda: ops.broadcast_to(x, (5, 4)), lambda: ops.linalg.det(Input(batch_shape=(None, 4, 3))),
                 lambda: layers.Add()([x, Input((5, 4))]), lambda: layers.Concatenate(1)([x, Input((5, 4))])):
        with pytest.raises(ShapeError) as raised:
            call()
        assert not any(n in str(raised.value) for n in ("120", "240", "2520", "5040"))
    with pytest.raises(ShapeError, match="two or three"):        # which of the two is not known, nor the axes
        ops.cross(Input(batch_shape=(4, 2)), Input(batch_shape=(4, None)))


def test_words_that_mean_nothing_are_refused() -> None:
    images, vector = np.ones((1, 4, 4, 3), "float32"), np.arange(4.0)
    kernel = np.ones((2, 2, 3, 3), "float32")
    for call in (lambda word: ops.meshgrid(vector, vector, indexing=word), lambda word: ops.pad(vector, 1, word),
                 lambda word: ops.max_pool(images, 2, padding=word), lambda word: ops.conv(images, kernel, 1, word),
                 lambda word: ops.conv_transpose(images, kernel, 1, word),
                 lambda word: ops.correlate(vector, vector, word), lambda word: ops.quantile(vector, 0.5, method=word),
                 lambda word: ops.searchsorted(vector, vector, word),
                 lambda word: ops.linalg.qr(np.eye(2), word), lambda word: ops.image.resize(images, (2, 2), word),
                 lambda word: ops.average_pool(images, 2, data_format=word)):
        with pytest.raises(ValueError, match=r"'none'.* needs"):
            call("none")
    for size in ("2", 2.5, ["2", 2], None):
        with pytest.raises(TypeError, match="needs a whole number"):
            ops.max_pool(images, size)


def test_fractions_are_no_sizes_or_counts() -> None:
    """2.5 was taken for 2."""
    x, images = np.ones((4, 4), "float32"), np.ones((1, 4, 4, 4), "float32")
    for call in (lambda n: ops.reshape(x, (n, 8)), lambda n: ops.zeros((n,)), lambda n: ops.full(n, 1.0),
                 lambda n: ops.eye(n), lambda n: ops.tri(3, k=n), lambda n: ops.one_hot([1], n),
                 lambda n: ops.tile(x, n), lambda n: ops.repeat(x, n), lambda n: ops.split(x, [n]),
                 lambda n: ops.top_k(x, n), lambda n: ops.pad(x, n),
                 lambda n: ops.image.resize(images, (n, 3)), lambda n: ops.tril(x, n),
                 lambda n: ops.space_to_depth(images, n), lambda n: ops.fori_loop(0, n, lambda i, a: a, 0),
                 lambda n: ops.slice(x, (n, 0), (1, 1)), lambda n: ops.hanning(n), lambda n: ops.rot90(x, n),
                 lambda n: ops.segment_sum(x, [0, 1, 1, 0], n), lambda n: ops.unravel_index([3], (n, 3)),
                 lambda n: ops.trace(x, n), lambda n: ops.argpartition(x, n), lambda n: ops.round(x, n),
                 lambda n: ops.in_top_k([1], x[:1], n), lambda n: ops.image.gaussian_blur(images, (n, 3)),
                 lambda n: ops.adaptive_max_pool(images, n)):
        with pytest.raises(TypeError, match="needs"):
            call(2.5)
        call(np.int64(2))


@pytest.mark.parametrize("error", [IndexError, ValueError])
def test_an_index_that_is_none_is_keras_error_too(error: type[Exception]) -> None:
    """An IndexError, by which Python's loops end, and a ValueError, which scripts for Keras expect."""
    x = Input((5, 16))
    for call in (lambda: x[:, 17], lambda: x[..., 5, ...], lambda: x[:, :, :, :], lambda: ops.take(np.ones(3), 3),
                 lambda: ops.ones(3)[3], lambda: ops.ones((2, 2))[np.ones(3, bool)]):
        with pytest.raises(error, match=r"needs|has length|must be equal"):
            call()
    assert len(list(ops.arange(3))) == 3
