"""ImageDataGenerator: Keras' pictures, batches that repeat, and what is said about settings that cannot be."""

import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, utils
from fastnn.errors import ShapeError
from fastnn.layers import Dense, Flatten
from fastnn.preprocessing.image import ImageDataGenerator
from tests.errors import assert_good_error, weights_hash
from tests.golden import augmentation, store

X = np.random.default_rng(3).integers(0, 256, (70, 8, 8, 3)).astype(np.uint8)
Y = np.arange(70)
EVERYTHING: dict[str, Any] = dict(rotation_range=20, width_shift_range=0.2, height_shift_range=3, shear_range=5.0,
                                  zoom_range=[0.8, 1.3], channel_shift_range=10.0, horizontal_flip=True,
                                  vertical_flip=True, brightness_range=(0.5, 1.5))


def test_the_pictures_are_those_of_keras(any_backend: str) -> None:
    for name, picture in store.read("augmentation")["values"].items():
        np.testing.assert_allclose(augmentation.VALUES[name](fastnn), picture, rtol=1e-6,
                                   atol=1e-3 if "transform" in name else 2e-6, err_msg=name)


def test_directions_and_exact_transforms(any_backend: str) -> None:
    x = np.random.default_rng(0).normal(size=(5, 7, 2)).astype(np.float32)      # not square: the centre is the centre
    g = ImageDataGenerator(fill_mode="constant", cval=9.0)
    np.testing.assert_array_equal(g.apply_transform(x, {}), x)
    np.testing.assert_array_equal(g.apply_transform(x, {"flip_horizontal": True}), x[:, ::-1])
    np.testing.assert_array_equal(g.apply_transform(x, {"flip_vertical": True}), x[::-1])
    np.testing.assert_array_equal(g.apply_transform(x, {"tx": 2})[:, :-2], x[:, 2:])
    assert (g.apply_transform(x, {"tx": 2})[:, -2:] == 9).all()
    np.testing.assert_array_equal(g.apply_transform(x, {"ty": -1})[1:], x[:-1])
    np.testing.assert_allclose(g.apply_transform(x, {"theta": 180.0}), x[::-1, ::-1], atol=1e-5)
    np.testing.assert_allclose(g.apply_transform(x[:, 1:6], {"theta": 90.0}), np.rot90(x[:, 1:6]), atol=1e-5)
    first = ImageDataGenerator(fill_mode="constant", cval=9.0, data_format="channels_first")
    np.testing.assert_array_equal(first.apply_transform(np.moveaxis(x, 2, 0), {"tx": 2, "theta": 30.0}),
                                  np.moveaxis(g.apply_transform(x, {"tx": 2, "theta": 30.0}), 2, 0))


def test_a_batch_is_its_images_one_by_one() -> None:
    from fastnn.preprocessing.image import draws
    g = ImageDataGenerator(**EVERYTHING, rescale=1 / 255, samplewise_center=True)
    u = draws.uniform(6, 1, 2, 3, 4)
    p = draws.parameters(g, u, 8, 8)
    batch = g.augmented(X[:6], u)
    for i in range(6):
        one = g.standardize(g.apply_transform(X[i], {name: values[i] for name, values in p.items()}))
        np.testing.assert_array_equal(batch[i], one)


def test_parameters_keep_to_their_ranges() -> None:
    from fastnn.preprocessing.image import draws
    u = draws.uniform(20_000, 5, 0, 0, 0)
    p = draws.parameters(ImageDataGenerator(**EVERYTHING), u, 10, 20)
    for name, low, high in [("theta", -20, 20), ("tx", -4, 4), ("shear", -5, 5), ("zx", 0.8, 1.3), ("zy", 0.8, 1.3),
                            ("channel_shift_intensity", -10, 10), ("brightness", 0.5, 1.5)]:
        span = high - low
        assert low <= p[name].min() < low + 0.01 * span and high - 0.01 * span < p[name].max() <= high, name
        assert abs(p[name].mean() - (low + high) / 2) < 0.02 * span, name
    assert set(p["ty"]) == {-2, -1, 0, 1, 2}        # an int: whole pixels below it
    assert 0.48 < p["flip_horizontal"].mean() < 0.52 and 0.48 < p["flip_vertical"].mean() < 0.52
    assert abs(np.corrcoef(np.stack([*p.values()]))[np.triu_indices(len(p), 1)]).max() < 0.03
    chosen = draws.parameters(ImageDataGenerator(width_shift_range=[1, 5], height_shift_range=2.5), u, 10, 20)
    assert set(chosen["tx"]) == {-5, -1, 1, 5} and 2.4 < chosen["ty"].max() < 2.5


def test_seeds_epochs_and_indices() -> None:
    before = np.random.get_state()[1].copy()
    flow = ImageDataGenerator(**EVERYTHING).flow(X, Y, seed=7)
    assert len(flow) == 3 and [len(flow[i][1]) for i in range(3)] == [32, 32, 6]
    first = [flow[i] for i in range(3)]
    assert all((a == b).all() for i in (2, 0, 1) for a, b in zip(flow[i], first[i]))
    assert sorted(np.concatenate([y for _, y in first])) == list(Y) != list(np.concatenate([y for _, y in first]))
    other = ImageDataGenerator(**EVERYTHING).flow(X, Y, seed=7)
    for i in range(7):      # next() goes through the same epochs, without end
        x, y = next(other)
        a, b = flow[i % 3]
        assert (x == a).all() and (y == b).all()
        if i % 3 == 2:
            flow.on_epoch_end()
    assert not (flow[0][1] == first[0][1]).all()        # a new order, and other transformations
    assert not (ImageDataGenerator(**EVERYTHING).flow(X, Y, seed=8)[0][0] == first[0][0]).all()
    fastnn.random.set_seed(5)
    a = ImageDataGenerator(rotation_range=9).flow(X)[0]
    fastnn.random.set_seed(5)
    assert (ImageDataGenerator(rotation_range=9).flow(X)[0] == a).all()
    g = ImageDataGenerator(**EVERYTHING)
    assert g.get_random_transform((8, 8, 3), seed=1) == g.get_random_transform((8, 8, 3), seed=1)
    assert g.get_random_transform((8, 8, 3)) != g.get_random_transform((8, 8, 3))
    assert (g.random_transform(X[0], seed=4) == g.random_transform(X[0], seed=4)).all()
    assert (np.random.get_state()[1] == before).all()


def test_images_and_masks_move_together() -> None:
    settings: dict[str, Any] = dict(rotation_range=30, zoom_range=0.2, horizontal_flip=True)
    images = ImageDataGenerator(**settings).flow(X, seed=1)
    masks = ImageDataGenerator(**settings, fill_mode="nearest").flow(X[..., :1], seed=1)
    for _ in range(4):
        image, mask = next(zip(images, masks))
        np.testing.assert_array_equal(image[..., :1], mask)


def test_next_from_several_threads() -> None:
    flow = ImageDataGenerator(horizontal_flip=True).flow(X, Y, batch_size=10, seed=2)
    seen: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: seen.extend(next(flow)[1] for _ in range(7))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (np.bincount(np.concatenate(seen)) == 4).all()       # 28 batches are four whole epochs


def test_subsets_weights_and_other_arrays(tmp_path: Path) -> None:
    g = ImageDataGenerator(validation_split=0.3)
    validation = g.flow(X, Y, subset="validation", shuffle=False, ignore_class_split=True)
    training = g.flow(X, Y, 9, False, sample_weight=Y / 2, subset="training", ignore_class_split=True)
    assert validation.n == 21 and (validation[0][1] == Y[:21]).all() and (training[0][1] == Y[21:30]).all()
    assert (training[0][2] == Y[21:30] / 2).all()
    (x, other), y = g.flow((X, Y * 3), Y, shuffle=False)[1]
    assert x.dtype == np.float32 and (other == 3 * y).all() and (x == X[32:64]).all()
    assert g.flow(X, shuffle=False)[0].shape == (32, 8, 8, 3)
    half = ImageDataGenerator(dtype="float16", preprocessing_function=lambda image: image[::-1] / 2)
    assert half.flow(X, shuffle=False)[0].dtype == np.float16
    np.testing.assert_array_equal(half.flow(X, shuffle=False)[0], X[:32, ::-1] / 2)
    flow = ImageDataGenerator().flow(X, Y, batch_size=4, shuffle=False, save_to_dir=tmp_path, save_prefix="p")
    x, _ = flow[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"p_{i}_1.png" for i in (4, 5, 6, 7)]
    saved = utils.img_to_array(utils.load_img(tmp_path / "p_5_1.png"))
    np.testing.assert_allclose(saved, (x[1] - x[1].min()) / (x[1].max() - x[1].min()) * 255, atol=1.01)


def test_fit_on_augmented_images_and_settings_that_need_others() -> None:
    with pytest.warns(UserWarning, match="featurewise_std_normalization sets featurewise_center to True"):
        g = ImageDataGenerator(featurewise_std_normalization=True, rotation_range=10)
    with pytest.warns(UserWarning, match=r"featurewise_center and featurewise_std.* needs statistics .* call fit"):
        g.flow(X)
    g.fit(X, augment=True, rounds=2, seed=3)
    mean = g.mean
    g.fit(X, augment=True, rounds=2, seed=3)
    assert mean.shape == (1, 1, 3) and (g.mean == mean).all() and not np.allclose(mean, X.mean((0, 1, 2)), atol=1e-3)
    batch = g.flow(X, batch_size=70)[0]
    assert np.abs(batch.mean((0, 1, 2))).max() < 0.1 and np.abs(batch.std((0, 1, 2)) - 1).max() < 0.1
    with pytest.warns(UserWarning, match="brightness_range is for pixels 0..255"):
        ImageDataGenerator(brightness_range=(0.5, 1)).flow(X / 255)


@pytest.mark.parametrize(("settings", "fragment"), [
    (dict(fill_mode="mirror"), "fill_mode is 'mirror'"), (dict(interpolation_order=3), "interpolation_order is 3"),
    (dict(validation_split=1.0), "validation_split"), (dict(zoom_range=[1, 2, 3]), "zoom_range"),
    (dict(brightness_range=0.5), "brightness_range"), (dict(data_format="first"), "data_format"),
    (dict(rotation_range="ten"), "rotation_range"), (dict(width_shift_range=-0.2), "width_shift_range"),
    (dict(rotation_range=float("nan")), "rotation_range"), (dict(rescale="1/255"), "rescale")])
def test_bad_settings(settings: dict[str, Any], fragment: str) -> None:
    assert_good_error(lambda: ImageDataGenerator(**settings), (TypeError, ValueError), "ImageDataGenerator", fragment,
                      "choose" if isinstance(settings.get("fill_mode", settings.get("data_format")), str) else "needs")


def test_bad_data(tmp_path: Path) -> None:
    g = ImageDataGenerator(validation_split=0.5)
    assert_good_error(lambda: g.flow(X[0]), ShapeError, "flow", "(8, 8, 3)", "images, rows, columns, channels")
    assert_good_error(lambda: g.fit(X[0]), ShapeError, "fit", "(8, 8, 3)")
    assert_good_error(lambda: g.flow(X, Y[:5]), ValueError, "70 images", "y has shape (5,)")
    assert_good_error(lambda: g.flow(X, Y, batch_size=0), ValueError, "batch_size")
    assert_good_error(lambda: g.flow(X, Y, subset="test"), ValueError, "subset is 'test'")
    assert_good_error(lambda: g.flow(X, Y, subset="training"), ValueError, "different classes", "ignore_class_split")
    assert_good_error(lambda: ImageDataGenerator().flow(X, subset="training"), ValueError, "validation_split")
    assert_good_error(lambda: g.flow(X, save_to_dir=tmp_path / "none"), ValueError, "no folder")
    assert_good_error(lambda: g.flow(X, save_format="gif"), ValueError, "png")
    assert_good_error(lambda: g.flow(X)[3], IndexError, "batch 3", "0..2")
    assert_good_error(lambda: g.apply_transform(X[0], {"thetta": 3}), ValueError, "did you mean 'theta'?")
    assert_good_error(lambda: g.apply_transform(X, {}), ShapeError, "(70, 8, 8, 3)")
    assert_good_error(lambda: g.standardize(X[0, 0]), ShapeError, "(8, 3)")


def model() -> Sequential:
    fastnn.random.set_seed(2)
    net = Sequential([Input((8, 8, 3)), Flatten(), Dense(70, activation="softmax")])
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def test_fit_evaluate_and_predict_take_a_flow(any_backend: str) -> None:
    hashes = []
    for _ in range(2):
        net = model()
        g = ImageDataGenerator(rotation_range=10, horizontal_flip=True, rescale=1 / 255)
        plain = ImageDataGenerator(rescale=1 / 255).flow(X, Y, shuffle=False)
        history = net.fit(g.flow(X, Y, seed=1), epochs=3, validation_data=plain, verbose=0)
        assert history.params["steps"] == 3 and len(history.history["val_loss"]) == 3
        hashes.append(weights_hash(net))
    assert hashes[0] == hashes[1]
    x = X.astype(np.float32) * np.float32(1 / 255)
    assert net.evaluate(plain, verbose=0) == net.evaluate(x, Y, verbose=0)
    assert (net.predict(plain, verbose=0) == net.predict(x, verbose=0)).all()
    with pytest.warns(UserWarning, match="steps_per_epoch is 7 and the data have 3 batches"):
        whole = net.fit(g.flow(X, Y, seed=1), steps_per_epoch=7, epochs=2, verbose=0)
    assert whole.params["steps"] == 3 and len(whole.epoch) == 2


def test_the_import_paths() -> None:
    import fastnn.preprocessing.image
    assert fastnn.preprocessing.image.ImageDataGenerator is ImageDataGenerator
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(ImageDataGenerator().flow(X), fastnn.utils.Sequence)
