"""Which backend, instruction set and how many threads: to read, and to choose. Floor 5."""

import platform
from typing import Any

import numpy as np

from fastnn.engine import backend as _backend
from fastnn.engine import threads as _threads
from fastnn.engine.backend import backend, floatx, set_backend, set_floatx
from fastnn.engine.threads import num_threads, set_num_threads
from fastnn.frames import disable_traceback_filtering, enable_traceback_filtering, is_traceback_filtering_enabled
from fastnn.reporting.interactive import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)

__all__ = ["backend", "configuration", "disable_interactive_logging", "disable_traceback_filtering",
           "enable_interactive_logging", "enable_traceback_filtering", "floatx", "get_num_threads",
           "is_interactive_logging_enabled", "is_traceback_filtering_enabled", "num_threads", "set_backend",
           "set_floatx", "set_num_threads", "show_config", "using"]

get_num_threads = num_threads


def using(*, backend: str | None = None, threads: int | None = None, floatx: str | None = None) -> Any:
    """`with using(backend="reference", threads=1, floatx="float64"):` for the block only."""
    return _backend.using(backend, threads, floatx)


def configuration() -> dict[str, Any]:
    """What is in use, and why: version, backend, reason, isa, isas, threads, openmp, floatx, kernels, without_c,
    replaced (by fastnn.kernel), numpy, python, machine."""
    engine = _backend._engine
    from fastnn import __version__
    return {
        "version": __version__, "backend": backend(), "reason": _backend.why_not_c(), "isa": _backend.isa,
        "isas": [name for name, _ in engine.isas()] if engine else [],
        "threads": num_threads(), "openmp": bool(engine and engine.openmp_threads()), "floatx": floatx(),
        "kernels": len(_backend.kernels), "without_c": _backend.without_c(_backend.kernels) if engine else [],
        "replaced": sorted(_backend.replaced), "numpy": np.__version__, "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def show_config() -> None:
    """Print configuration(), one line an entry."""
    found = configuration()
    names = {"c": "C", "reference": "NumPy reference", "check": "check (C and reference, compared)"}
    print(f"fastnn {found['version']}")
    why = f"  (why not C: {found['reason']})" if found["reason"] else ""
    compiled = f"  (compiled: {', '.join(found['isas'])})" if found["isas"] else ""
    print(f"  backend          {names[found['backend']]}{why}")
    print(f"  instruction set  {found['isa'] or '-'}{compiled}")
    print(f"  threads          {found['threads']}  ({_threads.reason()})")
    print(f"  OpenMP           {'yes' if found['openmp'] else 'no'}")
    print(f"  floatx           {found['floatx']}")
    alone = f"  (only NumPy reference: {', '.join(found['without_c'])})" if found["without_c"] else ""
    own = f"  (yours: {', '.join(found['replaced'])})" if found["replaced"] else ""
    print(f"  kernels          {found['kernels']}{alone}{own}")
    print(f"  NumPy {found['numpy']}, Python {found['python']}, {found['machine']}")
