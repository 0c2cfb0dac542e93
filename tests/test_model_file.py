"""Model files: what is read is what was written; whatever else the bytes are, ModelFileError and nothing more."""

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastnn.errors import ModelFileError
from fastnn.saving import file

ARRAYS = {"dense/kernel": np.arange(12, dtype=np.float32).reshape(3, 4), "dense/bias": np.zeros(4, np.float32),
          "iterations": np.array(7, np.int64), "empty": np.zeros((0, 3), np.float32), "mask": np.array([True, False])}
CONTENT = {"layers": [{"class_name": "Dense", "units": 4, "name": "dichte"}], "note": 'a "sha256":"' + "0" * 64}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.fnn"
    file.write(path, ARRAYS, CONTENT)
    return path


def signed(header: Any, data: bytes, *, text: bytes | None = None) -> bytes:
    """A file with a right digest over whatever the header says."""
    body = json.dumps(header, separators=(",", ":")).encode() if text is None else text
    whole = bytearray(len(body).to_bytes(8, "little") + body + data)
    place = whole.find(b'"sha256":"') + len('"sha256":"')
    whole[place:place + 64] = hashlib.sha256(whole).hexdigest().encode()
    return bytes(whole)


def header(**arrays: Any) -> dict[str, Any]:
    return {"__metadata__": {"fastnn": json.dumps({"format": 1}), "sha256": "0" * 64}, **arrays}


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape) if isinstance(shape, tuple) else shape,
            "data_offsets": list(offsets) if isinstance(offsets, tuple) else offsets}


def test_what_is_read_is_what_was_written(model: Path) -> None:
    arrays, content = file.read(model)
    assert content == {"format": 1, **CONTENT} and arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype and arrays[name].shape == array.shape
        assert np.array_equal(arrays[name], array) and arrays[name].flags.writeable


def test_the_safetensors_package_opens_it(model: Path) -> None:
    from safetensors.numpy import load_file
    assert all(np.array_equal(array, ARRAYS[name]) for name, array in load_file(model).items())


def test_a_signed_file_of_right_parts_loads() -> None:
    """The helper of the tests below makes files that are good but for what they spoil."""
    arrays, _ = file.parse(signed(header(a=entry()), bytes(8)))
    assert arrays["a"].tolist() == [0, 0]


@pytest.mark.parametrize("spoiled", [
    signed(header(a=entry(shape=(3,))), bytes(8)), signed(header(a=entry(shape=(2 ** 40, 2 ** 40))), bytes(8)),
    signed(header(a=entry(offsets=(0, 2 ** 62))), bytes(8)), signed(header(a=entry(offsets=(-8, 0))), bytes(8)),
    signed(header(a=entry(), b=entry()), bytes(8)), signed(header(a=entry(), b=entry(offsets=(12, 20))), bytes(20)),
    signed(header(a=entry()), bytes(9)), signed(header(a=entry("BF99")), bytes(8)),
    signed(header(a=entry([])), bytes(8)),
    signed(header(a=entry(shape=[True, 2])), bytes(8)), signed(header(a=entry(shape=[1] * 40)), bytes(8)),
    signed(header(a=entry(shape=[2.0])), bytes(8)), signed(header(a=[1]), bytes(8)),
    signed(header(a={**entry(), "more": 1}), bytes(8)), signed(header(a=entry("BOOL", (8,))), b"\2" * 8),
    signed({"__metadata__": {"fastnn": "{}", "sha256": "0" * 64}}, b""),
    signed({"__metadata__": {"fastnn": '{"format": 99}', "sha256": "0" * 64}}, b""),
    signed({"__metadata__": {"fastnn": "[" * 100_000, "sha256": "0" * 64}}, b""),
    signed({"__metadata__": {"fastnn": '{"format": 1, "format": 1}', "sha256": "0" * 64}}, b""),
    signed({"__metadata__": {"fastnn": '{"format": NaN}', "sha256": "0" * 64}}, b""),
    signed(None, b"", text=b'{"a": 1, "a": 2, "__metadata__": {"sha256":"' + b"0" * 64 + b'"}}'),
    signed(None, b"", text=b"[" * 90_000 + b'"sha256":"' + b"0" * 64), b"", b"\0" * 7, b"\xff" * 100, b"PK\3\4" * 20,
    (10 ** 9).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"{}"], ids=range(28))
def test_hostile_files_are_refused(spoiled: bytes) -> None:
    with pytest.raises(ModelFileError):
        file.parse(spoiled)


def test_every_bit_and_every_length_counts(model: Path) -> None:
    whole = model.read_bytes()
    for length in range(len(whole)):
        with pytest.raises(ModelFileError):
            file.parse(whole[:length])
    with pytest.raises(ModelFileError):
        file.parse(whole + b"\0")
    for place in range(8 * len(whole)):
        spoiled = bytearray(whole)
        spoiled[place // 8] ^= 1 << place % 8
        with pytest.raises(ModelFileError):
            file.parse(bytes(spoiled))


def mutations(whole: bytes, count: int) -> Iterator[bytes]:
    """Bytes poked, cut out, doubled and overwritten, from a fixed seed."""
    rng = random.Random(1)
    for _ in range(count):
        spoiled = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            a = rng.randrange(len(spoiled))
            b = min(len(spoiled), a + rng.randint(1, 64))
            way = rng.randrange(4)
            if way == 0:
                spoiled[a] = rng.randrange(256)
            elif way == 1 and len(spoiled) > 100:
                del spoiled[a:b]
            elif way == 2:
                spoiled[a:a] = spoiled[a:b]
            else:
                spoiled[a:b] = rng.randbytes(b - a)
        if bytes(spoiled) != whole:
            yield bytes(spoiled)


def resigned(spoiled: bytes) -> bytes:
    """The same with a right digest where there is room for one: what the digest alone would not find."""
    place = spoiled.find(b'"sha256":"')
    if place < 0 or place + 74 > len(spoiled):
        return spoiled
    blank = bytearray(spoiled)
    blank[place + 10:place + 74] = b"0" * 64
    blank[place + 10:place + 74] = hashlib.sha256(blank).hexdigest().encode()
    return bytes(blank)


AUDITED = """
import sys, tracemalloc
from fastnn.errors import ModelFileError
from fastnn.saving import file
from tests.test_model_file import mutations, resigned
whole = open(sys.argv[1], "rb").read()
cases = list(mutations(whole, int(sys.argv[2])))
seen = []
watched = ("import", "exec", "compile", "open", "socket", "subprocess", "os.", "ctypes", "marshal", "pickle")
sys.addaudithook(lambda event, args: seen.append(event) if event.startswith(watched) else None)
tracemalloc.start()
seen.clear()
loaded = 0
for case in cases:
    for bytes_ in (case, resigned(case)):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        try:
            file.parse(bytes_)
            loaded += 1
        except ModelFileError:
            pass
        needed = tracemalloc.get_traced_memory()[1] - before
        assert needed <= 2 * len(bytes_) + 64 * 2**20, (needed, len(bytes_))
print(len(cases), loaded, sorted(set(seen)))
"""


def fuzz(model: Path, count: int) -> str:
    done = subprocess.run([sys.executable, "-c", AUDITED, str(model), str(count)], capture_output=True, text=True,
                          timeout=600, check=False, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_damaged_files_do_nothing_else(model: Path) -> None:
    """No import, no other file, no socket, no more memory than twice the file and 64 MiB; a foreign exception would end
    the process."""
    assert fuzz(model, 500).endswith("[]\n")


@pytest.mark.slow
def test_ten_thousand_damaged_files(model: Path) -> None:
    assert fuzz(model, 10_000).endswith("[]\n")


# ---- writing ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("failing", ["write", "fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(model: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    before = model.read_bytes()

    def no_room(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    if failing == "write":
        monkeypatch.setattr(file, "to_safetensors", no_room)
    else:
        monkeypatch.setattr(os, failing, no_room)
    with pytest.raises(OSError):
        file.write(model, {"other": np.ones(5)}, {})
    assert model.read_bytes() == before and [p.name for p in model.parent.iterdir()] == [model.name]


def test_mode_and_links_are_kept(model: Path, tmp_path: Path) -> None:
    model.chmod(0o640)
    link = tmp_path / "link.fnn"
    link.symlink_to(model)
    file.write(link, {"other": np.ones(5)}, {})
    assert link.is_symlink() and model.stat().st_mode & 0o7777 == 0o640 and "other" in file.read(model)[0]


def test_what_dead_processes_left_is_swept(model: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, living = (model.with_name(f".model.fnn.{pid}-00ff.tmp") for pid in (dead.pid, os.getppid()))
    left.write_bytes(b"half")
    living.write_bytes(b"half")
    file.write(model, ARRAYS, CONTENT)
    assert not left.exists() and living.exists()


def kills(model: Path, count: int) -> None:
    """Kill a process that writes a file over and over: the file is whole every time."""
    script = ("import sys, numpy as np\nfrom fastnn.saving import file\nprint('go', flush=True)\nn = 0\n"
              "while True:\n    n += 1\n"
              "    file.write(sys.argv[1], {'x': np.full(200_000, n, np.float32)}, {'n': n})\n")
    rng = random.Random(2)
    for _ in range(count):
        process = subprocess.Popen([sys.executable, "-c", script, str(model)], stdout=subprocess.PIPE,
                                   cwd=Path(__file__).parents[1])
        assert process.stdout is not None
        process.stdout.readline()
        with process:
            try:
                process.wait(rng.uniform(0, 0.05))
            except subprocess.TimeoutExpired:
                process.kill()
        arrays, content = file.read(model)
        assert "layers" in content or bool((arrays["x"] == content["n"]).all())
    file.write(model, ARRAYS, CONTENT)
    assert [p.name for p in model.parent.iterdir()] == [model.name]


def test_a_killed_write_leaves_a_whole_file(model: Path) -> None:
    kills(model, 3)


@pytest.mark.slow
def test_two_hundred_kills(model: Path) -> None:
    kills(model, 200)
