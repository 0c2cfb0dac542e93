"""MNIST: the real files, and IDX files made to break the parser."""

import gzip
import hashlib
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastnn.datasets import _files, _idx, mnist

REAL = Path(__file__).parents[2] / "shared" / "data" / "mnist"
needs_real_files = pytest.mark.skipif(not REAL.is_dir(), reason="the MNIST files are not in ../shared/data/mnist")
NAMES = tuple(mnist._FILES)


def idx(*shape: int, data: bytes | None = None, magic: bytes | None = None) -> bytes:
    """An IDX file of uint8 data counting 0, 1, 2, ..."""
    body = bytes(i % 256 for i in range(int(np.prod(shape)))) if data is None else data
    return (magic or bytes([0, 0, 8, len(shape)])) + struct.pack(f">{len(shape)}I", *shape) + body


def small_folder(folder: Path, pack: Callable[[bytes], bytes] = gzip.compress, end: str = ".gz") -> Path:
    """Four sound files of 5 training and 3 test images of 4 x 2 pixels."""
    for name, shape in zip(NAMES, [(5, 4, 2), (5,), (3, 4, 2), (3,)]):
        (folder / f"{name}{end}").write_bytes(pack(idx(*shape)))
    return folder


# --- reading --------------------------------------------------------------------------------------------------------

@needs_real_files
def test_real_mnist() -> None:
    (x_train, y_train), (x_test, y_test) = mnist.load_data(REAL)
    assert x_train.shape == (60000, 28, 28) and y_train.shape == (60000,)
    assert x_test.shape == (10000, 28, 28) and y_test.shape == (10000,)
    assert all(array.dtype == np.uint8 for array in (x_train, y_train, x_test, y_test))
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert round(float(x_train.mean()) / 255, 4) == 0.1307  # the mean everybody normalises with


@needs_real_files
@pytest.mark.parametrize("name", NAMES)
def test_pinned_hashes_are_those_of_the_real_files(name: str) -> None:
    content = gzip.decompress((REAL / f"{name}.gz").read_bytes())
    assert (len(content), hashlib.sha256(content).hexdigest()) == mnist._FILES[name]


@pytest.mark.parametrize("pack, end", [(gzip.compress, ".gz"), (bytes, ""), (gzip.compress, "")])
def test_compressed_or_not(tmp_path: Path, pack: Callable[[bytes], bytes], end: str) -> None:
    (x_train, y_train), (x_test, y_test) = mnist.load_data(str(small_folder(tmp_path, pack, end)))
    assert np.array_equal(x_train, np.arange(40, dtype=np.uint8).reshape(5, 4, 2))
    assert y_train.tolist() == [0, 1, 2, 3, 4] and x_test.shape == (3, 4, 2) and y_test.shape == (3,)
    x_train[0] = 9  # the arrays are the caller's


def test_names_with_a_dot(tmp_path: Path) -> None:
    small_folder(tmp_path, bytes, "")
    for name in NAMES:
        (tmp_path / name).rename(tmp_path / name.replace("-idx", ".idx"))
    assert mnist.load_data(tmp_path)[0][0].shape == (5, 4, 2)


@pytest.mark.parametrize("cache", ["", "relative/folder"])
def test_cache_folder_is_in_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _files.cache_folder("here") == tmp_path / ".cache" / "fastnn"


def test_no_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(OSError, match=r"no home folder.*pass path="):
        mnist.load_data()


# --- hostile files --------------------------------------------------------------------------------------------------

GOOD = idx(5, 4, 2)
HOSTILE = {
    "empty": (b"", "holds 0 bytes"),
    "three bytes": (b"\0\0\x08", "holds 3 bytes"),
    "header cut": (GOOD[:11], "a header of 11 bytes"),
    "not IDX": (b"<!DOCTYPE html><html></html>", "first bytes 3c21444f"),
    "magic not zero": (idx(5, 4, 2, magic=b"\1\0\x08\3"), "first bytes 01000803"),
    "float data": (idx(5, 4, 2, magic=b"\0\0\x0d\3"), "first bytes 00000d03"),
    "unknown type": (idx(5, 4, 2, magic=b"\0\0\x07\3"), "first bytes 00000703"),
    "little-endian": (b"\3\x08\0\0" + struct.pack("<3I", 5, 4, 2) + bytes(40), "first bytes 03080000"),
    "labels for images": (idx(40), "first bytes 00000801"),
    "255 dimensions": (b"\0\0\x08\xff" + bytes(100), "first bytes 000008ff"),
    "one byte short": (GOOD[:-1], r"39 bytes of data under a declared shape of \(5, 4, 2\); it needs 40 bytes"),
    "no data": (GOOD[:16], "0 bytes of data"),
    "one byte over": (GOOD + b"!", "more bytes of data"),
    "no images": (idx(0, 4, 2), r"\(0, 4, 2\); it needs no empty"),
    "no columns": (idx(5, 4, 0), r"\(5, 4, 0\); it needs no empty"),
    "huge": (idx(60000, 28, 28000, data=b""), "47,040,000,000 bytes; it needs at most 67,108,864"),
    "product over 2**64": (idx(2**32 - 1, 2**32 - 1, 2**32 - 1, data=b""), "needs at most"),
    "product 0 modulo 2**32": (idx(2**16, 2**16, 1, data=b""), "4,294,967,296 bytes"),
    "gzip cut": (gzip.compress(GOOD)[:-9], "damaged gzip"),
    "gzip header only": (b"\x1f\x8b", "damaged gzip"),
    "gzip wrong method": (b"\x1f\x8b\x07" + bytes(40), "damaged gzip"),
    "gzip bad checksum": (gzip.compress(GOOD)[:-8] + bytes(8), "damaged gzip"),
    "gzip bad block": (gzip.compress(GOOD)[:10] + b"\xff" * 30, "damaged gzip"),
    "gzip then junk": (gzip.compress(GOOD) + b"junk", "damaged gzip"),
    "gzip of nothing": (gzip.compress(b""), "holds 0 bytes"),
    "gzip twice": (gzip.compress(gzip.compress(GOOD)), "first bytes 1f8b"),
    "gzip of two files": (gzip.compress(GOOD) * 2, "more bytes of data"),
    "zip": (b"PK\3\4" + bytes(40), "first bytes 504b0304"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_images(kind: str, tmp_path: Path) -> None:
    content, message = HOSTILE[kind]
    file = small_folder(tmp_path) / f"{NAMES[2]}.gz"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message) as raised:
        mnist.load_data(tmp_path)
    assert str(file) in str(raised.value) and "it needs" in str(raised.value)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    for content in (GOOD, gzip.compress(GOOD)):
        for length in range(len(content)):
            (tmp_path / "file").write_bytes(content[:length])
            with pytest.raises(ValueError, match="it needs"):
                _idx.read_idx(tmp_path / "file", dims=3)


def test_changed_bytes_are_read_or_refused(tmp_path: Path) -> None:
    """Every byte of a gzip file set to 0, 255 and its complement: the same array or a ValueError, nothing else."""
    content = gzip.compress(GOOD, mtime=0)
    for position in range(len(content)):
        for value in (0, 255, content[position] ^ 255):
            (tmp_path / "file").write_bytes(content[:position] + bytes([value]) + content[position + 1:])
            try:
                assert _idx.read_idx(tmp_path / "file", dims=3).tobytes() == GOOD[16:]
            except ValueError as error:
                assert "it needs" in str(error)


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """128 MiB of zeros after a header that declares 40 bytes, in 128 KiB: stops after 41 bytes and a buffer."""
    (tmp_path / "bomb").write_bytes(gzip.compress(idx(5, 4, 2, data=bytes(2**27))))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more bytes of data"):
            _idx.read_idx(tmp_path / "bomb", dims=3)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_images_without_their_labels(tmp_path: Path) -> None:
    (small_folder(tmp_path) / f"{NAMES[1]}.gz").write_bytes(idx(6))
    with pytest.raises(ValueError, match=r"holds 5 images and .* 6 labels"):
        mnist.load_data(tmp_path)


@pytest.mark.parametrize("missing", NAMES)
def test_missing_file(tmp_path: Path, missing: str) -> None:
    (small_folder(tmp_path) / f"{missing}.gz").unlink()
    (tmp_path / missing).mkdir()  # a folder of that name is not the file
    with pytest.raises(FileNotFoundError, match=f"has no {missing} .*put them there, or leave out path="):
        mnist.load_data(tmp_path)


def test_path_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"")
    for path in (tmp_path / "mnist.npz", "mnist.npz", tmp_path / "nowhere", "a\0b"):
        with pytest.raises(NotADirectoryError, match="not a folder"):
            mnist.load_data(path)
    with pytest.raises(TypeError, match="path is 5"):
        mnist.load_data(5)  # type: ignore[arg-type]
