"""Where data sets that are not in the package are found: a path that the caller names, a cache, or a download."""

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.datasets._download import download_as_is
from fastnn.errors import shown

KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def cache_folder(where: str) -> Path:
    """fastnn in XDG_CACHE_HOME (ignored unless absolute, as its specification says), else in ~/.cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if cache.is_absolute():
        return cache / "fastnn"
    try:
        return Path.home() / ".cache" / "fastnn"
    except RuntimeError as error:
        raise OSError(f"{where}: there is no home folder ({error}); the files need a folder; pass path= the folder "
                      "that holds them") from error


def found(where: str, name: str, url: str, digest: str, path: str | os.PathLike[str] | None) -> Path:
    """The file `name`: path itself or in the folder path; else in fastnn's cache, in Keras' (~/.keras/datasets), or
    downloaded from `url` and kept if it has this SHA-256 or MD5."""
    if path is not None:
        given = _given(where, path)
        file = given / name if given.is_dir() else given
        if not file.is_file():
            raise FileNotFoundError(f"{where}: {shown(str(file), 200)} is not there; needs the file {name} or the "
                                    "folder that holds it; leave path out to download it")
        return file
    folder = cache_folder(where)
    for file in (folder / name, Path.home() / ".keras" / "datasets" / name):
        if file.is_file():
            return file
    download_as_is(url, folder / name, digest, f"put {name} into {folder}, or pass {where.rpartition('.')[2]}(path=…) "
                                               "the file or its folder")
    return folder / name


def _given(where: str, path: Any) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{where}: path is {shown(path)}; needs the name of a file or folder, or None.")
    return Path(path)


class PlainUnpickler(pickle.Unpickler):
    """Unpickles arrays, lists, dicts, numbers and text; refuses everything that could run code."""

    _ALLOWED = frozenset({("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
                *((module, name) for module in ("numpy.core.multiarray", "numpy._core.multiarray")
                  for name in ("_reconstruct", "scalar"))})

    def find_class(self, module: str, name: str) -> Any:
        """Only what arrays are made of."""
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no data")
        return super().find_class(module, name)


def unpickled(where: str, file: Any, name: str) -> Any:
    """What a pickle of plain data holds; ValueError where it holds anything else or is damaged."""
    try:
        return PlainUnpickler(file, encoding="bytes").load()
    except Exception as error:
        raise ValueError(f"{where}: {name} holds no data ({type(error).__name__}: {error}); replace it by a "
                         "sound copy") from error


def npz_arrays(where: str, path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, arrays of Python lists too, without running code that it may hold."""
    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as file:
                    arrays[name.removesuffix(".npy")] = _npy(where, io.BytesIO(file.read()), f"{path}: {name}")
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"{where}: {path} is no .npz file ({error}); replace it by a sound copy") from error
    return arrays


def _npy(where: str, file: io.BytesIO, name: str) -> np.ndarray:
    fmt = np.lib.format
    try:
        version = fmt.read_magic(file)
        read = fmt.read_array_header_1_0 if version == (1, 0) else fmt.read_array_header_2_0
        shape, _, dtype = read(file)
        if not dtype.hasobject:
            file.seek(0)
            return np.asarray(fmt.read_array(file, allow_pickle=False))
    except ValueError as error:
        raise ValueError(f"{where}: {name} is no array ({error}); replace it by a sound copy") from error
    array = unpickled(where, file, name)
    return np.asarray(array, object).reshape(shape)


def shuffled(seed: int, *arrays: Any) -> tuple[Any, ...]:
    """The arrays in the order that NumPy's old generator draws from the seed, all alike (as Keras)."""
    order = np.arange(len(arrays[0]))
    np.random.RandomState(seed).shuffle(order)
    return tuple(array[order] for array in arrays)
