"""What this machine can do at most: multiply-adds, memory traffic, calling a team of threads. Floor 5.

Measured by the kernels of csrc/run/measure.c, which the engine runs like any other, and kept in a small file.
"""

import contextlib
import json
import math
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.plan import aligned_empty
from fastnn.engine.threads import WORTH_A_WORKER, num_threads
from fastnn.ops._op import by_name

__all__ = ["Peak", "Rates", "machine_peak"]

MOST_THREADS = 1024
# Bytes that the memory probes work on: per thread for the two that fit into a core's own caches, in all for the others.
PER_THREAD = (24 << 10, 384 << 10)
IN_ALL = (16 << 20, 128 << 20)
RUN = 4e-3      # seconds of one timed run: waking a team takes some 30 us of it, 3 % of a run of 1 ms
TRIES = 5       # runs of each probe, of which the best counts
PATIENCE = 4.0  # seconds in which what is in doubt is tried again
UNLIKE = 4      # times less than a rate that it should exceed: no machine, but somebody else's work


@dataclass(frozen=True)
class Rates:
    """The most that `threads` threads do together: GFLOP/s (a multiply-add is two), and for each working set of `bytes`
    (in all) the GB/s of reading it, and of reading and writing it in place (both ways count)."""
    threads: int
    gflops: float
    bytes: tuple[int, ...]
    read: tuple[float, ...]
    update: tuple[float, ...]

    def bandwidth(self, read: int, written: int) -> tuple[float, int]:
        """(GB/s, its working set): the rate in the smallest working set that holds so many bytes; that of reading for
        those who read much more than they write."""
        place = next((i for i, size in enumerate(self.bytes) if read + written <= size), len(self.bytes) - 1)
        return (self.read if read > 8 * written else self.update)[place], self.bytes[place]


@dataclass(frozen=True)
class Peak:
    """Rates of one and of all threads, and what a team of them costs: `call` seconds for every call that is divided,
    `start` seconds once per run of a program."""
    machine: dict[str, Any]
    rates: tuple[Rates, ...]
    call: float
    start: float

    def of(self, threads: int) -> Rates:
        """The rates of one thread, or of all."""
        return self.rates[0] if threads <= 1 else self.rates[-1]

    def doubt(self) -> str:
        """Which rate cannot be right, as that of a moment in which other processes had the machine; "" if all may be.

        More bytes are not read faster, two threads are not slower, and as many numbers are multiplied as are read, all
        within a factor."""
        for rates in self.rates:
            who = f"{rates.threads} thread{'s' * (rates.threads > 1)}"
            read, one = rates.read[0], self.rates[0]
            near = 4 * UNLIKE       # an FMA is two operations, a number four bytes
            if not all(math.isfinite(x) and x > 0 for x in (rates.gflops, *rates.read, *rates.update)):
                return f"a rate of {who} is no number above 0"
            if not read / near < rates.gflops < read * near:
                return f"{who}: {rates.gflops:.3g} GFLOP/s beside reading {read:.3g} GB/s"
            for what, each in (("read", rates.read), ("update", rates.update)):
                for size, smaller, larger in zip(rates.bytes, each, each[1:]):
                    if smaller < larger / UNLIKE:
                        return f"{who}: {what} {size_text(size)} at {smaller:.3g} GB/s, more bytes at {larger:.3g}"
            for alone, all_ in zip((one.gflops, *one.read, *one.update), (rates.gflops, *rates.read, *rates.update)):
                if not 1 / UNLIKE < all_ / alone < UNLIKE * rates.threads:
                    return f"{who}: {all_:.3g} where one alone has {alone:.3g}"
        return ""

    def __str__(self) -> str:
        heads = [f"{rates.threads} thread" + "s" * (rates.threads > 1) for rates in self.rates]
        lines = [f"measured on {self.machine['cpu']}, {self.machine['isa']}",
                 " " * 38 + "".join(f"{head:>12}" for head in heads),
                 _line("multiply-adds in registers, GFLOP/s", [rates.gflops for rates in self.rates])]
        for what in ("read", "update"):
            for i, size in enumerate(self.rates[0].bytes):
                each = " a thread" if i < len(PER_THREAD) else ""
                lines.append(_line(f"{what} {size_text(size)}{each}, GB/s", [getattr(r, what)[i] for r in self.rates]))
        if len(self.rates) > 1:
            lines.append(f"  {heads[-1]} cost {1e6 * self.call:.2f} us a call that they share, and "
                         f"{1e6 * self.start:.1f} us to get together")
        return "\n".join(lines)


def measure() -> Peak:
    """Measure it now, with one thread and with as many as num_threads() says; takes about 0.8 s.

    RuntimeError where the C kernels are not built.
    """
    if backend._engine is None:
        raise RuntimeError(f"peak: the machine is measured by C kernels, but {backend.missing}.")
    counts = sorted({1, num_threads()})
    memory = aligned_empty(IN_ALL[-1]).view(np.float32)
    memory.fill(0.5)
    made = aligned_empty(64 * MOST_THREADS).view(np.float32)
    made.fill(0)
    probes: dict[Any, Callable[[], float]] = {}
    rounds: dict[Any, int] = {}
    for threads in counts:
        probes[threads, "gflops"] = _rate("_multiply_add", memory[:32], made, threads, 2 * 192 * threads, rounds, 0)
        for i, size in enumerate(_working_sets(threads)):
            part = memory[:size // memory.itemsize]
            probes[threads, "read", i] = _rate("_read", part, made, threads, size, rounds, i)
            probes[threads, "update", i] = _rate("_update", part, part, threads, 2 * size, rounds, i)
    found = dict.fromkeys(probes, 0.0)
    places = range(len(PER_THREAD) + len(IN_ALL))
    result, end = None, time.perf_counter() + PATIENCE
    while result is None or (result.doubt() and time.perf_counter() < end):
        for _ in range(TRIES):      # in turns: a slow spell of the machine does not hit all tries of one probe
            for key, probe in probes.items():
                found[key] = max(found[key], probe() / 1e9)
        rates = tuple(Rates(n, found[n, "gflops"], _working_sets(n), tuple(found[n, "read", i] for i in places),
                            tuple(found[n, "update", i] for i in places)) for n in counts)
        result = Peak(_machine(), rates, 0.0, 0.0)
    call, start = _team(counts[-1], made)
    return replace(result, call=call, start=start)


def machine_peak() -> Peak:
    """What was measured on this machine with this instruction set and number of threads; measured now if need be, and
    kept unless it is in doubt."""
    found = kept()
    if found is None:
        found = measure()
        with contextlib.suppress(OSError, ValueError):
            keep(found)
    return found


def measured_again(found: Peak) -> Peak:
    """The machine measured once more, and of each rate the larger of both: for a peak that something was faster than,
    as one that was measured while the machine was busy. The file has it from then on."""
    fresh = measure()
    if [rates.threads for rates in found.rates] == [rates.threads for rates in fresh.rates]:
        rates = tuple(Rates(a.threads, max(a.gflops, b.gflops), a.bytes, tuple(map(max, a.read, b.read)),
                            tuple(map(max, a.update, b.update))) for a, b in zip(found.rates, fresh.rates))
        fresh = Peak(fresh.machine, rates, min(found.call, fresh.call), min(found.start, fresh.start))
    with contextlib.suppress(OSError, ValueError):
        keep(fresh)
    return fresh


def kept() -> Peak | None:
    """What the cache file holds, or None where it holds nothing of this machine, instruction set and thread count."""
    try:
        found = json.loads(cache_file().read_text(encoding="utf-8"))
        rates = tuple(Rates(int(r["threads"]), float(r["gflops"]), tuple(map(int, r["bytes"])),
                            tuple(map(float, r["read"])), tuple(map(float, r["update"]))) for r in found["rates"])
        result = Peak(found["machine"], rates, float(found["call"]), float(found["start"]))
        sound = [r.threads for r in rates] == sorted({1, num_threads()}) and all(
            r.bytes == _working_sets(r.threads) and len(r.read) == len(r.update) == len(r.bytes) for r in rates)
        return result if sound and result.machine == _machine() and not result.doubt() else None
    except (OSError, ValueError, TypeError, KeyError, RuntimeError):
        return None


def keep(found: Peak) -> Path:
    """Write the cache file, whole or not at all, and return its path. OSError where that cannot be done, ValueError for
    what is in doubt."""
    doubt = found.doubt()
    if doubt:
        raise ValueError(f"this cannot be right: {doubt}. Other processes may have had the machine; try again.")
    from fastnn.saving import file
    target = cache_file()
    target.parent.mkdir(parents=True, exist_ok=True)
    file.replace(target, json.dumps(asdict(found), indent=1).encode())
    return target


def cache_file() -> Path:
    """fastnn/peak.json in XDG_CACHE_HOME (ignored unless absolute, as its specification says), else in ~/.cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        folder = cache if cache.is_absolute() else Path.home() / ".cache"
    except RuntimeError as error:
        raise OSError(f"there is no home folder ({error})") from error
    return folder / "fastnn" / "peak.json"


def costs() -> str:
    """What kernels are taken to cost: it decides, by sizes alone, how many threads a call gets."""
    if backend._engine is None:
        return ""
    width = 2 + max(map(len, backend.kernels))
    lines = [f"{'kernel':<{width}}{'an element costs':>16}   two threads from"]
    for _, op in sorted(by_name.items()):
        if not op.kernel.c or op.kernel.c.whole:
            lines.append(f"{op.name:<{width}}{'':>16}   never divided")
        elif op.work:
            lines.append(f"{op.name:<{width}}{'':>16}   a rule of its sizes says")
        else:
            least = math.ceil(2 * WORTH_A_WORKER / op.cost)
            lines.append(f"{op.name:<{width}}{op.cost:>13.3g} ns   {least:,} elements of the largest array")
    return "\n".join(lines)


def size_text(size: int) -> str:
    """Bytes as 24 KiB, 16 MiB."""
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def _line(text: str, values: list[float]) -> str:
    return f"  {text:<36}" + "".join(f"{value:12.1f}" for value in values)


def _working_sets(threads: int) -> tuple[int, ...]:
    return (*(min(size * threads, IN_ALL[-1]) for size in PER_THREAD), *IN_ALL)


def _machine() -> dict[str, Any]:
    """What a measurement holds for."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return {"cpu": name, "isa": backend.isa, "threads": num_threads(), "format": 1}


def _schedule(name: str, x: np.ndarray, y: np.ndarray, rounds: int, times: int = 1) -> Any:
    engine, kernel = backend._engine, backend.probes[name]
    constants = (rounds,) if name != "_nothing" else ()
    return engine.Schedule([(engine.Program([x, y], [(kernel, [0], [1], constants, MOST_THREADS)], []), times)], 1)


def _run(schedule: Any, threads: int) -> float:
    begin = time.perf_counter()
    schedule.run(math.inf, threads)
    return time.perf_counter() - begin


def _rate(name: str, x: np.ndarray, y: np.ndarray, threads: int, per_round: int, rounds: dict[Any, int],
          place: int) -> Callable[[], float]:
    """A function that runs the probe for RUN seconds at least and says how much it did a second.

    `rounds`: how many runs of so long take, known together for one thread and for all: on a busy machine the run of a
    team takes long at any number of them."""
    def probe() -> float:
        while True:
            count = rounds.setdefault((name, place), 1)
            seconds = _run(_schedule(name, x, y, count), threads)
            if seconds >= RUN or count >= 1 << 40:
                return per_round * count / seconds
            rounds[name, place] = 2 * count

    return probe


def _team(threads: int, made: np.ndarray) -> tuple[float, float]:
    """Seconds that a divided call costs beyond its work, and that a run costs because it has a team."""
    if threads == 1:
        return 0.0, 0.0
    def least(times: int, count: int, tries: int) -> float:
        best, end = math.inf, time.perf_counter() + PATIENCE / 8
        while tries > 0 and (best == math.inf or time.perf_counter() < end):
            best, tries = min(best, _run(_schedule("_nothing", made, made, 1, times), count)), tries - 1
        return best

    calls = least(1000, threads, 20) / 1000
    return calls, max(0.0, least(1, threads, 200) - least(1, 1, 200))
