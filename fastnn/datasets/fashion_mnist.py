"""Fashion-MNIST: 60,000 training and 10,000 test images of clothes in ten classes, 28 x 28 pixels, values 0 .. 255.

Source: H. Xiao, K. Rasul, R. Vollgraf 2017, https://github.com/zalandoresearch/fashion-mnist, MIT licence. The four
files are read from a folder, and downloaded once where they are missing. Classes: `CLASS_NAMES`.
"""

import os
from pathlib import Path

from fastnn.datasets import _idx_sets
from fastnn.datasets._download import download_as_is
from fastnn.datasets._files import KERAS
from fastnn.datasets._idx_sets import Split

CLASS_NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_MD5 = {        # of the compressed files, as their authors list them
    "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
}


def load_data(path: str | os.PathLike[str] | None = None) -> Split:
    """(x_train, y_train), (x_test, y_test): x (60000 or 10000, 28, 28) uint8, y (60000 or 10000,) uint8.

    `path`: the folder of the four IDX files (.gz or not); nothing is downloaded then. Without it the folder is
    fastnn/fashion-mnist in XDG_CACHE_HOME or ~/.cache, and files missing there are downloaded, checked and kept.
    """
    return _idx_sets.load("fashion_mnist", path, "fashion-mnist", _fetch)


def _fetch(name: str, target: Path, advice: str) -> None:
    download_as_is(f"{KERAS}{name}.gz", target, _MD5[name], advice)
