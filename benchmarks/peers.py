"""The peers, each at its best: imported when first asked for, absent ones are skipped with the reason.

Every class trains a Workload as its library's users would; see workloads.py for what a contender must do.
rounds.py times them.
"""

import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import EPSILON, FASTNN, Contender, Workload

ENDLESS = 10 ** 9
ONES = (0.9, 0.999)             # Adam's betas, for everybody


class Torch:
    """Eager PyTorch: one permutation an epoch, plain slices, fused Adam."""

    def __init__(self, workload: Workload, threads: int) -> None:
        import torch
        from torch import nn
        self.torch, self.workload, self.threads = torch, workload, threads
        torch.set_num_threads(threads)
        x, y = workload.data()
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y if workload.binary else y.astype(np.int64))
        hidden = {"tanh": nn.Tanh, "relu": nn.ReLU}[workload.hidden]
        stack: list[Any] = []
        for n, m in zip(workload.layers, workload.layers[1:]):
            stack += [nn.Linear(n, m), hidden()]
        self.model = nn.Sequential(*stack[:-1])
        self.loss = nn.BCEWithLogitsLoss() if workload.binary else nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.model.parameters(), workload.rate, ONES, EPSILON, fused=True)
        self.shuffled = torch.empty_like(self.x), torch.empty_like(self.y)
        self.reset()

    def reset(self) -> None:
        with self.torch.no_grad():
            for parameter, w in zip(self.model.parameters(), self.workload.first_weights()):
                parameter.copy_(self.torch.from_numpy(w.T))

    def fit(self, epochs: int) -> None:
        torch, (x, y), n = self.torch, (self.x, self.y), len(self.x)
        torch.set_num_threads(self.threads)
        batch = self.workload.batch
        for _ in range(epochs):
            if n > batch:
                order = torch.randperm(n)
                x = torch.index_select(self.x, 0, order, out=self.shuffled[0])
                y = torch.index_select(self.y, 0, order, out=self.shuffled[1])
            for i in range(0, n, batch):
                self.optimizer.zero_grad()
                self.loss(self.model(x[i:i + batch]), y[i:i + batch]).backward()
                self.optimizer.step()

    def weights(self) -> list[np.ndarray]:
        return [p.detach().numpy().T.copy() for p in self.model.parameters()]

    def predict(self, row: np.ndarray) -> np.ndarray:
        with self.torch.inference_mode():
            logits = self.model(self.torch.from_numpy(row))
            return np.asarray((logits.sigmoid() if self.workload.binary else logits.softmax(-1)).numpy())


class Keras:
    """Keras' fit on TensorFlow. whole: one execution an epoch instead of one a step."""

    def __init__(self, workload: Workload, jit: bool, whole: bool) -> None:
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras
        self.workload = workload
        self.x, self.y = workload.data()
        last = "sigmoid" if workload.binary else "softmax"
        activations = [workload.hidden] * (len(workload.layers) - 2) + [last]
        self.model = keras.Sequential([
            keras.Input((workload.layers[0],)),
            *(keras.layers.Dense(n, activation=a) for n, a in zip(workload.layers[1:], activations))])
        self.model.compile(keras.optimizers.Adam(workload.rate, epsilon=EPSILON), jit_compile=jit,
                           loss="binary_crossentropy" if workload.binary else "sparse_categorical_crossentropy",
                           steps_per_execution=workload.steps(len(self.x)) if whole else 1)
        self.reset()

    def reset(self) -> None:
        self.model.set_weights(self.workload.first_weights())

    def fit(self, epochs: int) -> None:
        self.model.fit(self.x, self.y, batch_size=self.workload.batch, epochs=epochs, verbose=0)

    def weights(self) -> list[np.ndarray]:
        return list(self.model.get_weights())

    def predict(self, row: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict(row, verbose=0))


class ScikitLearn:
    """MLPClassifier on float32 rows; it draws its own first weights."""

    def __init__(self, workload: Workload) -> None:
        from sklearn.neural_network import MLPClassifier
        self.workload, self.kind = workload, MLPClassifier
        self.x, y = workload.data()
        self.y = y.reshape(-1).astype(np.int64)
        self.reset()

    def reset(self) -> None:
        work = self.workload
        self.model = self.kind(
            work.layers[1:-1], activation=work.hidden, solver="adam", alpha=0.0, batch_size=work.batch,
            learning_rate_init=work.rate, epsilon=EPSILON, tol=0.0, n_iter_no_change=ENDLESS, random_state=7)

    def fit(self, epochs: int) -> None:
        self.model.set_params(max_iter=epochs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")         # "has not converged yet"
            self.model.fit(self.x, self.y)

    def weights(self) -> list[np.ndarray]:
        return [np.asarray(w) for pair in zip(self.model.coefs_, self.model.intercepts_) for w in pair]

    def predict(self, row: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict_proba(row))


class Numpy:
    """The dozen lines of NumPy of a book: forward, backward, Adam, one array at a time."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.x, self.y = workload.data()
        self.targets = self.y if workload.binary else np.eye(workload.layers[-1], dtype=np.float32)[self.y]
        self.reset()

    def reset(self) -> None:
        self.w = self.workload.first_weights()
        self.m, self.v = [np.zeros_like(w) for w in self.w], [np.zeros_like(w) for w in self.w]
        self.step = 0

    def fit(self, epochs: int) -> None:
        rng, batch = np.random.default_rng(0), self.workload.batch
        for _ in range(epochs):
            order = rng.permutation(len(self.x))
            for i in range(0, len(order), batch):
                rows = order[i:i + batch]
                self._train(self.x[rows], self.targets[rows])

    def _train(self, x: np.ndarray, y: np.ndarray) -> None:
        w, tanh = self.w, self.workload.hidden == "tanh"
        layers = [x]
        for i in range(0, len(w) - 2, 2):
            z = layers[-1] @ w[i] + w[i + 1]
            layers.append(np.tanh(z) if tanh else np.maximum(z, 0))
        z = layers[-1] @ w[-2] + w[-1]
        if self.workload.binary:
            p = 1 / (1 + np.exp(-z))
        else:
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
        dz = (p - y) / np.float32(len(x))
        gradients: list[np.ndarray] = []
        for i in range(len(w) - 2, -1, -2):
            h = layers[i // 2]
            gradients = [h.T @ dz, dz.sum(axis=0), *gradients]
            if i:
                dz = (dz @ w[i].T) * (1 - h * h if tanh else h > 0)
        self.step += 1
        rate = np.float32(self.workload.rate * (1 - ONES[1] ** self.step) ** 0.5 / (1 - ONES[0] ** self.step))
        for parameter, g, m, v in zip(w, gradients, self.m, self.v):
            m += (1 - ONES[0]) * (g - m)
            v += (1 - ONES[1]) * (g * g - v)
            parameter -= rate * m / (np.sqrt(v) + EPSILON)

    def weights(self) -> list[np.ndarray]:
        return [w.copy() for w in self.w]

    def predict(self, row: np.ndarray) -> np.ndarray:
        return self.workload.outputs(self.w, row)


Make = Callable[[Workload], Contender]
LIBRARIES: dict[str, dict[str, Make]] = {        # library → {setting: contender}
    "fastnn": FASTNN,
    "torch": {"1 thread": lambda w: Torch(w, 1), "2 threads": lambda w: Torch(w, 2)},
    "Keras": {"graph, an epoch an execution": lambda w: Keras(w, False, True),
              "jit_compile, an epoch an execution": lambda w: Keras(w, True, True),
              "graph": lambda w: Keras(w, False, False), "jit_compile": lambda w: Keras(w, True, False)},
    "scikit-learn": {"MLPClassifier": ScikitLearn},
    "NumPy": {"by hand": Numpy},
}

