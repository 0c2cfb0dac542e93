"""Nested structures: what lists, tuples and dicts of tensors, arrays or names hold. Ground floor; imports nothing."""

from collections.abc import Callable
from typing import Any


def flatten(value: Any, kind: type | tuple[type, ...] = object) -> list[Any]:
    """The leaves of nested lists, tuples and dicts, in order: those of the type `kind`, all unless given."""
    if not isinstance(value, (list, tuple, dict)):
        return [value] if isinstance(value, kind) else []
    found: list[Any] = []
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (list, tuple, dict)):
            found += flatten(item, kind)
        elif isinstance(item, kind):
            found.append(item)
    return found


def map_structure(function: Callable[[Any], Any], value: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """The same structure with function(leaf) for every leaf. is_leaf: what else than no list, tuple or dict is one."""
    if is_leaf is not None and is_leaf(value):
        return function(value)
    if isinstance(value, dict):
        return {key: map_structure(function, item, is_leaf) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [map_structure(function, item, is_leaf) for item in value]
        if isinstance(value, list):
            return items
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)      # a namedtuple takes them apart
    return function(value)


def same_structure(a: Any, b: Any) -> bool:
    """Whether two are nested alike: dicts of the same keys, lists and tuples (either kind) of the same lengths. One
    leaf and a list of one are alike too."""
    if isinstance(a, dict) or isinstance(b, dict):
        return isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys() and all(
            same_structure(a[key], b[key]) for key in a)
    a, b = (each if isinstance(each, (list, tuple)) else [each] for each in (a, b))
    if len(a) != len(b):
        return False
    return all(x is y or not (isinstance(x, (list, tuple, dict)) or isinstance(y, (list, tuple, dict)))
               or same_structure(x, y) for x, y in zip(a, b))


def distinct(items: list[Any]) -> list[Any]:
    """The items, each once, first occurrence first (by identity)."""
    return list({id(item): item for item in items}.values())
