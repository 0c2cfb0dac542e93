"""CIFAR's files: batches of 32 x 32 colour images, pickled dicts in a .tar.gz archive or unpacked in a folder."""

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn.datasets._files import found, unpickled

Bytes = npt.NDArray[np.uint8]
_URL = "https://www.cs.toronto.edu/~kriz/"


def load(name: str, archive: str, sha256: str, path: str | os.PathLike[str] | None, batches: tuple[str, ...],
         labels: str) -> Iterator[tuple[Bytes, Bytes]]:
    """(images (n, 32, 32, 3), labels (n, 1)), uint8, of each batch.

    path: the archive or the folder that has it, or the folder with the unpacked batches.
    """
    where = f"datasets.{name}.load_data"
    if path is not None and os.path.isdir(path):
        folders = [folder for folder in (Path(path), Path(path) / archive.removesuffix(".tar.gz").replace(
            "cifar-10-python", "cifar-10-batches-py")) if all((folder / batch).is_file() for batch in batches)]
        if folders:
            for batch in batches:
                yield _batch(where, io.BytesIO((folders[0] / batch).read_bytes()), str(folders[0] / batch), labels)
            return
    file = found(where, archive, _URL + archive, sha256, path)
    try:
        with tarfile.open(file) as packed:
            members = {Path(member.name).name: member for member in packed.getmembers() if member.isfile()}
            missing = [batch for batch in batches if batch not in members]
            if missing:
                raise ValueError(f"{where}: {file} holds no {', '.join(missing)}; replace it by a sound copy")
            for batch in batches:
                content: Any = packed.extractfile(members[batch])
                yield _batch(where, io.BytesIO(content.read()), f"{file}: {batch}", labels)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ValueError(f"{where}: {file} is no .tar.gz archive ({error}); replace it by a sound copy") from error


def _batch(where: str, file: io.BytesIO, name: str, labels: str) -> tuple[Bytes, Bytes]:
    held = unpickled(where, file, name)
    try:
        images = np.asarray(held[b"data"], np.uint8).reshape(-1, 3, 32, 32)
        numbers = np.asarray(held[labels.encode()], np.uint8).reshape(-1, 1)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{where}: {name} is no batch of CIFAR ({type(error).__name__}: {error}); replace it by "
                         "a sound copy") from error
    if len(images) != len(numbers):
        raise ValueError(f"{where}: {name} holds {len(images)} images and {len(numbers)} labels; needs one for each.")
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1)), numbers


def split(parts: list[tuple[Bytes, Bytes]]) -> tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]:
    """(training, test): the last batch is the test's."""
    *training, test = parts
    return (np.concatenate([x for x, _ in training]), np.concatenate([y for _, y in training])), test
