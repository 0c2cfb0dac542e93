"""How many threads C may use. Floor 1; imports errors only."""

import os
from pathlib import Path

from fastnn.errors import shown

LIMIT = 1024


def _checked(value: object, where: str) -> int:
    try:
        n = int(value)  # type: ignore[call-overload]
        exact = not isinstance(value, bool) and n == (int(value, 10) if isinstance(value, str) else value)
    except (TypeError, ValueError):
        exact, n = False, 0
    if not exact or not 1 <= n <= LIMIT:
        raise ValueError(f"{where}: got {shown(value)}; needs a whole number from 1 to {LIMIT}.")
    return n


def _quota() -> int:
    """The whole CPUs that the cgroup allows (containers), or LIMIT."""
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return LIMIT if limit == "max" else max(1, int(limit) // int(period))
    except (OSError, ValueError):
        return LIMIT


def _from_environment() -> int | None:
    ours = os.environ.get("FASTNN_NUM_THREADS")
    return _checked(ours, "FASTNN_NUM_THREADS") if ours else None


_cgroup_quota = _quota()
_wanted: int | None = _from_environment()


def wanted() -> int | None:
    """The number somebody asked for, or None when fastnn decides."""
    return _wanted


def restore(n: int | None) -> None:
    """Put back what wanted() gave."""
    global _wanted
    _wanted = n


def set_num_threads(n: int) -> None:
    """Use at most n threads. Results do not depend on it. Raises ValueError unless 1 <= n <= 1024."""
    restore(_checked(n, "set_num_threads"))


def num_threads() -> int:
    """The most threads a call may use: as set, else FASTNN_NUM_THREADS, else OMP_NUM_THREADS, else the CPUs
    that affinity and container quota leave. Read anew for every run, so later limits are honoured."""
    if _wanted is not None:
        return _wanted
    omp = os.environ.get("OMP_NUM_THREADS", "")
    if omp.isdigit() and int(omp) > 0:
        return min(int(omp), LIMIT)
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cpus, _cgroup_quota)
