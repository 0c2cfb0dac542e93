"""How many threads C may use. Floor 1; imports errors only."""

import contextlib
import os
from pathlib import Path

from fastnn.errors import shown

LIMIT = 1024
# Nanoseconds of work that each worker of a call must be worth: to wake a second one costs about 1 us (libgomp, on two
# cores: 0.8 measured), in a program 0.2.
WORTH_A_WORKER = 6000


def _checked(value: object, where: str) -> int:
    try:
        n = int(value)  # type: ignore[call-overload]
        exact = not isinstance(value, bool) and n == (int(value, 10) if isinstance(value, str) else value)
    except (TypeError, ValueError):
        exact, n = False, 0
    if not exact or not 1 <= n <= LIMIT:
        raise ValueError(f"{where}: got {shown(value)}; needs a whole number from 1 to {LIMIT}.")
    return n


def _quota(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """The whole CPUs that cgroups allow (containers, systemd), or LIMIT. Half a CPU more is not counted: threads that
    wait for each other would spend it waiting."""
    found = [LIMIT]
    with contextlib.suppress(OSError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            inside = [Path(path.lstrip("/")), *Path(path.lstrip("/")).parents]      # a limit holds for all below it
            if not controllers:                                     # version 2
                found += [_whole(root / each / "cpu.max") for each in inside]
            elif "cpu" in controllers.split(","):
                found += [_whole(root / "cpu" / each / "cpu.cfs_quota_us", "cpu.cfs_period_us") for each in inside]
    return min(found)


def _whole(file: Path, period_file: str = "") -> int:
    """quota // period of one cgroup, at least 1; LIMIT where there is none."""
    try:
        quota, period = (file.read_text(), file.with_name(period_file).read_text()) if period_file else \
            file.read_text().split()
        return LIMIT if quota.strip() in ("max", "-1") else min(LIMIT, max(1, int(quota) // int(period)))
    except (OSError, ValueError, ZeroDivisionError):
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


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def openmp_threads() -> int:
    """What OpenMP would use on this thread. The backend puts the compiled module's function here."""
    return LIMIT


def openmp_binds() -> bool:
    """Whether OpenMP has bound this thread to CPUs of its own. The backend puts the compiled module's function here."""
    return False


def parts(nanoseconds: float) -> int:
    """The most workers that so much work is divided among; more than there can be, where it takes long."""
    return max(1, int(min(nanoseconds / WORTH_A_WORKER, 2 ** 40)))


def num_threads() -> int:
    """The most threads a call may use: as set, else FASTNN_NUM_THREADS, else what OpenMP would use (OMP_NUM_THREADS,
    threadpoolctl's limits) and, unless OMP_NUM_THREADS says otherwise, not more than the CPUs that affinity and
    container quota leave. Read anew for every run, so later limits are honoured.

    Where OpenMP binds its threads (OMP_PROC_BIND), this thread's affinity is its one place of theirs: OpenMP itself has
    counted the CPUs of the process then, before it bound them."""
    if _wanted is not None:
        return _wanted
    allowed = min(max(1, openmp_threads()), LIMIT)
    if os.environ.get("OMP_NUM_THREADS"):
        return allowed
    return min(allowed, LIMIT if openmp_binds() else _cpus(), _cgroup_quota)


def reason() -> str:
    """Where num_threads() comes from."""
    if _wanted is not None:
        return "as set"
    if openmp_binds() or num_threads() < min(_cpus(), _cgroup_quota) or os.environ.get("OMP_NUM_THREADS"):
        return "OpenMP's limit"
    return "the container's quota" if _cgroup_quota < _cpus() else "CPUs this process may use"
