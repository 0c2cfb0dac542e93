"""Layers for images: random ones by statistics, seeds and extremes, with Keras' signs; Normalization.adapt; bad input.

Padding, cropping, upsampling and the like train as in Keras, see tests/golden/image.py.
"""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers
from fastnn.engine import threads
from fastnn.errors import ShapeError
from fastnn.layers.random_image import _RandomImage
from tests.errors import assert_good_error

X = np.arange(40, dtype=np.float32).reshape(2, 4, 5, 1)
SQUARE = np.arange(75, dtype=np.float32).reshape(1, 5, 5, 3)
RANDOM: dict[str, Any] = {
    "flip": lambda **k: layers.RandomFlip(**k), "rotation": lambda **k: layers.RandomRotation(0.2, **k),
    "zoom": lambda **k: layers.RandomZoom(0.3, **k), "translation": lambda **k: layers.RandomTranslation(0.3, 0.3, **k),
    "contrast": lambda **k: layers.RandomContrast(0.5, **k),
    "brightness": lambda **k: layers.RandomBrightness(0.5, **k),
    "noise": lambda **k: layers.GaussianNoise(0.5, **k), "gaussian": lambda **k: layers.GaussianDropout(0.5, **k),
    "spatial": lambda **k: layers.SpatialDropout2D(0.5, **k)}


def vary(layer: Any, x: np.ndarray) -> np.ndarray:
    """The layer in training."""
    return np.asarray(layer(x, training=True))


# What Keras 3.15 gives for the first image of X with factors that leave no choice.
ROTATED_REFLECT = [[1.2636, 2.0727, 4.3140, 8.0620, 11.3102], [0.6759, 4.0234, 7.7714, 11.5193, 15.2672],
                   [3.7328, 7.4807, 11.2286, 14.9766, 18.3241], [7.6898, 10.9380, 14.6860, 16.9273, 17.7364]]
ROTATED_CONSTANT = [[0.1401, 1.4481, 4.3140, 8.0620, 5.6584], [0.6217, 4.0234, 7.7714, 11.5193, 15.2672],
                    [3.7328, 7.4807, 11.2286, 14.9766, 16.8568], [3.8471, 10.9380, 14.6860, 11.8270, 1.9670]]
MOVED = [[0, 0, 1, 2, 3], [0, 0, 1, 2, 3], [5, 5, 6, 7, 8], [10, 10, 11, 12, 13]]
MOVED_CONSTANT = [[6.5, 6.5, 7.5, 8.5, 9.5], [9, 11.5, 12.5, 13.5, 14.5], [10.2, 13.8, 14.6, 15.4, 16.2], [7] * 5]
ZOOMED = [[0.4, 1.2, 2, 2.8, 3.6], [4.65, 5.45, 6.25, 7.05, 7.85], [11.15, 11.95, 12.75, 13.55, 14.35],
          [15.4, 16.2, 17, 17.8, 18.6]]


@pytest.mark.parametrize("make, want", [
    (lambda: layers.RandomRotation((0.1, 0.1)), ROTATED_REFLECT),
    (lambda: layers.RandomRotation((0.1, 0.1), fill_mode="nearest"), ROTATED_REFLECT),
    (lambda: layers.RandomRotation((0.1, 0.1), fill_mode="constant"), ROTATED_CONSTANT),
    (lambda: layers.RandomTranslation((0.25, 0.25), (0.2, 0.2)), MOVED),
    (lambda: layers.RandomTranslation((-0.3, -0.3), (0.1, 0.1), fill_mode="constant", fill_value=7.0), MOVED_CONSTANT),
    (lambda: layers.RandomZoom((0.3, 0.3), (-0.2, -0.2)), ZOOMED),
    (lambda: layers.RandomZoom((0.3, 0.3), (-0.2, -0.2), fill_mode="nearest", interpolation="nearest"), X[0, ..., 0]),
], ids=["reflect", "nearest", "constant", "translation", "translation-constant", "zoom", "zoom-nearest"])
def test_the_same_pictures_as_keras(make: Any, want: Any, any_backend: str) -> None:
    np.testing.assert_allclose(vary(make(), X)[0, ..., 0], want, rtol=1e-4, atol=6e-5)


@pytest.mark.parametrize("quarters", [-2, -1, 1, 2])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_quarter_turns_are_exact(quarters: int, interpolation: str, any_backend: str) -> None:
    layer = layers.RandomRotation((quarters / 4, quarters / 4), interpolation=interpolation)
    np.testing.assert_array_equal(vary(layer, SQUARE)[0], np.rot90(SQUARE[0], quarters))


@pytest.mark.parametrize("mode, numpy_mode", [("nearest", "edge"), ("reflect", "symmetric"), ("wrap", "wrap"),
                                              ("constant", "constant")])
def test_whole_pixels_are_exact_in_all_fill_modes(mode: str, numpy_mode: str, any_backend: str) -> None:
    for rows in (-4, -3, 2, 4):
        got = vary(layers.RandomTranslation((rows / 4, rows / 4), (0.0, 0.0), fill_mode=mode), X)
        padded = np.pad(X, [(0, 0), (4, 4), (0, 0), (0, 0)], mode=numpy_mode)      # type: ignore[call-overload]
        np.testing.assert_array_equal(got, padded[:, 4 - rows:8 - rows])


def test_a_flip_is_both_ways_at_once_or_none(any_backend: str) -> None:
    many = np.tile(X[:1], (2000, 1, 1, 1))
    for mode, rows, columns in (("horizontal", 1, -1), ("vertical", -1, 1), ("horizontal_and_vertical", -1, -1)):
        y = vary(layers.RandomFlip(mode), many)
        flipped = (y == X[0, ::rows, ::columns]).all(axis=(1, 2, 3))
        assert ((y == X[0]).all(axis=(1, 2, 3)) ^ flipped).all()
        assert abs(flipped.mean() - 0.5) < 0.05


def test_the_ranges_of_the_parameters(any_backend: str) -> None:
    """The ends of the ranges are Keras'; draws are uniform between them and differ from image to image."""
    pairs = np.full((4000, 1, 2, 1), 100.0, np.float32)
    pairs[:, 0, 1] = 140

    def uniform(values: np.ndarray, low: float, high: float) -> None:
        assert low <= values.min() < low + 0.01 * (high - low) and high - 0.01 * (high - low) < values.max() <= high
        assert abs(values.mean() - (low + high) / 2) < 0.02 * (high - low)
        assert len(np.unique(values)) > 3000

    for factor, low, high in ((0.3, 1.0, 1.3), ((0.4, 0.1), 0.9, 1.4)):
        y = vary(layers.RandomContrast(factor), pairs)
        uniform((y[:, 0, 1, 0] - y[:, 0, 0, 0]) / 40, low - 1e-5, high + 1e-5)
    uniform(vary(layers.RandomBrightness(0.2), pairs)[:, 0, 0, 0] - 100, -51.0001, 51.0001)
    assert vary(layers.RandomBrightness((0.9, 0.9)), pairs).max() == 255
    ramp = np.tile(np.arange(101, dtype=np.float32)[None, None, :, None], (4000, 1, 1, 1))
    moved = vary(layers.RandomTranslation(0.0, 0.1, fill_mode="nearest"), ramp)[:, 0, 50, 0]
    uniform((50 - moved) / 101, -0.10001, 0.10001)
    zoomed = vary(layers.RandomZoom((0.0, 0.0), (-0.5, 0.2), fill_mode="nearest"), ramp)[:, 0]
    uniform((zoomed[:, 60, 0] - zoomed[:, 40, 0]) / 20, 0.49999, 1.20001)
    both = vary(layers.RandomZoom(0.2), np.tile(ramp[:50], (1, 101, 1, 1)) + np.arange(101)[:, None, None] * 1000)
    steps = (both[:, 60, 60, 0] - both[:, 40, 40, 0]) / 20
    np.testing.assert_allclose(steps / 1001, (both[:, 60, 50, 0] - both[:, 40, 50, 0]) / 20 / 1000, rtol=1e-3)


def test_noise_has_the_deviation_it_promises(any_backend: str) -> None:
    ones = np.ones((300, 8, 8, 4), np.float32)
    noise = vary(layers.GaussianNoise(0.3), ones)
    assert abs(noise.mean() - 1) < 0.01 and abs(noise.std() - 0.3) < 0.01
    dropped = vary(layers.GaussianDropout(0.2), 3 * ones)
    assert abs(dropped.mean() - 3) < 0.02 and abs(dropped.std() - 1.5) < 0.02
    spatial = vary(layers.SpatialDropout2D(0.25), ones)
    assert set(np.unique(spatial)) == {0, np.float32(1 / 0.75)} and abs((spatial == 0).mean() - 0.25) < 0.05
    assert (np.ptp(spatial.reshape(300, 64, 4), axis=1) == 0).all()
    steps = vary(layers.SpatialDropout1D(0.25), ones.reshape(300, 64, 4))
    assert (np.ptp(steps, axis=1) == 0).all() and abs((steps == 0).mean() - 0.25) < 0.05


@pytest.mark.parametrize("kind", RANDOM)
def test_seeds_and_training(kind: str, any_backend: str) -> None:
    make = RANDOM[kind]
    x = (np.arange(960, dtype=np.float32) % 251).reshape(5, 8, 8, 3) + 1
    layer = make(seed=5)
    np.testing.assert_array_equal(np.asarray(layer(x, training=False)), x)
    first, second = vary(layer, x), vary(layer, x)
    assert first.shape == x.shape and first.dtype == np.float32
    assert (first != second).any() and (first != x).any()
    np.testing.assert_array_equal(first, vary(make(seed=5), x))
    assert (first != vary(make(seed=6), x)).any()
    fastnn.random.set_seed(3)
    a, b = make(), make()
    assert (vary(a, x) != vary(b, x)).any()


def _augmented(k: int) -> Sequential:
    fastnn.random.set_seed(k)
    model = Sequential([Input((8, 8, 3)), layers.Rescaling(1 / 255), layers.RandomFlip("horizontal"),
                        layers.RandomRotation(0.1), layers.RandomZoom(0.1), layers.RandomTranslation(0.1, 0.2),
                        layers.RandomContrast(0.2, value_range=(0, 1)), layers.RandomBrightness(0.1, (0, 1)),
                        layers.GaussianNoise(0.1), layers.SpatialDropout2D(0.1), layers.GaussianDropout(0.1),
                        layers.Flatten(), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def test_training_on_bytes_is_the_same_for_any_number_of_threads(any_backend: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), dtype=np.uint8)
    labels = np.arange(50) % 3
    asked, results = threads.wanted(), []
    try:
        for count in (1, 2, 4):
            threads.set_num_threads(count)
            model = _augmented(1)
            history = model.fit(images, labels, batch_size=16, epochs=3, verbose=0).history["loss"]
            results.append((history, model.get_weights()[0].tobytes()))
    finally:
        threads.restore(asked)
    assert results[0] == results[1] == results[2]
    np.testing.assert_array_equal(model.predict(images, verbose=0), model.predict(images.astype(np.float32), verbose=0))
    assert model.evaluate(images, labels, verbose=0) == model.evaluate(images.astype(np.float32), labels, verbose=0)
    assert model.predict(images[:1], verbose=0).shape == (1, 3)


def test_each_step_draws_anew_also_when_replayed(any_backend: str) -> None:
    """One image, five steps of one program: the losses of a model that learns nothing differ."""
    model = Sequential([Input((8, 8, 1)), layers.RandomTranslation(0.4, 0.4, fill_mode="constant"), layers.Flatten(),
                        layers.Dense(1)])
    model.compile(fastnn.optimizers.SGD(1e-12), "mse")
    x = np.random.default_rng(1).uniform(size=(1, 8, 8, 1)).astype(np.float32)
    losses = model.fit(x, np.zeros((1, 1)), epochs=5, verbose=0).history["loss"]
    assert len(set(losses)) == 5


@pytest.mark.parametrize("kind", [k for k in RANDOM if k not in ("contrast", "brightness")])
def test_gradients_flow_through_random_layers(kind: str) -> None:
    """These layers are linear in x: the gradient of w·y along d is w·(y of d), with the same draw."""
    rng = np.random.default_rng(2)
    x, d, w = (rng.uniform(size=(3, 5, 6, 2)).astype(np.float32) for _ in range(3))
    with fastnn.GradientTape() as tape:
        source = fastnn.ops.convert_to_tensor(x)
        tape.watch(source)
        target = fastnn.ops.sum(RANDOM[kind](seed=3)(source, training=True) * w)
    found = np.asarray(tape.gradient(target, source))
    moved, still = vary(RANDOM[kind](seed=3), x + d), vary(RANDOM[kind](seed=3), x)
    np.testing.assert_allclose((found * d).sum(), ((moved - still) * w).sum(), rtol=1e-4)


# ---- bad input ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make, kind, texts", [
    (lambda: layers.ZeroPadding2D(-1), ValueError, ("padding", "-1")),
    (lambda: layers.ZeroPadding2D((1, 2, 3)), ValueError, ("padding", "height, width")),
    (lambda: layers.ZeroPadding1D(1.5), TypeError, ("padding", "1.5")),
    (lambda: layers.ZeroPadding1D((1, -2)), ValueError, ("padding", "-2")),
    (lambda: layers.ZeroPadding2D(data_format="channels_first"), ValueError, ("channels_last",)),
    (lambda: layers.Cropping1D((1, True)), TypeError, ("cropping",)),
    (lambda: layers.Cropping2D(((1, 2), -1)), ValueError, ("cropping",)),
    (lambda: layers.UpSampling2D(0), ValueError, ("size",)),
    (lambda: layers.UpSampling2D(interpolation="bilinaer"), ValueError, ("interpolation", "bilinear")),
    (lambda: layers.UpSampling1D(2.0), TypeError, ("size",)),
    (lambda: layers.RepeatVector(0), ValueError, ("n is 0",)),
    (lambda: layers.Permute((0, 1)), ValueError, ("dims",)),
    (lambda: layers.Permute((1, 3)), ValueError, ("dims",)),
    (lambda: layers.Permute(3), TypeError, ("dims",)),
    (lambda: layers.RandomFlip("sideways"), ValueError, ("mode", "horizontal")),
    (lambda: layers.RandomRotation(1.5), ValueError, ("factor", "-1 to 1")),
    (lambda: layers.RandomRotation("much"), TypeError, ("factor",)),
    (lambda: layers.RandomRotation((0.1, 0.2, 0.3)), ValueError, ("factor",)),
    (lambda: layers.RandomRotation(0.1, fill_mode="reflekt"), ValueError, ("fill_mode", "reflect")),
    (lambda: layers.RandomRotation(0.1, interpolation="cubic"), ValueError, ("interpolation",)),
    (lambda: layers.RandomZoom(-1), ValueError, ("height_factor", "above -1")),
    (lambda: layers.RandomZoom(0.1, (0.1, 1.2)), ValueError, ("width_factor",)),
    (lambda: layers.RandomTranslation(0.1, float("nan")), ValueError, ("width_factor",)),
    (lambda: layers.RandomContrast(-0.1), ValueError, ("factor", "0 to 1")),
    (lambda: layers.RandomBrightness(2), ValueError, ("factor",)),
    (lambda: layers.RandomBrightness(0.1, value_range=255), ValueError, ("value_range",)),
    (lambda: layers.GaussianNoise(-1), ValueError, ("stddev",)),
    (lambda: layers.GaussianDropout(1), ValueError, ("rate",)),
    (lambda: layers.SpatialDropout2D(1.0), ValueError, ("rate",)),
])
def test_bad_arguments(make: Any, kind: type[Exception], texts: tuple[str, ...]) -> None:
    streams = fastnn.seeds._state.streams
    assert_good_error(make, kind, *texts)
    assert fastnn.seeds._state.streams == streams


def test_images_of_any_size_are_repeated(any_backend: str) -> None:
    model = Sequential([Input((None, None, 3)), layers.UpSampling2D()])
    assert model.output_shape == (None, None, None, 3)
    for rows in (4, 3):
        x = np.random.default_rng(rows).normal(size=(2, rows, 5, 3)).astype(np.float32)
        np.testing.assert_array_equal(model.predict(x, verbose=0), x.repeat(2, axis=1).repeat(2, axis=2))


@pytest.mark.parametrize("layer, shape, texts", [
    (lambda n: layers.Cropping2D(2, name=n), (4, 9, 1), ("(None, 4, 9, 1)", "(2, 2)")),
    (lambda n: layers.Cropping1D((3, 1), name=n), (4, 1), ("(None, 4, 1)", "(3, 1)")),
    (lambda n: layers.ZeroPadding2D(name=n), (4, 4), ("(None, 4, 4)", "channels")),
    (lambda n: layers.ZeroPadding1D(name=n), (4,), ("(None, 4)", "features")),
    (lambda n: layers.Permute((2, 1), name=n), (4,), ("(None, 4)", "(2, 1)")),
    (lambda n: layers.RepeatVector(3, name=n), (4, 4), ("(None, 4, 4)", "features")),
    (lambda n: layers.RandomFlip(name=n), (4, 4), ("(None, 4, 4)",)),
    (lambda n: layers.SpatialDropout1D(0.1, name=n), (4,), ("(None, 4)",)),
])
def test_shapes_that_do_not_fit_name_the_layer_and_both(layer: Any, shape: Any, texts: tuple[str, ...]) -> None:
    assert_good_error(lambda: Sequential([Input(shape), layer("the_layer")]), ShapeError, "the_layer", *texts)


def test_a_size_that_no_machine_holds_is_refused_when_the_model_is_built() -> None:
    assert_good_error(lambda: Sequential([Input((28, 28, 1)), layers.UpSampling2D(2 ** 20, name="up")]), MemoryError,
                      "up", "3,211,264.0 GiB")
    assert_good_error(lambda: Sequential([Input((3,)), layers.RepeatVector(2 ** 40, name="many")]), MemoryError, "many")
    assert_good_error(lambda: Sequential([Input((2, 2, 1)), layers.ZeroPadding2D(2 ** 30, name="wide")]), MemoryError,
                      "wide", "GiB")


def test_names_are_those_of_keras() -> None:
    assert [layer.name for layer in (layers.ZeroPadding2D(), layers.UpSampling1D(), layers.RandomFlip(),
                                     layers.SpatialDropout2D(0.1), layers.ReLU())] == \
        ["zero_padding2d", "up_sampling1d", "random_flip", "spatial_dropout2d", "re_lu"]


def test_an_image_layer_says_what_it_was_made_with() -> None:
    config = layers.RandomZoom(0.2, fill_mode="wrap", seed=4, name="zoom").get_config()
    assert config == {"name": "zoom", "trainable": True, "height_factor": (-0.2, 0.2), "width_factor": None,
                      "fill_mode": "wrap", "interpolation": "bilinear", "fill_value": 0.0, "seed": 4,
                      "data_format": "channels_last", "dtype": "float32", "activity_regularizer": None}
    assert isinstance(layers.RandomZoom(0.2), _RandomImage)
