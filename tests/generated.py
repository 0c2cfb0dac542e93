"""Data sets and generators that give the same batches."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import fastnn
from fastnn import Input, Sequential
from fastnn.layers import Dense, Dropout
from fastnn.utils import PyDataset

rng = np.random.default_rng(5)
X = rng.normal(size=(100, 6)).astype(np.float32)
Y = X[:, :3].argmax(1)
W = np.round(rng.uniform(0.5, 2, 100), 2)
BATCH = 16      # the last one has 4 rows
N = 7


def network(**compiled: Any) -> Sequential:
    fastnn.random.set_seed(2)
    model = Sequential([Input((6,)), Dense(8, activation="relu"), Dropout(0.2), Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", **{"metrics": ["accuracy"], **compiled})
    return model


def batches(*arrays: Any) -> list[Any]:
    return [tuple(a[i:i + BATCH] for a in arrays) for i in range(0, 100, BATCH)]


def endless(*arrays: Any) -> Iterator[Any]:
    while True:
        yield from batches(*arrays)


class Data(PyDataset):
    """Counts what it is asked for."""

    def __init__(self, *arrays: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.items, self.log = batches(*(arrays or (X, Y))), []

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        self.log.append(index)
        return self.items[index]

    def on_epoch_begin(self) -> None:
        self.log.append("begin")

    def on_epoch_end(self) -> None:
        self.log.append("end")
