"""A library in a process of its own, as its users have it, and what is measured there. Imports no library."""

import contextlib
import itertools
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from typing import Any


class Absent(Exception):
    """The library is not installed, or has no such thing."""


def nothing() -> None:
    """What most work needs before a round, and has to show."""


class Work:
    """Something to do again and again.

    do: does it so many times. each: how many of what is counted (steps, products) one time is. before: what comes
    first in every round, outside its time. results: what was computed, for the test to judge. least, most: how many
    times at once.
    """

    def __init__(self, do: Callable[[int], Any], each: int = 1, before: Callable[[], Any] = nothing,
                 results: Callable[[], Any] = nothing, least: int = 1, most: int = 10 ** 9) -> None:
        self._do, self.each, self.before, self.results, self.times, self.most = do, each, before, results, least, most

    def fill(self, seconds: float) -> int:
        """Choose how many times make a round of about `seconds`; how much of what is counted that is."""
        while True:
            self.before()
            start = time.perf_counter()
            self.run()
            spent = time.perf_counter() - start
            if spent >= seconds or self.times >= self.most:
                return self.times * self.each
            self.times = min(self.most, self.times * (2 if spent > seconds / 4 else 4))

    def run(self) -> None:
        """One round."""
        self._do(self.times)


def calls(call: Callable[[], Any], **rest: Any) -> Work:
    """Work that is a call in a Python loop."""
    def do(times: int) -> None:
        for _ in itertools.repeat(None, times):
            call()
    return Work(do, **rest)


def _serve(connection: Any) -> None:
    """The loop of a library's process: ("make", function, arguments...) or (a method of Work, its arguments...) in,
    what that returns or an error out."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)                       # TensorFlow greets at length
    work: Any = None
    while (message := connection.recv()) is not None:
        verb, *arguments = message
        try:
            if verb == "make":
                work = None                 # room for the next
                work, answer = arguments[0](*arguments[1:]), None
            else:
                answer = getattr(work, verb)(*arguments)
        except Exception as error:          # whatever a peer raises is told as text: its class may not travel
            kind = Absent if isinstance(error, (ImportError, NotImplementedError)) else RuntimeError
            answer = kind(f"{type(error).__name__}: {str(error).strip()}"[:2000])
        connection.send(answer)


# Two OpenMP threads that the system has put on one core wait for each other by spinning: 4 GFLOP/s instead of 300, for
# seconds, seen in every third row with torch. fastnn's team gives its core away and needs no help.
ENVIRONMENT = {"torch": {"OMP_PROC_BIND": "true", "OMP_PLACES": "cores"}}


@contextlib.contextmanager
def _environment(wanted: dict[str, str]) -> Iterator[None]:
    """These variables for processes that start in the `with` block; those that are set already stay."""
    new = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            del os.environ[name]


class Library:
    """A library in a process of its own, which starts when it is first asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process: Any = None

    def ask(self, *message: Any) -> Any:
        """What the process answers. Absent, or RuntimeError with the reason, when it fails."""
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            with _environment(ENVIRONMENT.get(self.name, {})):
                self._process.start()
            theirs.close()
        try:
            self._connection.send(message)
            answer = self._connection.recv()
        except (EOFError, OSError):
            self.close()                    # the next question starts another
            raise RuntimeError(f"the process of {self.name} died") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._connection.send(None)
            self._process.join(10)
            if self._process.is_alive():
                self._process.terminate()
            self._process = None
