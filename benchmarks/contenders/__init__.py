"""Everybody who trains the workloads, each at its best; a library is imported when it is first asked for.

A contender is made from a Workload, in a process that its library has for itself (process.py), and trains as its users
would. One that is not installed, or knows no such layer, raises; the report then has a dash.
"""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from benchmarks.contenders.fastnn import FASTNN
from benchmarks.contenders.jax import Jax
from benchmarks.contenders.keras import Keras
from benchmarks.contenders.plain import Numpy, ScikitLearn
from benchmarks.contenders.torch import Torch
from benchmarks.workloads import Workload


class Contender(Protocol):
    """Something that trains a workload."""

    def reset(self) -> None:
        """Back to the first weights."""

    def fit(self, epochs: int) -> None:
        """Train."""

    def weights(self) -> list[np.ndarray]:
        """[kernel, bias, ...], as Keras orders them."""

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """The outputs of some rows; some contenders have other methods for that too."""


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


WAYS: dict[str, dict[str, tuple[str, str]]] = {     # library → {way to get outputs: (setting, method)}
    "fastnn": {"reference": ("reference", "predict"), "C, replayed": ("C, replayed", "predict"),
               "C, replayed, the long way": ("C, replayed", "passed"), "C, eager": ("C, replayed", "call")},
    "torch": {"model(x)": ("eager, 1 thread", "predict")},
    "Keras": {"predict_on_batch": ("graph", "predict_on_batch"), "model(x)": ("graph", "call"),
              "predict": ("graph", "predict")},
    "JAX": {"jit": ("lax.scan, jit", "predict")},
    "scikit-learn": {"predict_proba": ("MLPClassifier", "predict")},
    "NumPy": {"by hand": ("by hand", "predict")},
}
MODULES = {"fastnn": "fastnn", "torch": "torch", "Keras": "keras", "JAX": "jax",
           "scikit-learn": "sklearn.neural_network", "NumPy": "numpy"}


def installed(library: str) -> bool:
    """Whether it can be imported here, found out without importing it."""
    return find_spec(MODULES[library].partition(".")[0]) is not None


def settings(library: str, workload: Workload) -> list[str]:
    """The settings of a library that are of interest here: memory formats are for images."""
    return [name for name in LIBRARIES[library] if workload.images or "channels_last" not in name]
