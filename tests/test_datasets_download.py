"""Downloading MNIST with every answer a network can give, or none. No test here uses a network."""

import gzip
import hashlib
import io
from email.message import Message
from http.client import BadStatusLine
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import pytest

from fastnn.datasets import _download, mnist

from .test_datasets_mnist import NAMES, REAL, idx, needs_real_files, small_folder

GOOD = idx(60, 4, 2)
SEALED = gzip.compress(GOOD, mtime=0)


def offline(monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
    def urlopen(*_: Any, **__: Any) -> None:
        raise error or URLError("[Errno -3] Temporary failure in name resolution")

    monkeypatch.setattr("urllib.request.urlopen", urlopen)


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: io.BytesIO(content))


def source(content: bytes) -> _download.Source:
    return _download.Source("https://example.org/file.gz", len(content), hashlib.sha256(content).hexdigest())


def test_cache_folder_is_read_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offline(monkeypatch)
    (tmp_path / "fastnn").mkdir()
    small_folder(tmp_path / "fastnn")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert mnist.load_data()[0][0].shape == (5, 4, 2)


@pytest.mark.parametrize("error", [
    None, TimeoutError("timed out"), ConnectionResetError(104, "reset"), BadStatusLine("garbage"),
    HTTPError("https://example.org", 404, "Not Found", Message(), None),
])
def test_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> None:
    offline(monkeypatch, error)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(OSError, match="put these files into") as raised:
        mnist.load_data()
    for part in (str(tmp_path / "fastnn"), "path=", *NAMES):
        assert part in str(raised.value)
    assert list(tmp_path.rglob("*")) == []


@needs_real_files
def test_missing_files_are_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def urlopen(url: str, **_: Any) -> io.BytesIO:
        asked.append(url)
        return io.BytesIO((REAL / url.rsplit("/", 1)[1]).read_bytes())

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for _ in range(2):
        assert mnist.load_data()[1][0].shape == (10000, 28, 28)
    assert asked == [f"https://storage.googleapis.com/cvdf-datasets/mnist/{name}.gz" for name in NAMES]
    assert sorted(file.name for file in (tmp_path / "fastnn").iterdir()) == sorted(f"{name}.gz" for name in NAMES)


@pytest.mark.parametrize("answer, message", [
    (gzip.compress(b"other content"), "SHA-256"),
    (gzip.compress(GOOD[:-1] + b"!"), "SHA-256"),
    (gzip.compress(GOOD + bytes(2**20))[:-8], "answer is longer"),
    (gzip.compress(bytes(2**16)), "SHA-256"),
    (b"<html>log in to the wireless network</html>", "not sound gzip"),
    (b"", "SHA-256"),
    (SEALED[:-3], "not sound gzip"),
    (bytes(1000), "answer is longer than 496 bytes"),
], ids=["other", "one byte", "longer", "bomb", "page", "nothing", "cut", "long"])
def test_a_wrong_answer_is_not_kept(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, message: str) -> None:
    serve(monkeypatch, answer)
    with pytest.raises(OSError, match=f"({message}).*what to do"):
        _download.download(source(GOOD), tmp_path / "new" / "file.gz", "what to do")
    assert list(tmp_path.rglob("*")) == []


def test_an_interrupted_save_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytes(1000)
    serve(monkeypatch, gzip.compress(content))

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _download.download(source(content), tmp_path / "file.gz", "")
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytes(1000)
    serve(monkeypatch, gzip.compress(content))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="what to do"):
        _download.download(source(content), tmp_path / "file" / "file.gz", "what to do")
