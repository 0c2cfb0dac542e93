"""Shapes of what a layer is called on, as its build() takes them: one, or one for each argument by name. Floor 3."""

import inspect
from typing import Any

from fastnn.engine import backend
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, shown
from fastnn.layers._masks import parameters
from fastnn.nest import flatten, map_structure


class Named(dict[str, Any]):
    """The shapes that a build() of several arguments was given, by name."""


def of(inputs: Any) -> Any:
    """The shapes of nested tensors, in the same structure; None for what is no tensor."""
    return map_structure(lambda t: t.shape if isinstance(t, Tensor) else None, inputs)


def _is_shape(value: Any) -> bool:
    """Whether a list or tuple is one shape, and no structure of shapes."""
    return value is None or (isinstance(value, (list, tuple)) and not any(
        isinstance(n, (list, tuple, dict)) for n in value))


def tuples(given: Any, where: str) -> Any:
    """Nested shapes, each as a tuple. KindError for what is no shape."""
    def one(each: Any) -> Any:
        if each is None or (not isinstance(each, (str, bytes)) and hasattr(each, "__iter__")
                            and all(n is None or hasattr(n, "__index__") for n in each)):
            return None if each is None else tuple(each)
        raise KindError(f"{where} got {shown(each)}; needs a shape with the batch axis, such as (None, 4).")
    return map_structure(one, given, _is_shape)


def symbols(given: Any, where: str, dtype: str = "") -> Any:
    """Symbolic tensors of nested shapes, of floatx unless given."""
    dtype = dtype or backend.floatx()
    return map_structure(lambda each: None if each is None else Tensor(None, shape=each, dtype=dtype),
                         tuples(given, where), _is_shape)


def kept(given: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """What build() was given: the one shape, or several by name."""
    if len(given) == 1 and not named:
        return given[0]
    return Named({name: each for name, each in named.items() if each is not None}) or (given[0] if given else None)


def of_call(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The shape of the only argument with tensors, or those of several by the names of call's arguments."""
    values = {**dict(zip(parameters(layer), args)), **kwargs}
    found = {f"{name}_shape": of(value) for name, value in values.items() if flatten(value, Tensor)}
    only = len(found) == 1 and args and flatten(args[0], Tensor)
    return next(iter(found.values())) if only else Named(found) or None


def for_method(layer: Any, method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """The shapes for a build(), or another method, of several parameters, each named as an argument of call with _shape
    after it; None where it has one, which gets the first argument's. ValueError for a name that call has not."""
    wanted = [p for p in inspect.signature(method).parameters.values()
              if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if len(wanted) < 2:
        return None
    names = parameters(layer)
    values = {**dict(zip(names, args)), **kwargs}
    found: dict[str, Any] = {}
    for p in wanted:
        name = p.name.removesuffix("_shape")
        if p is wanted[0] and name not in names and all(other.default is not other.empty for other in wanted[1:]):
            found[p.name] = of(args[0])
        elif name in names and name != p.name:
            value = values.get(name)
            found[p.name] = of(value) if flatten(value, Tensor) else None
        elif p.default is p.empty:
            raise ValueError(f"{layer.name}: {method.__name__}() takes {p.name!r}; needs the names of call's arguments "
                             f"with _shape after them: {', '.join(f'{each}_shape' for each in names)}.")
    return found
