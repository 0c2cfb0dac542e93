"""A model file: named arrays and one JSON text in a valid .safetensors file, with a digest over all of it.

Layout (safetensors): 8 bytes, the length of the header; the header, JSON: {"__metadata__": {"fastnn": text, "sha256":
hex}, name: {"dtype", "shape", "data_offsets"}, ...}; the arrays' bytes one after the other. The digest is SHA-256 over
the whole file with the digest's own 64 characters as zeros, so that no bit of it can change unseen. It guards against
damage, not against somebody who writes a new one: so every number of the header is checked against the bytes that are
there, and nothing is allocated by what it claims. Imports errors only.
"""

import contextlib
import hashlib
import json
import math
import os
import secrets
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as to_safetensors

from fastnn.errors import MissingFileError, ModelFileError, shown

FORMAT = 1
LONGEST_HEADER = 100_000_000      # bytes, as the safetensors package has it
_BLANK = "0" * 64
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8",
           "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?"}


def write(path: str | os.PathLike[str], arrays: dict[str, np.ndarray], content: dict[str, Any]) -> None:
    """Write the arrays and the content (JSON) to `path`; a file that is there stays whole until the new one is.

    Temporary file in the same folder, fsync, rename, fsync of the folder. A link is followed, the mode is kept. Raises
    OSError as the system gives it; then the file that was there is as it was.
    """
    text = json.dumps({"format": FORMAT, **content}, allow_nan=False)
    whole = bytearray(to_safetensors({name: np.require(array, requirements="C") for name, array in arrays.items()},
                                     {"fastnn": text, "sha256": _BLANK}))
    place = _place_of_digest(whole)
    whole[place:place + 64] = hashlib.sha256(whole).hexdigest().encode()
    replace(path, whole)


def replace(path: str | os.PathLike[str], content: bytes | bytearray) -> None:
    """Put `content` in the place of the file at once, or not at all."""
    target = Path(os.path.realpath(path))
    _sweep(target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            with contextlib.suppress(OSError):
                os.chmod(temporary, os.stat(target).st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError:
            pass        # file systems that cannot
        finally:
            os.close(handle)


def _sweep(target: Path) -> None:
    """Remove what processes that have died left of their writing to this file."""
    for left in target.parent.glob(f".{target.name}.*-*.tmp"):
        with contextlib.suppress(ValueError, OSError):
            pid = int(left.name[len(target.name) + 2:].partition("-")[0])
            if pid != os.getpid() and not _lives(pid):
                left.unlink()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays by name, content) of a file that `write` made. ModelFileError for anything else."""
    try:
        with open(path, "rb") as file:
            whole = file.read()
    except IsADirectoryError:
        raise ModelFileError(f"{shown(str(path))} is a folder; needs a model file.") from None
    except FileNotFoundError as error:
        folder = os.path.dirname(os.path.abspath(path))
        raise MissingFileError(error.errno, f"there is no such file in {folder}; needs one that model.save() wrote",
                               os.fspath(path)) from None
    try:
        return parse(whole)
    except ModelFileError as error:
        raise ModelFileError(f"{shown(str(path))}: {error}") from None


def parse(whole: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """`read` from memory."""
    header, begin = _header(whole)
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get("fastnn"), str):
        raise ModelFileError("a safetensors file that fastnn did not write; it has arrays but no model.")
    _check_digest(whole, metadata.get("sha256"))
    content = _json(metadata["fastnn"].encode(), "the model's description")
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise ModelFileError("the model's description has no format number; the file is damaged.")
    if content["format"] > FORMAT:
        raise ModelFileError(f"format {content['format']}, which a newer fastnn wrote; this one reads up to {FORMAT}. "
                             "Upgrade fastnn.")
    return _arrays(header, memoryview(whole)[begin:]), content


def _header(whole: bytes) -> tuple[dict[str, Any], int]:
    if len(whole) < 8:
        raise ModelFileError(f"{len(whole)} bytes; a model file has at least 8. It is damaged, or no model file.\n"
                             "Needs one that model.save() wrote.")
    size = int.from_bytes(whole[:8], "little")
    if not 0 < size <= min(LONGEST_HEADER, len(whole) - 8):
        raise ModelFileError(f"a header of {size} bytes in a file of {len(whole)}; it is damaged, or no model file.\n"
                             "Needs one that model.save() wrote.")
    header = _json(whole[8:8 + size], "the header")
    if not isinstance(header, dict):
        raise ModelFileError("the header is no table of arrays; the file is damaged.")
    return header, 8 + size


def _json(text: bytes, what: str) -> Any:
    """Parsed JSON; ModelFileError where it is none, where a name is there twice, or too deep for the stack."""
    try:
        return json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, UnicodeError, RecursionError) as error:
        raise ModelFileError(f"{what} is no JSON ({shown(str(error))}); the file is damaged.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name that is there twice")
    return table


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _place_of_digest(whole: bytes | bytearray) -> int:
    """Where the digest's characters begin: in the header, once."""
    end = 8 + int.from_bytes(whole[:8], "little")
    mark = b'"sha256":"'
    place = whole.find(mark, 8, end)
    if place < 0 or place + len(mark) + 64 > end:
        raise ModelFileError("no digest; the file is damaged.")
    return place + len(mark)


def _check_digest(whole: bytes, digest: Any) -> None:
    place = _place_of_digest(whole)
    if not isinstance(digest, str) or whole[place:place + 64] != digest.encode():
        raise ModelFileError("no digest; the file is damaged.")
    found = hashlib.sha256(whole[:place])
    found.update(_BLANK.encode())
    found.update(memoryview(whole)[place + 64:])
    if found.hexdigest() != digest:
        raise ModelFileError("its digest is not that of its bytes; the file is damaged. Use a backup.")


def _arrays(header: dict[str, Any], data: memoryview) -> dict[str, np.ndarray]:
    """Copies of the arrays, which must fill the bytes without gaps or overlaps."""
    entries = []
    for name, entry in header.items():
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise ModelFileError(f"array {shown(name)} is not described as safetensors does; the file is damaged.")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        whole = all(isinstance(each, list) and all(type(n) is int and 0 <= n < 2 ** 63 for n in each)
                    for each in (shape, offsets))
        if not isinstance(dtype, str) or dtype not in _DTYPES or not whole or len(offsets) != 2 or len(shape) > 32:
            raise ModelFileError(f"array {shown(name)} has dtype {shown(dtype)}, shape {shown(shape)} and bytes "
                                 f"{shown(offsets)}; the file is damaged.")
        kind = np.dtype(_DTYPES[dtype])
        if offsets[1] - offsets[0] != math.prod(shape) * kind.itemsize or offsets[1] > len(data):
            raise ModelFileError(f"array {shown(name)} of shape {shown(shape)} does not fit its bytes {shown(offsets)} "
                                 f"in {len(data)}; the file is damaged.")
        entries.append((offsets[0], offsets[1], name, kind, shape))
    end = 0
    for begin, stop, name, kind, _ in sorted(entries, key=lambda e: (e[0], e[1])):
        if begin != end:
            raise ModelFileError(f"array {shown(name)} begins at byte {begin}, needs {end}; the file is damaged.")
        end = stop
        if kind.kind == "b" and np.frombuffer(data[begin:stop], np.uint8).max(initial=0) > 1:
            raise ModelFileError(f"array {shown(name)} of BOOL has bytes other than 0 and 1; the file is damaged.")
    if end != len(data):
        raise ModelFileError(f"{len(data) - end} bytes belong to no array; the file is damaged.")
    return {name: np.frombuffer(data[begin:stop], kind).reshape(shape).astype(kind.newbyteorder("="))
            for begin, stop, name, kind, shape in entries}
