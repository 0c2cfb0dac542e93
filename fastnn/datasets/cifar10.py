"""CIFAR-10: 50,000 training and 10,000 test photographs of ten classes, 32 x 32 pixels, three colours, 0 .. 255.

Source: A. Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html. Classes: `CLASS_NAMES`.
"""

import os

from fastnn.datasets import _cifar
from fastnn.datasets._cifar import Bytes

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
_BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]:
    """(x_train, y_train), (x_test, y_test): x (50000 or 10000, 32, 32, 3) uint8, y (50000 or 10000, 1) uint8.

    path: cifar-10-python.tar.gz, its folder, or the folder it unpacks to. Without it the archive is looked for in
    fastnn's cache and Keras', and else downloaded, checked against its SHA-256 and kept.
    """
    return _cifar.split(list(_cifar.load("cifar10", "cifar-10-python.tar.gz", _SHA256, path, _BATCHES, "labels")))
