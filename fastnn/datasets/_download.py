"""Downloads files whose content is known beforehand. The only place in fastnn that uses a network.

The content is checked against its pinned hash (that of gzip files after unpacking) before the file gets its name
(temporary file, fsync, rename), so a file under the final name is always whole. Whatever fails is an OSError that says
what to do without a network.
"""

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import NamedTuple

from fastnn.errors import DownloadError

LIMIT = 2**30      # bytes of a file whose size is not known


class Source(NamedTuple):
    """Where a file is, and the size in bytes and the SHA-256 of its uncompressed content."""

    url: str
    size: int
    sha256: str


def download(source: Source, target: Path, advice: str) -> None:
    """Fetch `source` into `target`, creating its folder; `advice` ends the message of the OSError if that fails."""
    print(f"Downloading {source.url} to {target}")
    try:
        data = _fetch(source)
        _verify(data, source)
        _save(data, target)
    except OSError as error:
        raise OSError(f"datasets: downloading {source.url} to {target} failed ({error}); {advice}") from error


def download_as_is(url: str, target: Path, digest: str | None, advice: str) -> None:
    """Fetch what is at `url` into `target` as it is. digest: its SHA-256 or MD5 in hexadecimal; None checks nothing."""
    print(f"Downloading {url} to {target}")
    try:
        data = _body(url, LIMIT)
        if digest is not None and digest_of(data, digest) != digest:
            raise DownloadError(f"the content has the hash {digest_of(data, digest)}, not {digest}; nothing was kept")
        _save(data, target)
    except OSError as error:
        kind = DownloadError if isinstance(error, DownloadError) else OSError
        raise kind(f"downloading {url} to {target} failed ({error}); {advice}") from error


def digest_of(data: bytes, like: str) -> str:
    """The hash of `data` of the kind that `like` is: 32 hexadecimal digits are MD5, others SHA-256."""
    return (hashlib.md5(data, usedforsecurity=False) if len(like) == 32 else hashlib.sha256(data)).hexdigest()


def _fetch(source: Source) -> bytes:
    """The body of the answer; compressed data is never larger than its content here, so that is the limit."""
    return _body(source.url, source.size)


def _body(url: str, limit: int) -> bytes:
    """The body of the answer, at most `limit` bytes."""
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=30) as answer:
            data: bytes = answer.read(limit + 1)
    except (HTTPException, ValueError) as error:        # ValueError: no address
        raise OSError(f"{type(error).__name__}: {error}") from error
    if len(data) > limit:
        raise OSError(f"the answer is longer than {limit:,} bytes")
    return data


def _verify(data: bytes, source: Source) -> None:
    from io import BytesIO

    try:
        content = gzip.GzipFile(fileobj=BytesIO(data)).read(source.size + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(f"the answer of {len(data):,} bytes is not sound gzip data: {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if len(content) != source.size or found != source.sha256:
        raise OSError(f"the content has SHA-256 {found}, not {source.sha256}; nothing was kept")


def _save(data: bytes, target: Path) -> None:
    from fastnn.saving.file import replace
    target.parent.mkdir(parents=True, exist_ok=True)
    replace(target, data)
