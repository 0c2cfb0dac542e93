"""Schedule: which programs run in which order and how often, in C or call by call, and where it may stop. Floor 1."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fastnn.engine import backend, threads

if TYPE_CHECKING:
    from fastnn.engine.program import Program


@contextlib.contextmanager
def whole_step() -> Iterator[None]:
    """Ctrl-C in the `with` block waits for its end, so that no step is left half done; a second one does not wait."""
    handler: Any = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    waiting: list[Any] = []

    def wait(*received: Any) -> None:
        waiting.append(received)
        if len(waiting) > 1:
            handler(*received)

    try:
        try:
            signal.signal(signal.SIGINT, wait)
            yield
        finally:
            signal.signal(signal.SIGINT, handler)
    finally:        # the second Ctrl-C may come just then
        if signal.getsignal(signal.SIGINT) is wait:
            signal.signal(signal.SIGINT, handler)
        if waiting:
            handler(*waiting[0])


class Schedule:
    """Programs to run in order, each some times, and all of that `rounds` times.

    Stops only between two steps; running it again goes on where it stopped.
    """

    def __init__(self, entries: Sequence["tuple[Program, int]"], rounds: int = 1) -> None:
        self.entries = [(program, times) for program, times in entries if times > 0]
        self.rounds = rounds
        self._c: Any = None
        self._python: Iterator[Program] | None = None

    def run(self, seconds: float = float("inf")) -> bool:
        """Run for about so many seconds; True when everything has run. KeyboardInterrupt between two steps."""
        in_c = self.entries and all(program.in_c() for program, _ in self.entries)
        handles = [(program.handle(), times) for program, times in self.entries] if in_c else []
        for program, _ in self.entries:
            program.check_arrays()
        if in_c:
            if self._c is None:
                self._c = backend._engine.Schedule(handles, self.rounds)
            return self._c.run(seconds, threads.num_threads() if any(p.divided for p, _ in self.entries) else 1)
        end = time.monotonic() + seconds
        if self._python is None:
            self._python = (program for _ in range(self.rounds) for program, times in self.entries
                            for _ in range(times))
        for program in self._python:
            with whole_step():
                program.step()
            if time.monotonic() > end:
                return False
        return True
