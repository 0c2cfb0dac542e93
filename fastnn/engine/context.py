"""What the calls made on this thread belong to: recordings, tapes, a layer, a section of the step.

Floor 1. Knows nothing of ops, layers or gradients.
"""

import contextlib
import itertools
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from fastnn.engine.call import NOWHERE, Call, Recording, Section
from fastnn.engine.restored import shared


class _Context(threading.local):
    numbers = itertools.count(2)        # of tapes; 1 is True, which is always tracked

    def __init__(self) -> None:
        self.recordings: list[Recording] = []
        self.symbolic = 0       # how many symbolic passes are under way
        self.before: dict[int, tuple[Any, np.ndarray]] | None = None
        self.layers: list[str] = []
        self.sections: list[Section] = []
        self.tapes = 0          # how many GradientTapes are open
        self.tape = 0           # the number of the outermost of them; 0 where none is


_context = shared(_Context())


@contextlib.contextmanager
def recording() -> Iterator[Recording]:
    """Collect every call made in the `with` block; the calls run as they are made."""
    calls = Recording()
    _context.recordings.append(calls)
    try:
        yield calls
    finally:
        del _context.recordings[-1:]        # where not_recording() was kept from its end there is none


@contextlib.contextmanager
def not_recording() -> Iterator[None]:
    """Calls made in the `with` block run, but belong to no program and no tape."""
    before = _context.recordings, _context.tape
    try:
        _context.recordings, _context.tape = [], 0
        yield
    finally:
        _context.recordings, _context.tape = before


def is_recording() -> bool:
    """Whether calls are being collected on this thread."""
    return bool(_context.recordings)


def current_recording() -> Recording | None:
    """The innermost recording of this thread."""
    return _context.recordings[-1] if _context.recordings else None


@contextlib.contextmanager
def symbolic_pass() -> Iterator[None]:
    """In the `with` block only shapes count: what would update a variable leaves it as it is."""
    _context.symbolic += 1
    try:
        yield
    finally:
        _context.symbolic -= 1


def is_symbolic_pass() -> bool:
    """Whether only shapes count now."""
    return _context.symbolic > 0


def open_tape() -> None:
    """Calls on tracked tensors are kept from now on, for gradients."""
    if not _context.tapes:
        _context.tape = next(_context.numbers)
    _context.tapes += 1


def close_tape() -> None:
    """The end of what open_tape began."""
    _context.tapes -= 1
    if not _context.tapes:
        _context.tape = 0


def open_tape_number() -> int:
    """The number of the outermost open tape of this thread, from 2 on; 0 where none is open."""
    return _context.tape


@contextlib.contextmanager
def keeping(before: dict[int, tuple[Any, np.ndarray]] | None) -> Iterator[None]:
    """Whatever updates in the `with` block overwrite for the first time is put into `before`: {id: (tensor, copy)}."""
    outer, _context.before = _context.before, before
    try:
        yield
    finally:
        _context.before = outer


def undo(before: dict[int, tuple[Any, np.ndarray]]) -> None:
    """Put back what `keeping` has put aside."""
    for tensor, copy in reversed(before.values()):      # one may be part of another, and then the first copy counts
        if tensor.data.shape == copy.shape:
            tensor.data[...] = copy


def is_tracing() -> bool:
    """Whether calls on this thread are kept at all, for a program or for gradients."""
    return bool(_context.recordings or _context.tape)


def may_update(tensors: Iterable[Any]) -> bool:
    """An update is going to overwrite these: keep what they hold, if `keeping` is under way. False in a symbolic pass,
    which leaves them as they are."""
    if _context.before is not None:
        for t in tensors:
            if id(t) not in _context.before:
                _context.before[id(t)] = t, t.data.copy()
    return not _context.symbolic


def record(call: Call) -> None:
    """Append a call to the recording that is under way, if any."""
    if _context.recordings:
        _context.recordings[-1].append(call)


class layer_scope:
    """Calls made in the `with` block carry this layer's name."""
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        _context.layers.append(self.name)

    def __exit__(self, *exception: object) -> None:
        _context.layers.pop()


def current_layer() -> str:
    """The name given by the innermost layer_scope, or an empty string."""
    return _context.layers[-1] if _context.layers else ""


def current_layers() -> list[str]:
    """The names given by all layer_scopes, the outermost first."""
    return list(_context.layers)


@contextlib.contextmanager
def section_scope(name: str, folded: bool = False) -> Iterator[None]:
    """Calls made in the `with` block belong to this section of the program: forward, loss, backward, update, …"""
    _context.sections.append(Section(name, folded))
    try:
        yield
    finally:
        _context.sections.pop()


def current_section() -> Section:
    """The section of the innermost section_scope; one without a name outside of all."""
    return _context.sections[-1] if _context.sections else NOWHERE
