"""Values that JSON has no word for as Keras writes them: {"class_name": "__numpy__", "config": {…}}. Ground floor."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.arguments import shape
from fastnn.errors import KindError, shown

NUMBERS = "biuf"        # kinds of dtypes: bool, whole, and with fractions


def written(value: Any, where: str, plain: Callable[[Any, str], Any]) -> Any:
    """The dict for a value that JSON has no word for; None for another. plain: what writes the parts of a slice."""
    if value is Ellipsis:
        return _value("ellipsis")
    if isinstance(value, bytes):
        try:
            return _value("bytes", value=value.decode())
        except UnicodeDecodeError:
            raise KindError(f"{where} is {shown(value)}, bytes that are no text in UTF-8; needs an array of uint8."
                            ) from None
    if isinstance(value, slice):
        return _value("slice", **{key: plain(getattr(value, key), where) for key in ("start", "stop", "step")})
    if getattr(value, "symbolic", False):
        return _value("keras_tensor", shape=list(value.shape), dtype=value.dtype, keras_history=None)
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind not in NUMBERS:
            raise KindError(f"{where} is an array of {array.dtype}; needs numbers, or a list.")
        if isinstance(value, np.ndarray) and not array.ndim:
            return array.item()
        return _value("numpy" if isinstance(value, np.ndarray) else "tensor", value=array.tolist(),
                      dtype=array.dtype.name)
    return None


def _value(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": f"__{kind}__", "config": config}


def part(config: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    """What a configuration has under a key. KindError, naming `where`, for what is not there or of another type."""
    needed = " or ".join(each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,)))
    if not isinstance(config, dict):
        raise KindError(f"{where}: the configuration is {shown(config)}; needs a dict with {key!r}.")
    if key not in config:
        raise KindError(f"{where}: the configuration {shown(config)} has no {key!r}; needs one, a {needed}.")
    if not isinstance(config[key], kind):
        raise KindError(f"{where}: {key!r} of the configuration is {shown(config[key])}; needs a {needed}.")
    return config[key]


def read(name: str, inner: dict[str, Any], revived: Callable[[Any], Any]) -> Any:
    """The value of such a dict, or the dtype of a DTypePolicy of Keras'. revived: what reads the parts of a slice."""
    where = f"deserialize: {name}"
    if name == "DTypePolicy":
        return part(inner, "name", str, where)
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__bytes__":
        return part(inner, "value", str, where).encode()
    if name == "__slice__":
        return slice(*(revived(inner.get(key)) for key in ("start", "stop", "step")))
    if name == "__keras_tensor__":
        return _tensor(None, shape=shape(part(inner, "shape", (list, tuple), where), where),
                       dtype=part(inner, "dtype", str, where))
    if name not in ("__numpy__", "__tensor__"):
        raise ValueError(f"deserialize: got {shown(name)}; nothing in a file is run, so a lambda is none that can be "
                         f"read.\nName your function, and register it.")
    value, dtype = part(inner, "value", object, where), part(inner, "dtype", str, where)
    try:
        if np.dtype(dtype).kind not in NUMBERS:     # "V999999999" would take as many bytes a number
            raise TypeError
        array = np.array(value, dtype)
    except (TypeError, ValueError, OverflowError):
        raise KindError(f"{where}: there is no array of {shown(value)} and dtype {shown(dtype)}; needs numbers, as "
                        "many in each row, and a dtype of numbers.") from None
    return _tensor(array) if name == "__tensor__" else array


def _tensor(*args: Any, **kwargs: Any) -> Any:
    """A Tensor, of a floor above."""
    return importlib.import_module("fastnn.engine.tensor").Tensor(*args, **kwargs)
