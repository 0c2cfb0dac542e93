"""Memory and import time of a library, in a fresh interpreter: `python -m benchmarks.memory fastnn DATA.npz`.

Resident megabytes after import and the most there were until the end of one MNIST epoch.
"""

import dataclasses
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.contenders import LIBRARIES, MODULES
from benchmarks.process import Work, calls
from benchmarks.workloads import WORKLOADS


def _status(field: str) -> float:
    """VmRSS (now) or VmHWM (the most so far) of this process, in MB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return math.nan


def import_of(module: str) -> Work:
    """`import module` in a fresh interpreter, its start included."""
    return calls(lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True))


def megabytes(library: str) -> tuple[float, float]:
    """(after import, at most until one MNIST epoch is over)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnist.npz"
        x, y = WORKLOADS["mnist"].load()
        np.savez(path, x=x.astype(np.float32), y=y)
        done = subprocess.run([sys.executable, "-m", "benchmarks.memory", library, str(path)], capture_output=True,
                              text=True, check=True)
    after, most = json.loads(done.stdout.splitlines()[-1])
    return after, most


def main() -> None:
    library, path = sys.argv[1:]
    __import__(MODULES[library])
    after = _status("VmRSS")

    def load() -> tuple[np.ndarray, np.ndarray]:
        with np.load(path) as arrays:
            return arrays["x"], arrays["y"]

    make = next(iter(LIBRARIES[library].values()))
    contender = make(dataclasses.replace(WORKLOADS["mnist"], load=load))
    contender.fit(1)
    print(json.dumps([after, _status("VmHWM")]))


if __name__ == "__main__":
    main()
