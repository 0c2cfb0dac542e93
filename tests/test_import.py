"""What importing fastnn does and loads, and its compiled module on every instruction set."""

import ast
import os
import re
import sys
from pathlib import Path

import pytest

from fastnn.engine import backend
from tests.conftest import needs_c
from tests.test_install import ROOT, python

# Loaded when they are needed; `import fastnn` is to cost little more than NumPy. numpy itself imports some others.
LAZY = ["matplotlib", "pandas", "sklearn", "scipy", "safetensors", "IPython", "multiprocessing", "PIL",
        "urllib.request", "http", "ssl", "socket", "asyncio", "unittest", "sqlite3", "tkinter"]


def test_import_leaves_subnormals_alone(tmp_path: Path) -> None:
    code = ("import numpy as np\ntiny, one, a = np.float32(1e-40), np.float32(1), np.ones((99, 99))\n"
            "assert tiny * one > 0\nimport fastnn\nfastnn.ops.matmul(a, a)\nprint(tiny * one > 0)")
    printed = python("-W", "ignore", "-c", code, cwd=tmp_path, PYTHONPATH=os.pathsep.join([str(ROOT), *sys.path]))
    assert printed.split()[-1] == "True"


def test_import_loads_nothing_that_can_wait(tmp_path: Path) -> None:
    code = "import numpy, sys\nbefore = set(sys.modules)\nimport fastnn\nprint(*(set(sys.modules) - before))"
    new = python("-W", "ignore", "-c", code, cwd=tmp_path, PYTHONPATH=os.pathsep.join([str(ROOT), *sys.path])).split()
    others = [name for name in new if name.split(".")[0] != "fastnn"]       # 61; fastnn's own grow with what it can do
    assert not set(others) & set(LAZY) and len(others) < 80, sorted(others)


@needs_c
def test_the_stub_names_what_the_module_has() -> None:
    assert backend._engine is not None
    stub = ast.parse((Path(backend.__file__).parents[1] / "_engine.pyi").read_text(encoding="utf-8"))
    described = {node.name: {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
                 - {"__new__", "__call__"}
                 for node in stub.body if isinstance(node, ast.ClassDef)}
    assert described == {name: {part for part in vars(kind) if not part.startswith("_")}
                         for name, kind in vars(backend._engine).items() if isinstance(kind, type)}
    functions = {node.name: [argument.arg for argument in node.args.args]
                 for node in stub.body if isinstance(node, ast.FunctionDef)}
    sources = sorted(Path(backend.__file__).parents[1].glob("_engine*.p*[xi]"))
    if len(sources) < 4:
        pytest.skip("the source of the compiled module is not beside it")
    text = "\n".join(source.read_text(encoding="utf-8") for source in sources if source.suffix != ".pyi")
    declared = re.findall(r"^def (\w+)\((.*?)\)", text, re.MULTILINE | re.DOTALL)
    assert functions == {name: [word.split()[-1] for word in words.split(",") if word] for name, words in declared}


@needs_c
@pytest.mark.slow
@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
def test_kernel_suite_on_every_instruction_set(isa: str) -> None:
    assert backend._engine is not None
    if not dict(backend._engine.isas()).get(isa):
        pytest.skip(f"{isa} is not in this build or not in this CPU")
    printed = python("-m", "pytest", "-p", "no:cacheprovider", "tests/test_kernels.py", "-m", "slow or not slow",
                     cwd=ROOT, FASTNN_ISA=isa, PYTHONDONTWRITEBYTECODE="1")
    assert " passed" in printed
