"""CIFAR-100: 50,000 training and 10,000 test photographs of 100 classes in 20 groups, 32 x 32 pixels, three colours.

Source: A. Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import os

from fastnn.arguments import choice
from fastnn.datasets import _cifar
from fastnn.datasets._cifar import Bytes

_SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine", path: str | os.PathLike[str] | None = None
              ) -> tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]:
    """(x_train, y_train), (x_test, y_test): x (50000 or 10000, 32, 32, 3) uint8, y (50000 or 10000, 1) uint8.

    label_mode: "fine", 0..99, or "coarse", 0..19. path: cifar-100-python.tar.gz, its folder, or the folder it unpacks
    to. Without it the archive is looked for in fastnn's cache and Keras', and else downloaded, checked and kept.
    """
    mode = choice(label_mode, "datasets.cifar100.load_data: label_mode", ("fine", "coarse"))
    return _cifar.split(list(_cifar.load("cifar100", "cifar-100-python.tar.gz", _SHA256, path, ("train", "test"),
                                         f"{mode}_labels")))
