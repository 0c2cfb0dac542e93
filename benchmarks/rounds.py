"""Timing of contenders, and the processes in which they run: each library alone, as its users have it."""

import contextlib
import multiprocessing
import os
import statistics
import time
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.peers import LIBRARIES, Make
from benchmarks.workloads import WORKLOADS, Workload


class Round:
    """One contender on one workload, ready to be timed: warmed up, with a number of epochs that fills `seconds`."""

    def __init__(self, make: Make, workload: Workload, seconds: float) -> None:
        self.make, self.workload, self.seconds = make, workload, seconds
        self.x, self.y = workload.data()
        self.contender = make(workload)
        self.contender.fit(2)           # compiles, records, wakes threads
        self.epochs = workload.least_epochs
        while self.epochs < workload.most_epochs and (spent := self._time()) < seconds:
            self.epochs = min(workload.most_epochs, self.epochs * (2 if spent > seconds / 4 else 4))

    def _time(self) -> float:
        self.contender.reset()
        start = time.perf_counter()
        self.contender.fit(self.epochs)
        return time.perf_counter() - start

    def run(self) -> float:
        """Seconds per step, over as many calls of fit as fill the time."""
        spent = fits = 0.0
        while spent < self.seconds:
            spent += self._time()
            fits += 1
        return spent / (fits * self.epochs * self.workload.steps(len(self.x)))

    def loss_after(self, epochs: int) -> float:
        """The loss over all rows after so many epochs of a fresh one: everybody does the same work."""
        fresh = self.make(self.workload)
        fresh.fit(epochs)
        return self.workload.loss(fresh.weights(), self.x, self.y)

    def predict(self, calls: int = 30) -> float:
        """Seconds of the fastest one-row predict."""
        best, row = float("inf"), self.x[:1].copy()
        for _ in range(calls):
            start = time.perf_counter()
            self.contender.predict(row)
            best = min(best, time.perf_counter() - start)
        return best


def seconds_per_step(library: str, setting: str, workload: Workload, rounds: int = 5,
                     seconds: float = 0.1) -> tuple[float, float]:
    """(fastest, median) of some rounds. ImportError where the library is not installed."""
    round_ = Round(LIBRARIES[library][setting], workload, seconds)
    times = [round_.run() for _ in range(rounds)]
    return min(times), statistics.median(times)


def serve(connection: Connection, library: str) -> None:
    """The loop of a library's process: (method of Round, setting, arguments) in, a number or an exception out."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)                       # TensorFlow greets at length
    rounds: dict[str, Round] = {}
    while (message := connection.recv()) is not None:
        method, setting, arguments = message
        try:
            if method == "prepare":
                workload, seconds = arguments
                rounds[setting] = Round(LIBRARIES[library][setting], WORKLOADS[workload], seconds)
                connection.send(None)
            elif method == "forget":
                rounds.pop(setting, None)
                connection.send(None)
            else:
                connection.send(getattr(rounds[setting], method)(*arguments))
        except Exception as error:          # whatever a peer raises is the reason why it is skipped
            first = (str(error).splitlines() or [""])[0]
            connection.send(RuntimeError(f"{type(error).__name__}: {first}"))


class Library:
    """A library in a process of its own."""

    def __init__(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, name), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, method: str, setting: str, *arguments: Any) -> Any:
        """What the method returns over there; RuntimeError with the reason when it fails."""
        try:
            self._connection.send((method, setting, arguments))
            answer = self._connection.recv()
        except (EOFError, OSError):
            raise RuntimeError(f"the process of {self.name} died") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._connection.send(None)
        self._process.join(10)
        if self._process.is_alive():
            self._process.terminate()
