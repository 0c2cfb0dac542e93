"""PyTorch, eager and compiled: one permutation an epoch, plain slices, fused Adam."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import BETAS, EPSILON, Layer, Shape, Workload


def _dense(nn: Any, inputs: Shape, units: int, activation: str) -> tuple[list[Any], Shape]:
    after = {"tanh": [nn.Tanh()], "relu": [nn.ReLU()]}.get(activation, [])      # the loss takes logits
    return [nn.Linear(inputs[0], units), *after], (units,)


BUILD: dict[str, Callable[..., tuple[list[Any], Shape]]] = {"Dense": _dense}


def _modules(nn: Any, shape: Shape, layers: tuple[Layer, ...]) -> list[Any]:
    modules: list[Any] = []
    for kind, arguments in layers:
        if kind not in BUILD:
            raise NotImplementedError(f"torch has no {kind} here")
        found, shape = BUILD[kind](nn, shape, **arguments)
        modules += found
    return modules


class Torch:
    """compiled: forward, loss and backward through torch.compile."""

    def __init__(self, workload: Workload, threads: int, compiled: bool = False) -> None:
        import torch
        from torch import nn
        self.torch, self.workload, self.threads = torch, workload, threads
        torch.set_num_threads(threads)
        x, y = workload.data()
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y if workload.binary else y.astype(np.int64))
        self.model = nn.Sequential(*_modules(nn, workload.inputs, workload.layers))
        criterion = nn.BCEWithLogitsLoss() if workload.binary else nn.CrossEntropyLoss()

        def loss(x: Any, y: Any) -> Any:
            return criterion(self.model(x), y)

        self.loss: Any = torch.compile(loss, dynamic=False) if compiled else loss
        self.optimizer = torch.optim.Adam(self.model.parameters(), workload.rate, BETAS, EPSILON, fused=True)
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
                self.loss(x[i:i + batch], y[i:i + batch]).backward()
                self.optimizer.step()

    def weights(self) -> list[np.ndarray]:
        return [p.detach().numpy().T.copy() for p in self.model.parameters()]

    def call(self, rows: np.ndarray) -> np.ndarray:
        self.torch.set_num_threads(self.threads)
        with self.torch.inference_mode():
            logits = self.model(self.torch.from_numpy(rows))
            return np.asarray((logits.sigmoid() if self.workload.binary else logits.softmax(-1)).numpy())

    def ways(self) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
        return {"model(x)": self.call}
