"""MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 x 28 pixels, values 0 .. 255.

Source: Y. LeCun, C. Cortes, C. Burges, http://yann.lecun.com/exdb/mnist/, licence CC BY-SA 3.0. The four files are not
part of the package: they are read from a folder, and downloaded once where they are missing.
"""

import os
from pathlib import Path

from fastnn.datasets import _idx_sets
from fastnn.datasets._download import Source, download
from fastnn.datasets._idx_sets import Split

_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
# Size and SHA-256 of the *uncompressed* files: the same whoever compressed them.
_FILES = {
    "train-images-idx3-ubyte": (47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "train-labels-idx1-ubyte": (60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte": (7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "t10k-labels-idx1-ubyte": (10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}


def load_data(path: str | os.PathLike[str] | None = None) -> Split:
    """(x_train, y_train), (x_test, y_test): x (60000 or 10000, 28, 28) uint8, y (60000 or 10000,) uint8.

    `path` is a folder that holds the four IDX files, compressed (.gz) or not; nothing is downloaded then, and other
    data in the same format will do. Without it the folder is fastnn in XDG_CACHE_HOME or ~/.cache, and files missing
    there are downloaded, checked against their SHA-256 and kept.
    """
    return _idx_sets.load("mnist", path, "", _fetch)


def _fetch(name: str, target: Path, advice: str) -> None:
    download(Source(f"{_URL}{name}.gz", *_FILES[name]), target, advice)
