"""A kernel of one's own in the place of fastnn's: checked, then used by every model, and timed. Floor 5."""

import inspect
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.tensor import Tensor
from fastnn.errors import nearest, shown
from fastnn.ops._op import Op, by_name
from fastnn.teaching.compiler import from_c, prototype, sizes_of
from fastnn.teaching.trials import Trial, checked, trials, tried

__all__ = ["OwnKernel", "kernel"]

BUDGET = 0.02       # seconds of one timing
LEAST = 4096        # numbers that a call is timed on: with fewer, calling costs more than computing


class OwnKernel:
    """A user's implementation of a kernel, in use since it was made: `remove()` puts fastnn's back, and so does the end
    of a `with` block. Print it: what it was checked on, and how long it takes beside fastnn's.

    Call it like the function that it was made of. `checked`: how many trials and shapes it was compared on."""

    def __init__(self, op: Op, function: Callable[..., Any], language: str) -> None:
        self.name, self.function, self.language, self._op = op.name, function, language, op
        self._seen: set[Any] = set()
        self._trial: Trial | None = None
        self.checked = 0
        for trial in trials(op):
            tried(op, function, trial)
            self.checked += 1
            self._trial = trial
        self.put()

    def __call__(self, *inputs: Any, **constants: Any) -> Any:
        return self.function(*inputs, **constants)

    def _run(self, *inputs: np.ndarray, **constants: Any) -> Any:
        """What a program's calls run. The first call with new shapes is compared with the reference."""
        key = tuple((a.shape, a.dtype) for a in inputs), repr(constants)
        if key not in self._seen:
            outputs = tried(self._op, self.function, Trial(inputs, constants, "the model's numbers"))
            self._seen.add(key)
            self.checked += 1
            if self._trial is None or sum(a.size for a in inputs) > sum(a.size for a in self._trial.inputs):
                self._trial = Trial(tuple(a.copy() for a in inputs), constants, "the model's numbers")
        else:
            outputs = checked(self._op, inputs, self.function(*inputs, **constants), constants)
        return outputs

    # ---- in use or not ----------------------------------------------------------------------------------------

    def put(self) -> "OwnKernel":
        """Use it (again)."""
        backend.replace(self._op.kernel, self._run)
        self._op.forget()
        return self

    def remove(self) -> None:
        """Use fastnn's own kernel again; where another one has taken this one's place, nothing happens."""
        if self.in_use:
            backend.replace(self._op.kernel, None)
            self._op.forget()

    @property
    def in_use(self) -> bool:
        """Whether models run it now."""
        return self._op.kernel.own == self._run

    def __enter__(self) -> "OwnKernel":
        return self if self.in_use else self.put()

    def __exit__(self, *exception: object) -> None:
        self.remove()

    # ---- how long it takes ------------------------------------------------------------------------------------

    def times(self) -> dict[str, float]:
        """Seconds of one call on the largest arrays that it was checked on, of 4096 numbers where they may have any
        shape: yours, fastnn's C where there is one, and the NumPy reference. Empty before it has seen any."""
        if self._trial is None:
            return {}
        op, inputs, constants = self._op, self._timed(), self._trial.constants
        found = {"yours": seconds(lambda: self.function(*inputs, **constants))}
        if op.kernel.c:
            wanted = op.results(tuple(map(Tensor, inputs)), constants)
            outputs = tuple(np.empty(shape, dtype) for shape, dtype in wanted)      # type: ignore[type-var]
            values = tuple(constants[name] for name in op.kernel.constants)
            found["C"] = seconds(lambda: backend._engine.call(op.kernel.c, inputs, outputs, values, 1, 1))
        found["reference"] = seconds(lambda: op.kernel.reference(*inputs, **constants))
        return found

    def _timed(self) -> tuple[np.ndarray, ...]:
        """What a call is timed on."""
        inputs = self._trial.inputs if self._trial else ()
        small = not sizes_of(self._op).shapes and all(a.ndim == 1 and a.size < LEAST for a in inputs)
        return tuple(np.resize(a, LEAST) for a in inputs) if small else inputs

    def __str__(self) -> str:
        where = "in use" if self.in_use else "removed"
        lines = [f"kernel {self._op.kernel.signature}, yours in {self.language}: {where}, "
                 + (f"right in {self.checked} comparisons with the reference" if self.checked else
                    "to be compared with the reference when a model first calls it")]
        times = self.times()
        if times and self._trial:
            lines.append(f"one call on {', '.join(str(a.shape) for a in self._timed())}:")
            fastest = min(times.values())
            lines += [f"  {name:<10}{1e6 * each:10.2f} us{each / fastest:8.1f} x" for name, each in times.items()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<own kernel {self._op.kernel.signature}, {'in use' if self.in_use else 'removed'}>"


def seconds(call: Callable[[], Any], budget: float = BUDGET) -> float:
    """The fastest of several calls, made for about so long."""
    best, end = float("inf"), time.perf_counter() + budget
    with np.errstate(all="ignore"):
        while best == float("inf") or time.perf_counter() < end:
            begin = time.perf_counter()
            call()
            best = min(best, time.perf_counter() - begin)
    return best


def kernel(name: str, function: Callable[..., Any] | None = None, *, c: str | None = None) -> Any:
    """Put your own implementation of a kernel into all models: a decorator of a NumPy function, or C source.

        @fastnn.kernel("relu")
        def relu(x):
            return np.maximum(x, 0)

        fastnn.kernel("relu", c="void relu(const float *x, float *y, int64_t n) { … }")

    The function takes what the reference takes (`fastnn.kernel("relu")` says what, without a function) and returns new
    arrays. C gets pointers, then the sizes that the reference's docstring names, then the constants; it is compiled by
    the compiler that is there. Before anything runs it, it is compared with the reference, within the kernel's error
    bound, on random numbers and edge numbers; and once more on the model's own numbers at each new shape. From then on
    every step that has such a call runs it, call by call from Python; what was fused with it is not. → OwnKernel, whose
    remove(), or the end of a `with` block, undoes it.

    Errors: ValueError for an unknown kernel, a signature that does not fit, and C that does not compile;
    engine.check.KernelMismatch with the index and both values where it is wrong; RuntimeError without a C compiler.
    """
    if name not in by_name:
        raise ValueError(f"kernel: got {shown(name)}; {nearest(str(name), by_name)}")
    op = by_name[name]
    if c is not None and function is not None:
        raise TypeError(f"kernel({name!r}): got a function and C source; needs one of them.")
    if c is not None:
        try:
            return OwnKernel(op, from_c(op, c), "C")
        except ValueError as error:
            raise ValueError(f"{error}\nIt needs: {prototype(op)}") from None
    return Waiting(op) if function is None else Waiting(op)(function)


class Waiting:
    """fastnn.kernel(name) before it has its function: a decorator. Print it: what the function takes."""

    def __init__(self, op: Op) -> None:
        self._op = op

    def __call__(self, function: Callable[..., Any]) -> OwnKernel:
        _refuse_signature(self._op, function)
        return OwnKernel(self._op, function, "Python")

    def __repr__(self) -> str:
        doc = inspect.cleandoc(self._op.kernel.reference.__doc__ or "")
        return f"kernel {self._op.kernel.signature}\n{doc}\nIn C: {prototype(self._op)}"


def _refuse_signature(op: Op, function: Callable[..., Any]) -> None:
    """ValueError for a function that does not take what the kernel is given."""
    kernel = op.kernel
    if not callable(function):
        raise TypeError(f"kernel({op.name!r}): got {shown(function)}; needs a function {kernel.signature}.")
    many = kernel.inputs[0].startswith("*")
    try:
        inspect.signature(function).bind(*([None] * (3 if many else len(kernel.inputs))),
                                         **dict.fromkeys(kernel.constants))
    except TypeError as error:
        raise ValueError(f"kernel({op.name!r}): {getattr(function, '__name__', function)} does not take what the "
                         f"kernel is given ({error}); needs {kernel.signature}.") from None
    except ValueError:      # a ufunc has no signature
        return
