"""Watched: objects that a step's Python uses while it is recorded, and whether they are still as they were. Floor 1.

A layer, say: its attributes decide which calls are recorded, so a program is stale once one of
them is set. Every object has a version of its own: editing one model leaves the programs of another alone. What changes
without being set (an item of a list, the state of a generator) is compared when a fit, evaluate or predict begins.
"""

import contextlib
import operator
import sys
import threading
import zlib
from collections.abc import Collection, Iterable, Iterator
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fastnn.engine.restored import shared
from fastnn.nest import flatten

_NOTHING = object()
_INSIDE = (np.ndarray, list, set, dict)     # what is looked into, and generators
_PLAIN = (bool, int, float, complex, str, bytes, tuple, type(None))
_edits = 0      # of all objects: while it stands still, no version has to be compared


class Watched:
    """Base of these objects. Setting an attribute to another value makes what was recorded with the object stale,
    unless its class counts the name among the `unwatched`."""
    unwatched: ClassVar[frozenset[str]] = frozenset()
    _version = 0
    _edited = ""        # the attribute that was set last

    def __setattr__(self, name: str, value: Any) -> None:
        before = self.__dict__.get(name, _NOTHING)
        object.__setattr__(self, name, value)
        own = name not in self.unwatched and not isinstance(getattr(type(self), name, None), property)
        if own and not _equal(before, value):
            self.touch(name)

    def touch(self, name: str = "") -> None:
        """Say that it was edited: that its attribute of this name is another."""
        global _edits
        object.__setattr__(self, "_version", self._version + 1)
        object.__setattr__(self, "_edited", name)
        _edits += 1


def held(owner: Watched, kind: type, but: Collection[str]) -> list[Any]:
    """The objects of a kind that attributes are or hold. but: names of attributes that do not count, `_holders` too.

    Asked once an epoch, for all layers: which attributes may hold one is looked at when an attribute was set."""
    version, holders = owner.__dict__.get("_holders", (-1, {}))
    if version != owner._version:
        holders = {}
        owner.__dict__["_holders"] = owner._version, holders
    if kind not in holders:
        holders[kind] = [v for name, v in list(owner.__dict__.items())
                          if name not in but and _may_hold(v, kind)]
    return flatten(holders[kind], kind)


def _may_hold(value: Any, kind: type) -> bool:
    """Whether it is of the kind, or there may be one in it some time."""
    if isinstance(value, tuple):
        return any(_may_hold(item, kind) for item in value)
    return isinstance(value, (kind, list, dict))


def _equal(before: Any, value: Any) -> bool:
    """Whether a value is the one before, or a plain one that is as good."""
    return before is value or (type(before) is type(value) and type(value) in _PLAIN and bool(before == value))


def contents(used: Watched) -> dict[str, Any]:
    """What can change inside an object without an attribute being set: lists, dicts, sets, arrays, generators."""
    return {name: frozen for name, value in list(used.__dict__.items()) if name not in used.unwatched
            and (frozen := _frozen(value, 0)) is not value}


def _frozen(value: Any, depth: int) -> Any:
    """A value to compare with; the very object where nothing in it is looked at."""
    if not isinstance(value, _INSIDE):
        return _state(value)
    if isinstance(value, np.ndarray):
        inside = _items(value.ravel().tolist(), depth) if value.dtype.kind == "O" else zlib.crc32(value.tobytes())
        return value.shape, value.dtype.str, inside
    if isinstance(value, (list, set)):
        return type(value).__name__, _items(value, depth)
    if isinstance(value, dict):
        return "dict", _items([part for item in value.items() for part in item], depth)
    return value


def _state(value: Any) -> Any:
    """The state of a generator of NumPy; anything else as it is. Whoever has none may never have imported them."""
    random = sys.modules.get("numpy.random")
    if random is not None and isinstance(value, random.Generator):
        return repr(value.bit_generator.state)
    if random is not None and isinstance(value, random.RandomState):
        return repr(value.get_state())
    return value


def _items(items: Iterable[Any], depth: int) -> Any:
    """Plain items by value, others by identity, containers again, but not for ever."""
    if depth > 8:
        return None
    return tuple(item if isinstance(item, (bool, int, float, complex, str, bytes)) else frozen
                 if (frozen := _frozen(item, depth + 1)) is not item else id(item) for item in items)


def _flat(value: Any, was: Any) -> tuple[Any, list[Any]] | None:
    """A list or dict that is as it was and holds no containers, with what is in it: quickly compared."""
    if type(value) in (list, dict) and _frozen(value, 0) == was:
        items = [*value, *value.values()] if isinstance(value, dict) else list(value)
        if all(_frozen(item, 1) is item for item in items):
            return value, items
    return None


def _still(value: Any, before: Any, items: list[Any]) -> bool:
    """Whether it is the container it was, with the very same things in it."""
    now = [*value, *value.values()] if type(value) is dict else value
    return value is before and len(now) == len(items) and all(map(operator.is_, now, items))


class Noted(NamedTuple):
    """An object that was used, with its version and contents when it was first."""
    used: Watched
    version: int
    contents: dict[str, Any]


class _Noting(threading.local):
    def __init__(self) -> None:
        self.found: list[dict[int, Noted]] = []


_noting = shared(_Noting())


@contextlib.contextmanager
def noting() -> Iterator[dict[int, Noted]]:
    """Collect the objects that are used in the `with` block, by id."""
    found: dict[int, Noted] = {}
    _noting.found.append(found)
    try:
        yield found
    finally:
        _noting.found.pop()


def noted() -> list[Any]:
    """What whoever is noting has been told of so far."""
    return [each.used for each in _noting.found[-1].values()] if _noting.found else []


def note(used: Any) -> None:
    """Say that an object is being used: whoever is noting depends on it, if it is watched."""
    for found in _noting.found:
        if id(used) not in found and isinstance(used, Watched):
            found[id(used)] = Noted(used, used._version, contents(used))


class Watch:
    """Whether objects still are what they were when they were noted."""

    def __init__(self, noted: Iterable[Noted]) -> None:
        self.noted = list(noted)
        self._inside = {(id(each.used), name): (each.used, was, _flat(each.used.__dict__.get(name), was))
                        for each in self.noted for name, was in each.contents.items()}
        self._were = [was for _, was, _ in self._inside.values()]
        self.holders: list[Any] = [each.used for each in self.noted if hasattr(each.used, "hold")]
        self._edits = -1        # of all objects, when the versions were compared last

    def holds(self) -> bool:
        """Whether no attribute of theirs was set since."""
        edits = _edits
        if self._edits != edits:
            if any(each.used._version != each.version for each in self.noted):
                return False
            self._edits = edits
        return True

    def same_contents(self, now: dict[tuple[int, str], Any] | None = None) -> bool:
        """Whether their lists, dicts, arrays and generators are what they were, too. now: what was found in them this
        time, by object and attribute, for those who ask several watches."""
        if not self._inside:
            return True
        now = {} if now is None else now
        for key in self._inside.keys() - now.keys():
            used, was, flat = self._inside[key]
            value = used.__dict__.get(key[1])
            now[key] = was if flat and _still(value, *flat) else _frozen(value, 0)
        return [*map(now.__getitem__, self._inside)] == self._were

    def forget(self) -> None:
        """Watch nothing any more: it holds for good."""
        self.noted, self._inside, self._were = [], {}, []

    def changed(self) -> str:
        """The first that is another now, as 'the layer dense: its attribute n'; empty where none is."""
        for each in self.noted:
            name = each.used._edited if each.used._version != each.version else next(
                (name for name, value in contents(each.used).items() if each.contents.get(name, _NOTHING) != value), "")
            if name or each.used._version != each.version:
                return f"{type(each.used).__name__} {getattr(each.used, 'name', '')!r}: {name or 'it'}"
        return ""
