"""Recorder: Python that runs once and is replayed from then on, where that gives what Python would give. Floor 1.

A step is recorded again once what it was made with is edited. It is not replayed, but runs in Python every time, with a
warning that names the line, where its Python reads numbers that change from run to run (`float(x)`, `if x > 0`), or
leaves an attribute, a list or a random generator of NumPy or Python other than it found it.
"""

import gc
import linecache
import random
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from fastnn.engine.context import keeping, recording, undo
from fastnn.engine.plan import Room
from fastnn.engine.program import Program
from fastnn.engine.reading import users_line
from fastnn.engine.restored import restored
from fastnn.engine.schedule import whole_step
from fastnn.engine.watch import Watch, noting
from fastnn.errors import PACKAGE


class Entry(NamedTuple):
    """A step: its program, None where it has to run in Python, and what it was made with."""
    program: Program | None
    watch: Watch


ALONE = ("train", "test")       # steps that have the model to themselves: one runs at a time, so they share memory
# Bytes of a step from which it is worth looking for those that its first run has left: they lie in cycles of tensors
# and calls, few objects, for which Python would look late.
MUCH = 8 << 20
OWN_BYTES, OWN_COUNT = 256 << 20, 4     # of programs with memory of their own: the oldest go, all but so many


class Recorder:
    """Programs by key, at most `kept` of them; the oldest go.

    `before`: where it is a dict, what the steps that are recorded overwrite is put there first, {id: (tensor, copy)}.
    """

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.before: dict[int, tuple[Any, np.ndarray]] | None = None
        self._found: dict[Any, Entry] = {}
        self._room = Room()     # of the steps in ALONE
        self._unsettled: set[Any] = set()       # whose last recording left something other than it found it
        self._warned: set[Any] = set()

    def clear(self) -> None:
        """Forget all programs."""
        self._found.clear()
        self._room = Room()
        self._unsettled.clear()
        self._warned.clear()

    def forget(self, key: Any) -> None:
        """Record a key anew."""
        self._found.pop(key, None)

    def items(self) -> Iterator[tuple[Any, Program]]:
        """(key, program) of all that are there, oldest first."""
        return ((key, entry.program) for key, entry in list(self._found.items()) if entry.program is not None)

    def look(self) -> None:
        """Forget what was made with something that has changed inside since."""
        now: dict[tuple[int, str], Any] = {}        # many programs were made with the same objects
        for key, entry in list(self._found.items()):
            if not entry.watch.same_contents(now):
                self._found.pop(key, None)

    def program(self, key: Any) -> Program | None:
        """The program of a key, if there is one and nothing that it was made with was edited since."""
        entry = self._found.get(key)
        fits = entry is not None and entry.watch.holds() and (entry.program is None or entry.program.fits())
        return entry.program if entry is not None and fits else None

    def ready(self, key: Any, name: str, body: Callable[[], Any]) -> Program | None:
        """The program to replay; or None, when the body has just run: to be recorded, or because it always must."""
        entry = self._found.get(key)
        if entry is not None and entry.watch.holds():
            if entry.program is None:
                with whole_step():
                    body()
                return None
            if entry.program.fits():
                for holder in entry.watch.holders:
                    holder.hold()       # what another optimizer may have moved since
                return entry.program
        self._record(key, name, body)
        return None

    def _record(self, key: Any, name: str, body: Callable[[], Any]) -> None:
        """Run the body for real, and keep the calls that it makes as the program of this key."""
        before: dict[int, tuple[Any, np.ndarray]] = {}
        draws = Draws(traced=key in self._unsettled)
        try:
            with restored(), noting() as noted, keeping(before), recording() as calls, draws:
                keep = body()
            watch = Watch(noted.values())
            momentary = next((t.name for call in calls for t in call.inputs if t.momentary), "")
            why, settled = self._why_not(key, calls.reads, momentary, watch, draws)
            room = self._room if self._alone(key) else None
            program = None if why or not settled else Program(calls, name, keep or (), room)
            if program is not None and program.rounds:      # the first step has the bits of all others
                undo(before)
                program.run()
        except BaseException:       # Ctrl-C, no memory, a mistake in the user's layer: as if the step had not begun
            with whole_step():
                undo(before)
            raise
        if program is not None and program.arena_bytes > MUCH:
            calls.clear()
            keep = None
            gc.collect()
        if self.before is not None:
            self.before |= {key: value for key, value in before.items() if key not in self.before}
        if not settled:
            return
        stale = [key for key, entry in list(self._found.items()) if not entry.watch.holds()]
        for old in stale:
            self._found.pop(old, None)
        self._found[key] = Entry(program, watch)
        for old in list(self._found)[:-self.kept]:
            self._found.pop(old, None)
        self._let_go()
        if why:
            self._warn(name, why, calls.reads)

    @staticmethod
    def _alone(key: Any) -> bool:
        return key[0] in ALONE

    def _let_go(self) -> None:
        """Forget the oldest programs whose memory, together with what is newer, is much."""
        own = [(key, program.arena_bytes) for key, program in self.items()
               if program.arena_bytes and not self._alone(key)]
        for i, (key, _) in enumerate(own[:-OWN_COUNT]):
            if sum(size for _, size in own[i:]) > OWN_BYTES:
                self._found.pop(key, None)

    def _why_not(self, key: Any, reads: list[Any], momentary: str, watch: Watch, draws: "Draws") -> tuple[str, bool]:
        """(why a step cannot be replayed, or nothing; whether that is settled). What Python sets or draws in the first
        run may have been made there once and for all: the second run tells."""
        if reads:
            return f"Python reads a number that changes from step to step: {reads[0]}", True
        if momentary:
            return f"Python computes with {momentary}, which changes from step to step", True
        changed = watch.changed()
        if (changed or draws.changed) and key not in self._unsettled:
            self._unsettled.add(key)
            return "", False
        self._unsettled.discard(key)
        if draws.line:
            return f"Python draws random numbers that a replay would repeat: {draws.line}; use fastnn.random", True
        if changed:
            watch.forget()      # it will change again
            return f"its Python sets what the next step finds: {changed}; keep it in a variable, and use assign()", True
        return "", True

    def _warn(self, name: str, why: str, reads: list[Any]) -> None:
        """Once for each line."""
        if why in self._warned:
            return
        self._warned.add(why)
        file, line = reads[0][:2] if reads else users_line()
        warnings.warn_explicit(f"{name}: {why}.\nSo it is not replayed: it runs in Python at every step, which is "
                               "slower.", UserWarning, file, line)


class Draws:
    """Whether the `with` block changed the global generators of NumPy and Python; traced: and in which line.

    Other threads may do that too, as those that make the batches: then only a line that the trace met is a proof."""

    def __init__(self, traced: bool) -> None:
        self.traced = traced and sys.gettrace() is None
        self.changed = self.line = ""
        self._last = ("", 0)

    def __enter__(self) -> None:
        self._before = self._states()
        if self.traced:
            sys.settrace(self._trace)

    def __exit__(self, *exception: object) -> None:
        if self.traced:
            sys.settrace(None)
        if self._states() != self._before:
            self.changed = "a global random generator"
            if not self.line and threading.active_count() == 1:
                self.line = "np.random or random"

    def _trace(self, frame: Any, event: str, argument: Any) -> Any:
        """After each line outside this package: did it draw?"""
        if frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if not self.line and self._states() != self._before:
            file, line = self._last
            code = linecache.getline(file, line).strip()
            if re.search("rand|rng|shuffle|permut|choice", code):
                self.line = f"{file}:{line}: {code}"
            self._before = self._states()
            self.changed = "a global random generator"
        self._last = frame.f_code.co_filename, frame.f_lineno
        return self._trace

    @staticmethod
    def _states() -> tuple[Any, ...]:
        _, keys, *rest = np.random.get_state()
        return np.asarray(keys).tobytes(), *rest, random.getstate()
