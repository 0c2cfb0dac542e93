"""`measure` times something in its library's process, so that one number means one thing in every group of the table.

A round is as many steps (products, calls, ...) as fill its time, in one message to that process; pytest-benchmark's
clock runs in units of one of them, so that all columns of its table are per step, whoever's step it is.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks import floors, machine
from benchmarks.contenders import MODULES, installed
from benchmarks.process import Absent, Library
from fastnn.engine import backend

ROUNDS, SECONDS = 7, 0.2        # of a round, if the test does not say otherwise
QUICK = 2, 0.1                  # rounds, and the share of the seconds

canary = machine.Canary()
Entry = tuple[str, str]                         # (library, setting)
times: dict[str, dict[Entry, float]] = {}       # by group: the fastest round of each, in seconds per unit


class Clock:
    """Seconds, divided by what a round has of what is counted."""
    units = 1

    def read(self) -> float:
        return time.perf_counter() / self.units


clock = Clock()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="short rounds, of every peer the first setting only")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "full: left out by --quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in (item for item in items if Path(__file__).parent in item.path.parents):
        item.add_marker(pytest.mark.benchmark(timer=clock.read))
        item.add_marker(pytest.mark.filterwarnings("ignore:Benchmark fixture was not used"))    # what failed before it
    if config.getoption("quick"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("full")])
        items[:] = [item for item in items if not item.get_closest_marker("full")]


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    machine_info["benchmarks"] = machine.line()


def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    """How the machine was; how many times each is faster than the reference in its group."""
    output_json["canary"] = {"readings": canary.readings, "waited": canary.waited}
    for row in output_json["benchmarks"]:
        reference = times.get(row["group"], {}).get(("fastnn", "reference"))
        if reference is not None:
            row["extra_info"]["reference / this"] = reference / row["stats"]["min"]


def entries(settings: Mapping[str, Iterable[str]], row: str = "", slow: Iterable[str] = ()) -> list[Any]:
    """Parameters (library, setting), after row if there is one, for all libraries that are installed. Not for --quick:
    further settings of peers, and `slow` rows or "row, setting"."""
    def slowly(library: str, setting: str, place: int) -> bool:
        return (place > 0 and library != "fastnn") or row in slow or f"{row}, {setting}" in slow
    return [pytest.param(*([row] if row else []), library, setting,
                         id="-".join(filter(None, [row, f"{library}, {setting}" if setting else library])),
                         marks=[pytest.mark.full] * slowly(library, setting, place))
            for library, several in settings.items() if installed(library) for place, setting in enumerate(several)]


@pytest.fixture(scope="session")
def libraries() -> Iterator[dict[str, Library]]:
    """Every library's process."""
    found = {name: Library(name) for name in MODULES}
    yield found
    for library in found.values():
        library.close()


@pytest.fixture
def quick(request: pytest.FixtureRequest) -> bool:
    """Whether --quick was given."""
    return bool(request.config.getoption("quick"))


class Measure:
    """make() something in a library's process, judge its results, then time() it."""

    def __init__(self, benchmark: Any, libraries: dict[str, Library], quick: bool) -> None:
        self._benchmark, self._libraries, self._quick = benchmark, libraries, quick

    def make(self, library: str, setting: str, make: Callable[..., Any], *arguments: Any) -> Any:
        """The results of make(*arguments), a Work in the library's process; a skip where it has no such thing."""
        if library == "fastnn" and setting.startswith("C") and backend._engine is None:
            pytest.skip("the C kernels are not built here: " + backend.missing)
        self._entry, self._process = (library, setting), self._libraries[library]
        try:
            self._process.ask("make", make, *arguments)
        except Absent as reason:
            pytest.skip(f"{library}: {reason}")
        return self._process.ask("results")

    def time(self, group: str, seconds: float = SECONDS, amounts: dict[str, float] | None = None, **info: Any) -> None:
        """Rounds of about so many seconds. amounts: what one unit has of something, as {"GFLOP": 0.3}; how much of it a
        second makes goes into extra_info, as does `info`."""
        benchmark, ask = self._benchmark, self._process.ask
        rounds, share = QUICK if self._quick else (ROUNDS, 1)

        def ready() -> None:
            if not self._quick and benchmark.enabled:
                canary.wait()
            ask("before")

        clock.units = ask("fill", seconds * share if benchmark.enabled else 0)
        library, setting = self._entry
        benchmark.group = group
        benchmark.extra_info.update(library=library, setting=setting, units=clock.units, **machine.engine(), **info)
        benchmark.pedantic(ask, args=("run",), setup=ready, rounds=rounds)
        if benchmark.stats:
            best = benchmark.stats.stats.min
            benchmark.extra_info.update({f"{name}/s": n / best for name, n in (amounts or {}).items()})
            times.setdefault(group, {})[self._entry] = best
            if not self._quick:         # whose rounds are too short for a busy machine
                floors.check(group, times[group])


@pytest.fixture
def measure(benchmark: Any, libraries: dict[str, Library], quick: bool) -> Measure:
    return Measure(benchmark, libraries, quick)
