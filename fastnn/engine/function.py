"""Recorder: Python that runs once and is replayed from then on, until what it was made from is edited. Floor 1."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastnn.engine.program import Program, keeping, recording
from fastnn.engine.schedule import whole_step
from fastnn.engine.watch import Watch, noting


class Recorder:
    """Programs by key, at most `kept` of them; the oldest go.

    `before`: where it is a dict, what the steps that are recorded overwrite is put there first, {id: (tensor, copy)}.
    """

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.before: dict[int, tuple[Any, np.ndarray]] | None = None
        self._found: dict[Any, tuple[Program, Watch]] = {}

    def clear(self) -> None:
        """Forget all programs."""
        self._found.clear()

    def items(self) -> Iterator[tuple[Any, Program]]:
        """(key, program) of all that are there, oldest first."""
        return ((key, program) for key, (program, _) in list(self._found.items()))

    def program(self, key: Any) -> Program | None:
        """The program of a key, if there is one and nothing that it was made from was edited since."""
        found = self._found.get(key)
        return found[0] if found is not None and found[1].holds() else None

    def record(self, key: Any, name: str, body: Callable[[], None]) -> Program:
        """Run the body for real, and keep the calls that it makes as the program of this key."""
        with whole_step(), noting() as used, keeping(self.before), recording() as calls:
            body()
        watch = Watch(used.values())
        program = Program(calls, name)
        stale = [key for key, (_, other) in list(self._found.items()) if not other.holds()]
        for old in [*stale, *list(self._found)[:-self.kept]]:
            self._found.pop(old, None)
        self._found[key] = program, watch
        return program
