"""Everybody who trains the workloads, each at its best; a library is imported when it is first asked for.

A contender is made from a Workload, in a process that its library has for itself (rounds.py), and trains as its users
would. One that is not installed, or knows no such layer, raises; the report then has a dash and the reason.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np

from benchmarks.contenders.fastnn import FASTNN
from benchmarks.contenders.jax import Jax
from benchmarks.contenders.keras import Keras
from benchmarks.contenders.plain import Numpy, ScikitLearn
from benchmarks.contenders.torch import Torch
from benchmarks.workloads import Workload

Way = Callable[[np.ndarray], np.ndarray]


class Contender(Protocol):
    """Something that trains a workload."""

    def reset(self) -> None:
        """Back to the first weights."""

    def fit(self, epochs: int) -> None:
        """Train."""

    def weights(self) -> list[np.ndarray]:
        """[kernel, bias, ...], as Keras orders them."""

    def ways(self) -> dict[str, Way]:
        """The ways to get the outputs of some rows, by name."""


Make = Callable[[Workload], Contender]
LIBRARIES: dict[str, dict[str, Make]] = {        # library → {setting: contender}
    "fastnn": dict(FASTNN),
    "torch": {"eager, 1 thread": lambda w: Torch(w, 1), "eager, 2 threads": lambda w: Torch(w, 2),
              "compile, 1 thread": lambda w: Torch(w, 1, compiled=True),
              "compile, 2 threads": lambda w: Torch(w, 2, compiled=True),
              **{f"{way}, channels_last, {n} thread{'s' * (n > 1)}":
                 partial(Torch, threads=n, compiled=way == "compile", channels_last=True)
                 for way in ("eager", "compile") for n in (1, 2)}},
    "Keras": {"graph, an epoch an execution": lambda w: Keras(w, False, True),
              "jit_compile, an epoch an execution": lambda w: Keras(w, True, True),
              "graph": lambda w: Keras(w, False, False), "jit_compile": lambda w: Keras(w, True, False)},
    "JAX": {"lax.scan, jit": Jax},
    "scikit-learn": {"MLPClassifier": ScikitLearn},
    "NumPy": {"by hand": Numpy},
}


def settings(library: str, workload: Workload) -> list[str]:
    """The settings of a library that are of interest here: memory formats are for images."""
    return [name for name in LIBRARIES[library] if workload.images or "channels_last" not in name]
