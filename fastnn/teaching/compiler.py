"""C from a text: compiled by the compiler that is there, called on arrays. Floor 5.

A kernel's C function gets pointers to its inputs and outputs, then the sizes that its reference's docstring names, in
their order, then its constants: matmul, "a (m, k), b (k, n) → y (m, n)", is

    void matmul(const float *a, const float *b, float *y, int64_t m, int64_t k, int64_t n)
"""

import ctypes
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.ops._op import Op

FLAGS = ("-O2", "-shared", "-fPIC", "-fno-math-errno", "-std=c11", "-include", "stdint.h", "-include",
         "math.h")
POINTERS = {"float32": "float", "int32": "int32_t", "uint8": "uint8_t", "int64": "int64_t", "bool": "uint8_t"}
CONSTANTS = {str(float): "float", str(int): "int64_t", str(bool): "int64_t", str(str): "const char *"}
ANY = "n"       # how many elements, where arrays may have any shape
ROWS = "rows"   # the product of the axes that "..." stands for; "places" where rows are something else


def compiler() -> list[str]:
    """The C compiler that is there, as the words of its command: $CC ("ccache gcc"), what Python was built with, cc,
    gcc or clang; empty where there is none."""
    for name in (os.environ.get("CC"), sysconfig.get_config_var("CC"), "cc", "gcc", "clang"):
        words = shlex.split(name or "")
        if words and (found := shutil.which(words[0])):
            return [found, *words[1:]]
    return []


class Sizes(NamedTuple):
    """The shapes of a kernel's arrays by name, each a tuple of sizes as they are written: names, or "4·units"; `names`:
    all names, in order; `many`: the one that stands for any axes in front."""
    shapes: dict[str, tuple[str, ...]]
    names: tuple[str, ...]
    many: str


def sizes_of(op: Op) -> Sizes:
    """What the docstring of the reference says; arrays of which it says nothing may have any shape."""
    text = " ".join((op.kernel.reference.__doc__ or "").split())
    shapes: dict[str, tuple[str, ...]] = {}
    arrays = (*op.kernel.inputs, *op.output_names)
    for named, inside in re.findall(r"((?:\w+, )*\w+) \(([^()]*)\)", text):
        axes = tuple(axis.strip() for axis in inside.split(",") if axis.strip())
        if axes and all(re.fullmatch(r"[\w /·-]+|\.\.\.|…", axis) for axis in axes):
            for name in set(named.split(", ")) & set(arrays):
                shapes.setdefault(name, axes)
    many = "places" if any(ROWS in axes for axes in shapes.values()) else ROWS
    shapes = {name: tuple(many if axis in ("...", "…") else axis for axis in axes)
              for name, axes in shapes.items()}
    names = tuple(dict.fromkeys(axis for name in arrays for axis in shapes.get(name, (ANY,)) if axis.isidentifier()))
    return Sizes(shapes, names, many)


def prototype(op: Op) -> str:
    """The C function that a kernel needs."""
    kinds = _kinds(op)
    arrays = [f"const {kinds[name]} *{name}" for name in op.kernel.inputs]
    arrays += [f"{kinds.get(name, 'float')} *{name}{'_new' * (name in kinds)}" for name in op.output_names]
    taken = {*op.kernel.inputs, *op.output_names}
    sizes = [f"int64_t {name}{'_' * (name in taken)}" for name in sizes_of(op).names]
    types = inspect.get_annotations(op.kernel.reference)
    constants = [f"{CONSTANTS.get(str(types.get(name)), 'const int64_t *')} {name}" for name in op.kernel.constants]
    return f"void {op.name}({', '.join([*arrays, *sizes, *constants])})".replace("* ", "*")


def _kinds(op: Op) -> dict[str, str]:
    return {name: POINTERS.get(op.dtypes.get(name, "float32"), "float") for name in op.kernel.inputs}


def built(source: str, name: str, flags: Sequence[str] = ()) -> Any:
    """The function of a C source, out of a shared object in a temporary folder. RuntimeError without a compiler,
    ValueError with what the compiler says, and where there is no such function."""
    command = compiler()
    if not command:
        raise RuntimeError(f"kernel {name}: there is no C compiler (cc, gcc, clang, or what $CC says); install one, or "
                           "write the kernel with NumPy.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path, library = Path(folder) / f"{name}.c", Path(folder) / f"{name}.so"
        path.write_text(source, encoding="utf-8")
        run = subprocess.run([*command, *FLAGS, *flags, path.name, "-o", library.name, "-lm"], capture_output=True,
                             text=True, check=False, cwd=folder)
        if run.returncode:
            who, why = Path(command[0]).name, run.stderr.strip()[-2000:]
            raise ValueError(f"kernel {name}: {who} does not compile it:\n{why}")
        loaded = ctypes.CDLL(str(library))
    try:
        return getattr(loaded, name)
    except AttributeError:
        raise ValueError(f"kernel {name}: the C source has no function {name}; it must not be static.") from None


def from_c(op: Op, source: str, flags: Sequence[str] = ()) -> Callable[..., Any]:
    """A function of arrays and constants, as the reference is one, that calls the C source. Errors: those of built, and
    TypeError for kernels whose constants are no numbers."""
    function, sizes = built(source, op.name, flags), sizes_of(op)
    function.restype = None
    known: dict[Any, tuple[list[Any], list[Any]]] = {}      # by shapes and constants: outputs, sizes and constants

    def first(inputs: Sequence[np.ndarray], constants: dict[str, Any]) -> tuple[list[Any], list[Any]]:
        if any(a.dtype == np.float64 for a in inputs):
            raise TypeError(f"kernel {op.name}: the C source computes in float32; floatx is float64.")
        made = op.results(tuple(Tensor(a) for a in inputs), constants)
        shapes = [*zip(op.kernel.inputs, [a.shape for a in inputs]), *zip(op.output_names, [s for s, _ in made])]
        found: dict[str, int] = {}
        for name, shape in shapes:
            found.update(_measured(sizes, name, shape))
        return made, [*(ctypes.c_int64(found[name]) for name in sizes.names),
                      *(_constant(constants[name]) for name in op.kernel.constants)]

    def call(*inputs: np.ndarray, **constants: Any) -> Any:
        key = tuple((a.shape, a.dtype) for a in inputs), repr(constants)
        if key not in known:
            known[key] = first(inputs, constants)
        made, numbers = known[key]
        outputs = [np.empty(shape, dtype) for shape, dtype in made]
        kept = [np.ascontiguousarray(a) for a in inputs]
        function(*[ctypes.c_void_p(a.ctypes.data) for a in (*kept, *outputs)], *numbers)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    return call


def _constant(value: Any) -> Any:
    """A constant as C takes it."""
    if isinstance(value, str):
        return ctypes.c_char_p(value.encode())
    if isinstance(value, (tuple, list)):
        return (ctypes.c_int64 * len(value))(*value)
    return ctypes.c_float(value) if isinstance(value, float) else ctypes.c_int64(int(value))


def _measured(sizes: Sizes, name: str, shape: tuple[int, ...]) -> dict[str, int]:
    """{name of a size: how large} of an array."""
    axes = sizes.shapes.get(name)
    if axes is None:
        return {ANY: int(np.prod(shape))}
    if sizes.many not in axes:
        return dict(zip(axes, shape))
    at = axes.index(sizes.many)
    end = len(shape) - (len(axes) - at - 1)
    return {sizes.many: int(np.prod(shape[at:end])), **dict(zip(axes[:at], shape)),
            **dict(zip(axes[at + 1:], shape[end:]))}
