"""Older files of Keras, HDF5 with the model in an attribute: read with their weights and optimizers, or refused."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers, models
from fastnn.errors import ModelFileError, ShapeError
from tests.errors import assert_good_error
from tests.golden.common import wave
from tests.golden.keras_models import MODELS, outputs

h5py = pytest.importorskip("h5py", reason="the extra keras-files is not installed")
NAMES = [name for name in MODELS if name != "words"]


@pytest.mark.parametrize("name", NAMES)
def test_an_older_model_of_keras(name: str, golden: Path) -> None:
    want = [np.load(path) for path in sorted(golden.glob(f"{name}.*.npy"))]
    model, same = models.load_model(golden / f"{name}.old.h5"), MODELS[name][0](fastnn)
    same.load_weights(golden / f"{name}.old.h5")
    for made in (model, same):
        for y, wanted in zip(outputs(made, MODELS[name][1]()), want, strict=True):
            np.testing.assert_allclose(y, wanted, rtol=2e-5, atol=2e-6)


def test_its_optimizer_goes_on(golden: Path) -> None:
    model, new = models.load_model(golden / "trained.old.h5"), models.load_model(golden / "trained.keras")
    assert int(model.optimizer.iterations) == 2 and model.loss == "mse"
    for one in (model, new):
        one.fit(MODELS["trained"][1](), wave(8, 1), epochs=1, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), new.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert models.load_model(golden / "trained.old.h5", compile=False).compiled is None


def written(path: Path, config: Any, training: Any, arrays: dict[str, list[np.ndarray]]) -> Path:
    """A file as Keras 2 wrote it: arrays by layer."""
    with h5py.File(path, "w") as made:
        made.attrs["model_config"] = json.dumps(config)
        if training:
            made.attrs["training_config"] = json.dumps(training)
        group = made.create_group("model_weights")
        group.attrs["layer_names0"] = [name.encode() for name in arrays]      # in pieces, as where it is long
        for name, values in arrays.items():
            names = [f"{name}/weight_{i}:0" for i in range(len(values))]
            group.create_group(name).attrs["weight_names"] = [each.encode() for each in names]
            for each, value in zip(names, values):
                group[name][each] = value
    return path


def entry(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"trainable": True, "dtype": "float32", **config}}


CONFIG = {"class_name": "Sequential", "config": {"name": "old", "layers": [
    entry("Conv2D", name="c", batch_input_shape=[None, 5, 5, 2], filters=3, kernel_size=[3, 3], groups=1,
          kernel_initializer={"class_name": "GlorotUniform", "config": {"seed": None}}),
    entry("BatchNormalization", name="b", axis=[3], momentum=0.9), entry("Dropout", name="p", rate=0.5, seed=None),
    entry("Flatten", name="f"), entry("Dense", name="d", units=2, activation="softmax")]}}
TRAINING = {"loss": {"class_name": "SparseCategoricalCrossentropy", "config": {
    "reduction": "auto", "name": "s", "from_logits": False, "fn": "sparse_categorical_crossentropy"}},
    "metrics": ["accuracy"], "weighted_metrics": None, "loss_weights": None, "optimizer_config": {
        "class_name": "Custom>Adam", "config": {"name": "Adam", "learning_rate": 0.25, "decay": 0.0, "beta_1": 0.9,
                                                "jit_compile": True, "is_legacy_optimizer": False}}}
ARRAYS = {"c": [wave(3, 3, 2, 3), wave(3)], "b": [wave(3) + 1, wave(3), wave(3, phase=1), np.abs(wave(3)) + 0.5],
          "p": [], "f": [], "d": [wave(27, 2), wave(2)]}


@pytest.mark.filterwarnings("error")
def test_the_words_of_keras_2_are_read(tmp_path: Path) -> None:
    model = models.load_model(written(tmp_path / "m.h5", CONFIG, TRAINING, ARRAYS))
    new = Sequential([Input((5, 5, 2)), layers.Conv2D(3, 3), layers.BatchNormalization(), layers.Dropout(0.5),
                      layers.Flatten(), layers.Dense(2, activation="softmax")])
    new.set_weights([each for values in ARRAYS.values() for each in values])
    x = wave(4, 5, 5, 2)
    np.testing.assert_array_equal(model.predict(x, verbose=0), new.predict(x, verbose=0))
    assert model.optimizer.learning_rate == 0.25 and len(model.evaluate(x, np.array([0, 1, 1, 0]), verbose=0)) == 2
    plain = models.load_model(written(tmp_path / "n.h5", CONFIG, None, ARRAYS))
    assert plain.compiled is None


def test_what_it_was_compiled_with_may_be_unknown(tmp_path: Path) -> None:
    training = {**TRAINING, "loss": "my_own_loss"}
    with pytest.warns(UserWarning, match="my_own_loss"):
        model = models.load_model(written(tmp_path / "m.h5", CONFIG, training, ARRAYS))
    assert model.compiled is None and model.built


def test_older_files_that_do_not_fit_or_are_damaged(golden: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "m.h5", CONFIG, None, ARRAYS)
    small = Sequential([Input((3,)), layers.Dense(2)])
    assert_good_error(lambda: small.load_weights(path), ShapeError, "3 layers", "has 1", unchanged=small)
    wrong = written(tmp_path / "w.h5", CONFIG, None, {**ARRAYS, "d": [wave(27, 3), wave(2)]})
    assert_good_error(lambda: models.load_model(wrong), ShapeError, "(27, 3)", "(27, 2)")
    model = models.load_model(path)
    with pytest.warns(UserWarning, match="stay as they are"):
        model.load_weights(wrong, skip_mismatch=True)
    for config in ("3", "{", "[" * 99999, "[" * 600 + "]" * 600,
                   '{"class_name": "os.system", "config": {}}', '{"class_name": "Sequential"}'):
        shutil.copy(path, tmp_path / "d.h5")
        with h5py.File(tmp_path / "d.h5", "a") as file:
            file.attrs["model_config"] = np.bytes_(config) if len(config) < 9999 else config[:60000]
        assert_good_error(lambda: models.load_model(tmp_path / "d.h5"), ValueError)
    whole = (golden / "dense.old.h5").read_bytes()
    at, draw = whole.find(b'{"class_name"'), random.Random(1)
    for _ in range(60):
        place = at + draw.randrange(1500)
        (tmp_path / "d.h5").write_bytes(whole[:place] + draw.randbytes(1) + whole[place + 1:])
        try:
            models.load_model(tmp_path / "d.h5")
        except ValueError as error:
            assert not isinstance(error, UnicodeError), error
    shutil.copy(path, tmp_path / "l.h5")
    with h5py.File(tmp_path / "l.h5", "a") as file:
        del file["model_weights/d"]
        file["model_weights/d"] = h5py.ExternalLink("m.h5", "model_weights/d")
    assert_good_error(lambda: models.load_model(tmp_path / "l.h5"), ModelFileError, "link")
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file.attrs["other"] = 1
    assert_good_error(lambda: models.load_model(tmp_path / "e.h5"), ModelFileError, "without a model")
    assert_good_error(lambda: models.load_model(golden / "dense.h5"), ModelFileError, "load_weights(path)")
