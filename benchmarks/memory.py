"""Memory and import time of a library, in a fresh interpreter: `python -m benchmarks.memory fastnn SETTING DATA.npz`.

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

from benchmarks.workloads import WORKLOADS

MODULES = {"fastnn": "fastnn", "torch": "torch", "Keras": "keras", "JAX": "jax",
           "scikit-learn": "sklearn.neural_network"}


def _status(field: str) -> float:
    """VmRSS (now) or VmHWM (the most so far) of this process, in MB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return math.nan


def _run(code: list[str]) -> str:
    done = subprocess.run([sys.executable, *code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImportError((done.stderr.strip().splitlines() or ["?"])[-1][:200])
    return done.stdout.strip().splitlines()[-1]


def import_seconds(module: str, rounds: int = 2) -> float:
    """What `import module` costs after `import numpy`, in a fresh interpreter. ImportError where it is absent."""
    code = f"import time, numpy; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    return min(float(_run(["-c", code])) for _ in range(rounds))


def megabytes(library: str, setting: str) -> tuple[float, float]:
    """(after import, at most until one MNIST epoch is over). ImportError where it is absent."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnist.npz"
        x, y = WORKLOADS["mnist"].load()
        np.savez(path, x=x.astype(np.float32), y=y)
        after, most = json.loads(_run(["-m", "benchmarks.memory", library, setting, str(path)]))
    return after, most


def main() -> None:
    library, setting, path = sys.argv[1:]
    __import__(MODULES[library])
    after = _status("VmRSS")

    def load() -> tuple[np.ndarray, np.ndarray]:
        with np.load(path) as arrays:
            return arrays["x"], arrays["y"]

    from benchmarks.contenders import LIBRARIES
    contender = LIBRARIES[library][setting](dataclasses.replace(WORKLOADS["mnist"], load=load))
    contender.fit(1)
    print(json.dumps([after, _status("VmHWM")]))


if __name__ == "__main__":
    main()
