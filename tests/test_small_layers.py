"""Layers that pass on, scale, resize, or tell categories apart. Keras' numbers of most are among the golden values."""

from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers, ops, utils
from tests.errors import assert_good_error

RNG = np.random.default_rng(0)
X = RNG.standard_normal((8, 6)).astype(np.float32)
IMAGES = RNG.random((2, 6, 8, 3), np.float32)


def test_a_lambda_gets_what_it_asks_for() -> None:
    seen: list[Any] = []

    def scaled(x: Any, factor: float, training: bool = False) -> Any:
        seen.append(training)
        return x * factor

    layer = layers.Lambda(scaled, arguments={"factor": 3.0})
    np.testing.assert_allclose(layer(X, training=True), 3 * X)
    assert seen == [True] and layer(X) is not None and seen[1] is False
    model = Sequential([Input((6,)), layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0)
    assert len(layer.weights) == 0
    for shape in ((3,), lambda given: (given[0], 3)):
        numbers = layers.Lambda(lambda x: ops.convert_to_tensor(x.numpy()[:, :3]), output_shape=shape)
        start = Input((6,))
        assert Model(start, numbers(start)).output_shape == (None, 3)
        assert numbers.compute_output_shape((None, 6)) == (None, 3)
    masked = layers.Lambda(lambda x: x, mask=lambda x, mask: mask)
    assert masked.supports_masking and not layer.supports_masking
    assert_good_error(lambda: layers.Lambda(3), TypeError, "Lambda: function", "needs a function")
    assert_good_error(lambda: layers.Lambda(lambda x: x).get_config(), ValueError, "needs a name")


@utils.register_keras_serializable("tests")
def doubled(x: Any) -> Any:
    """2 x."""
    return 2 * x


def test_a_lambda_of_a_registered_function_comes_back() -> None:
    model = Sequential([Input((6,)), layers.Lambda(doubled), layers.Lambda("tanh")])
    again = Sequential.from_config(model.get_config())
    np.testing.assert_allclose(again(X), np.tanh(2 * X), rtol=1e-5)


def test_penalties_of_what_passes() -> None:
    layer = layers.ActivityRegularization(l1=0.1, l2=0.2)
    assert layer(X) is not None and layers.Identity()([X, X])[1].shape == X.shape
    np.testing.assert_allclose(float(sum(layer.losses)), (0.1 * np.abs(X) + 0.2 * X ** 2).sum() / 8, rtol=1e-5)
    again = type(layer).from_config(layer.get_config())
    assert (again.l1, again.l2) == (0.1, 0.2)


def test_spectral_normalization_brings_the_largest_singular_value_to_1() -> None:
    for inner, x in ((layers.Dense(4), X), (layers.Conv2D(4, 3), IMAGES)):
        layer = layers.SpectralNormalization(inner, power_iterations=20)
        layer(x)
        before = inner.kernel.numpy()
        layer(x)
        np.testing.assert_array_equal(inner.kernel, before)      # outside of training
        layer(x, training=True)
        kernel = inner.kernel.numpy()
        assert np.linalg.svd(kernel.reshape(-1, 4))[1][0] == pytest.approx(1, rel=1e-3)
        np.testing.assert_allclose(kernel, before * (kernel.ravel()[0] / before.ravel()[0]), rtol=1e-4)
    model = Sequential([Input((6,)), layers.SpectralNormalization(layers.Dense(4), 3), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], batch_size=2, epochs=5, verbose=0)     # an op of the step, at every step
    assert np.linalg.svd(model.layers[0].layer.kernel.numpy())[1][0] == pytest.approx(1, abs=0.1)
    assert_good_error(lambda: layers.SpectralNormalization(layers.ReLU())(X), ValueError, "re_lu", "needs")


@pytest.mark.parametrize("shape", [None, (None, 1)])
def test_alpha_dropout_keeps_mean_and_variance(shape: Any) -> None:
    x = RNG.standard_normal((4000, 5)).astype(np.float32)
    y = layers.AlphaDropout(0.3, noise_shape=shape, seed=1)(x, training=True).numpy()
    assert abs(y.mean()) < 0.05 and abs(y.std() - 1) < 0.05
    low = np.isclose(y, np.bincount((y * 1e4).astype(int).ravel() + 10 ** 6).argmax() / 1e4 - 100, atol=2e-4)
    assert abs(low.mean() - 0.3) < 0.03
    assert shape is None or (low.all(1) | ~low.any(1)).all()
    np.testing.assert_array_equal(layers.AlphaDropout(0.3)(x), x)


def test_crops() -> None:
    np.testing.assert_array_equal(layers.CenterCrop(2, 4)(IMAGES), IMAGES[:, 2:4, 2:6])
    np.testing.assert_array_equal(layers.CenterCrop(3, 3)(IMAGES[0]), IMAGES[0, 1:4, 2:5])
    layer = layers.RandomCrop(3, 5, seed=7)
    parts = [IMAGES[:, i:i + 3, j:j + 5] for i in range(4) for j in range(4)]
    drawn = [layer(IMAGES).numpy() for _ in range(60)]
    found = {next(k for k, part in enumerate(parts) if np.array_equal(part, each)) for each in drawn}
    assert len(found) > 8       # of 16 places, and never another
    np.testing.assert_array_equal(layer(IMAGES, training=False), layers.CenterCrop(3, 5)(IMAGES))
    assert layer(IMAGES[0]).shape == (3, 5, 3) and layers.RandomCrop(9, 9)(IMAGES).shape == (2, 9, 9, 3)
    model = Sequential([Input((None, None, 3)), layers.Resizing(5, 5), layers.RandomCrop(4, 3), layers.Flatten(),
                        layers.Dense(1)])
    model.compile("sgd", "mse")
    for size in (6, 9):
        model.fit(RNG.random((2, size, 7, 3)), np.zeros((2, 1)), verbose=0)
    assert_good_error(lambda: layers.Resizing(2, 2)(X), ValueError, "(8, 6)", "needs")
    assert_good_error(lambda: layers.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), ValueError,
                      "both", "needs")
    for method in ("bicubic", "lanczos3"):
        larger = layers.UpSampling2D((2, 3), interpolation=method)(IMAGES)
        np.testing.assert_allclose(larger, ops.image.resize(IMAGES, (12, 24), interpolation=method), atol=1e-6)


def test_categories() -> None:
    ids = np.array([[0, 3, 3], [1, 1, 1]])
    hot = np.eye(4, dtype=np.float32)[ids]
    np.testing.assert_array_equal(layers.CategoryEncoding(4)(ids), hot.max(1))
    np.testing.assert_array_equal(layers.CategoryEncoding(4, "count")(ids), hot.sum(1))
    np.testing.assert_array_equal(layers.CategoryEncoding(4, "one_hot")(ids), hot)
    np.testing.assert_array_equal(layers.CategoryEncoding(4, "one_hot")(ids[:, :1]), hot[:, 0])
    weights = RNG.random((2, 3)).astype(np.float32)
    np.testing.assert_allclose(layers.CategoryEncoding(4, "count")(ids, count_weights=weights),
                               (hot * weights[..., None]).sum(1), rtol=1e-6)
    x = Input((3,), dtype="int32")
    model = Model(x, layers.CategoryEncoding(4)(x))
    np.testing.assert_array_equal(model.predict(ids, verbose=0), hot.max(1))
    assert_good_error(lambda: model.predict(ids + 1, verbose=0), ValueError, "the number 4", "needs", "0 to 3")
    assert_good_error(lambda: layers.CategoryEncoding(4)(ids - 1), ValueError, "the number -1", "needs")
    assert_good_error(lambda: layers.CategoryEncoding(4)(ids, count_weights=weights), ValueError, "count_weights")
    for wrong in (dict(), dict(num_tokens=3, sparse=True), dict(num_tokens=0)):
        assert_good_error(lambda wrong=wrong: layers.CategoryEncoding(**wrong), ValueError, "CategoryEncoding", "needs")


def test_bins() -> None:
    x = np.array([[-1.5, 1.0], [3.4, 0.5]])
    layer = layers.Discretization([0.0, 1.0, 2.0])
    np.testing.assert_array_equal(layer(x), [[0, 2], [3, 1]])
    assert layer(x).dtype == "int32"
    hot = layers.Discretization([0.0, 1.0, 2.0], output_mode="one_hot")(x)
    np.testing.assert_array_equal(hot, np.eye(4)[[[0, 2], [3, 1]]])
    found = layers.Discretization(num_bins=4)
    assert found.bin_boundaries is None and found.compute_output_shape((None, 3)) == (None, 3)
    assert_good_error(lambda: found(x), ValueError, "no bins yet", "needs adapt")
    data = RNG.standard_normal(400)
    found.adapt(data)
    assert np.bincount(found(data).numpy()).tolist() == [100] * 4
    batches = layers.Discretization(num_bins=4)
    batches.adapt((data[i:i + 50] for i in range(0, 400, 50)), steps=8)
    assert batches.bin_boundaries == found.bin_boundaries
    assert layers.Discretization.from_config(found.get_config()).bin_boundaries == found.bin_boundaries
    for wrong in (dict(), dict(bin_boundaries=[0.0], num_bins=2), dict(bin_boundaries=[1.0, 0.0]), dict(num_bins=0)):
        assert_good_error(lambda wrong=wrong: layers.Discretization(**wrong), ValueError, "Discretization", "needs")
    assert_good_error(lambda: layer.adapt(data), ValueError, "given", "num_bins")
    assert_good_error(lambda: layers.Discretization(num_bins=2).adapt([np.nan]), ValueError, "needs")
