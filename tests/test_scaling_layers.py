"""Rescaling and Normalization: rows scaled as they are gathered, mean and variance by adapt()."""


import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers
from fastnn.engine.tensor import Tensor
from fastnn.errors import NotBuiltError, ShapeError
from fastnn.ops.rows.batch import gather_rows_rescaled
from tests.errors import assert_good_error

# ---- Normalization and Rescaling ------------------------------------------------------------------------------


def test_whole_numbers_are_not_gathered_as_floats() -> None:
    x, order = np.ones((4, 2), np.int32), np.arange(4, dtype=np.int32)
    with pytest.raises(TypeError, match="int32; needs float32 or uint8"):
        gather_rows_rescaled(x, order, Tensor(np.array(0)), batch=2, scale=2.0, offset=0.0)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_rescaling_rows_as_they_are_gathered(dtype: str, any_backend: str) -> None:
    """In a program, batches are gathered and rescaled in one call, with the bits of two."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (40, 6, 6, 1)).astype(dtype), rng.normal(size=(40, 2)).astype(np.float32)
    weights = []
    for eagerly in (False, True):
        fastnn.random.set_seed(1)
        model = Sequential([Input((6, 6, 1)), layers.Rescaling(1 / 127.5, -1), layers.Flatten(), layers.Dense(2)])
        model.compile("sgd", "mse", run_eagerly=eagerly)
        model.fit(x, y, batch_size=16, epochs=2, verbose=0)
        weights.append(model.get_weights()[0].tobytes())
        if not eagerly:
            text = model.programs[1].full()
            assert "gather_rows_rescaled(x0, order, cursor, batch=16, scale=" in text and " rescale(" not in text
    assert weights[0] == weights[1]


def test_adapt_takes_mean_and_variance(any_backend: str) -> None:
    data = np.random.default_rng(0).normal([2015, 1e-3, 5], [5, 1e-4, 2], (3000, 3))
    layer = layers.Normalization()
    assert_good_error(lambda: layer.mean, NotBuiltError, "adapt")
    layer.adapt(data)
    np.testing.assert_allclose(layer.mean, data.mean(axis=0, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(layer.variance, data.var(axis=0, keepdims=True), rtol=1e-6)
    y = np.asarray(layer(data.astype(np.float32)))
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(y.std(axis=0), 1, rtol=1e-4)
    assert [w.shape for w in layer.get_weights()] == [(3,), (3,), ()]        # Keras' mean, variance, count
    back = layers.Normalization(mean=layer.mean, variance=layer.variance, invert=True)
    np.testing.assert_allclose(np.asarray(back(y)), data, rtol=1e-6, atol=1e-6)
    batched = layers.Normalization()
    batched.adapt((data[i:i + 700], np.zeros(1)) for i in range(0, 3000, 700))
    np.testing.assert_allclose(batched.variance, layer.variance, rtol=1e-6)


def test_adapt_over_other_axes_and_kinds_of_data(any_backend: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2000, 4, 3, 2), dtype=np.uint8)
    for axis, kept in (((1, 3), (4, 2)), (None, ()), (-1, (2,)), ((1, 2, 3), (4, 3, 2))):
        layer = layers.Normalization(axis=axis)
        layer.adapt(images)
        reduced = tuple(i for i in range(4) if i not in {a % 4 for a in np.atleast_1d([] if axis is None else axis)})
        assert layer.mean.shape == images.mean(axis=reduced, keepdims=True).shape and len(kept) == 4 - len(reduced)
        mean, deviation = images.mean(axis=reduced, keepdims=True), images.std(axis=reduced, keepdims=True)
        np.testing.assert_allclose(np.asarray(layer(images)), (images - mean) / deviation, rtol=1e-4, atol=1e-5)
    numbers = layers.Normalization(axis=None)
    numbers.adapt([1.0, 2.0, 3.0])
    assert float(numbers.mean) == 2 and float(np.asarray(numbers(np.full((2, 1), 2.0)))[0, 0]) == 0
    still = layers.Normalization()
    still.adapt(np.ones((5, 2)))
    assert (np.asarray(still(np.ones((1, 2)))) == 0).all()


def test_adapting_again_shows_in_a_model_that_ran(any_backend: str) -> None:
    layer = layers.Normalization()
    layer.adapt(np.array([[0.0], [2.0]]))
    model = Sequential([Input((1,)), layer])
    np.testing.assert_allclose(model.predict(np.array([[3.0]]), verbose=0), [[2]])
    layer.adapt(np.array([[3.0], [7.0]]))
    np.testing.assert_allclose(model.predict(np.array([[3.0]]), verbose=0), [[-1]])
    assert not model.trainable_weights


def test_a_failed_adapt_changes_nothing() -> None:
    layer = layers.Normalization(name="norm")
    layer.adapt(np.array([[0.0, 1.0], [2.0, 5.0]]))
    before = [w.tobytes() for w in layer.get_weights()]
    for data, kind, text in ((np.array([[np.nan, 1]]), ValueError, "not finite"),
                             (np.ones((3, 3)), ShapeError, "(3, 3)"),
                             (np.zeros((0, 2)), ValueError, "no data"), ("ab", TypeError, "array"),
                             (np.array([["a", "b"]]), TypeError, "numbers"), (7, TypeError, "array")):
        assert_good_error(lambda data=data: layer.adapt(data), kind, "norm", text)      # type: ignore[misc]
        assert [w.tobytes() for w in layer.get_weights()] == before
    assert_good_error(lambda: layers.Normalization(mean=0.0, variance=1.0).adapt(np.ones((2, 2))), ValueError, "given")
    assert_good_error(lambda: layers.Normalization().adapt(np.ones(3)), ShapeError, "axis=None")
    assert_good_error(lambda: layers.Normalization(mean=1.0), ValueError, "both")
    assert_good_error(lambda: layers.Normalization(mean=[1.0], variance=[1.0, 2.0]), ShapeError, "(1,)", "(2,)")
    assert_good_error(lambda: layers.Normalization(mean=[1.0], variance=[-1.0]), ValueError, "variance")
    assert_good_error(lambda: layers.Normalization(mean=[1.0, 2.0], variance=[1.0, 2.0])(np.ones((2, 3))), ShapeError,
                      "(2,)", "(2, 3)")
    assert_good_error(lambda: layer(np.ones((2, 3))), ShapeError, "norm", "(2, 3)", "(2,)")
    assert_good_error(lambda: layers.Rescaling([1.0, 2.0])(np.ones((2, 3))), ShapeError, "rescaling", "(2, 3)",
                      "2 numbers")
    assert_good_error(lambda: layers.Rescaling("a"), TypeError, "scale")
    assert_good_error(lambda: layers.Rescaling(float("inf")), ValueError, "scale")
