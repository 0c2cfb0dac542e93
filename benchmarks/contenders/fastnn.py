"""fastnn's fit, its Python included."""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import EPSILON, Workload

NOTHING = contextlib.nullcontext()


class Fastnn:
    """backend: "c" or "reference"; eager: Python at every step; threads: as fastnn chooses, or so many."""

    def __init__(self, workload: Workload, backend: str, eager: bool = False, threads: int | None = None) -> None:
        import fastnn
        self.fastnn, self.workload, self.backend, self.threads = fastnn, workload, backend, threads
        fastnn.random.set_seed(5)       # two runs that differ then differ for another reason
        self.x, self.y = workload.data()
        with fastnn.config.using(backend=backend):
            self.model: Any = fastnn.Sequential([
                fastnn.Input(workload.inputs, dtype=self.x.dtype.name),
                *(getattr(fastnn.layers, kind)(**arguments) for kind, arguments in workload.layers)])
            self.model.compile(fastnn.optimizers.Adam(workload.rate, epsilon=EPSILON), loss=workload.loss_name,
                               run_eagerly=eager)
        self.reset()

    def reset(self) -> None:
        self.model.set_weights(self.workload.first_weights())

    def _here(self) -> Any:
        config = self.fastnn.config
        if config.backend() == self.backend and self.threads is None:
            return NOTHING
        return config.using(backend=self.backend, threads=self.threads)

    def fit(self, epochs: int) -> None:
        with self._here():
            self.model.fit(self.x, self.y, batch_size=self.workload.batch, epochs=epochs, verbose=0)

    def weights(self) -> list[np.ndarray]:
        return list(self.model.get_weights())

    def predict(self, rows: np.ndarray) -> np.ndarray:
        with self._here():
            return np.asarray(self.model.predict(rows, verbose=0))

    def passed(self, rows: np.ndarray) -> np.ndarray:
        """predict without the straight way that it has for a few rows."""
        with self._here():
            return np.asarray(self.model.predict(rows, batch_size=len(rows), verbose=0))

    def call(self, rows: np.ndarray) -> np.ndarray:
        with self._here():
            return np.asarray(self.model(rows))


FASTNN: dict[str, Callable[[Workload], Fastnn]] = {
    "C, replayed": lambda workload: Fastnn(workload, "c"),
    "C, replayed, 1 thread": lambda workload: Fastnn(workload, "c", threads=1),
    "C, eager": lambda workload: Fastnn(workload, "c", eager=True),
    "reference": lambda workload: Fastnn(workload, "reference"),
}
