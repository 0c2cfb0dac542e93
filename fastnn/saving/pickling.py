"""Models for pickle, copy.deepcopy and joblib: the bytes of a saved model. Floor 5.

Only what `save_model` writes is in them, and the user's own classes, which pickle finds by their names as it does all
classes. To hand models to others, save them: a pickle runs what its author wants.
"""

import tempfile
from pathlib import Path
from typing import Any

from fastnn.registration import get_registered_name
from fastnn.saving.models import load_model, save_model
from fastnn.serialization import deserialize_keras_object, serialize_keras_object


def packed(model: Any) -> tuple[Any, dict[str, type]]:
    """(the file's bytes, or the description of a model that has no weights yet; the user's own classes by name)."""
    own = {get_registered_name(type(each)): type(each) for each in model._with_sublayers()
           if type(each).__module__.partition(".")[0] != "fastnn"}
    if not model.built and not model.weights:
        return serialize_keras_object(model), own
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_model(model, path)
        return path.read_bytes(), own


def unpacked(content: Any, own: dict[str, type]) -> Any:
    """The model of `packed`."""
    if isinstance(content, dict):
        return deserialize_keras_object(content, own)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        path.write_bytes(content)
        return load_model(path, own)
