"""What a model does with files: saved and loaded, pickled, as text; and what it was compiled with. Floor 4."""

import importlib
import inspect
import json
import os
from typing import Any

from fastnn.errors import warn
from fastnn.frames import entrance
from fastnn.serialization import plain, revived, serialize_keras_object

LOSSES = ("loss", "loss_weights", "metrics", "weighted_metrics")


class InFiles:
    """Base of models: files, and compile() as plain data."""

    @entrance
    def save(self, filepath: "str | os.PathLike[str]", overwrite: bool = True, *, include_optimizer: bool = True
             ) -> None:
        """Write the model, its weights and what it is compiled with to a file, which models.load_model reads; see
        saving.save_model."""
        _saving().save_model(self, filepath, overwrite, include_optimizer)

    @entrance
    def save_weights(self, filepath: "str | os.PathLike[str]", overwrite: bool = True, *,
                     objects_to_skip: Any = None) -> None:
        """Write the weights alone to a file, but those of some layers or variables."""
        _saving().save_weights(self, filepath, overwrite, objects_to_skip)

    @entrance
    def load_weights(self, filepath: "str | os.PathLike[str]", skip_mismatch: bool = False, *,
                     objects_to_skip: Any = None) -> None:
        """Take the weights of a file of save_weights or save. ShapeError where they do not fit, before anything
        changes; with skip_mismatch those that do not fit stay, and are named in a warning."""
        _saving().load_weights(self, filepath, skip_mismatch, objects_to_skip)

    def __reduce__(self) -> Any:
        """For pickle, copy.deepcopy and joblib: as save() and load_model."""
        pickling = importlib.import_module("fastnn.saving.pickling")
        return pickling.unpacked, pickling.packed(self)

    def to_json(self, **kwargs: Any) -> str:
        """The model without weights as JSON text, which models.model_from_json reads; kwargs: of json.dumps."""
        return json.dumps(serialize_keras_object(self), **kwargs)

    # ---- what compile() was given -----------------------------------------------------------------------------

    def get_compile_config(self) -> dict[str, Any]:
        """What compile() was given as plain data, empty before. A subclass with a compile() of its own adds its
        arguments, and reads them in compile_from_config. ValueError for what has no name to write down."""
        model: Any = self
        if model.compiled is None:
            return {}
        given = {name: plain(getattr(model.compiled, name), f"compile(): {name}") for name in LOSSES}
        return {"optimizer": serialize_keras_object(model.optimizer), "run_eagerly": model.run_eagerly,
                "steps_per_execution": model.steps_per_execution, **given}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with what get_compile_config() gave. A compile() of a subclass that takes other arguments is left out
        with a warning. Source: keras.Model.compile_from_config."""
        compile: Any = self.compile  # type: ignore[attr-defined]
        known = {"optimizer": "rmsprop", **dict.fromkeys(LOSSES), "run_eagerly": False, "steps_per_execution": 1}
        given = {name: config.get(name, default) for name, default in known.items()}
        try:
            inspect.signature(compile).bind(**given)
        except TypeError as error:
            warn(f"{type(self).__name__}: its own compile() was not called, as it does not take what fit needs: "
                 f"{error}.\nCompile the model after loading, or define get_compile_config() and "
                 "compile_from_config(config).")
            return
        compile(**{name: revived(value) for name, value in given.items()})


def _saving() -> Any:
    """saving/, a floor above: reached for when a file is asked for."""
    return importlib.import_module("fastnn.saving")
