"""An op is four things in four files; these tests name whichever is missing. And arrows between floors point down."""

import ast
import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from fastnn.engine import backend
from tests.cases import CASES
from tests.conftest import needs_c
from tests.ops import FAMILY, OPS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "fastnn"

FLOORS = [
    {"errors", "frames", "names", "arguments", "nest", "registration", "values", "serialization", "configuration",
     "markup", "literals", "_engine"},
    {"reference"},
    {"engine"},
    {"ops"},
    {"activations", "initializers", "regularizers", "constraints", "losses", "metrics", "random", "seeds", "layers",
     "optimizers", "reporting"},
    {"feeding"},
    {"models", "training", "callbacks"},
    {"saving", "preprocessing", "datasets", "utils", "plotting", "teaching", "examples", "config", "backend",
     "__main__"},
]


def family_of(kernel: str) -> str:
    return backend.kernels[kernel].reference.__module__.rsplit(".", 1)[1]


@pytest.mark.parametrize("kernel", sorted(backend.kernels))
def test_every_kernel_has_op_case_and_docstring(kernel: str) -> None:
    family = family_of(kernel)
    assert kernel in OPS, f"no Op row for {kernel} in fastnn/ops/rows/{family}.py"
    assert FAMILY[kernel] == family or kernel in vars(__import__(f"fastnn.ops.rows.{family}", fromlist=["x"]))
    assert any(c.kernel == kernel for c in CASES), f"no case row for {kernel} in tests/cases/{family}.py"
    assert backend.kernels[kernel].reference.__doc__, f"the reference of {kernel} has no docstring"


@needs_c
@pytest.mark.parametrize("kernel", sorted(backend.kernels))
def test_every_kernel_is_in_c_in_the_file_of_its_family(kernel: str) -> None:
    assert (backend.kernels[kernel].c is None) == backend.kernels[kernel].by_numpy, (
        f"C has no {kernel}: it runs on the reference, see csrc/README.md")
    source = ROOT / "csrc" / "kernels" / f"{family_of(kernel)}.c"
    if source.exists():
        row = f'{{"{backend.kernels[kernel].signature}"'
        assert row in source.read_text(), f"no table row for {kernel} in {source}"


C_SOURCES = sorted((ROOT / "csrc").rglob("*.[ch]"))


SOURCES = [*C_SOURCES, *(path for path in sorted(PACKAGE.rglob("*"))
                         if path.suffix in (".py", ".pyx", ".pxi", ".pyi"))]


def test_a_file_is_one_thing_and_fits_a_screen() -> None:
    for source in [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]:
        lines = source.read_text(encoding="utf-8").splitlines()
        wide = [number for number, line in enumerate(lines, 1) if len(line) > 120 and source in C_SOURCES]
        assert len(lines) <= 300 and not wide, f"{source}: {len(lines)} lines, too wide: {wide}"


@pytest.mark.parametrize("source", C_SOURCES, ids=lambda path: path.name)
def test_every_pointer_of_a_prologue_is_restrict_and_says_its_shape(source: Path) -> None:
    """`const float *restrict x = input(call, 0);   /* (rows, n) */`, as csrc/README.md says."""
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{source.relative_to(ROOT)}, line {number}: {line.strip()}"
        if re.search(r"\*.*\w = .*\b(input|output|given)\(call, ", line) and "return" not in line:
            assert re.fullmatch(r"\s+(const )?\w+ \*restrict \w+ = \w+\(call, [^,]*\); +/\* \(.*\).* \*/", line), where
        if re.search(r"Tensor \*\w+ = .*call->(inputs|outputs)\[", line):
            assert re.search(r"/\* (\(.*\)|as \w+).* \*/$", line), where


def starred(face: Path) -> list[str]:
    """The modules below the same folder that a face imports whole."""
    own = ".".join(face.relative_to(ROOT).parent.parts)
    return re.findall(rf"^from {re.escape(own)}\.([\w.]+) import \*$", face.read_text(encoding="utf-8"), re.M)


def test_the_faces_of_ops_are_made_from_their_modules() -> None:
    """A public op is named once, in the __all__ of its module, and a module is imported by one face."""
    folder = PACKAGE / "ops"
    faces = {face: starred(face) for face in folder.glob("*.py") if starred(face)}
    modules = sorted(path.stem for path in folder.glob("*.py") if path not in faces and path.stem != "_op"
                     and hasattr(importlib.import_module(f"fastnn.ops.{path.stem}"), "__all__"))
    assert sorted(name for names in faces.values() for name in names if name.startswith("_")) == modules
    names = Counter(name for module in modules for name in importlib.import_module(f"fastnn.ops.{module}").__all__)
    twice = [name for name, times in names.items() if times > 1]
    assert not twice, f"two modules of fastnn/ops have {twice}"
    public = importlib.import_module("fastnn.ops").__all__
    assert {*names} - set(public) == set(importlib.import_module("fastnn.ops.image").__all__)
    assert {*public} - set(names) == {"image", "linalg", "nn", "numpy"}


FACES = sorted(PACKAGE.rglob("__init__.py"))


@pytest.mark.parametrize("face", [face for face in FACES if starred(face) and face.parent.name != "ops"],
                         ids=lambda path: path.parent.name)
def test_a_face_is_made_from_its_modules(face: Path) -> None:
    """A public name is named once, in the __all__ of its module: those of the folder's modules, and nothing else."""
    own = ".".join(face.relative_to(ROOT).parent.parts)
    named = {path.stem for path in face.parent.glob("*.py") if "\n__all__ = " in path.read_text(encoding="utf-8")}
    assert named - {"layer"} <= {*starred(face)}, "modules that name what is public, and are not in the face"
    names = Counter(name for module in starred(face) for name in importlib.import_module(f"{own}.{module}").__all__)
    assert not [name for name, times in names.items() if times > 1]
    assert {*importlib.import_module(own).__all__} - {*names} <= {"Layer", "schedules"}


@pytest.mark.parametrize("face", [face for face in FACES if not starred(face)], ids=lambda path: path.parent.name)
def test_a_face_has_one_public_name_a_line(face: Path) -> None:
    """So that two people who add a name each do not meet. What it imports from below it and does not use is public."""
    tree = ast.parse(face.read_text(encoding="utf-8"))
    own = ".".join(face.relative_to(ROOT).parent.parts)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported = {alias.asname or alias.name: alias.lineno for node in tree.body
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith(own) for alias in node.names}
    listed = [element for node in tree.body if isinstance(node, ast.Assign) and "__all__" in ast.unparse(node.targets)
              for element in ast.walk(node.value) if isinstance(element, ast.Constant)]
    names = [str(element.value) for element in listed]
    assert imported.keys() - used <= set(names) and len(set(names)) == len(names)
    assert all(hasattr(importlib.import_module(own), name) for name in names)
    for lines in ([element.lineno for element in listed], [line for name, line in imported.items() if name in names]):
        assert len(set(lines)) == len(lines), f"{face}: one name a line"


def test_only_update_kernels_write_into_their_inputs() -> None:
    for name, op in OPS.items():
        allowed = name.endswith("_step") or name in ("fill", "copy", "advance")
        assert bool(op.updates) == allowed, f"{name}: updates={op.updates}"


CGROUPS_WORD = "threads.py", "max"      # for no limit


def test_the_engine_knows_no_op_by_name() -> None:
    """What an op is to the engine, its attributes say; what may be fused, ops/_rewrites.py."""
    found = []
    for path in sorted((PACKAGE / "engine").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in OPS and (path.name, node.value) != CGROUPS_WORD:
                found.append(f"{path.name}, line {node.lineno}: {node.value!r}")
    assert not found, "\n".join(found)


def test_families_have_the_same_file_names() -> None:
    def stems(folder: Path, ending: str) -> set[str]:
        return {p.stem for p in folder.glob(f"*.{ending}") if not p.stem.startswith("_")}
    rows = stems(PACKAGE / "ops" / "rows", "py")
    assert stems(PACKAGE / "reference", "py") == rows == stems(ROOT / "tests/cases", "py")
    if (ROOT / "csrc").is_dir():
        assert stems(PACKAGE / "reference", "py") == stems(ROOT / "csrc" / "kernels", "c") | {"linalg"}    # LAPACK's


def _floor(module: str) -> int:
    part = module.split(".")[1] if "." in module else ""
    for number, names in enumerate(FLOORS):
        if part in names:
            return number
    return len(FLOORS)


def _imports(path: Path) -> set[str]:
    """fastnn modules imported when the file is imported (imports inside functions are lazy and may point up)."""
    found = set()
    tree = ast.parse(path.read_text())
    for node in tree.body:
        nodes = node.body if isinstance(node, (ast.Try, ast.If)) else [node]
        for item in nodes:
            if isinstance(item, ast.ImportFrom) and item.module and item.module.startswith("fastnn"):
                if item.module == "fastnn":
                    found.update(f"fastnn.{a.name}" for a in item.names)
                else:
                    found.add(item.module)
            elif isinstance(item, ast.Import):
                found.update(a.name for a in item.names if a.name.startswith("fastnn"))
    return found


def test_arrows_between_floors_point_down() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        if relative.parts == ("__init__.py",) or (relative.parts[0] == "examples" and path.stem[0] != "_"):
            continue        # a lesson is a program of a user, who imports what is public
        own = "fastnn." + (relative.parts[0] if len(relative.parts) > 1 else path.stem)
        for module in _imports(path):
            if module != "fastnn" and _floor(module) > _floor(own):
                wrong.append(f"{relative} (floor {_floor(own)}) imports {module} (floor {_floor(module)})")
    assert not wrong, "\n".join(wrong)


def test_reference_imports_numpy_only() -> None:
    for path in (PACKAGE / "reference").glob("*.py"):
        assert all(m.startswith("fastnn.reference") for m in _imports(path)), path.name


def test_no_two_rooms_import_each_other() -> None:
    """Neither two modules of the package's top folder, nor two folders, nor longer ways round."""
    imports: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        relative = path.relative_to(PACKAGE)
        own = relative.parts[0] if len(relative.parts) > 1 else path.stem
        parts = {module.split(".")[1] for module in _imports(path) if "." in module}
        imports.setdefault(own, set()).update(parts - {own})
    del imports["__init__"]
    left = dict(imports)
    while free := {room for room, others in left.items() if not others & left.keys()}:
        left = {room: others for room, others in left.items() if room not in free}
    assert not left, f"a circle among {sorted(left)}"


def test_few_parameters_have_no_type() -> None:
    """Any, or no annotation: under 15 % of the parameters. engine/kinds.py names what may be of several types."""
    every, untyped = 0, []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                a = node.args
                found = [p for p in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg)
                         if p and p.arg not in ("self", "cls")]
                every += len(found)
                untyped += [f"{path.relative_to(ROOT)}:{p.lineno}: {p.arg}" for p in found
                            if p.annotation is None or ast.unparse(p.annotation) == "Any"]
    assert len(untyped) < 0.15 * every, f"{len(untyped)} of {every}:\n" + "\n".join(untyped)
