"""Images in files: read, written, from folders and frames into fit."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastnn import Sequential, layers, optimizers, utils
from fastnn.preprocessing.image import ImageDataGenerator, smart_resize
from tests.errors import assert_good_error

Image = pytest.importorskip("PIL.Image")
RNG = np.random.default_rng(0)


def pixels(height: int = 6, width: int = 4, channels: int = 3) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, channels)).astype("uint8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes, light and dark, of 6 and 4 pictures of different sizes and kinds."""
    for name, low, count in (("dark", 0, 6), ("light", 155, 4)):
        (tmp_path / name / "inner").mkdir(parents=True)
        for i in range(count):
            image = (RNG.integers(low, low + 100, (10 + i, 12 - i, 3))).astype("uint8")
            place = tmp_path / name / ("inner" if i == 3 else "")
            Image.fromarray(image if i else image[..., 0]).save(place / f"{i}.{('png', 'bmp', 'jpg')[i % 3]}")
    (tmp_path / "dark" / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.mark.parametrize("form", ["png", "bmp"])
def test_what_is_saved_is_loaded(form: str, tmp_path: Path) -> None:
    path, x = tmp_path / f"a.{form}", pixels()
    utils.save_img(path, x, scale=False)
    assert utils.img_to_array(utils.load_img(path)).tolist() == x.astype("float32").tolist()
    grey = utils.img_to_array(utils.load_img(path, color_mode="grayscale"))
    np.testing.assert_allclose(grey[..., 0], x @ [0.299, 0.587, 0.114], atol=1)
    assert utils.img_to_array(utils.load_img(path, color_mode="rgba")).shape == (6, 4, 4)


def test_sizes_axes_and_scale(tmp_path: Path) -> None:
    path, x = tmp_path / "a.png", pixels(8, 4)
    utils.save_img(path, x, scale=False)
    assert utils.load_img(path, target_size=(4, 2)).size == (2, 4)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(path, target_size=(4, 4), keep_aspect_ratio=True)),
                                  x[2:6])
    first = utils.img_to_array(utils.load_img(path), data_format="channels_first")
    np.testing.assert_array_equal(first.transpose(1, 2, 0), x)
    np.testing.assert_array_equal(np.asarray(utils.array_to_img(first, "channels_first", scale=False)), x)
    stretched = np.asarray(utils.array_to_img(np.array([[[-1.0], [0.0]], [[0.5], [1.0]]])))
    assert stretched.tolist() == [[0, 127], [191, 255]]
    assert utils.img_to_array(x[..., 0]).shape == (8, 4, 1) and utils.img_to_array(x).dtype == np.float32
    deep = np.arange(1000, 1008).reshape(2, 4, 1)
    utils.save_img(path, deep, scale=False)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(path, color_mode="grayscale")), deep)
    with pytest.warns(UserWarning, match="white wherever it is above 255"):
        assert utils.img_to_array(utils.load_img(path)).min() == 255
    for form in ("webp", "gif", "jpg"):       # Pillow would cut them at 255 for the first two
        assert_good_error(lambda form=form: utils.save_img(tmp_path / f"a.{form}", deep, scale=False),  # type: ignore
                          ValueError, "1007", ".png")


def test_bad_images_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture at all")
    with pytest.raises(OSError, match=r"a\.png.*holds no picture"):
        utils.load_img(tmp_path / "a.png")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        utils.load_img(tmp_path / "nowhere.png")
    assert_good_error(lambda: utils.load_img(tmp_path / "a.png", color_mode="rbg"), ValueError, "color_mode", "rgb")
    assert_good_error(lambda: utils.array_to_img(np.zeros((2, 2))), ValueError, "(2, 2)")
    assert_good_error(lambda: utils.array_to_img(np.zeros((2, 2, 5))), ValueError, "5 channels")
    assert_good_error(lambda: utils.img_to_array(np.zeros(3)), ValueError, "(3,)")
    with pytest.warns(UserWarning, match="no transparency"):
        utils.save_img(tmp_path / "b.jpg", pixels(channels=4))


def test_a_data_set_of_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = utils.image_dataset_from_directory(folder, image_size=(8, 7), batch_size=4, shuffle=False)
    assert "Found 10 files of 2 classes." in capsys.readouterr().out
    assert data.class_names == ["dark", "light"] and len(data) == 3
    batches = list(data)
    assert [x.shape for x, _ in batches] == [(4, 8, 7, 3), (4, 8, 7, 3), (2, 8, 7, 3)]
    assert np.concatenate([y for _, y in batches]).tolist() == [0] * 6 + [1] * 4
    np.testing.assert_array_equal(batches[0][0][1], utils.img_to_array(utils.load_img(
        data.file_paths[1], target_size=(8, 7), interpolation="bilinear")))
    quiet: dict[str, Any] = {"verbose": False, "validation_split": 0.3, "seed": 1}
    parts = [set(utils.image_dataset_from_directory(folder, subset=name, **quiet).file_paths)
             for name in ("training", "validation")]
    assert list(map(len, parts)) == [7, 3] and not parts[0] & parts[1]
    assert_good_error(lambda: utils.image_dataset_from_directory(folder, subset="training", validation_split=0.3),
                      ValueError, "seed")
    (folder / "empty" / "class").mkdir(parents=True)
    assert_good_error(lambda: utils.image_dataset_from_directory(folder / "empty"), ValueError, ".png")


def test_pictures_are_cut_or_padded_or_stretched(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    utils.save_img(tmp_path / "a" / "wide.png", np.full((4, 8, 3), 200.0), scale=False)
    utils.save_img(tmp_path / "a" / "high.png", np.full((8, 4, 3), 200.0), scale=False)

    def read(**how: Any) -> np.ndarray:
        data = utils.image_dataset_from_directory(tmp_path, image_size=(8, 8), label_mode=None, shuffle=False,
                                                  interpolation="nearest", verbose=False, **how)
        return next(iter(data))[..., 0]
    padded = np.zeros((8, 8))
    padded[:, 2:6] = 200
    np.testing.assert_array_equal(read(pad_to_aspect_ratio=True), [padded, padded.T])
    np.testing.assert_array_equal(read(crop_to_aspect_ratio=True), np.full((2, 8, 8), 200))
    np.testing.assert_array_equal(read(format=None, data_format="channels_last"), np.full((2, 8, 8), 200))
    for wrong in ({"format": "grain"}, {"data_format": "channels_first"}, {"pad_to_aspect_ratio": 3},
                  {"pad_to_aspect_ratio": True, "crop_to_aspect_ratio": True}):
        assert_good_error(lambda wrong=wrong: read(**wrong), ValueError, next(iter(wrong)))
    x = RNG.random((2, 4, 8, 3)).astype(np.float32)
    smart = smart_resize(x, (2, 2))
    assert isinstance(smart, np.ndarray) and smart.shape == (2, 2, 2, 3)
    np.testing.assert_allclose(smart, x[:, :, 2:6].reshape(2, 2, 2, 2, 2, 3).mean((2, 4)), rtol=1e-5)


def test_three_lines_train_a_network(folder: Path) -> None:
    data = utils.image_dataset_from_directory(folder, image_size=(8, 8), batch_size=5, label_mode="binary", seed=3)
    model = Sequential([layers.Rescaling(1 / 255), layers.Conv2D(4, 3, activation="relu"), layers.Flatten(),
                        layers.Dense(1, activation="sigmoid")])
    model.compile(optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    assert model.fit(data, epochs=30, verbose=0).history["accuracy"][-1] == 1
    assert model.evaluate(data, verbose=0)[1] == 1


@pytest.mark.parametrize("mode", ["categorical", "binary", "sparse", "input", None])
def test_flow_from_directory(mode: str | None, folder: Path) -> None:
    flow = ImageDataGenerator(rescale=1 / 255).flow_from_directory(
        folder, target_size=(8, 8), class_mode=mode, batch_size=4, shuffle=False)
    assert flow.class_indices == {"dark": 0, "light": 1} and flow.samples == 10 and flow.image_shape == (8, 8, 3)
    assert flow.classes.tolist() == [0] * 6 + [1] * 4 and flow.filenames[-1] == str(Path("light") / "inner" / "3.png")
    got = flow[1]
    x = got[0] if mode else got
    assert x.shape == (4, 8, 8, 3) and 0 <= x.min() <= x.max() <= 1
    if mode:
        wanted = {"categorical": [[1, 0], [1, 0], [0, 1], [0, 1]], "binary": [0, 0, 1, 1], "sparse": [0, 0, 1, 1]}
        assert got[1].tolist() == (x.tolist() if mode == "input" else wanted[mode])


def test_subsets_of_a_directory_have_all_classes(folder: Path) -> None:
    generator = ImageDataGenerator(validation_split=0.25)
    validation, training = (generator.flow_from_directory(folder, subset=subset, shuffle=False)
                            for subset in ("validation", "training"))
    assert validation.classes.tolist() == [0, 1] and training.samples == 8
    assert not set(validation.filepaths) & set(training.filepaths)
    assert_good_error(lambda: ImageDataGenerator().flow_from_directory(folder, subset="training"), ValueError,
                      "validation_split")
    assert_good_error(lambda: generator.flow_from_directory(folder, classes=["drak"]), ValueError, "drak", "dark")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        generator.flow_from_directory(folder / "nowhere")


def test_augmented_images_of_a_directory_train(folder: Path) -> None:
    flow = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True, rotation_range=5).flow_from_directory(
        folder, target_size=(8, 8), class_mode="binary", batch_size=5, seed=1)
    model = Sequential([layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    losses = model.fit(flow, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_flow_from_dataframe(folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    names = ["dark/0.png", "light/1.bmp", "dark/nothing.png", "light/2.jpg"]
    frame = pandas.DataFrame({"filename": names, "class": ["a", "b", "a", "b"], "size": [1.0, 2.0, 3.0, 4.0]})
    generator = ImageDataGenerator()
    options: dict[str, Any] = {"directory": folder, "target_size": (5, 5), "shuffle": False}
    with pytest.warns(UserWarning, match=r"1 of 4 rows name no image file.*nothing\.png"):
        flow = generator.flow_from_dataframe(frame, **options)
    assert flow.filenames == [names[0], names[1], names[3]]
    assert flow[0][1].tolist() == [[1, 0], [0, 1], [0, 1]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = generator.flow_from_dataframe(frame, y_col="size", class_mode="raw", weight_col="size", **options)
    assert raw[0][1].tolist() == raw[0][2].tolist() == [1, 2, 4]
    assert_good_error(lambda: generator.flow_from_dataframe(frame, x_col="file", **options), ValueError, "file",
                      "filename")
    assert flow.class_indices == {"a": 0, "b": 1}
