"""Watched: objects that a step's Python uses while it is recorded, and whether they are still as they were. Floor 1.

Imports program only. A layer, say: its attributes decide which calls are recorded, so a program is stale once one of
them is set. Every object has a version of its own: editing one model leaves the programs of another alone.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from fastnn.engine.program import is_recording

_NOTHING = object()
_PLAIN = (bool, int, float, complex, str, bytes, tuple, type(None))
_edits = 0      # of all objects: while it stands still, no version has to be compared


class Watched:
    """Base of these objects. Setting an attribute to another value makes what was recorded with the object stale,
    unless its class counts the name among the `unwatched`."""
    unwatched: ClassVar[frozenset[str]] = frozenset()
    _version = 0

    def __setattr__(self, name: str, value: Any) -> None:
        before = self.__dict__.get(name, _NOTHING)
        object.__setattr__(self, name, value)
        own = name not in self.unwatched and not isinstance(getattr(type(self), name, None), property)
        if own and not _equal(before, value):
            self.touch()

    def touch(self) -> None:
        """Say that it was edited. What its own Python does while it is recorded is no edit."""
        global _edits
        if not is_recording():
            object.__setattr__(self, "_version", self._version + 1)
            _edits += 1


def _equal(before: Any, value: Any) -> bool:
    """Whether a value is the one before, or a plain one that is as good."""
    return before is value or (type(before) is type(value) and type(value) in _PLAIN and before == value)


class _Noting(threading.local):
    def __init__(self) -> None:
        self.found: list[dict[int, tuple[Watched, int]]] = []


_noting = _Noting()


@contextlib.contextmanager
def noting() -> Iterator[dict[int, tuple[Watched, int]]]:
    """Collect the objects that are used in the `with` block, by id, with the versions that they have at first."""
    found: dict[int, tuple[Watched, int]] = {}
    _noting.found.append(found)
    try:
        yield found
    finally:
        _noting.found.pop()


def note(used: Watched) -> None:
    """Say that an object is being used: whoever is noting depends on it."""
    for found in _noting.found:
        found.setdefault(id(used), (used, used._version))


class Watch:
    """Whether objects still have these versions."""

    def __init__(self, versions: Iterable[tuple[Watched, int]]) -> None:
        self.versions = list(versions)
        self._edits = -1        # of all objects, when the versions were compared last

    def holds(self) -> bool:
        """Whether none of them was edited since."""
        edits = _edits
        if self._edits != edits:
            if any(each._version != version for each, version in self.versions):
                return False
            self._edits = edits
        return True
