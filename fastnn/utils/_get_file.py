"""get_file: a file from the network, once. Floor 5."""

import os
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastnn.datasets._download import digest_of, download_as_is
from fastnn.datasets._files import cache_folder
from fastnn.errors import KindError, shown


def get_file(fname: str | os.PathLike[str] | None = None, origin: str | None = None, untar: bool = False,
             md5_hash: str | None = None, file_hash: str | None = None, cache_subdir: str = "datasets",
             hash_algorithm: str = "auto", extract: bool = False, archive_format: str = "auto",
             cache_dir: str | os.PathLike[str] | None = None, force_download: bool = False) -> str:
    """The path of a file, downloaded from `origin` into the cache unless it is there already.

    fname: its name there, that of `origin` unless given. file_hash: its SHA-256 or MD5, checked, also of a file that is
    there (which is fetched again where it differs). cache_dir: fastnn's cache unless given; the file lies in its
    cache_subdir, which may be a whole path. extract (or untar): unpack a .tar(.gz/.bz2/.xz) or .zip archive and return
    the folder: of fname "a.zip" it is a_extracted, of "a" it is a, with none it has the name of the archive.
    hash_algorithm, archive_format: taken for Keras' sake; both are seen from the hash and the file.
    Raises OSError, with what to do, where the file cannot be had, which is a ValueError too where its hash is another;
    ValueError for an archive that is none or that would write outside its folder. Source: keras.utils.get_file.

    path = utils.get_file("iris.csv", "https://example.org/iris.csv")
    table = numpy.loadtxt(path, delimiter=",", skiprows=1)
    """
    if not isinstance(origin, str):
        raise KindError(f"get_file: origin is {shown(origin)}; needs the address of a file, such as "
                        "'https://example.org/data.csv'.")
    name = os.fspath(fname) if fname is not None else urlsplit(origin).path.rstrip("/").rpartition("/")[2]
    if not name:
        raise ValueError(f"get_file: origin {shown(origin)} names no file; give fname, the name to keep it under.")
    if "/" in name or os.sep in name:
        raise ValueError(f"get_file: fname is {shown(name)}; needs the name of a file. Say its folder by cache_dir.")
    digest = file_hash or md5_hash
    folder = (cache_folder("get_file") if cache_dir is None else Path(cache_dir).expanduser()) / cache_subdir
    target, unpacked = folder / name, folder / f"{name.partition('.')[0]}_extracted"
    if (extract or untar) and (fname is None or "." not in name):
        target, unpacked = folder / f"{name}_archive", target if not target.is_file() else unpacked
    there = target.is_file() and (digest is None or digest_of(target.read_bytes(), digest) == digest.lower())
    fetched = force_download or not there
    if fetched:
        download_as_is(origin, target, digest.lower() if digest else None,
                       f"fetch it elsewhere and put it into {folder} as {target.name}")
    return str(_unpacked(target, unpacked, fetched) if extract or untar else target)


def _unpacked(archive: Path, folder: Path, fetched: bool) -> Path:
    """The folder with what the archive holds; unpacked into again if that was fetched again."""
    if folder.is_dir() and not fetched:
        return folder
    if not (zipfile.is_zipfile(archive) or tarfile.is_tarfile(archive)):
        raise ValueError(f"get_file: {archive} is no .zip or .tar archive; leave extract out.")
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=f".{folder.name}.") as unfinished:
        whole = Path(unfinished) / folder.name      # gets its place when all is in it
        _unpack(archive, whole)
        if folder.is_dir():
            shutil.copytree(whole, folder, dirs_exist_ok=True)
        else:
            whole.rename(folder)
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    """ValueError for an archive that would write outside the folder."""
    opened: Any
    folder.mkdir()
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            _inside(folder, opened.namelist(), archive)
            opened.extractall(folder)
        return
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
        _inside(folder, [member.name for member in members], archive)
        odd = [member.name for member in members if not (member.isfile() or member.isdir())]
        if odd:
            raise ValueError(f"get_file: {archive} holds {shown(odd[0])}, which is no file or folder; not "
                             "unpacked.")
        opened.extractall(folder)


def _inside(folder: Path, names: list[str], archive: Path) -> None:
    root = folder.resolve()
    for name in names:
        if not (root / name).resolve().is_relative_to(root):
            raise ValueError(f"get_file: {archive} holds {shown(name)}, which would be written outside {folder}; not "
                             "unpacked.")
