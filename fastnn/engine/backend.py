"""Which implementation runs a call: C, the NumPy reference, or both. Floor 1; imports reference and _engine."""

import contextlib
import importlib
import inspect
import os
import pkgutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fastnn.reference
from fastnn.engine import threads
from fastnn.errors import nearest, shown

PACKAGE = Path(fastnn.reference.__path__[0]).parent
# Nothing is built there unless it was installed in place: `pip install .` puts its copy elsewhere, and Python, started
# in the clone, finds the folder first.
IN_SOURCES = (PACKAGE.parent / "setup.py").is_file() and (PACKAGE.parent / "csrc").is_dir()


def _why_missing(error: ImportError) -> str:
    """What setup.py wrote when it could not build the compiled module, else what Python says."""
    try:
        reason = f" ({PACKAGE.joinpath('_engine_missing.txt').read_text(encoding='utf-8').strip()})"
    except OSError:
        reason = ""
    if IN_SOURCES:
        return (f"Python imports fastnn from the source folder {str(PACKAGE.parent)!r}, where the C kernels are not "
                f"built{reason}")
    if reason:
        return f"the C kernels were not built when fastnn was installed{reason}"
    return f"the compiled module fastnn._engine cannot be imported ({error})"


try:
    import fastnn._engine as _engine  # its error is clearer than that of `from fastnn import`
    missing = ""
except ImportError as error:      # built without a compiler, or not built: the reference runs, and says so
    _engine = None  # type: ignore[assignment]
    missing = _why_missing(error)
    if not os.environ.get("FASTNN_BACKEND"):
        advice = ("Build them there (pip install -e .), or start Python in another folder" if IN_SOURCES else
                  "Install a C compiler and reinstall fastnn (pip install --force-reinstall --no-cache-dir)")
        warnings.warn(f"fastnn runs its NumPy reference, which is slower: {missing}. {advice}, or set "
                      "FASTNN_BACKEND=reference to keep it so without this warning.", RuntimeWarning, stacklevel=2)

BACKENDS = ("c", "reference", "check")
FLOATX = ("float32", "float64")


@dataclass
class Kernel:
    """A kernel: its name, its parameters, its reference function and, where built, its C table row.

    `inputs`: their names; one "*xs" alone is any number of arrays. `by_numpy`: it is to stay without C. `own`: what a
    user has put in the place of both (see `replace`), a function as the reference is one.
    """
    name: str
    reference: Callable[..., Any]
    inputs: tuple[str, ...]
    constants: tuple[str, ...]
    c: Any = None
    by_numpy: bool = False
    own: Callable[..., Any] | None = None

    @property
    def in_c(self) -> bool:
        """Whether C runs its calls where the backend is C."""
        return self.c is not None and self.own is None

    @property
    def signature(self) -> str:
        """The declaration as both sides write it: leaky_relu(x, *, slope)."""
        star = ["*"] if self.constants and not self.inputs[0].startswith("*") else []
        return f"{self.name}({', '.join([*self.inputs, *star, *self.constants])})"


def bound(names: tuple[str, ...], values: Sequence[Any]) -> dict[str, Any]:
    """{name: value}; a name with a star, which is alone, has all of them in a list: {"xs": [...]}."""
    return {names[0][1:]: list(values)} if names[:1] and names[0].startswith("*") else dict(zip(names, values))


def numbered(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    """The name of each of `count` arrays: xs[0], xs[1], … of a name with a star."""
    return tuple(f"{names[0][1:]}[{i}]" for i in range(count)) if names[0].startswith("*") else names


families = sorted(m.name for m in pkgutil.iter_modules(fastnn.reference.__path__) if m.name[0] != "_")     # of kernels


def _read_reference() -> dict[str, Kernel]:
    found = {}
    for family in families:
        module = importlib.import_module(f"fastnn.reference.{family}")
        for name, function in vars(module).items():
            if name.startswith("_") or not inspect.isfunction(function) or function.__module__ != module.__name__:
                continue
            code = function.__code__        # inspect.signature is slow, and there are 300
            first, last = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
            star = [f"*{code.co_varnames[last]}"] if code.co_flags & inspect.CO_VARARGS else []
            found[name] = Kernel(name, function, (*code.co_varnames[:first], *star), code.co_varnames[first:last],
                                 by_numpy=getattr(module, "BY_NUMPY", False))
    return found


def _choose_isa(wanted: str | None) -> str:
    """The fastest instruction set this CPU can run, or the one FASTNN_ISA asks for."""
    compiled = dict(_engine.isas())
    usable = [name for name, supported in compiled.items() if supported]
    if wanted is None:
        return usable[-1]
    if wanted not in compiled:
        raise ImportError(f"FASTNN_ISA={shown(wanted)} is not an instruction set of this build; "
                          f"{nearest(wanted, compiled)}")
    if wanted not in usable:
        raise ImportError(f"FASTNN_ISA={wanted}: this CPU cannot run it; usable are {', '.join(usable)}.")
    return wanted


def attach_c(table: dict[str, Kernel], isa: str) -> None:
    """Give every kernel its C implementation; ImportError naming both texts where a signature differs.

    A kernel that C does not have, as one that is being written, runs on the reference; one warning names all of them.
    """
    for name, row in _engine.kernels(isa).items():
        if name in probes:
            continue
        ours = table.get(name)
        if ours is None or ours.signature != row.signature:
            raise ImportError(f"kernel {name}: the reference declares {ours.signature if ours else '(none)'} but the C "
                              f"table says {row.signature}; rebuild fastnn (pip install .) or mend the row in "
                              "csrc/kernels.")
        ours.c = row
    alone = without_c(table)
    if alone:
        warnings.warn(f"fastnn runs its NumPy reference of {', '.join(alone)}, and calls it from Python, which is "
                      "slower: C has no such kernel. Rebuild fastnn (pip install .), or write it in csrc/kernels.",
                      RuntimeWarning, stacklevel=2)


def without_c(table: dict[str, Kernel]) -> list[str]:
    """The kernels that only the reference has, and that C is to have."""
    return sorted(name for name, kernel in table.items() if kernel.c is None and not kernel.by_numpy)


kernels: dict[str, Kernel] = _read_reference()
probes: dict[str, Any] = {}     # the C kernels of csrc/run/measure.c, which no op has
isa = ""
if _engine is not None:
    isa = _choose_isa(os.environ.get("FASTNN_ISA") or None)
    probes = {name: row for name, row in _engine.kernels(isa).items() if name.startswith("_")}
    attach_c(kernels, isa)
    threads.openmp_threads, threads.openmp_binds = _engine.openmp_threads, _engine.openmp_binds
    if hasattr(os, "register_at_fork"):
        # libgomp hangs in a forked child whose parent had a thread pool; a paused pool is no pool.
        os.register_at_fork(before=_engine.openmp_pause)


@dataclass
class _State:
    backend: str
    floatx: str = "float32"


def _initial_backend() -> str:
    wanted = os.environ.get("FASTNN_BACKEND") or None
    if wanted is None:
        return "reference" if _engine is None else "c"
    if wanted not in BACKENDS:
        raise ImportError(f"FASTNN_BACKEND={shown(wanted)} is no backend; {nearest(wanted, BACKENDS)}")
    if wanted != "reference" and _engine is None:
        raise ImportError(f"FASTNN_BACKEND={wanted}: {missing}.")
    return wanted


_state = _State(_initial_backend())


def backend() -> str:
    """The backend in use: "c", "reference" or "check". Under floatx float64 it is the reference."""
    return "reference" if _state.floatx == "float64" else _state.backend


def set_backend(name: str) -> None:
    """Choose "c", "reference" or "check" (every call on both, an error at the first that differs).

    Raises ValueError for other names, RuntimeError where the C kernels are not built.
    """
    if name not in BACKENDS:
        raise ValueError(f"set_backend: got {shown(name)}; {nearest(name, BACKENDS)}")
    if name != "reference" and _engine is None:
        raise RuntimeError(f"set_backend: {name!r} needs the C kernels, but {missing}. Reinstall with a C compiler.")
    _state.backend = name


def why_not_c() -> str:
    """Why the backend is not C; empty when it is."""
    if _state.floatx == "float64":
        return "floatx is float64, which only the reference computes"
    if _engine is None:
        return missing
    return "" if _state.backend == "c" else f"the backend was set to {_state.backend!r}"


def floatx() -> str:
    """The dtype of weights and data: "float32", or "float64" (reference backend only)."""
    return _state.floatx


def set_floatx(dtype: str) -> None:
    """Choose "float32" or "float64"; float64 runs on the reference, since the C kernels are float32."""
    if dtype not in FLOATX:
        raise ValueError(f"set_floatx: got {shown(dtype)}; {nearest(dtype, FLOATX)}")
    _state.floatx = dtype


@contextlib.contextmanager
def using(backend: str | None = None, threads_: int | None = None, floatx: str | None = None) -> Iterator[None]:
    """Another backend, thread count or floatx inside a `with` block."""
    before = _state.backend, _state.floatx, threads.wanted()
    try:
        if backend is not None:
            set_backend(backend)
        if floatx is not None:
            set_floatx(floatx)
        if threads_ is not None:
            threads.set_num_threads(threads_)
        yield
    finally:
        _state.backend, _state.floatx = before[:2]
        threads.restore(before[2])


replaced: frozenset[str] = frozenset()      # the kernels that users have put their own in the place of


def replace(kernel: Kernel, own: Callable[..., Any] | None) -> None:
    """Let calls of a kernel run the user's function, on every backend; or, with None, what fastnn has for it again.
    Programs that were made for the one are not run for the other, see Program.fits."""
    global replaced
    kernel.own = own
    replaced = replaced - {kernel.name} if own is None else replaced | {kernel.name}


def made_for() -> tuple[bool, frozenset[str]]:
    """What a program depends on beside its calls: whether they are checked one by one, and what users have replaced."""
    return backend() == "check", replaced


def run_reference(kernel: Kernel, inputs: tuple[np.ndarray, ...], outputs: tuple[np.ndarray | None, ...],
                  constants: dict[str, Any]) -> None:
    """Run the reference, or what the user has put in its place, and put its results into the output arrays; None is an
    output that nobody reads."""
    with np.errstate(all="ignore"):      # as in C: overflow gives inf, 0/0 gives nan, quietly
        results = (kernel.own or kernel.reference)(*inputs, **constants)
        if not isinstance(results, tuple):
            results = (results,)
        for output, result in zip(outputs, results, strict=True):
            if output is not None:
                np.copyto(output, result, casting="same_kind")


def run_c(kernel: Kernel, inputs: tuple[np.ndarray, ...], outputs: tuple[np.ndarray | None, ...],
          constants: dict[str, Any], parts: int = 1) -> None:
    """Run the C kernel, divided among `parts` workers if there are as many threads; the reference where there is none,
    see attach_c, or the user's function."""
    if not kernel.in_c:
        run_reference(kernel, inputs, outputs, constants)
        return
    _engine.call(kernel.c, inputs, outputs, tuple(constants[name] for name in kernel.constants), parts,
                 threads.num_threads() if parts > 1 else 1)


def memory(kernel: Kernel, asked: tuple[str, ...], updates: tuple[str, ...], tensor: type,
           may_update: Callable[..., bool]) -> Any:
    """What an op remembers of the calls that C has run (_engine.Memory); None where there is no C."""
    updated = tuple(kernel.inputs.index(name) for name in updates)
    return _engine and _engine.Memory(asked, kernel.constants, updated, tensor, np.empty, may_update,
                                      threads.num_threads)
