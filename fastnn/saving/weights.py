"""Weights alone to files and back. Floor 5."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.engine.tensor import Variable
from fastnn.errors import KindError, NotBuiltError, ShapeError, shown, warn
from fastnn.layers.layer import Layer
from fastnn.saving import file, hdf5, keras_files, legacy_h5


def save_weights(model: Any, filepath: str | os.PathLike[str], overwrite: bool = True,
                 objects_to_skip: Sequence[Any] | None = None) -> None:
    """Write the weights alone, but those of objects_to_skip, layers or variables; a name that ends in .weights.h5 is a
    file of Keras, where h5py is there. Source: keras.Model.save_weights, keras.saving.save_weights."""
    check_free(filepath, overwrite)
    check_built(model, "save_weights")
    skipped = _skipped(objects_to_skip, "save_weights")
    if is_keras(filepath, ".weights.h5", (".keras", ".h5", ".hdf5")):
        keras_files.write_weights(filepath, model, skipped)
        return
    file.write(filepath, {f"weights/{i}": v.numpy() for i, v in enumerate(model.weights) if id(v) not in skipped},
               {"weights": [v.name for v in model.weights]})


def load_weights(model: Any, filepath: str | os.PathLike[str], skip_mismatch: bool = False,
                 objects_to_skip: Sequence[Any] | None = None) -> None:
    """Put the weights of a file, of save_weights or of save, or of Keras', into a model of the same structure.

    skip_mismatch: leave weights of another shape as they are, with a warning that names them. objects_to_skip: layers
    or variables that stay as they are, whatever the file has. ShapeError otherwise, before anything changes.
    Source: keras.Model.load_weights.
    """
    check_built(model, "load_weights")
    skipped = _skipped(objects_to_skip, "load_weights")
    kind = keras_files.kind_of(filepath) if os.path.isfile(filepath) else ""
    if not kind:
        put_weights(model, file.read(filepath)[0], filepath, skip_mismatch, skipped)
        return
    if kind == "h5" and legacy_h5.is_legacy(filepath):
        left = legacy_h5.put_weights(model, filepath, skip_mismatch, skipped)
    else:
        opened = keras_files.read_model(filepath)[1] if kind == "keras" else None
        left = keras_files.put_weights(model, filepath, skip_mismatch, opened, skipped)
    _warn_left(filepath, left)


def put_weights(model: Any, arrays: dict[str, np.ndarray], filepath: Any, skip_mismatch: bool = False,
                skipped: frozenset[int] = frozenset()) -> None:
    """Give the model those of these arrays that are weights/0, weights/1, …, but those that are skipped."""
    found = {place: array for name, array in arrays.items() if (place := _place(name)) >= 0}
    own = [(v, found.get(i)) for i, v in enumerate(model.weights) if id(v) not in skipped]
    missing = [v.name for v, array in own if array is None]
    wrong = [v.name for v, array in own if array is not None and v.shape != array.shape]
    more = [place for place in found if place >= len(model.weights)]
    if (missing or wrong or more) and not skip_mismatch:
        shapes = [found[place].shape for place in sorted(found)]
        raise ShapeError(f"load_weights(): the file has {len(found)} weights and {model.name} {len(own)}; {len(wrong)} "
                         f"differ in shape.\nThe file {shown(str(filepath))} has {shown(shapes)}, the model "
                         f"{shown([v.shape for v, _ in own])}. Make the same layers in the same order, or pass "
                         "skip_mismatch=True.")
    _warn_left(filepath, wrong + missing)
    for v, array in own:
        if array is not None and v.shape == array.shape:
            v.assign(array)


def _warn_left(filepath: Any, left: list[str]) -> None:
    if left:
        warn(f"load_weights(): {len(left)} weights are not in {shown(str(filepath))} or have another shape there, and "
             f"stay as they are: {shown(left)}.")


def _skipped(objects: Any, where: str) -> frozenset[int]:
    """The ids of the variables of these objects. TypeError for what is no layer or variable."""
    if objects is None:
        return frozenset()
    found: set[int] = set()
    for each in objects if isinstance(objects, (list, tuple, set, frozenset)) else [objects]:
        if not isinstance(each, (Layer, Variable)):
            raise KindError(f"{where}(): objects_to_skip has {shown(each)}; needs layers or variables.")
        found.update(map(id, each.weights if isinstance(each, Layer) else [each]))
    return frozenset(found)


def _place(name: str) -> int:
    """The number of a weight; -1 for what is none."""
    kind, _, number = name.rpartition("/")
    return int(number) if kind == "weights" and number.isdigit() else -1


def is_keras(filepath: Any, ending: str, others: tuple[str, ...]) -> bool:
    """Whether a file of this name is to be one of Keras; a word where its name says so and it is not."""
    name = os.fspath(filepath)
    if name.endswith(ending) and hdf5.available():
        return True
    if name.endswith((ending, *others)):
        why = "h5py is not installed (pip install 'fastnn[keras-files]')" if name.endswith(ending) else (
            f"Keras' files end in {ending} here")
        warn(f"{shown(name)} holds fastnn's own format, as {why}; fastnn reads it whatever its name.")
    return False


def check_built(model: Any, what: str) -> None:
    """NotBuiltError for a model without weights."""
    if not model.weights and not model.built:
        raise NotBuiltError(f"{what}(): {model.name} has no weights yet, because its input shape is not known. Add an "
                            "Input, call it on data, or fit it first.")


def check_free(filepath: Any, overwrite: bool) -> None:
    """FileExistsError where a file is not to be written over."""
    if not overwrite and Path(filepath).exists():
        raise FileExistsError(f"{shown(str(filepath))} is there already, and overwrite is False; choose another name.")
