"""Objects as plain data and back: {"module", "class_name", "config", "registered_name"}, Keras' form. Ground floor.

Reading such a dict imports and runs nothing of its own choice: a class is one of fastnn's public ones, one that
`register_keras_serializable` was told of, or one that the caller names.
"""

import contextlib
import functools
import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastnn import values
from fastnn.errors import KindError, nearest, shown
from fastnn.names import snake_case
from fastnn.registration import (
    custom_object_scope,
    get_registered_name,
    get_registered_object,
    registered,
    scopes,
)
from fastnn.values import part

# Where public classes and functions live: the closed table of what a configuration may name.
KINDS = ("layers", "models", "losses", "metrics", "optimizers", "optimizers.schedules", "regularizers", "initializers",
         "constraints", "activations", "random")
FUNCTIONS = ("activations", "losses", "metrics", "ops")
BUILT_IN = ("", "fastnn", "keras", "builtins", "tf_keras", "tensorflow")     # who writes the names of these classes
REGISTER = ("A class or function of your own is found when it is registered, by "
            "@fastnn.utils.register_keras_serializable(), or in custom_objects.")
_live: list[bool] = []                  # keeping_functions


# ---- to plain data --------------------------------------------------------------------------------------------------


def plain(value: Any, where: str, by_name: bool = False) -> Any:
    """The value as plain data. by_name: a function of fastnn is its name, as its constructors take it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return (tuple if isinstance(value, tuple) else list)(plain(item, where, by_name) for item in value)
    if isinstance(value, dict):
        return {str(key): plain(item, where, by_name) for key, item in value.items()}
    if isinstance(value, np.dtype) or (inspect.isclass(value) and issubclass(value, np.generic)):
        return np.dtype(value).name
    special = values.written(value, where, plain)
    if special is not None:
        return special
    if hasattr(value, "get_config"):
        return value._copied() if _live and hasattr(value, "_copied") else serialize_keras_object(value)
    if callable(value):
        return value if _live else _named(value, where, by_name)
    raise KindError(f"{where} is {shown(value)}; needs what can be written down: numbers, text, lists, layers, or a "
                    "get_config() of its own.")


@contextlib.contextmanager
def keeping_functions() -> Iterator[None]:
    """In the `with` block a config is for a copy in this process: functions stay themselves, objects are copied."""
    _live.append(True)
    try:
        yield
    finally:
        _live.pop()


def _named(function: Any, where: str, by_name: bool) -> Any:
    """A function by name: one of fastnn's, a registered one, or the user's own."""
    own = getattr(function, "__name__", "")
    for kind in FUNCTIONS:
        if _table(kind).get(own) is function:
            return own if by_name and kind == "activations" else _dict(f"fastnn.{kind}", "function", own, None)
    name = get_registered_name(function)
    if name in registered or any(function is known for scope in scopes for known in scope.values()):
        return _dict(None, "function", own or name, name)
    module = getattr(function, "__module__", None) or ""
    if not own.isidentifier() or not inspect.isroutine(function) or module.partition(".")[0] in BUILT_IN:
        raise ValueError(f"{where} is {shown(function)}; needs a name to write down.\nRegister your function: "
                         "@fastnn.utils.register_keras_serializable().")
    return _dict(module, "function", own, own)      # whoever reads it names the function in custom_objects


def _dict(module: str | None, class_name: str, config: Any, registered_name: str | None) -> dict[str, Any]:
    return {"module": module, "class_name": class_name, "config": config, "registered_name": registered_name}


def serialize_keras_object(obj: Any) -> Any:
    """An object as {"module", "class_name", "config", "registered_name"}; what is plain data stays that.

    A layer that is built has its input shape in "build_config" too.
    """
    if not hasattr(obj, "get_config") or inspect.isclass(obj):
        return plain(obj, "serialize_keras_object: obj")
    cls = type(obj)
    kind = _kind(cls)
    config = obj.get_config()
    if not isinstance(config, dict):
        raise KindError(f"{cls.__name__}: get_config() gives {shown(config)}; needs a dict.")
    found = _dict(f"fastnn.{kind}" if kind else cls.__module__, cls.__name__,
                  config if kind else plain(config, f"{cls.__name__}: get_config()"),
                  None if kind else get_registered_name(cls))
    build = obj.get_build_config() if hasattr(obj, "get_build_config") else None
    return {**found, "build_config": build} if build is not None else found


def _kind(cls: type) -> str:
    """The public module of a class of fastnn, '' for another."""
    if cls.__module__.partition(".")[0] == "fastnn":
        for kind in KINDS:
            if _table(kind).get(cls.__name__) is cls:
                return kind
    return ""


@functools.cache
def _table(kind: str) -> Mapping[str, Any]:
    """The public classes and functions of a module, by name."""
    module = importlib.import_module(f"fastnn.{kind}")
    names = getattr(module, "__all__", None) or [*getattr(module, "CLASSES", ()), *getattr(module, "FUNCTIONS", ())]
    table = {name: vars(module)[name] for name in names if name in vars(module)}
    return {name: value for name, value in table.items() if callable(value) and not inspect.ismodule(value)}


# ---- and back -------------------------------------------------------------------------------------------------------


def revived(value: Any) -> Any:
    """The value with objects in place of the dicts that describe them."""
    if isinstance(value, (list, tuple)):
        return type(value)(revived(item) for item in value)
    if isinstance(value, dict):
        if "class_name" in value and "config" in value:
            return object_of(value)
        return {key: revived(item) for key, item in value.items()}
    return value


def deserialize_keras_object(config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
                             ) -> Any:
    """The object of a `serialize_keras_object` dict, or of Keras' own; plain data with what it holds.

    custom_objects: classes and functions by name, beside the registered ones. safe_mode is accepted for Keras' sake:
    nothing in a dict is run or imported. Raises ValueError for a class that is neither fastnn's nor known, and for a
    dict that is damaged, naming where.
    """
    with custom_object_scope(custom_objects or {}):
        return object_of(config) if isinstance(config, dict) and "class_name" in config else revived(config)


def object_of(config: Any, kinds: tuple[str, ...] = KINDS) -> Any:
    """The object of a dict that has to describe one. kinds: where its class may be from."""
    name = part(config, "class_name", str, "deserialize")
    inner = config["config"] if "config" in config and config["config"] is None else part(config, "config", (
        dict, str), f"deserialize: {shown(name)}")
    if name.startswith("__") or name == "DTypePolicy":
        return values.read(name, inner or {}, revived)
    if name == "function":
        return _found(config, str(inner), FUNCTIONS)
    if isinstance(inner, str):
        raise KindError(f"deserialize: the config of {shown(name)} is {shown(inner)}; needs a dict.")
    cls = _found(config, name, kinds)
    if not hasattr(cls, "from_config"):
        raise KindError(f"deserialize: {shown(name)} is no class with from_config(); needs one.")
    made = cls.from_config(inner or {})
    build = config.get("build_config")
    if build and hasattr(made, "build_from_config"):
        _build(made, part(config, "build_config", dict, f"deserialize: {shown(name)}"))
    return made


def _build(made: Any, config: dict[str, Any]) -> None:
    try:
        made.build_from_config(config)
    except (TypeError, AttributeError, LookupError) as error:
        if isinstance(error, ValueError):
            raise
        raise KindError(f"deserialize: {made!r} cannot be built from {shown(config)}: {error}") from error


def own(config: Mapping[str, Any], name: str) -> Any:
    """The class or function of the user's that a dict names, None where it names one of fastnn's.

    Raises ValueError where it was written by another module and is not known: fastnn's class of the same name is not
    meant.
    """
    origin = str(config.get("module") or "").partition(".")[0]
    keys = [config.get("registered_name"), name] + [f"Custom>{name}"] * (origin not in ("fastnn", "keras"))
    if not all(isinstance(key, (str, type(None))) for key in keys):
        raise KindError(f"deserialize: {shown(name)} has the registered_name {shown(keys[0])}; needs a text or None.")
    for known in (*reversed(scopes), registered):
        for key in keys:
            if key in known:
                return known[key]
    if origin in BUILT_IN:
        return None
    raise ValueError(f"deserialize: got {shown(name)} of the module {shown(config['module'])}, which is not known.\n"
                     f"{REGISTER}")


def _found(config: dict[str, Any], name: str, kinds: tuple[str, ...]) -> Any:
    """The class or function that a dict names."""
    name = "Model" if name == "Functional" else name
    known = own(config, name)
    if known is not None:
        return known
    module = str(config.get("module") or "").partition(".")[2]
    for kind in (module,) if module in (*KINDS, *FUNCTIONS) else kinds:
        if name in _table(kind):
            return _table(kind)[name]
    options = {*registered, *(each for kind in kinds if kind != "ops" for each in _table(kind))}
    raise ValueError(f"deserialize: got {shown(name)}; {nearest(name, options)}\n{REGISTER}")


def identified(what: str, identifier: object, classes: Mapping[str, Any]) -> Any:
    """An object from what Keras takes for one: None, a name, a {"class_name", "config"} dict, a class or an object.

    Classes are called without arguments. Raises ValueError with the nearest of the names, or TypeError.
    """
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config") or {}
        if not isinstance(name, str) or not isinstance(config, (dict, str)):
            raise ValueError(f"{what}: got a dict without a class name; needs {{'class_name': …, 'config': {{…}}}}.")
        built_in = own(identifier, name) is None and name in classes
        found = classes[name].from_config(config) if built_in else object_of(identifier)
        return identified(what, found, classes)
    if isinstance(identifier, str):
        found = get_registered_object(identifier) or get_registered_object(f"Custom>{identifier}")
        if identifier not in classes and found is None:
            raise ValueError(f"{what}: got {shown(identifier)}; {nearest(identifier, classes)}")
        identifier = classes.get(identifier, found)
    if inspect.isclass(identifier):
        try:
            inspect.signature(identifier).bind()
        except (TypeError, ValueError) as error:
            raise KindError(f"{what}: got the class {identifier.__name__}; needs an object; make one, as {error}."
                            ) from None
        identifier = identifier()
    if identifier is not None and not callable(identifier):
        kind = next((name for name in ("L2", "Constant", "MaxNorm") if name in classes), "")
        such = f"\nA number goes into one of them: {kind}({shown(identifier, 12)})." if kind and isinstance(
            identifier, (int, float)) else ""
        raise KindError(f"{what}: got {shown(identifier)}; needs a name, a class, an object, a function or None.{such}")
    return identifier


def snake_names(*classes: type) -> dict[str, type]:
    """Each class under its own name and under that name in snake case."""
    return {c.__name__: c for c in classes} | {snake_case(c.__name__): c for c in classes}
