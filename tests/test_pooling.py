"""Pooling layers: which cell wins, what padding counts, what is refused."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from tests.errors import assert_good_error

IMAGE = np.array([[1, 3, 2, 2], [3, 0, 2, 2], [-1, -5, 7, 8], [-2, -3, 9, 6]], np.float32).reshape(1, 4, 4, 1)


def _gradient(layer: Any, x: np.ndarray) -> np.ndarray:
    source = Tensor(x.copy(), tracked=True)
    with GradientTape() as tape:
        y = fastnn.ops.sum(layer(source))
    return np.asarray(tape.gradient(y, source))


def test_by_hand(any_backend: str) -> None:
    """4 x 4 numbers in windows of 2 x 2."""
    assert np.asarray(layers.MaxPooling2D()(IMAGE)).ravel().tolist() == [3, 2, -1, 9]
    assert np.asarray(layers.AveragePooling2D((2, 2))(IMAGE)).ravel().tolist() == [1.75, 2, -2.75, 7.5]
    assert np.asarray(layers.GlobalMaxPooling2D()(IMAGE)).tolist() == [[9]]
    assert np.asarray(layers.GlobalAveragePooling2D(keepdims=True)(IMAGE)).tolist() == [[[[2.125]]]]


def test_of_equal_cells_the_first_has_the_gradient(any_backend: str) -> None:
    dx = _gradient(layers.MaxPooling2D(), IMAGE)[0, :, :, 0]
    assert dx.tolist() == [[0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]


def test_overlapping_windows_add_their_gradients(any_backend: str) -> None:
    dx = _gradient(layers.MaxPooling2D(2, strides=1), IMAGE)[0, :, :, 0]
    assert dx.sum() == 9 and dx[3, 2] == 2 and dx[2, 3] == 1
    assert _gradient(layers.AveragePooling2D(3, strides=1), IMAGE)[0, 1, 1, 0] == np.float32(4 / 9)


def test_same_padding_is_not_counted(any_backend: str) -> None:
    """The mean of ones is one, and the maximum of negative numbers negative, in the corners too."""
    ones = np.ones((2, 5, 4, 3), np.float32)
    assert (np.asarray(layers.AveragePooling2D(3, strides=2, padding="same")(ones)) == 1).all()
    assert (np.asarray(layers.MaxPooling2D(3, strides=2, padding="same")(-ones)) == -1).all()


def test_a_nan_is_seen_in_its_windows_only(any_backend: str) -> None:
    x = IMAGE.copy()
    x[0, 0, 0] = np.nan
    for layer in (layers.MaxPooling2D(), layers.AveragePooling2D(2)):
        assert np.isnan(np.asarray(layer(x))).ravel().tolist() == [True, False, False, False]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "pool", "strides"), [(7, 3, 2), (8, 2, None), (5, 5, 1), (400, 300, 7), (6, 1, 4)])
def test_a_sequence_is_pooled_window_by_window(size: int, pool: int, strides: int | None, padding: str,
                                               any_backend: str) -> None:
    x = np.random.default_rng(3).normal(size=(2, size, 3)).astype(np.float32)
    step = strides or pool
    count = -(-size // step) if padding == "same" else (size - pool) // step + 1
    before = max((count - 1) * step + pool - size, 0) // 2 if padding == "same" else 0
    cells = [x[:, max(0, i * step - before):i * step - before + pool] for i in range(count)]
    found = np.asarray(layers.MaxPooling1D(pool, strides, padding)(x))
    np.testing.assert_array_equal(found, np.stack([c.max(axis=1) for c in cells], axis=1))
    found = np.asarray(layers.AveragePooling1D(pool, strides, padding)(x))
    np.testing.assert_allclose(found, np.stack([c.mean(axis=1) for c in cells], axis=1), rtol=1e-5, atol=1e-6)


def test_aliases_and_config() -> None:
    assert layers.MaxPool2D is layers.MaxPooling2D and layers.GlobalAvgPool1D is layers.GlobalAveragePooling1D
    for layer in (layers.MaxPooling2D(3, 2, "same"), layers.AveragePooling1D(2),
                  layers.GlobalMaxPooling1D(keepdims=True)):
        assert type(layer)(**layer.get_config()).get_config() == layer.get_config()


def test_shapes_are_known_before_data() -> None:
    model = fastnn.Sequential([fastnn.Input((26, 26, 32)), layers.MaxPooling2D(), layers.AvgPool2D(3, 2, "same"),
                               layers.GlobalMaxPooling2D(keepdims=True)])
    assert [layer.output_shape[1:] for layer in model.layers] == [(13, 13, 32), (7, 7, 32), (1, 1, 32)]


@pytest.mark.parametrize(("make", "kind", "text"), [
    (lambda: layers.MaxPooling2D(0), ValueError, "pool_size"),
    (lambda: layers.MaxPooling2D((2, 2, 2)), ValueError, "pool_size"),
    (lambda: layers.MaxPooling2D("2"), TypeError, "pool_size"),
    (lambda: layers.AveragePooling2D(2, strides=0), ValueError, "strides"),
    (lambda: layers.MaxPooling1D(2.5), TypeError, "pool_size"),
    (lambda: layers.MaxPooling2D(2, padding="some"), ValueError, "same"),
    (lambda: layers.MaxPooling2D(2, data_format="channels_first"), ValueError, "channels_last"),
    (lambda: layers.GlobalMaxPooling2D("channels_first"), ValueError, "channels_last"),
])
def test_bad_arguments(make: Any, kind: type[Exception], text: str) -> None:
    assert_good_error(make, kind, text)


@pytest.mark.parametrize(("make", "shape", "texts"), [
    (lambda: layers.MaxPooling2D(5, name="pool"), (2, 4, 6, 3), ("pool", "(2, 4, 6, 3)", "(5, 5)")),
    (lambda: layers.AveragePooling1D(5, name="pool"), (2, 4, 3), ("pool", "(2, 4, 3)", "(5,)")),
    (lambda: layers.MaxPooling2D(name="pool"), (2, 4, 6), ("pool", "(2, 4, 6)", "height")),
    (lambda: layers.MaxPooling1D(name="pool"), (2, 4, 6, 1), ("pool", "(2, 4, 6, 1)", "steps")),
    (lambda: layers.GlobalAveragePooling2D(name="pool"), (2, 4), ("pool", "(2, 4)", "channels")),
])
def test_inputs_that_do_not_fit(make: Any, shape: tuple[int, ...], texts: tuple[str, ...]) -> None:
    assert_good_error(lambda: make()(np.zeros(shape, np.float32)), ShapeError, *texts)
