"""The C sources for systems that are not here: zig compiles them for Windows and macOS (pip install ziglang)."""

import importlib.util
import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.test_build import ROOT
from tests.test_build import pytestmark as needs_setup

SOURCES = sorted((ROOT / "csrc").rglob("*.c"))
TARGETS = {"x86_64-windows-gnu": ["baseline", "avx2", "avx512"], "x86_64-macos": ["baseline", "avx2", "avx512"],
           "aarch64-macos": ["baseline"], "aarch64-linux-musl": ["baseline"]}

pytestmark = [*needs_setup, pytest.mark.skipif(not importlib.util.find_spec("ziglang"), reason="needs ziglang")]


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Those that setup.py compiles each instruction set with."""
    monkeypatch.setattr("setuptools.setup", lambda **_: None)
    monkeypatch.chdir(ROOT)
    names = runpy.run_path("setup.py")
    return {isa: [*names["FLAGS"], *own] for isa, (own, _) in names["ISAS"].items()}


def compile_(target: str, flags: list[str], isa: str, source: Path, folder: Path) -> str:
    """What the compiler says, of warnings too."""
    words = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-Werror", "-Wextra", *flags, "-O1",
             f"-I{ROOT / 'csrc'}", f"-DFASTNN_ISA={isa}", f"-DHAVE_{isa}", "-c", str(source), "-o",
             str(folder / f"{isa}-{source.stem}.o")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    return "" if done.returncode == 0 else f"{source.name}, {isa}: {done.stderr}"


@pytest.mark.parametrize("target", TARGETS)
def test_what_runs_calls_compiles(target: str, flags: dict[str, list[str]], tmp_path: Path) -> None:
    assert not compile_(target, flags["baseline"], "baseline", ROOT / "csrc/run/program.c", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_all_kernels_compile_without_a_warning(target: str, flags: dict[str, list[str]], tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda row: compile_(target, flags[row[0]], *row, tmp_path),
                              [(isa, source) for isa in TARGETS[target] if isa in flags for source in SOURCES]))
    assert not [text for text in found if text], "\n".join(found)
