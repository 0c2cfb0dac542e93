"""Classes and functions of users' own by the names that configurations call them by. Ground floor."""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastnn.errors import KindError, shown

registered: dict[str, Any] = {}         # by "package>name"
scopes: list[Mapping[str, Any]] = []    # custom_object_scope


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """A decorator: this class or function of your own may be named in a configuration, as 'package>name'.

    ValueError for a name that is taken by another, TypeError for a class without get_config().
    """
    def register(obj: Any) -> Any:
        full = f"{package}>{name or obj.__name__}"
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise KindError(f"register_keras_serializable: {obj.__name__} has no get_config(); needs one.")
        if registered.get(full, obj) is not obj and not _redefined(registered[full], obj):
            raise ValueError(f"register_keras_serializable: {shown(full)} is {registered[full]} already; needs "
                             "another name.")
        registered[full] = obj
        return obj
    return register


def _redefined(before: Any, obj: Any) -> bool:
    """Whether it is the same definition again, as when a notebook's cell runs twice."""
    return (before.__module__, before.__qualname__) == (obj.__module__, obj.__qualname__)


def get_registered_name(obj: Any) -> str:
    """'package>name' of a registered class or function, else its own name."""
    return next((full for full, known in registered.items() if known is obj), getattr(obj, "__name__", str(obj)))


def get_registered_object(name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The class or function of a name: from the scopes, custom_objects or the registered ones, or None."""
    for known in (*reversed(scopes), custom_objects or {}, registered):
        if name in known:
            return known[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The registered classes and functions, by name; what is put in is known from then on."""
    return registered


@contextlib.contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None = None) -> Iterator[None]:
    """In the `with` block these classes and functions are known by these names. KindError for what is no dict."""
    if custom_objects and not isinstance(custom_objects, Mapping):
        raise KindError(f"custom_objects is {shown(custom_objects)}; needs a dict of classes and functions by their "
                        "names, such as {'MyLayer': MyLayer}.")
    scopes.append(dict(custom_objects or {}))
    try:
        yield
    finally:
        scopes.pop()
