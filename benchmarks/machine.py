"""Which machine this is, and whether it is in good shape right now. Imports NumPy, and fastnn only when asked."""

import importlib.metadata
import math
import os
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SLOW = 0.7      # of the best canary of a run: below it the machine was busy with something else
# A virtual machine has spells of seconds in which its two CPUs do the work of 1.3, as if its host ran both on one core:
# NumPy's product falls to 0.7 of its speed, and a step of an MNIST net takes 1.6 times as long. A round waits for the
# end of such a spell, SPELL seconds at most, and all rounds together PATIENCE.
GOOD, SPELL, PATIENCE = 0.85, 20.0, 600.0
FRESH = 0.5         # seconds for which a look is good: spells are longer
REST = 0.12         # OpenBLAS' threads spin for 105 ms after their last product (2^28 cycles), OpenMP's for less


def cpu_model() -> str:
    """The processor's name, as the system gives it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cores() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def version(distribution: str) -> str:
    """The installed version, or an empty string."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def line() -> str:
    """CPU, cores, operating system and versions in one line."""
    versions = {"NumPy": "numpy", "torch": "torch", "Keras": "keras", "TensorFlow": "tensorflow-cpu",
                "JAX": "jax", "scikit-learn": "scikit-learn"}
    found = [f"{name} {version(distribution)}" for name, distribution in versions.items() if version(distribution)]
    return ", ".join([cpu_model(), f"{cores()} cores", f"{platform.system()} {platform.release()}",
                      f"Python {platform.python_version()}", *found])


def engine() -> dict[str, Any]:
    """What fastnn runs on: for extra_info and the report's machine line."""
    import fastnn
    found = fastnn.config.configuration()
    return {"cpu": cpu_model(), "threads": found["threads"], "isa": found["isa"]}


def best_seconds(call: Callable[[], Any], seconds: float = 0.05) -> float:
    """The fastest of as many calls as fit into `seconds`, at least three."""
    best, done, end = float("inf"), 0, time.perf_counter() + seconds
    while done < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
        done += 1
    return best


class Canary:
    """GFLOP/s of NumPy's 256³ float32 product, read between measurements; where it falls, trust none of them."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self._a, self._b = (rng.random((256, 256), np.float32) for _ in range(2))
        self._y = np.empty_like(self._a)
        self.readings: list[float] = []
        self.waited, self._looked = 0.0, -math.inf      # seconds in all; when it last was good

    def wait(self) -> None:
        """Return when the machine is nearly as fast as it was at its best, or after SPELL seconds; at once where it was
        so just now."""
        begin = time.perf_counter()
        if begin < self._looked + FRESH:
            return
        end = begin + min(SPELL, PATIENCE - self.waited)
        while True:
            fastest = best_seconds(lambda: np.matmul(self._a, self._b, out=self._y), 0.005)
            reading = 2 * 256 ** 3 / fastest / 1e9
            if reading >= GOOD * max(self.readings, default=0.0) or time.perf_counter() > end:
                break
            time.sleep(0.3)
        self.readings.append(reading)
        if (spent := time.perf_counter() - begin) > 0.1:
            self.waited += spent
        time.sleep(REST)
        self._looked = time.perf_counter()


def verdict(readings: list[float], waited: float = 0) -> str:
    """First, last and slowest reading in words, the seconds that rounds waited for the end of slow spells, a warning
    where a reading is below SLOW of the best."""
    low, best = min(readings), max(readings)
    text = (f"canary (NumPy matmul 256³): {readings[0]:.0f} GFLOP/s before, {readings[-1]:.0f} after, "
            f"{low:.0f} to {best:.0f}")
    if waited:
        text += f"; rounds waited {waited:.0f} s in all for the end of slow spells"
    if low < SLOW * best:
        text += f". **Warning: one reading is below {SLOW:.0%} of the best; the machine was busy, run it again**"
    return text


def peak(threads: int) -> float | None:
    """GFLOP/s of multiply-adds that stay in registers, measured now (what fastnn keeps may be of a busy hour); None
    where it cannot be."""
    try:
        from fastnn.teaching.peak import measure
        found = float(measure().of(threads).gflops)
        return found if found > 1 else None         # of a machine so busy that nothing was done in time
    except (ImportError, RuntimeError):
        return None
