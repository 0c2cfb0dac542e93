"""MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 x 28 pixels, values 0 .. 255.

Source: Y. LeCun, C. Cortes, C. Burges, http://yann.lecun.com/exdb/mnist/, licence CC BY-SA 3.0. The four files are not
part of the package: they are read from a folder, and downloaded once where they are missing.
"""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastnn.datasets._download import Source, download
from fastnn.datasets._idx import read_idx
from fastnn.errors import shown

Bytes = npt.NDArray[np.uint8]
_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
# Size and SHA-256 of the *uncompressed* files: the same whoever compressed them.
_FILES = {
    "train-images-idx3-ubyte": (47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "train-labels-idx1-ubyte": (60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte": (7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "t10k-labels-idx1-ubyte": (10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]:
    """(x_train, y_train), (x_test, y_test): x (60000 or 10000, 28, 28) uint8, y (60000 or 10000,) uint8.

    `path` is a folder that holds the four IDX files, compressed (.gz) or not; nothing is downloaded then, and other
    data in the same format will do (Fashion-MNIST). Without it the folder is fastnn in XDG_CACHE_HOME or ~/.cache, and
    files missing there are downloaded, checked against their SHA-256 and kept.
    """
    folder = _cache_folder() if path is None else _given_folder(path)
    files = {name: _find(folder, name) for name in _FILES}
    missing = [name for name, file in files.items() if file is None]
    if missing and path is not None:
        raise FileNotFoundError(f"datasets.mnist.load_data: {folder} has no {', '.join(missing)} (.gz or not); it "
                                f"needs the four MNIST files; put them there, or leave out path= to download them")
    for name in missing:
        files[name] = folder / f"{name}.gz"
        download(Source(f"{_URL}{name}.gz", *_FILES[name]), folder / f"{name}.gz", _advice(folder))
    images, labels, test_images, test_labels = (file for file in files.values() if file is not None)
    return _read_pair(images, labels), _read_pair(test_images, test_labels)


def _read_pair(images: Path, labels: Path) -> tuple[Bytes, Bytes]:
    x, y = read_idx(images, dims=3), read_idx(labels, dims=1)
    if len(x) != len(y):
        raise ValueError(f"datasets.mnist.load_data: {images} holds {len(x)} images and {labels} {len(y)} labels; "
                         f"they need one label for each image; replace the files by ones that belong together")
    return x, y


def _find(folder: Path, name: str) -> Path | None:
    """The file `name` in `folder` under one of the names in which it is handed around."""
    candidates = (folder / each for each in (f"{name}.gz", name, name.replace("-idx", ".idx")))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _given_folder(path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"datasets.mnist.load_data: path is {shown(path)}; it must be the name of a folder, or None")
    folder = Path(path)
    if not folder.is_dir():
        raise NotADirectoryError(f"datasets.mnist.load_data: path is {shown(str(path), 200)}, which is not a folder; "
                                 f"it must be one that holds the four MNIST files; leave it out to download them")
    return folder


def _cache_folder() -> Path:
    """fastnn in XDG_CACHE_HOME (ignored unless absolute, as its specification says), else in ~/.cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if cache.is_absolute():
        return cache / "fastnn"
    try:
        return Path.home() / ".cache" / "fastnn"
    except RuntimeError as error:
        raise OSError(f"datasets.mnist.load_data: there is no home folder ({error}); the MNIST files need a folder; "
                      f"pass path= the folder that holds them") from error


def _advice(folder: Path) -> str:
    return (f"it needs {', '.join(f'{name}.gz' for name in _FILES)}; put these files into {folder}, "
            f"or call mnist.load_data(path=...) with the folder that holds them")
