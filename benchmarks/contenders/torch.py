"""PyTorch, eager and compiled: one permutation an epoch, plain slices, fused Adam.

torch keeps images as (channels, height, width) and weights with out and in first. A weight of Keras' order becomes
torch's by one rule: _turned of its full shape, which for a Dense layer after Flatten still has the image's axes.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.contenders.sequences import torch_module
from benchmarks.sequences import LAYERS as SEQUENCES
from benchmarks.workloads import BETAS, EPSILON, Layer, Shape, Workload

Built = tuple[list[Any], list[Shape], Shape]        # modules, full shapes of Keras' weights, output shape


def _activation(nn: Any, name: str) -> list[Any]:
    return {"tanh": [nn.Tanh()], "relu": [nn.ReLU()]}.get(name, [])        # the loss takes logits


def _dense(nn: Any, inputs: Shape, units: int, activation: str) -> Built:
    steps = inputs[:-1] if len(inputs) == 2 else ()      # of a sequence; an image was flattened
    full = inputs[len(steps):]
    linear = nn.Linear(math.prod(full), units)
    return [linear, *_activation(nn, activation)], [(*full, units), (units,)], (*steps, units)


def _conv2d(nn: Any, inputs: Shape, filters: int, kernel_size: Shape, activation: str) -> Built:
    size = inputs[0] - kernel_size[0] + 1, inputs[1] - kernel_size[1] + 1
    return ([nn.Conv2d(inputs[2], filters, kernel_size), *_activation(nn, activation)],
            [(*kernel_size, inputs[2], filters), (filters,)], (*size, filters))


def _pool(nn: Any, inputs: Shape, pool_size: Shape) -> Built:
    return [nn.MaxPool2d(pool_size)], [], (inputs[0] // pool_size[0], inputs[1] // pool_size[1], inputs[2])


BUILD: dict[str, Callable[..., Built]] = {
    "Dense": _dense, "Conv2D": _conv2d, "MaxPooling2D": _pool,
    "Flatten": lambda nn, inputs: ([nn.Flatten()], [], inputs),         # the next layer must know the axes' order
}


def _pieces(nn: Any, shape: Shape, layers: tuple[Layer, ...]) -> list[tuple[list[Any], list[Shape]]]:
    """The modules of each layer, and the full shapes of its weights."""
    pieces: list[tuple[list[Any], list[Shape]]] = []
    for kind, arguments in layers:
        if kind in BUILD:
            found, shapes, shape = BUILD[kind](nn, shape, **arguments)
        else:
            found = [torch_module(kind, shape, arguments)]
            shapes, shape = SEQUENCES[kind][0](shape, **arguments)
        pieces.append((found, shapes))
    return pieces


def _turned(w: np.ndarray) -> np.ndarray:
    """(…, in, out) as (out, in, …)."""
    return np.ascontiguousarray(w if w.ndim < 2 else w.transpose(-1, -2, *range(w.ndim - 2)))


def _back(w: np.ndarray) -> np.ndarray:
    """(out, in, …) as (…, in, out)."""
    return np.ascontiguousarray(w if w.ndim < 2 else w.transpose(*range(2, w.ndim), 1, 0))


class Torch:
    """compiled: forward, loss and backward through torch.compile. channels_last: the memory format of images."""

    def __init__(self, workload: Workload, threads: int, compiled: bool = False, channels_last: bool = False) -> None:
        import torch
        from torch import nn
        self.torch, self.workload, self.threads = torch, workload, threads
        torch.set_num_threads(threads)
        x, y = workload.data()
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.x, self.y = self._tensor(x), torch.from_numpy(y if workload.binary else y.astype(np.int64))
        self.pieces = _pieces(nn, workload.inputs, workload.layers)
        modules = [module for modules, _ in self.pieces for module in modules]
        self.model = nn.Sequential(*modules).to(memory_format=self.format)
        criterion = nn.BCEWithLogitsLoss() if workload.binary else nn.CrossEntropyLoss()

        def loss(x: Any, y: Any) -> Any:
            return criterion(self.model(x).flatten(0, -2), y if workload.binary else y.flatten())

        self.loss: Any = torch.compile(loss, dynamic=False) if compiled else loss
        self.optimizer = torch.optim.Adam(self.model.parameters(), workload.rate, BETAS, EPSILON, fused=True)
        self.shuffled = torch.empty_like(self.x), torch.empty_like(self.y)
        self.reset()

    def _tensor(self, rows: np.ndarray) -> Any:
        """Rows as torch wants them."""
        x = self.torch.from_numpy(rows)
        return x.permute(0, 3, 1, 2).contiguous(memory_format=self.format) if self.workload.images else x

    def reset(self) -> None:
        rest = self.workload.first_weights()
        for modules, shapes in self.pieces:
            mine, rest = rest[:len(shapes)], rest[len(shapes):]
            if hasattr(modules[0], "set_weights"):
                modules[0].set_weights(mine)
                continue
            with self.torch.no_grad():
                for parameter, shape, w in zip(modules[0].parameters(), shapes, mine):
                    parameter.copy_(self.torch.from_numpy(_turned(w.reshape(shape))).reshape(parameter.shape))

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
        found: list[np.ndarray] = []
        for modules, shapes in self.pieces:
            if hasattr(modules[0], "get_weights"):
                found += modules[0].get_weights()
                continue
            for parameter, shape in zip(modules[0].parameters(), shapes):
                turned = (*shape[:-3:-1], *shape[:-2])
                found.append(_back(parameter.detach().contiguous().numpy().reshape(turned)).copy())
        return [w.reshape(first.shape) for w, first in zip(found, self.workload.first_weights())]

    def predict(self, rows: np.ndarray) -> np.ndarray:
        self.torch.set_num_threads(self.threads)
        with self.torch.inference_mode():
            logits = self.model(self._tensor(rows))
            return np.asarray((logits.sigmoid() if self.workload.binary else logits.softmax(-1)).numpy())
