"""Data sets of four IDX files, as MNIST is: images and labels, to learn from and to test with."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastnn.datasets._files import cache_folder
from fastnn.datasets._idx import read_idx
from fastnn.errors import shown

Bytes = npt.NDArray[np.uint8]
Split = tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def load(name: str, path: str | os.PathLike[str] | None, part: str,
         fetch: Callable[[str, Path, str], None]) -> Split:
    """(x_train, y_train), (x_test, y_test) from the folder `path`, or from `part` of the cache, where
    fetch(file name, target, advice) makes what is missing."""
    where = f"datasets.{name}.load_data"
    folder = cache_folder(where) / part if path is None else _given_folder(where, path)
    files = {each: _find(folder, each) for each in NAMES}
    missing = [each for each, file in files.items() if file is None]
    if missing and path is not None:
        raise FileNotFoundError(f"{where}: {folder} has no {', '.join(missing)} (.gz or not); it needs the four files "
                                "of MNIST's form; put them there, or leave out path= to download them")
    advice = (f"it needs {', '.join(f'{each}.gz' for each in NAMES)}; put these files into {folder}, or call "
              f"{name}.load_data(path=...) with the folder that holds them")
    for each in missing:
        files[each] = folder / f"{each}.gz"
        fetch(each, folder / f"{each}.gz", advice)
    images, labels, test_images, test_labels = (file for file in files.values() if file is not None)
    return _read_pair(where, images, labels), _read_pair(where, test_images, test_labels)


def _read_pair(where: str, images: Path, labels: Path) -> tuple[Bytes, Bytes]:
    x, y = read_idx(images, dims=3), read_idx(labels, dims=1)
    if len(x) != len(y):
        raise ValueError(f"{where}: {images} holds {len(x)} images and {labels} {len(y)} labels; they need one label "
                         "for each image; replace the files by ones that belong together")
    return x, y


def _find(folder: Path, name: str) -> Path | None:
    """The file `name` in `folder` under one of the names in which it is handed around."""
    candidates = (folder / each for each in (f"{name}.gz", name, name.replace("-idx", ".idx")))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _given_folder(where: str, path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{where}: path is {shown(path)}; it must be the name of a folder, or None")
    folder = Path(path)
    if not folder.is_dir():
        raise NotADirectoryError(f"{where}: path is {shown(str(path), 200)}, which is not a folder; it must be one "
                                 "that holds the four files; leave it out to download them")
    return folder
