"""Files of Keras are read, weights and predictions equal, and written so that Keras reads them (tests/golden)."""

import io
import json
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Model, layers, models, ops
from fastnn.errors import ModelFileError, ShapeError
from fastnn.saving import hdf5, keras_files
from tests.errors import assert_good_error
from tests.golden.common import wave
from tests.golden.keras_models import MODELS, filled, outputs

h5py = pytest.importorskip("h5py", reason="the extra keras-files is not installed")


def predicted(golden: Path, name: str) -> list[np.ndarray]:
    return [np.load(path) for path in sorted(golden.glob(f"{name}.*.npy"))]


def close(model: Any, golden: Path, name: str) -> None:
    for y, want in zip(outputs(model, MODELS[name][1]()), predicted(golden, name), strict=True):
        np.testing.assert_allclose(y, want, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_keras(name: str, golden: Path) -> None:
    model = models.load_model(golden / f"{name}.keras")
    close(model, golden, name)
    if name != "trained":
        for w, want in zip(model.get_weights(), filled(MODELS[name][0](fastnn)).get_weights(), strict=True):
            np.testing.assert_array_equal(w, want)


@pytest.mark.parametrize("name", MODELS)
def test_weights_of_keras(name: str, golden: Path) -> None:
    for file in (f"{name}.h5", f"{name}.keras"):
        model = MODELS[name][0](fastnn)
        model.load_weights(golden / file)
        close(model, golden, name)


def test_the_optimizer_of_keras_goes_on(golden: Path) -> None:
    model = models.load_model(golden / "trained.keras")
    assert int(model.optimizer.iterations) == 2 and model.optimizer.name == "adam"
    assert np.abs(model.optimizer.variables[2].numpy()).max() > 0
    assert model.loss == "mse" and model.compiled.metrics == ["mae"]
    assert models.load_model(golden / "trained.keras", compile=False).compiled is None


@pytest.mark.parametrize("name", MODELS)
def test_what_is_written_is_read(name: str, golden: Path, tmp_path: Path) -> None:
    model = filled(MODELS[name][0](fastnn))
    if name == "trained":
        model.fit(MODELS[name][1](), wave(8, 1), epochs=2, verbose=0)
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras")
    for a, b in zip(outputs(model, MODELS[name][1]()), outputs(again, MODELS[name][1]()), strict=True):
        np.testing.assert_array_equal(a, b)
    if name == "trained":
        for a, b in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    model.save_weights(tmp_path / "m.weights.h5")
    other = MODELS[name][0](fastnn)
    other.load_weights(tmp_path / "m.weights.h5")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights()))


@pytest.mark.parametrize("name", MODELS)
def test_the_places_are_those_of_keras(name: str, golden: Path) -> None:
    """Every weight that Keras has written has a place here, and the other way round."""
    found: set[str] = set()
    with h5py.File(golden / f"{name}.h5") as groups:
        groups.visititems(lambda path, item: found.add(path) if isinstance(item, h5py.Dataset) else None)
    written = {path for path in found if not path.startswith("optimizer/")}
    with h5py.File(io.BytesIO(keras_files.weights_file(filled(MODELS[name][0](fastnn)), False))) as groups:
        ours: set[str] = set()
        groups.visititems(lambda path, item: ours.add(path) if isinstance(item, h5py.Dataset) else None)
    assert ours == written


class Own(Model):
    """Layers in attributes, a list and a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Dense(3)
        self.blocks = [layers.Dense(3), layers.Dense(3)]
        self.heads = {"a": layers.Dense(2)}
        self.scale = self.add_weight((), "ones")

    def call(self, x: Any) -> Any:
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return ops.multiply(self.heads["a"](x), self.scale)


def test_weights_of_a_subclass(tmp_path: Path) -> None:
    model, other = Own(), Own()
    for each in (model, other):
        each(np.zeros((1, 4), np.float32))
    filled(model).save_weights(tmp_path / "own.weights.h5")
    other.load_weights(tmp_path / "own.weights.h5")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights(), strict=True))
    with h5py.File(tmp_path / "own.weights.h5") as groups:
        assert {"first", "blocks", "heads", "vars"} == set(groups) and set(groups["blocks"]) == {"dense", "dense_1"}


def test_what_has_no_place_in_a_keras_file(tmp_path: Path) -> None:
    x = layers.Input((3,))
    model = Model(x, ops.add(layers.Dense(3)(x), x))
    assert_good_error(lambda: model.save(tmp_path / "m.keras"), ValueError, "'add'", "needs layers")
    assert not (tmp_path / "m.keras").exists()
    with pytest.warns(UserWarning, match="fastnn's own format"):
        model.save(tmp_path / "m.h5")
    models.load_model(tmp_path / "m.h5")


def test_without_h5py(golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.setattr(hdf5, "available", lambda: False)
    model = filled(MODELS["trained"][0](fastnn))
    for save, name in ((model.save, "m.keras"), (model.save_weights, "m.weights.h5")):
        with pytest.warns(UserWarning, match=r"own format, as h5py is not installed \(pip install"):
            save(tmp_path / name)
    assert np.array_equal(models.load_model(tmp_path / "m.keras").get_weights()[0], model.get_weights()[0])
    model.load_weights(tmp_path / "m.weights.h5")
    assert_good_error(lambda: models.load_model(golden / "trained.keras"), ImportError, "fastnn[keras-files]")
    assert_good_error(lambda: model.load_weights(golden / "trained.h5"), ImportError, "fastnn[keras-files]")


def test_weights_that_do_not_fit(golden: Path) -> None:
    wide = fastnn.Sequential([fastnn.Input((6,)), layers.Dense(5), layers.Dense(1)])
    assert_good_error(lambda: wide.load_weights(golden / "trained.h5"), ShapeError, "skip_mismatch", unchanged=wide)
    with pytest.warns(UserWarning, match="stay as they are"):
        wide.load_weights(golden / "trained.h5", skip_mismatch=True)
    assert_good_error(lambda: models.load_model(golden / "trained.h5"), ModelFileError, "load_weights")


def test_damaged_and_hostile_files(golden: Path, tmp_path: Path) -> None:
    """Refused by name: links, external data, bombs, other classes, cut and changed bytes."""
    whole = (golden / "trained.keras").read_bytes()
    path = tmp_path / "bad.keras"
    rng = np.random.default_rng(0)
    for i in range(300):
        bad = bytearray(whole)
        if i % 3 == 0:
            bad = bad[:int(rng.integers(4, len(bad)))]
        else:
            for _ in range(int(rng.integers(1, 20))):
                bad[int(rng.integers(4, len(bad)))] = int(rng.integers(256))
        path.write_bytes(bad)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                models.load_model(path)
        except (ModelFileError, ShapeError, ValueError):
            pass

    def changed(config: Any = None, weights: Any = None) -> Path:
        with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            new.writestr("config.json", json.dumps(config) if config is not None else old.read("config.json"))
            new.writestr("model.weights.h5", weights if weights is not None else old.read("model.weights.h5"))
        return path

    for config in ({"class_name": "os.system", "module": "os", "config": "ls"}, [], 3,
                   {"class_name": "Sequential", "module": "keras", "config": {"name": "s", "layers": [
                       {"class_name": "Lambda", "module": "keras.layers", "config": {"function": {
                           "class_name": "__lambda__", "config": {"code": "4wE="}}}}]}}):
        with pytest.raises((ModelFileError, ValueError, TypeError)):
            models.load_model(changed(config))
    with pytest.raises(ModelFileError, match="more than"):
        models.load_model(changed(weights=b"\0" * (1 << 28)))

    def hostile(make: Any) -> bytes:
        made = io.BytesIO(zipfile.ZipFile(io.BytesIO(whole)).read("model.weights.h5"))
        with h5py.File(made, "r+") as groups:
            name = "layers/dense/vars/0"
            shape = groups[name].shape
            del groups[name]
            make(groups, name, shape)
        return made.getvalue()

    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.ones(24, np.float32).tobytes())
    for make, word in (
            (lambda g, n, s: g.__setitem__(n, h5py.ExternalLink(str(golden / "dense.h5"), "/vars/0")), "link"),
            (lambda g, n, s: g.__setitem__(n, h5py.SoftLink("/layers/dense_1/vars/0")), "link"),
            (lambda g, n, s: g.create_dataset(n, s, "f4", external=[(str(secret), 0, 96)]), "no plain array"),
            (lambda g, n, s: g.create_dataset(n, (1 << 40,), "f4", chunks=(1024,)), "do not fit"),
            (lambda g, n, s: g.__setitem__(n, np.array([b"x"] * 3)), "no plain array")):
        with pytest.raises((ModelFileError, ShapeError), match=word):
            models.load_model(changed(weights=hostile(make)))


def test_a_damaged_optimizer_is_a_damaged_file(golden: Path, tmp_path: Path) -> None:
    """What h5py raises where it unpacks a slot of the optimizer, after the weights are read."""
    made, path = io.BytesIO(), tmp_path / "bad.keras"
    with zipfile.ZipFile(golden / "trained.keras") as old:
        made.write(old.read("model.weights.h5"))
        with h5py.File(made, "r+") as groups:
            slot = groups["optimizer/vars/2"][...]
            del groups["optimizer/vars/2"]
            packed = groups.create_dataset("optimizer/vars/2", data=slot, chunks=slot.shape, compression="gzip")
            groups.flush()
            place = packed.id.get_chunk_info(0).byte_offset
        made.seek(place)
        made.write(b"\xff" * 4)
        with zipfile.ZipFile(path, "w") as new:
            new.writestr("config.json", old.read("config.json"))
            new.writestr("model.weights.h5", made.getvalue())
    assert_good_error(lambda: models.load_model(path), ModelFileError, "h5py cannot read", "damaged")
    assert models.load_model(path, compile=False).built


def test_what_the_model_does_decides_not_what_keras_wrote(tmp_path: Path) -> None:
    """Keras writes each layer's default of `training` into its calls and goes by the model's own."""
    x = fastnn.Input((50,))
    fastnn.Model(x, fastnn.layers.Dropout(0.5)(x)).save(tmp_path / "ours.keras")
    with zipfile.ZipFile(tmp_path / "ours.keras") as ours, zipfile.ZipFile(tmp_path / "theirs.keras", "w") as theirs:
        for name in ours.namelist():
            content = ours.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["layers"][1]["inbound_nodes"][0]["kwargs"] = {"training": False}
                content = json.dumps(config).encode()
            theirs.writestr(name, b'{"keras_version": "3.15.1"}' if name == "metadata.json" else content)
    model, data = fastnn.models.load_model(tmp_path / "theirs.keras"), np.ones((4, 50), "float32")
    assert (model(data, training=True).numpy() == 0).any() and (model.predict(data, verbose=0) == 1).all()
    always = fastnn.Model(x, fastnn.layers.Dropout(0.5)(x, training=True))
    always.save(tmp_path / "always.keras")
    assert (fastnn.models.load_model(tmp_path / "always.keras").predict(data, verbose=0) == 0).any()
