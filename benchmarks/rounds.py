"""Taking turns: each library in a process of its own, as its users have it, and all of them measured in rounds."""

import contextlib
import functools
import math
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from benchmarks.contenders import LIBRARIES, Contender, Make
from benchmarks.workloads import WORKLOADS, Workload

Entry = tuple[str, str]         # (library, setting)
Times = dict[Entry, float]      # the fastest of each, in seconds


class Timed:
    """Something to call again and again; run() is the fastest of as many calls as fit into `seconds`.

    each: how many of what is timed one call does. before: what to do first in every turn (a thread count that others
    in this process may have changed)."""

    def __init__(self, call: Callable[[], Any], seconds: float, each: int = 1,
                 before: Callable[[], Any] = lambda: None) -> None:
        self.call, self.seconds, self.each, self.before = call, seconds, each, before
        before()
        call()

    def run(self) -> float:
        """Seconds."""
        self.before()
        best, done, end = math.inf, 0, time.perf_counter() + self.seconds
        while done < 2 or time.perf_counter() < end:
            start = time.perf_counter()
            self.call()
            best = min(best, time.perf_counter() - start)
            done += 1
        return best / self.each


class Round:
    """One contender on one workload, warmed up, with a number of epochs that fills `seconds`."""

    def __init__(self, make: Make, workload: Workload, seconds: float) -> None:
        self.make, self.workload, self.seconds = make, workload, seconds
        self.rows = len(workload.data()[0])
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
        return spent / (fits * self.epochs * self.workload.steps(self.rows))

    def weights_after(self, epochs: int) -> list[np.ndarray]:
        """The weights of a fresh one after so many epochs: everybody must have done the same work."""
        fresh = self.make(self.workload)
        fresh.fit(epochs)
        return fresh.weights()

    def slowdown(self, epochs: int, window: int = 20) -> float:
        """Time of the last `window` epochs over that of the first, the fastest of three each."""
        times: list[list[float]] = []
        for _ in range(3):
            self.contender.reset()
            times.append([])
            for _ in range(0, epochs, window):
                start = time.perf_counter()
                self.contender.fit(window)
                times[-1].append(time.perf_counter() - start)
        return min(t[-1] for t in times) / min(t[0] for t in times)


def training(library: str, setting: str, workload: str, seconds: float) -> Round:
    """A Round by names, which travel between processes."""
    return Round(LIBRARIES[library][setting], WORKLOADS[workload], seconds)


def inference(library: str, setting: str, workload: str, rows: int, seconds: float) -> dict[str, Timed]:
    """Each of the contender's ways to get the outputs of so many rows."""
    contender: Contender = LIBRARIES[library][setting](WORKLOADS[workload])
    contender.fit(1)
    x = np.ascontiguousarray(np.resize(WORKLOADS[workload].data()[0], (rows, *WORKLOADS[workload].inputs)))
    return {name: Timed(functools.partial(way, x), seconds) for name, way in contender.ways().items()}


def seconds_per_step(library: str, setting: str, workload: Workload, rounds: int = 5,
                     seconds: float = 0.1) -> tuple[float, float]:
    """(fastest, median) of some rounds. ImportError where the library is not installed."""
    round_ = Round(LIBRARIES[library][setting], workload, seconds)
    times = [round_.run() for _ in range(rounds)]
    return min(times), statistics.median(times)


# Two OpenMP threads that the system has put on one core wait for each other by spinning: 4 GFLOP/s instead of 300, for
# seconds, seen in every third row with torch. fastnn's team gives its core away and needs no help.
BOUND = {"OMP_PROC_BIND": "true", "OMP_PLACES": "cores"}
ENVIRONMENT = {"torch": BOUND}


def _serve(connection: Connection) -> None:
    """The loop of a library's process: (verb, key, function or method, arguments) in, the result or an error out."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)                       # TensorFlow greets at length
    things: dict[Any, Any] = {}
    while (message := connection.recv()) is not None:
        verb, key, function, arguments = message
        try:
            if verb == "make":              # a function may make several things at once, by name
                made = function(*arguments)
                several = made if isinstance(made, dict) else {"": made}
                things.update({(key, name): thing for name, thing in several.items()})
                connection.send(list(several))
            elif verb == "forget":
                things.clear()
                connection.send(None)
            else:
                connection.send(getattr(things[key], function)(*arguments))
        except Exception as error:          # whatever a peer raises is the reason why it is skipped
            first = (str(error).strip().splitlines() or [""])[0]
            connection.send(RuntimeError(f"{type(error).__name__}: {first}"[:200]))


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

    def _ask(self, *message: Any) -> Any:
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
            raise RuntimeError(f"the process of {self.name} died") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def make(self, setting: str, function: Callable[..., Any], *arguments: Any) -> list[str]:
        """function(*arguments) over there; the names of what it made. RuntimeError with the reason when it fails."""
        return list(self._ask("make", setting, function, arguments))

    def call(self, setting: str, method: str, *arguments: Any, way: str = "") -> Any:
        """What the method of the thing made under this name returns."""
        return self._ask("call", (setting, way), method, arguments)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._connection.send(None)
            self._process.join(10)
            if self._process.is_alive():
                self._process.terminate()
            self._process = None

    def forget(self) -> None:
        """Let go of everything that was made."""
        if self._process is not None:
            with contextlib.suppress(RuntimeError):
                self._ask("forget", None, None, ())


REST = 0.12         # OpenBLAS' threads spin for 105 ms after their last product (2^28 cycles), OpenMP's for less
HOPELESS = 1.5      # a peer's setting this many times slower than its library's best stops after the first round


def race(libraries: dict[str, Library], entries: Iterable[Entry], rounds: int, few: Iterable[Entry] = (),
         methods: dict[Entry, tuple[str, str]] | None = None, wait: Callable[[], Any] = lambda: None) -> Times:
    """The fastest run() of every entry, all of them taking one turn a round; those in `few` three turns at most.

    methods: {entry: (setting, way)} where an entry is one of several things made under one setting. wait: what comes
    before every turn, whoever's it is: it returns when the machine is in good shape.
    """
    best: Times = dict.fromkeys(entries, math.inf)
    running = list(best)
    for turn in range(rounds):
        for library, setting in running:
            made, way = (methods or {}).get((library, setting), (setting, ""))
            wait()
            time.sleep(REST)
            best[library, setting] = min(best[library, setting], libraries[library].call(made, "run", way=way))
        if turn == 0:
            running = [e for e in running if e[0] == "fastnn" or best[e] <= HOPELESS * fastest(best, e[0])[0]]
        if turn == 2:
            running = [e for e in running if e not in set(few)]
    return best


def fastest(times: Times, library: str) -> tuple[float, str]:
    """(seconds, setting) of the library's best setting; (inf, "") if there is none."""
    return min(((t, setting) for (name, setting), t in times.items() if name == library), default=(math.inf, ""))
