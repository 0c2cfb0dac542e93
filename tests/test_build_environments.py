"""setup.py in the environments that people have: another compiler, CFLAGS of their own, a /tmp that runs no programs.

It builds a project of the files that it names with next to nothing in them; tests/test_install.py has the real one.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn
from fastnn.engine import backend
from tests.test_build import ROOT
from tests.test_build import pytestmark as needs_setup

CC = shutil.which(os.environ.get("CC", "cc").split()[0])
pytestmark = [*needs_setup, pytest.mark.skipif(os.name == "nt", reason="the compilers here are shell scripts")]
SOURCES = {
    "csrc/kernels/one.c": '#include "one.h"\nint NAME(one, FASTNN_ISA)(double x);\n'
                          "int NAME(one, FASTNN_ISA)(double x) { return is_nan(x); }\n",
    # A table that ends as those of the kernels do; and -ffast-math takes the comparison out.
    "csrc/one.h": "#define NAME_(a, b) a##_##b\n#define NAME(a, b) NAME_(a, b)\n"
                  "typedef struct Row { const char *name; int flags; } Row;\n"
                  'static const Row rows[] = {{"one"}, {0}};\n'
                  "static inline int is_nan(double x) { return rows[0].flags || x != x; }\n",
    "fastnn/_engine.pyx": 'cdef extern from "one.h":\n    int is_nan(double x)\n\n\ndef nan(double x):\n'
                          "    return bool(is_nan(x))\n",
    "fastnn/__init__.py": "",
    **dict.fromkeys(("csrc/gemm/gemm.c", "csrc/gemm/panels.c", "csrc/run/measure.c", "csrc/run/registry.c",
                     "csrc/run/dispatch.c", "csrc/run/program.c", "csrc/run/threads.c"), "typedef int nothing;\n"),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name, text in SOURCES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in ("setup.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for name in ("README.md", "LICENSE", "NOTICE"):
        (folder / name).write_text("")
    return folder


def build(project: Path, **environment: str) -> str:
    """What `setup.py build_ext --inplace` says; the module is there then, and sees NaN."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FASTNN_", "CFLAGS"))}
    done = subprocess.run([sys.executable, "setup.py", "build_ext", "--inplace"], cwd=project, timeout=120, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**kept, **environment})
    assert done.returncode == 0 and "were not built" not in done.stdout, done.stdout
    code = "import fastnn._engine as e; print(e.nan(float('nan')), e.nan(1.0))"
    assert subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True,
                          check=True).stdout == "True False\n"
    return done.stdout


def compiler(folder: Path, script: str) -> str:
    """A compiler that does so with the words it is given, "$@"."""
    path = folder / "compiler"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_tmp_where_no_program_may_run(project: Path, tmp_path: Path) -> None:
    """As on a file system mounted noexec. OpenMP is found all the same."""
    log = tmp_path / "log"
    cc = compiler(tmp_path, f'{CC} "$@" || exit 1\necho "$@" >> {log}\n'
                            'for word; do case "$word" in */probe) chmod -x "$word";; esac; done')
    said = build(project, CC=cc, FASTNN_ISA="baseline")
    assert "/probe" in log.read_text()
    if backend._engine is not None and backend._engine.openmp_threads():
        assert "no OpenMP" not in said


def test_flags_of_ones_own(project: Path, tmp_path: Path) -> None:
    """Those that name a CPU or break NaN are left out, and said; warnings may be errors."""
    log = tmp_path / "log"
    cc = compiler(tmp_path, f'echo "$@" >> {log}\nexec {CC} "$@"')
    said = build(project, CC=cc, CFLAGS="-march=native -Ofast -ffast-math -Werror -Wextra", FASTNN_ISA="baseline")
    assert "fastnn: left out of the compiler's flags: -Ofast -ffast-math -march=native." in said
    words = log.read_text().split()
    assert "-Wextra" in words and not {"-march=native", "-Ofast", "-ffast-math"} & set(words)


@pytest.mark.skipif(not shutil.which("clang"), reason="clang is not there")
def test_clang(project: Path) -> None:
    build(project, CC="clang", CFLAGS="-Werror -Wextra", FASTNN_ISA="baseline")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("clang"), reason="clang is not there")
def test_clang_compiles_all_kernels_and_they_agree(tmp_path: Path) -> None:
    """Some minutes: the real thing, and the suite of its kernels on it."""
    from tests.test_install import checkout
    source = checkout(tmp_path / "checkout")
    run = {"cwd": source, "check": True, "capture_output": True, "env": {**os.environ, "CC": "clang"}}
    subprocess.run([sys.executable, "setup.py", "build_ext", "--inplace"], **run)
    assert list(source.glob("fastnn/_engine*.so"))
    subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/test_kernels.py",
                    "tests/test_gemm.py", "tests/test_engine.py", "tests/test_training.py"], **run)


def test_in_the_source_folder_it_says_so(tmp_path: Path) -> None:
    """`pip install .` puts the compiled module elsewhere; Python, started in the clone, does not find it."""
    clone = tmp_path / "clone"
    shutil.copytree(Path(fastnn.__file__).parent, clone / "fastnn",
                    ignore=shutil.ignore_patterns("__pycache__", "*.so", "_engine.c", "*.pyx", "data", "examples"))
    (clone / "csrc").mkdir()
    (clone / "setup.py").write_text("")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FASTNN_")}
    code = ("import sys; sys.meta_path[:] = [f for f in sys.meta_path if 'Editable' not in repr(f)]; "   # as if not -e
            "import fastnn; print(fastnn.config.configuration()['reason'])")
    done = subprocess.run([sys.executable, "-c", code], cwd=clone, capture_output=True, text=True, env=kept)
    assert done.returncode == 0, done.stderr
    assert f"from the source folder {str(clone)!r}, where the C kernels are not built" in done.stdout
    assert "pip install -e ." in done.stderr and "start Python in another folder" in done.stderr
