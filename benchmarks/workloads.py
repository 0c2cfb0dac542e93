"""The networks that everybody trains: same data, same first weights, same Adam, same loss. Imports NumPy at first.

A contender (here fastnn, in peers.py the others) is an object with
`reset()`: back to the first weights; `fit(epochs)`: train; `weights()`: [kernel, bias, ...] as Keras orders them;
`predict(row)`: the outputs of one row of NumPy numbers as an array.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

NOTHING = contextlib.nullcontext()
EPSILON = 1e-7                  # Adam's, for everybody
MNIST_ROWS = 12_800             # 100 steps of 128: 40 MB, which no cache holds, as the whole of MNIST
MNIST = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"


class Contender(Protocol):
    """Something that trains a workload."""

    def reset(self) -> None: ...
    def fit(self, epochs: int) -> None: ...
    def weights(self) -> list[np.ndarray]: ...
    def predict(self, row: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Workload:
    """A network and its data. The last layer is a sigmoid for one unit, a softmax for more."""
    name: str
    title: str
    layers: tuple[int, ...]
    hidden: str
    batch: int
    rate: float
    least_epochs: int           # of one call of fit, whoever is timed,
    most_epochs: int            # and at most: as many as a lesson would ask for
    load: Callable[[], tuple[np.ndarray, np.ndarray]]

    @property
    def binary(self) -> bool:
        return self.layers[-1] == 1

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """x (rows, in) float32; y (rows, 1) float32 for one output, else labels (rows,) int32."""
        x, y = self.load()
        x = np.ascontiguousarray(x, np.float32)
        return x, (y.reshape(-1, 1).astype(np.float32) if self.binary else y.astype(np.int32))

    def first_weights(self) -> list[np.ndarray]:
        """Glorot uniform kernels and zero biases, the same for everybody."""
        rng = np.random.default_rng(7)
        weights: list[np.ndarray] = []
        for n, m in zip(self.layers, self.layers[1:]):
            limit = np.sqrt(6 / (n + m))
            weights += [rng.uniform(-limit, limit, (n, m)).astype(np.float32), np.zeros(m, np.float32)]
        return weights

    def steps(self, rows: int) -> int:
        """Steps of one epoch."""
        return -(-rows // self.batch)

    def outputs(self, weights: list[np.ndarray], x: np.ndarray) -> np.ndarray:
        """The network in NumPy: the judge of everybody's weights."""
        for i in range(0, len(weights), 2):
            x = x @ weights[i] + weights[i + 1]
            if i < len(weights) - 2:
                x = np.tanh(x) if self.hidden == "tanh" else np.maximum(x, 0)
        if self.binary:
            return 1 / (1 + np.exp(-x))
        x = np.exp(x - x.max(axis=-1, keepdims=True))
        return x / x.sum(axis=-1, keepdims=True)

    def loss(self, weights: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> float:
        """Mean cross-entropy over all rows, in float64."""
        p = self.outputs([np.asarray(w, np.float64) for w in weights], x.astype(np.float64)).clip(1e-7, 1 - 1e-7)
        if self.binary:
            return float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())
        return float(-np.log(p[np.arange(len(y)), y]).mean())


def _xor() -> tuple[np.ndarray, np.ndarray]:
    return np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])


def _cancer() -> tuple[np.ndarray, np.ndarray]:
    from fastnn.datasets import breast_cancer
    table = breast_cancer.load()
    return (table.data - table.data.mean(axis=0)) / table.data.std(axis=0), table.target


def _mnist() -> tuple[np.ndarray, np.ndarray]:
    if MNIST.is_dir():
        from fastnn.datasets import mnist
        (images, labels), _ = mnist.load_data(path=MNIST)
        return images[:MNIST_ROWS].reshape(-1, 784) / np.float32(255), labels[:MNIST_ROWS]
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, MNIST_ROWS)
    prototypes = rng.random((10, 784), np.float32) * (rng.random((10, 784)) < 0.2)
    x = (prototypes[y] + 0.2 * rng.random((MNIST_ROWS, 784), np.float32)).clip(0, 1)
    return x, np.where(rng.random(MNIST_ROWS) < 0.1, rng.integers(0, 10, MNIST_ROWS), y)    # never perfectly fitted


WORKLOADS = {w.name: w for w in (
    Workload("xor", "XOR, 2-4-1, all 4 rows", (2, 4, 1), "tanh", 4, 0.01, 1, 10_000, _xor),
    Workload("cancer", "breast cancer, 30-16-8-1, batch 32", (30, 16, 8, 1), "relu", 32, 0.001, 1, 200, _cancer),
    Workload("mnist", "MNIST, 784-128-64-10, batch 128", (784, 128, 64, 10), "relu", 128, 0.001, 5, 5, _mnist),
)}


class Fastnn:
    """fastnn's fit, its Python included. backend: "c" or "reference"; eager: Python at every step."""

    def __init__(self, workload: Workload, backend: str, eager: bool = False) -> None:
        import fastnn
        self.fastnn, self.workload, self.backend = fastnn, workload, backend
        fastnn.random.set_seed(5)       # two runs that differ then differ for another reason
        self.x, self.y = workload.data()
        last = "sigmoid" if workload.binary else "softmax"
        activations = [workload.hidden] * (len(workload.layers) - 2) + [last]
        with fastnn.config.using(backend=backend):
            self.model: Any = fastnn.Sequential([
                fastnn.Input((workload.layers[0],)),
                *(fastnn.layers.Dense(n, activation=a) for n, a in zip(workload.layers[1:], activations))])
            self.model.compile(fastnn.optimizers.Adam(workload.rate, epsilon=EPSILON), run_eagerly=eager,
                               loss="binary_crossentropy" if workload.binary else "sparse_categorical_crossentropy")
        self.reset()

    def reset(self) -> None:
        self.model.set_weights(self.workload.first_weights())

    def _here(self) -> Any:
        config = self.fastnn.config
        return NOTHING if config.backend() == self.backend else config.using(backend=self.backend)

    def fit(self, epochs: int) -> None:
        with self._here():
            self.model.fit(self.x, self.y, batch_size=self.workload.batch, epochs=epochs, verbose=0)

    def weights(self) -> list[np.ndarray]:
        return list(self.model.get_weights())

    def predict(self, row: np.ndarray) -> np.ndarray:
        with self._here():
            return np.asarray(self.model.predict(row))


FASTNN: dict[str, Callable[[Workload], Contender]] = {
    "C, replayed": lambda workload: Fastnn(workload, "c"),
    "C, eager": lambda workload: Fastnn(workload, "c", eager=True),
    "reference": lambda workload: Fastnn(workload, "reference"),
}
