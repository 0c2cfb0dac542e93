"""setup.py compiles what has changed, and nothing else."""

import importlib.util
import os
import runpy
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    setuptools = pytest.importorskip("setuptools")      # here, before another test's import finds Python's distutils

pytestmark = [
    pytest.mark.skipif(not (Path(__file__).parents[1] / "setup.py").is_file() or
                       not importlib.util.find_spec("setuptools"), reason="needs the checkout and setuptools"),
    pytest.mark.skipif(not shutil.which(os.environ.get("CC", "cc").split()[0]), reason="no C compiler"),
]
ROOT = Path(__file__).parents[1]
Compile = Callable[..., list[str]]


@pytest.fixture
def compile_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compile:
    """BuildEngine._compile on two sources of an empty project; it returns which of them went to the compiler."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")     # of a distutils that another test has imported
        from setuptools._distutils.ccompiler import new_compiler
        from setuptools._distutils.sysconfig import customize_compiler

        monkeypatch.setattr(setuptools, "setup", lambda **_: None)
        monkeypatch.chdir(tmp_path)
        build = runpy.run_path(str(ROOT / "setup.py"))["BuildEngine"](setuptools.Distribution())
        build.compiler = new_compiler()
        customize_compiler(build.compiler)
    compiled: list[str] = []
    real = build.compiler.compile

    def watched(sources: list[str], **settings: Any) -> Any:
        compiled.extend(Path(source).name for source in sources)
        return real(sources, **settings)

    monkeypatch.setattr(build.compiler, "compile", watched)
    (tmp_path / "csrc").mkdir()
    for name, text in (("shared.h", ""), ("own.h", ""), ("a.c", '#include "shared.h"\n#include "own.h"\nint a;\n'),
                       ("b.c", '#include "shared.h"\nint b;\n')):
        (tmp_path / "csrc" / name).write_text(text)

    def compile_(*flags: str) -> list[str]:
        compiled.clear()
        build._compile("baseline", ["csrc/a.c", "csrc/b.c"], [("FASTNN_ISA", "baseline")], list(flags))
        return list(compiled)

    return compile_


def touch(name: str) -> None:
    """The file changes a little after all that was compiled."""
    path, later = Path("csrc", name), time.time_ns() + 10 ** 9
    path.write_text(path.read_text() + "\n")
    os.utime(path, ns=(later, later))


def age() -> None:
    """As if all that is here had been written long ago, the objects after the sources."""
    for pattern, back in (("csrc/*", 200), ("build/**/*.o", 100)):
        for path in Path().glob(pattern):
            os.utime(path, (time.time() - back,) * 2)


def test_a_file_is_compiled_when_something_in_it_is_newer(compile_in: Compile) -> None:
    assert compile_in() == ["a.c", "b.c"]
    for changed, expected in ((None, []), ("a.c", ["a.c"]), ("own.h", ["a.c"]), ("shared.h", ["a.c", "b.c"])):
        age()
        if changed:
            touch(changed)
        assert compile_in() == expected, changed


def test_other_flags_have_their_own_objects(compile_in: Compile) -> None:
    assert compile_in() == compile_in("-DMORE") == ["a.c", "b.c"]
    age()
    assert compile_in() == compile_in("-DMORE") == []


def test_an_object_without_a_list_of_its_files_is_compiled_again(compile_in: Compile) -> None:
    compile_in()
    age()
    for listed in Path().glob("build/**/a.o.d"):
        listed.unlink()
    assert compile_in() == ["a.c"]
    age()
    Path("csrc/own.h").unlink()
    Path("csrc/a.c").write_text('#include "shared.h"\nint a;\n')
    assert compile_in() == ["a.c"]


@pytest.mark.slow
def test_a_touched_kernel_is_compiled_once_per_instruction_set(tmp_path: Path) -> None:
    """The whole build, by a compiler that writes down what it is given."""
    checkout = tmp_path / "checkout"
    for part in ("fastnn", "csrc"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    log, compiler = tmp_path / "log", tmp_path / "cc"
    compiler.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {os.environ.get("CC", "cc")} "$@"\n')
    compiler.chmod(0o755)

    def built() -> list[str]:
        """The sources of the project that were compiled."""
        log.write_text("")
        subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=checkout, check=True,
                       env={**os.environ, "CC": str(compiler)}, capture_output=True)
        words = [line.split() for line in log.read_text().splitlines()]
        return sorted(word for line in words if "-c" in line for word in line
                      if word.endswith(".c") and word.startswith(("csrc/", "fastnn/")))

    everything = built()
    isas = everything.count("csrc/kernels/norm.c")
    assert isas >= 1 and everything.count("csrc/run/program.c") == 1
    assert built() == ["fastnn/_engine.c"]
    os.utime(checkout / "csrc/kernels/norm.c")
    assert built() == ["csrc/kernels/norm.c"] * isas + ["fastnn/_engine.c"]
