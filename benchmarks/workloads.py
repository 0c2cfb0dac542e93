"""The networks that everybody trains: same data, same first weights, same Adam, same loss. Imports NumPy at first.

A network is a tuple of layers written as Keras writes them, (class name, arguments). fastnn and Keras build any of them
without further ado; the other contenders have a table of those that they know and raise NotImplementedError for others
(a dash in the report). A new kind of layer needs a row in LAYERS here and one in each table of contenders/.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks import sequences

BETAS = (0.9, 0.999)            # Adam's, for everybody
EPSILON = 1e-7
MNIST_ROWS = 12_800             # 100 steps of 128: 40 MB, which no cache holds, as the whole of MNIST
WIDE_ROWS = 1_280
IMAGE_ROWS = 2_560              # 80 steps of 32, 20 of 128
JUDGED = 256                    # rows at once: a convolution in float64 is large
MNIST = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"

Shape = tuple[int, ...]
Arrays = tuple[np.ndarray, np.ndarray]
Layer = tuple[str, dict[str, Any]]


def dense(*widths: int, hidden: str) -> tuple[Layer, ...]:
    """Dense layers of these widths; the last one is a sigmoid for one unit, a softmax for more."""
    last = "sigmoid" if widths[-1] == 1 else "softmax"
    activations = [hidden] * (len(widths) - 1) + [last]
    return tuple(("Dense", dict(units=n, activation=a)) for n, a in zip(widths, activations))


def convolutional(filters: int, units: int, classes: int) -> tuple[Layer, ...]:
    """A 3×3 convolution, pooling, and two dense layers: everybody's first CNN."""
    return (("Conv2D", dict(filters=filters, kernel_size=(3, 3), activation="relu")),
            ("MaxPooling2D", dict(pool_size=(2, 2))), ("Flatten", {}), *dense(units, classes, hidden="relu"))


# ---- what a layer is: its weights' shapes and output shape, and its formula ----

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softmax": lambda x: (e := np.exp(x - x.max(axis=-1, keepdims=True))) / e.sum(axis=-1, keepdims=True),
}


def _dense_shapes(inputs: Shape, units: int, activation: str) -> tuple[list[Shape], Shape]:
    return [(inputs[-1], units), (units,)], (*inputs[:-1], units)


def _dense(x: np.ndarray, weights: list[np.ndarray], units: int, activation: str) -> np.ndarray:
    return ACTIVATIONS[activation](x @ weights[0] + weights[1])


def _conv2d_shapes(inputs: Shape, filters: int, kernel_size: Shape, activation: str) -> tuple[list[Shape], Shape]:
    height, width, channels = inputs
    size = height - kernel_size[0] + 1, width - kernel_size[1] + 1
    return [(*kernel_size, channels, filters), (filters,)], (*size, filters)


def _conv2d(x: np.ndarray, weights: list[np.ndarray], filters: int, kernel_size: Shape,
            activation: str) -> np.ndarray:
    patches = sliding_window_view(x, kernel_size, axis=(1, 2))         # (rows, height, width, channels, *kernel_size)
    return ACTIVATIONS[activation](np.einsum("nijckl,klcf->nijf", patches, weights[0], optimize=True) + weights[1])


def _pool_shapes(inputs: Shape, pool_size: Shape) -> tuple[list[Shape], Shape]:
    return [], (inputs[0] // pool_size[0], inputs[1] // pool_size[1], inputs[2])


def _pool(x: np.ndarray, weights: list[np.ndarray], pool_size: Shape) -> np.ndarray:
    (height, width), (ph, pw) = x.shape[1:3], pool_size
    cut = x[:, :height // ph * ph, :width // pw * pw]
    return np.asarray(cut.reshape(len(x), height // ph, ph, width // pw, pw, -1).max(axis=(2, 4)))


LAYERS: dict[str, tuple[Callable[..., tuple[list[Shape], Shape]], Callable[..., np.ndarray]]] = {
    "Dense": (_dense_shapes, _dense),
    "Conv2D": (_conv2d_shapes, _conv2d),
    "MaxPooling2D": (_pool_shapes, _pool),
    "Flatten": (lambda inputs: ([], (int(np.prod(inputs)),)), lambda x, weights: x.reshape(len(x), -1)),
    **sequences.LAYERS,
}


@dataclass(frozen=True, eq=False)
class Workload:
    """A network and its data."""
    name: str
    title: str
    inputs: Shape               # of one row
    layers: tuple[Layer, ...]
    batch: int
    rate: float
    least_epochs: int           # of one call of fit, whoever is timed,
    most_epochs: int            # and at most: as many as a lesson would ask for
    load: Callable[[], Arrays]

    @property
    def binary(self) -> bool:
        """Whether the last layer is one sigmoid; else it is a softmax."""
        return bool(self.layers[-1][1]["units"] == 1)

    @property
    def images(self) -> bool:
        """Whether a row is (height, width, channels)."""
        return len(self.inputs) == 3

    @property
    def ids(self) -> bool:
        """Whether a row is whole numbers, for an embedding."""
        return self.layers[0][0] in sequences.IDS

    @property
    def loss_name(self) -> str:
        """The loss as Keras calls it."""
        return "binary_crossentropy" if self.binary else "sparse_categorical_crossentropy"

    def widths(self) -> list[tuple[int, str]]:
        """(units, activation) of every layer. NotImplementedError where one is not Dense."""
        for kind, _ in self.layers:
            if kind != "Dense":
                raise NotImplementedError(f"has no {kind} here")
        return [(arguments["units"], arguments["activation"]) for _, arguments in self.layers]

    def data(self) -> Arrays:
        """x (rows, ...) float32, int32 for an embedding; y (rows, 1) float32 for one output, else labels (rows,), or
        (rows, time), int32."""
        x, y = self.load()
        x = np.ascontiguousarray(x, np.int32 if self.ids else np.float32)
        return x, (y.reshape(-1, 1).astype(np.float32) if self.binary else y.astype(np.int32))

    def first_weights(self) -> list[np.ndarray]:
        """Glorot uniform kernels and zero biases, the same for everybody, in the order of Keras' get_weights."""
        rng = np.random.default_rng(7)
        weights: list[np.ndarray] = []
        shape = self.inputs
        for kind, arguments in self.layers:
            found, shape = LAYERS[kind][0](shape, **arguments)
            for w in found:
                if isinstance(w, sequences.Ones):
                    weights.append(np.ones(w, np.float32))
                    continue
                taps = int(np.prod(w[:-2]))
                limit = np.sqrt(6 / (taps * (w[-2] + w[-1]))) if len(w) > 1 else 0.0
                weights.append(rng.uniform(-limit, limit, w).astype(np.float32))
        return weights

    def steps(self, rows: int) -> int:
        """Steps of one epoch."""
        return -(-rows // self.batch)

    def outputs(self, weights: list[np.ndarray], x: np.ndarray) -> np.ndarray:
        """The network in NumPy: the judge of everybody's weights."""
        rest, shape = list(weights), self.inputs
        for kind, arguments in self.layers:
            shapes, formula = LAYERS[kind]
            needed, shape = shapes(shape, **arguments)
            x = formula(x, rest[:len(needed)], **arguments)
            rest = rest[len(needed):]
        return x

    def loss(self, weights: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> float:
        """Mean cross-entropy over all rows, in float64."""
        exact = [np.asarray(w, np.float64) for w in weights]
        p = np.concatenate([self.outputs(exact, x[i:i + JUDGED].astype(np.float64)) for i in range(0, len(x), JUDGED)])
        p = p.clip(1e-7, 1 - 1e-7)
        if self.binary:
            return float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())
        return float(-np.log(np.take_along_axis(p, y[..., None], axis=-1)).mean())


# ---- data ----

def _xor() -> Arrays:
    return np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])


def _cancer() -> Arrays:
    from fastnn.datasets import breast_cancer
    table = breast_cancer.load()
    return (table.data - table.data.mean(axis=0)) / table.data.std(axis=0), table.target


def _classes(rows: int, features: int) -> Arrays:
    """Ten noisy prototypes, every tenth label wrong, so that no net fits it perfectly."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, rows)
    prototypes = rng.random((10, features), np.float32) * (rng.random((10, features)) < 0.2)
    x = (prototypes[y] + 0.2 * rng.random((rows, features), np.float32)).clip(0, 1)
    return x, np.where(rng.random(rows) < 0.1, rng.integers(0, 10, rows), y)


def _mnist() -> Arrays:
    if MNIST.is_dir():
        from fastnn.datasets import mnist
        (images, labels), _ = mnist.load_data(path=MNIST)
        return images[:MNIST_ROWS].reshape(-1, 784) / np.float32(255), labels[:MNIST_ROWS]
    return _classes(MNIST_ROWS, 784)


def _images() -> Arrays:
    x, y = _mnist()
    return x[:IMAGE_ROWS].reshape(-1, 28, 28, 1), y[:IMAGE_ROWS]


def _rows() -> Arrays:
    x, y = _mnist()
    return x[:IMAGE_ROWS // 2].reshape(-1, 28, 28), y[:IMAGE_ROWS // 2]


def _wide() -> Arrays:
    return _classes(WIDE_ROWS, 1024)


def _separable() -> Arrays:
    """Two clouds far apart: a net soon has nothing left to learn, and its gradients sink towards zero."""
    rng = np.random.default_rng(0)
    y = np.arange(576) % 2
    return rng.normal(size=(576, 30)) + 4 * (2 * y[:, None] - 1), y


SYNTHETIC = "" if MNIST.is_dir() else ", synthetic"
WORKLOADS = {w.name: w for w in (
    Workload("xor", "XOR, 2-4-1, all 4 rows", (2,), dense(4, 1, hidden="tanh"), 4, 0.01, 1, 10_000, _xor),
    Workload("cancer", "breast cancer, 30-16-8-1, batch 32", (30,), dense(16, 8, 1, hidden="relu"),
             32, 0.001, 1, 200, _cancer),
    Workload("mnist", f"MNIST, 784-128-64-10, batch 128 ({MNIST_ROWS:,} rows{SYNTHETIC})",
             (784,), dense(128, 64, 10, hidden="relu"), 128, 0.001, 5, 5, _mnist),
    Workload("wide", "1024-2048-2048-10, batch 256 (synthetic)", (1024,), dense(2048, 2048, 10, hidden="relu"),
             256, 0.0003, 5, 5, _wide),
    *(Workload(f"cnn {batch}", f"CNN on MNIST, conv 32-pool-64-10, batch {batch} ({IMAGE_ROWS:,} rows{SYNTHETIC})",
               (28, 28, 1), convolutional(32, 64, 10), batch, 0.0003, 1, 5, _images)
      for batch in (32, 128)),
    *(Workload(name, title, inputs, layers, batch, rate, 1, 5, load or _rows)
      for name, title, inputs, layers, batch, rate, load in sequences.NETWORKS),
)}
SEPARABLE = Workload("separable", "two clouds, 30-16-8-1, batch 32", (30,), dense(16, 8, 1, hidden="relu"),
                     32, 0.01, 1, 200, _separable)
WIDTHS = (16, 32, 45, 46, 64, 96, 128, 192, 256)


def workload_of(name: str) -> Workload:
    """By its name, which travels between processes; "width 64" is 64-64-64-10: where do two threads begin to pay?"""
    kind, _, width = name.partition(" ")
    if kind != "width":
        return {**WORKLOADS, "separable": SEPARABLE}[name]
    n = int(width)
    return Workload(name, f"{n}-{n}-{n}-10, batch 128", (n,), dense(n, n, 10, hidden="relu"), 128, 0.001, 1, 5,
                    lambda: _classes(MNIST_ROWS // 4, n))
