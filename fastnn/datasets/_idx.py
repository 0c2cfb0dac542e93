"""Reads IDX files, the format of MNIST: two zero bytes, a type code, the number of dimensions, the sizes, the bytes.

Sizes are big-endian uint32. Format: Y. LeCun, http://yann.lecun.com/exdb/mnist/. A file is bytes from anywhere, so
nothing it declares is trusted: at most the declared size is read, at most `LIMIT` bytes are produced, compressed or
not, and whatever does not fit is a ValueError naming the file. Only uint8 data (type code 8) is read.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

LIMIT = 64 * 2**20
_UINT8 = 8


def read_idx(path: Path, dims: int) -> npt.NDArray[np.uint8]:
    """The array in the IDX file `path`, gzip-compressed or not: uint8 with `dims` dimensions, none of them empty."""
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not compressed:
            return _parse(path, file, dims)
        try:
            with gzip.GzipFile(fileobj=file) as unzipped:
                return _parse(path, unzipped, dims)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _bad(path, f"damaged gzip data ({error})", "a complete gzip file") from error


def _parse(path: Path, file: IO[bytes] | gzip.GzipFile, dims: int) -> npt.NDArray[np.uint8]:
    shape = _read_shape(path, file, dims)
    size = math.prod(shape)
    if size > LIMIT:
        raise _bad(path, f"a declared shape of {shape}, {size:,} bytes", f"at most {LIMIT:,} bytes")
    body = file.read(size + 1)
    if len(body) != size:
        held = f"{len(body):,}" if len(body) < size else "more"
        raise _bad(path, f"{held} bytes of data under a declared shape of {shape}", f"{size:,} bytes")
    return np.frombuffer(body, dtype=np.uint8).reshape(shape).copy()


def _read_shape(path: Path, file: IO[bytes] | gzip.GzipFile, dims: int) -> tuple[int, ...]:
    """The sizes in the header of an IDX file, read from its beginning."""
    header = file.read(4 + 4 * dims)
    if len(header) < 4:
        raise _bad(path, f"{len(header)} bytes", f"an IDX header of {4 + 4 * dims} bytes")
    magic = struct.pack(">HBB", 0, _UINT8, dims)
    if header[:4] != magic:
        raise _bad(path, f"the first bytes {header[:4].hex()}", f"{magic.hex()} (IDX, uint8, {dims} dimensions)")
    if len(header) < 4 + 4 * dims:
        raise _bad(path, f"a header of {len(header)} bytes", f"{4 + 4 * dims}")
    shape = struct.unpack(f">{dims}I", header[4:])
    if 0 in shape:
        raise _bad(path, f"a declared shape of {shape}", "no empty dimension")
    return shape


def _bad(path: Path, found: str, needed: str) -> ValueError:
    return ValueError(f"datasets: {path} holds {found}; it needs {needed}; replace the file by a sound copy")
