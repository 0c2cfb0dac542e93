"""Building and installing, as users do: with a compiler, without one, without OpenMP, from the sdist.

Nothing is downloaded: pip runs without build isolation and without dependencies, in copies of the checkout.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastnn.engine import backend
from tests.conftest import needs_c

ROOT = Path(__file__).parents[1]
LIMIT = 600      # seconds, for one command
TRAINING = """
import sys      # an editable fastnn would lend its compiled module to the installed one that is tried here
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
import fastnn, numpy as np
fastnn.show_config()
found = fastnn.config.configuration()
model = fastnn.Sequential([fastnn.layers.Dense(4, activation="tanh", input_shape=(2,)), fastnn.layers.Dense(1)])
model.compile("adam", "mse")
x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
history = model.fit(x, x[:, :1], epochs=200, batch_size=4, verbose=0).history
assert history["loss"][-1] < history["loss"][0] / 2, history["loss"][-1]
print(len(fastnn.datasets.breast_cancer.load_data()[0][0]), "rows of data")
print(fastnn.__file__)
"""

TOOLS = ("pip", "setuptools", "Cython", "build")
INSTALLED = {each.metadata["Name"].lower() for each in importlib.metadata.distributions()}    # importing pip here would
MISSING = [name for name in TOOLS if name.lower() not in INSTALLED]     # bring back Python's distutils (test_build)
needs_build = pytest.mark.skipif(
    not (ROOT / "setup.py").is_file() or bool(MISSING),
    reason="needs the checkout, pip, setuptools, Cython and build (pip install fastnn[test])")
needs_compiler = pytest.mark.skipif(not shutil.which(os.environ.get("CC", "cc").split()[0]), reason="no C compiler")
needs_objdump = pytest.mark.skipif(not shutil.which("objdump"), reason="objdump is not there (binutils)")


def run(*command: object, cwd: Path, **environment: str) -> str:
    """What the command printed, both streams; an AssertionError with all of it if it failed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FASTNN_", "PYTHON", "PYTEST"))}
    result = subprocess.run([str(word) for word in command], cwd=cwd, env={**kept, **environment}, timeout=LIMIT,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert result.returncode == 0, f"{command} failed:\n{result.stdout}"
    return result.stdout


def python(*words: object, cwd: Path, **environment: str) -> str:
    """This interpreter, in another folder."""
    return run(sys.executable, *words, cwd=cwd, **environment)


def install(source: Path, target: Path, **environment: str) -> str:
    """`pip install -v` into a folder that is then to be put in front of sys.path."""
    return python("-m", "pip", "install", "-v", "--no-build-isolation", "--no-deps", "--no-index", "--target", target,
                  source, cwd=target.parent, PIP_DISABLE_PIP_VERSION_CHECK="1", **environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """For the module's builds; removed at the end, for they are large."""
    path = tmp_path_factory.mktemp("install")
    yield path
    shutil.rmtree(path, ignore_errors=True)


def checkout(folder: Path) -> Path:
    """A copy of the checkout without anything built."""
    leave = shutil.ignore_patterns("build", "dist", ".git", ".venv", ".*_cache", ".hypothesis", ".benchmarks",
                                   "*.egg-info", "__pycache__", "*.so", "_engine.c", "_engine_missing.txt")
    return shutil.copytree(ROOT, folder, ignore=leave)


@pytest.fixture(scope="module")
def sdist(folder: Path) -> Path:
    source = checkout(folder / "checkout")
    python("-m", "build", "--sdist", "--no-isolation", "--outdir", folder, source, cwd=folder)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def unpacked(sdist: Path, folder: Path) -> Path:
    """With the checkout's objects, so that only what this installation would make otherwise is compiled."""
    python("-m", "tarfile", "-e", sdist, folder, cwd=folder)       # extractall(filter=) is younger than Python 3.11.0
    source = folder / sdist.name.removesuffix(".tar.gz")
    if (ROOT / "build/objects").is_dir():
        shutil.copytree(ROOT / "build/objects", source / "build/objects")
    return source


@pytest.fixture(scope="module")
def wheel(unpacked: Path, folder: Path) -> Path:
    """Built from the sdist, which leaves the object files in its build folder."""
    python("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, unpacked, cwd=folder)
    return next(folder.glob("*.whl"))


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# What is shipped.

@needs_build
def test_sdist_holds_the_sources_and_nothing_generated(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in ("LICENSE", "pyproject.toml", "setup.py", "fastnn/_engine.pyx", "fastnn/_engine.pyi",
                   "fastnn/py.typed", "csrc/fastnn.h", "csrc/kernels/dense.c", "tests/test_kernels.py",
                   "tests/cases/dense.py", ".ci/run"):
        assert needed in names, f"{needed} is not in {sdist.name}"
    assert any(name.startswith("benchmarks/") for name in names) or not any((ROOT / "benchmarks").glob("*.py"))
    generated = [name for name in names if name.endswith((".so", ".o", ".pyc", "_engine.c", "_engine_missing.txt"))]
    assert not generated
    ours = {str(path.relative_to(ROOT)) for part in ("fastnn", "csrc", "tests") for path in (ROOT / part).rglob("*")
            if path.suffix in (".py", ".pyi", ".pyx", ".pxi", ".c", ".h") and path.name != "_engine.c"}
    assert not ours - names


@needs_build
@needs_compiler
def test_wheel_is_small_and_complete(wheel: Path) -> None:
    assert wheel.stat().st_size < 2_500_000
    files = contents(wheel)
    compiled = [name for name in files if re.match(r"fastnn/_engine\..*\.(so|pyd)$", name)]
    assert len(compiled) == 1
    data = {f"fastnn/datasets/data/{path.name}" for path in (ROOT / "fastnn/datasets/data").iterdir()}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "fastnn").rglob("*.py")}
    for name in {"fastnn/py.typed", "fastnn/_engine.pyi"} | data | modules:
        assert name in files, f"{name} is not in {wheel.name}"
    assert {name.split("/")[0] for name in files} == {"fastnn", wheel.name.rsplit("-", 3)[0] + ".dist-info"}
    assert "fastnn/_engine_missing.txt" not in files and "fastnn/_engine.c" not in files


@needs_build
@needs_compiler
def test_wheel_metadata(wheel: Path) -> None:
    files = contents(wheel)
    info = wheel.name.rsplit("-", 3)[0] + ".dist-info/"
    metadata = files[info + "METADATA"].decode()
    for line in ("Name: fastnn", "License-Expression: MIT", "License-File: LICENSE", "Requires-Python: >=3.11"):
        assert f"\n{line}\n" in metadata
    required = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, re.MULTILINE)
    assert sorted(required) == ["matplotlib", "numpy", "safetensors"]
    if (ROOT / "README.md").is_file():
        assert "Description-Content-Type: text/markdown" in metadata
    assert info + "licenses/LICENSE" in files
    assert files[info + "entry_points.txt"].decode().strip() == "[console_scripts]\nfastnn = fastnn.__main__:main"


# What is installed.

@needs_build
@needs_compiler
def test_sdist_wheel_install_tests(wheel: Path, unpacked: Path, folder: Path) -> None:
    """A new environment that sees this one's NumPy and pytest, but not this one's fastnn first."""
    environment = folder / "environment"
    python("-m", "venv", "--without-pip", environment, cwd=folder)
    installed = environment / ("Scripts" if os.name == "nt" else "bin")
    python("-m", "pip", "--python", installed / "python", "install", "--no-deps", "--no-index", wheel, cwd=folder)
    packages = next(environment.rglob("site-packages"))
    (packages / "this_one.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    printed = run(installed / "python", "-c", TRAINING, cwd=folder)
    assert "backend          C\n" in printed and "rows of data" in printed
    assert Path(printed.splitlines()[-1]).is_relative_to(environment)
    assert "backend          C\n" in run(installed / "fastnn", "info", cwd=folder)
    elsewhere = folder / "tests-only"       # where no fastnn folder lies beside the tests
    shutil.copytree(unpacked / "tests", elsewhere / "tests")
    shutil.copy(unpacked / "pyproject.toml", elsewhere)
    printed = run(installed / "python", "-m", "pytest", "-p", "no:cacheprovider", "-k", "dense and agree or arena",
                  "tests/test_kernels.py", "tests/test_engine.py", cwd=elsewhere)
    assert " passed" in printed


@needs_build
@pytest.mark.parametrize("environment", [{"CC": "/bin/false"}, {"PATH": ""}], ids=["broken compiler", "no compiler"])
def test_without_a_compiler_the_reference_runs(environment: dict[str, str], folder: Path) -> None:
    if os.name == "nt":
        pytest.skip("needs /bin/false")
    if environment == {"PATH": ""} and "CC" in os.environ:
        environment = {"PATH": "", "CC": "gcc"}
    target = Path(f"{folder}/without-{'-'.join(environment)}/site")
    source = checkout(target.parent / "checkout")
    printed = install(source, target, **environment)
    lines = [line for line in printed.splitlines() if "fastnn: the C kernels were not built" in line]
    assert len(lines) == 1 and "the NumPy reference will run instead" in lines[0], printed
    printed = python("-c", TRAINING, cwd=folder, PYTHONPATH=str(target))
    assert "backend          NumPy reference  (why not C: the C kernels were not built when" in printed
    assert printed.count("RuntimeWarning: fastnn runs its NumPy reference") == 1
    assert "rows of data" in printed and Path(printed.splitlines()[-1]).is_relative_to(target)
    quiet = python("-W", "error", "-c", TRAINING, cwd=folder, PYTHONPATH=str(target), FASTNN_BACKEND="reference")
    assert "(why not C: the C kernels were not built" in quiet


@needs_build
@needs_compiler
@pytest.mark.slow
def test_without_openmp_it_is_serial(folder: Path) -> None:
    target = folder / "serial" / "site"
    source = checkout(folder / "serial" / "checkout")
    printed = install(source, target, FASTNN_NO_OPENMP="1")
    assert "fastnn: FASTNN_NO_OPENMP=1; the C kernels will run on one thread." in printed
    printed = python("-c", TRAINING, cwd=folder, PYTHONPATH=str(target))
    assert "backend          C\n" in printed and "OpenMP           no\n" in printed
    if shutil.which("objdump"):
        assert "gomp" not in run("objdump", "-p", next(target.rglob("_engine*.so")), cwd=folder)
    # The same checkout, now with a compiler that fails: nothing of the build before may be installed.
    again = folder / "serial" / "again"
    install(source, again, CC="/bin/false")
    assert not list(again.rglob("_engine*.so"))
    # And once more with OpenMP.
    once_more = folder / "serial" / "more"
    install(source, once_more)
    printed = python("-W", "error", "-c", TRAINING, cwd=folder, PYTHONPATH=str(once_more))
    assert "backend          C\n" in printed and not list(once_more.rglob("_engine_missing.txt"))


@needs_build
@needs_compiler
@pytest.mark.slow
def test_a_compiler_without_avx512_builds_the_others(folder: Path) -> None:
    source = checkout(folder / "old" / "checkout")
    compiler = folder / "old" / "cc"
    compiler.write_text('#!/bin/sh\ncase "$*" in *dense.c*avx512bw*) echo "internal error" >&2; exit 1;; esac\n'
                        f'exec {shutil.which("cc")} "$@"\n')
    compiler.chmod(0o755)
    target = folder / "old" / "site"
    printed = install(source, target, CC=str(compiler))
    if "avx512" not in dict(backend._engine.isas() if backend._engine else []):
        pytest.skip("no AVX-512 in builds for this machine")
    assert "fastnn: built without avx512 (" in printed
    assert "(compiled: baseline, avx2)" in python("-c", TRAINING, cwd=folder, PYTHONPATH=str(target))


# What the machine code may hold.

def instructions(path: Path, cwd: Path) -> str:
    return run("objdump", "--disassemble", "--no-show-raw-insn", path, cwd=cwd)


@needs_build
@needs_compiler
@needs_objdump
def test_wide_registers_only_in_the_dispatched_copies(wheel: Path, unpacked: Path) -> None:
    objects = [*unpacked.glob("build/temp*/**/*.o"), *unpacked.glob("build/objects/*/*/csrc/**/*.o")]
    assert len(objects) > 10
    found = {path: set(re.findall(r"%([yz]mm)\d", instructions(path, unpacked))) for path in objects}
    isas = {"avx2": {"ymm"}, "avx512": {"ymm", "zmm"}}
    for path, wide in found.items():
        allowed = next((isas[part] for part in path.parts if part in isas), set())
        assert wide <= allowed, f"{path.relative_to(unpacked)} uses {wide}"
    for isa, needed in isas.items():        # the test sees them where they are
        for path in [path for path in objects if isa in path.parts and path.name == "gemm.o"]:
            assert needed & found[path]


@needs_c
@needs_objdump
def test_the_module_does_not_set_fast_math(tmp_path: Path) -> None:
    assert backend._engine is not None
    text = run("objdump", "--syms", "--dynamic-syms", backend._engine.__file__, cwd=tmp_path)
    assert "PyInit__engine" in text
    assert "set_fast_math" not in text and "crtfastmath" not in text


@needs_build
@needs_compiler
@needs_objdump
@pytest.mark.slow
def test_fast_math_in_cflags_is_left_out(folder: Path) -> None:
    target = folder / "fast" / "site"
    install(checkout(folder / "fast" / "checkout"), target, CFLAGS="-Ofast -ffast-math", LDFLAGS="-ffast-math")
    assert "set_fast_math" not in run("objdump", "--syms", next(target.rglob("_engine*.so")), cwd=folder)
    python("-c", "import numpy, fastnn; assert numpy.float32(1e-40) * numpy.float32(1) > 0", cwd=folder,
           PYTHONPATH=str(target))
