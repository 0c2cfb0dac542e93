"""scikit-learn's MLPClassifier, and NumPy by hand."""

import warnings

import numpy as np

from benchmarks.workloads import BETAS, EPSILON, Workload

ENDLESS = 10 ** 9


class ScikitLearn:
    """MLPClassifier on float32 rows; it draws its own first weights."""

    def __init__(self, workload: Workload) -> None:
        from sklearn.neural_network import MLPClassifier
        self.workload, self.kind, self.widths = workload, MLPClassifier, workload.widths()
        self.x, y = workload.data()
        self.y = y.reshape(-1).astype(np.int64)
        self.reset()

    def reset(self) -> None:
        work = self.workload
        self.model = self.kind(
            [n for n, _ in self.widths[:-1]], activation=self.widths[0][1], solver="adam", alpha=0.0,
            batch_size=work.batch, learning_rate_init=work.rate, epsilon=EPSILON, tol=0.0, n_iter_no_change=ENDLESS,
            random_state=7)

    def fit(self, epochs: int) -> None:
        self.model.set_params(max_iter=epochs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")         # "has not converged yet"
            self.model.fit(self.x, self.y)

    def weights(self) -> list[np.ndarray]:
        return [np.asarray(w) for pair in zip(self.model.coefs_, self.model.intercepts_) for w in pair]

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict_proba(rows)[:, int(self.workload.binary):])   # of both classes


class Numpy:
    """The dozen lines of NumPy of a book: forward, backward, Adam, one array at a time."""

    def __init__(self, workload: Workload) -> None:
        self.workload, widths = workload, workload.widths()
        self.tanh = widths[0][1] == "tanh"
        self.x, self.y = workload.data()
        self.targets = self.y if workload.binary else np.eye(widths[-1][0], dtype=np.float32)[self.y]
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
        w, tanh = self.w, self.tanh
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
        rate = np.float32(self.workload.rate * (1 - BETAS[1] ** self.step) ** 0.5 / (1 - BETAS[0] ** self.step))
        for parameter, g, m, v in zip(w, gradients, self.m, self.v):
            m += (1 - BETAS[0]) * (g - m)
            v += (1 - BETAS[1]) * (g * g - v)
            parameter -= rate * m / (np.sqrt(v) + EPSILON)

    def weights(self) -> list[np.ndarray]:
        return [w.copy() for w in self.w]

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.workload.outputs(self.w, rows)
