"""Recorder: Python that runs once and is replayed from then on, until what it was made from is edited. Floor 1."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastnn.engine.program import Program, keeping, recording, undo
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
        program, watch = self._found.get(key, (None, None))
        return program if program is not None and program.fits() and watch is not None and watch.holds() else None

    def record(self, key: Any, name: str, body: Callable[[], None]) -> Program:
        """Run the body for real, and keep the calls that it makes as the program of this key."""
        before: dict[int, tuple[Any, np.ndarray]] = {}
        with whole_step():
            with noting() as used, keeping(before), recording() as calls:
                body()
            program = Program(calls, name)
            if program.rounds:      # the first step has the bits of all others
                undo(before)
                program.run()
        if self.before is not None:
            self.before |= {key: value for key, value in before.items() if key not in self.before}
        watch = Watch(used.values())
        stale = [key for key, (_, other) in list(self._found.items()) if not other.holds()]
        for old in [*stale, *list(self._found)[:-self.kept]]:
            self._found.pop(old, None)
        self._found[key] = program, watch
        return program
