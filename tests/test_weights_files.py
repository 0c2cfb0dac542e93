"""Files of weights alone, in fastnn's format and in Keras': all of them, or all but those of some objects."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastnn import Input, Sequential, layers, saving
from fastnn.errors import ShapeError
from tests.errors import assert_good_error

ENDINGS = [".fnn", ".weights.h5"]


def network(units: int = 4) -> Any:
    return Sequential([Input((3,)), layers.Dense(units), layers.BatchNormalization(), layers.Dense(2)])


def equal(a: Any, b: Any) -> list[bool]:
    return [np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True)]


def path(folder: Path, ending: str) -> Path:
    if ending == ".weights.h5":
        pytest.importorskip("h5py")
    return folder / f"a{ending}"


def moved() -> Any:
    """A network none of whose weights is what a new one has."""
    model = network()
    model.set_weights([w + 1 + np.arange(w.size).reshape(w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("ending", ENDINGS)
def test_some_objects_are_left_out_of_a_file(ending: str, tmp_path: Path) -> None:
    model, other = moved(), network()
    file = path(tmp_path, ending)
    model.save_weights(file, objects_to_skip=[model.layers[0]])
    before = other.get_weights()
    assert_good_error(lambda: other.load_weights(file), ShapeError, "load_weights", unchanged=other)
    other.load_weights(file, objects_to_skip=[other.layers[0]])
    assert equal(model, other) == [False] * 2 + [True] * 6
    assert all(np.array_equal(a, b) for a, b in zip(before[:2], other.get_weights()))
    with pytest.warns(UserWarning, match="2 weights are not in"):
        network().load_weights(file, skip_mismatch=True)


@pytest.mark.parametrize("ending", ENDINGS)
def test_some_objects_stay_as_they_are(ending: str, tmp_path: Path) -> None:
    model, file = moved(), path(tmp_path, ending)
    saving.save_weights(model, file)
    other = network()
    saving.load_weights(other, file, objects_to_skip=[other.layers[1], other.layers[2].bias])
    assert equal(model, other) == [True] * 2 + [False] * 4 + [True, False]
    wider = Sequential([Input((3,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(5)])
    assert_good_error(lambda: wider.load_weights(file), ShapeError, "load_weights", unchanged=wider)
    wider.load_weights(file, objects_to_skip=[wider.layers[2]])      # another head
    assert [np.array_equal(a, b) for a, b in zip(model.get_weights()[:6], wider.get_weights())] == [True] * 6


def test_they_stay_where_an_older_file_is_read(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    model, other, file = moved(), network(), tmp_path / "older.h5"
    with h5py.File(file, "w") as groups:
        groups.attrs["layer_names"] = [layer.name for layer in model.layers]
        for layer in model.layers:
            group = groups.create_group(layer.name)
            group.attrs["weight_names"] = [str(i) for i in range(len(layer.weights))]
            for i, weight in enumerate([*layer.trainable_weights, *layer.non_trainable_weights]):
                group[str(i)] = weight.numpy()
    other.load_weights(file, objects_to_skip=[other.layers[0]])
    assert equal(model, other) == [False] * 2 + [True] * 6


def test_what_is_no_object_of_a_model(tmp_path: Path) -> None:
    model = network()
    for save in (True, False):
        call = model.save_weights if save else model.load_weights
        assert_good_error(lambda call=call: call(tmp_path / "a.fnn", objects_to_skip=["dense"]), TypeError,
                          "objects_to_skip", "'dense'", "layers or variables")
    assert not (tmp_path / "a.fnn").exists()
    assert_good_error(lambda: model.save_weights(tmp_path / "a.fnn", max_shard_size=1), TypeError, "max_shard_size")
