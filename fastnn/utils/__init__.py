"""Floor 5. Small helpers under the names of `keras.utils`: one-hot labels, a seed for all, unit vectors, data sets."""

import random
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn.arguments import whole
from fastnn.backend import clear_session, is_keras_tensor, standardize_dtype
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.feeding.pydataset import PyDataset
from fastnn.frames import entrances
from fastnn.ops import convert_to_tensor
from fastnn.preprocessing.batches import timeseries_dataset_from_array
from fastnn.preprocessing.directory import image_dataset_from_directory, text_dataset_from_directory
from fastnn.preprocessing.image import array_to_img, img_to_array, load_img, save_img
from fastnn.preprocessing.sequence import pad_sequences
from fastnn.registration import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from fastnn.reporting.interactive import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from fastnn.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from fastnn.utils._config import Config
from fastnn.utils._get_file import get_file
from fastnn.utils._graph import (
    get_source_inputs,
    model_to_dot,
)
from fastnn.utils._progbar import Progbar
from fastnn.utils._samples import (
    pack_x_y_sample_weight,
    unpack_x_y_sample_weight,
)
from fastnn.utils._splitting import (
    split_dataset,
    train_test_split,
)

Sequence = PyDataset        # its older name

CustomObjectScope = custom_object_scope

__all__ = [
    "Config",
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "train_test_split",
    "unpack_x_y_sample_weight",
]


def plot_model(model: Any, to_file: Any = "model.png", **options: Any) -> Any:
    """A picture of the model's layers, saved in to_file; see plotting.plot_model."""
    from fastnn.plotting import plot_model as draw
    return draw(model, to_file, **options)


def to_categorical(x: TensorLike, num_classes: int | None = None) -> Any:
    """Y[..., c] = 1 if c = x[...] else 0: class numbers as one-hot rows.

    x (...) or (..., 1), whole numbers 0 .. num_classes-1 -> (..., num_classes) float64, a tensor if x is one.
    `num_classes` is max(x) + 1 unless given. Source: keras.utils.to_categorical, which truncates fractions and counts
    negative labels from the end; here both are a ValueError.
    """
    labels = _labels(x)
    shape = labels.shape[:-1] if labels.ndim > 1 and labels.shape[-1] == 1 else labels.shape
    classes = _num_classes(labels, num_classes)
    if labels.size and labels.max() >= classes:
        raise ValueError(f"to_categorical: x holds the label {labels.max()}; with num_classes={classes} labels must be "
                         f"0 .. {classes - 1}; renumber the classes from 0, or pass num_classes={labels.max() + 1}")
    rows = np.zeros((labels.size, classes))
    rows[np.arange(labels.size), labels.reshape(-1)] = 1
    return _like(x, rows.reshape(*shape, classes))


def set_random_seed(seed: int) -> None:
    """Seed Python's `random`, NumPy's global generator and fastnn's own: the one call that makes a script repeatable.

    `seed` is an integer with 0 <= seed < 2**32, NumPy's range. Source: keras.utils.set_random_seed.
    """
    seed = whole(seed, "set_random_seed: seed", 0, 2 ** 32)
    from fastnn.random import set_seed

    random.seed(seed)
    np.random.seed(seed)
    set_seed(seed)


def normalize(x: TensorLike, axis: int | None = -1, order: float = 2) -> Any:
    """y = x / ||x||, the norm of the given order taken along `axis` (of all of x if None); zero vectors stay zero.

    x (...) -> (...), float32 stays float32, integers become float64, tensors tensors. Source: keras.utils.normalize,
    which for axis=0 divides along the last axis.
    """
    array = np.asarray(x)
    norm = np.linalg.norm(array, order, axis, keepdims=True)
    return _like(x, np.asarray(array / np.where(norm == 0, 1, norm).astype(norm.dtype)))


def _like(x: object, found: np.ndarray) -> Any:
    """An array, or of a tensor a tensor."""
    return convert_to_tensor(found) if isinstance(x, Tensor) else found


def _labels(x: TensorLike) -> npt.NDArray[np.int64]:
    """x as int64, if that loses nothing and no label is negative."""
    try:
        array = np.asarray(x)
        if array.dtype.kind not in "biufOUS":
            raise TypeError(f"dtype {array.dtype}")
        if array.dtype.kind in "OUS":
            array = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"to_categorical: x is not an array of numbers ({error}); it must hold whole numbers; "
                         f"turn class names into numbers first, e.g. by np.unique(x, return_inverse=True)") from error
    if array.dtype.kind == "f":
        whole = (array == np.floor(array)) & (np.abs(array) < 2.0**53)
        if not whole.all():
            raise ValueError(f"to_categorical: x holds {array[~whole][0]}; labels must be whole numbers; "
                             f"pass class numbers, not probabilities or measurements")
    labels = array.astype(np.int64)
    if labels.size and labels.min() < 0:
        raise ValueError(f"to_categorical: x holds the label {array.min()}; labels must not be negative; "
                         f"renumber the classes from 0, e.g. by np.unique(x, return_inverse=True)")
    return labels


def _num_classes(labels: npt.NDArray[np.int64], num_classes: int | None) -> int:
    if num_classes is None:
        if not labels.size:
            raise ValueError(f"to_categorical: x is empty, of shape {labels.shape}; the number of classes cannot be "
                             f"told from it; pass num_classes")
        return int(labels.max()) + 1
    return whole(num_classes, "to_categorical: num_classes")

entrances(sys.modules[__name__])
