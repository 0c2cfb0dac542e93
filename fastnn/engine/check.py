"""The `check` backend: run a call on both implementations and compare within the op's error bound.

Floor 1; imports backend. Also the comparer that the tests use.
"""

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fastnn.engine import backend
from fastnn.engine.nouns import Bounded

if TYPE_CHECKING:
    from fastnn.engine.call import Call

UNIT = 2.0 ** -24       # half a unit in the last place of float32, relative


class KernelMismatch(AssertionError):
    """C and the reference disagree beyond the kernel's error bound."""


def run_both(call: "Call", inputs: tuple[np.ndarray, ...], outputs: tuple[np.ndarray | None, ...]) -> None:
    """Run the call in C; compare with the float64 reference on the same inputs."""
    kernel = call.op.kernel
    before = tuple(a.copy() for a in inputs)       # an update overwrites its inputs
    backend.run_c(kernel, inputs, outputs, call.constants, call.parts)
    problem = compare(cast(Bounded, call.op), before, outputs, call.constants) if kernel.c else ""
    if problem:
        where = f" in layer {call.layer!r}" if call.layer else ""
        raise KernelMismatch(f"kernel {kernel.name}{where}: {problem}")


def reference64(op: Bounded, inputs: tuple[np.ndarray, ...], constants: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """The reference's outputs, computed in float64 whatever the inputs' float type."""
    wide = tuple(a.astype(np.float64) if a.dtype == np.float32 else a for a in inputs)
    with np.errstate(all="ignore"):
        results = op.kernel.reference(*wide, **constants)
    results = results if isinstance(results, tuple) else (results,)
    return tuple(np.asarray(r) for r in results)


def compare(op: Bounded, inputs: tuple[np.ndarray, ...], outputs: tuple[np.ndarray | None, ...],
            constants: dict[str, Any]) -> str:
    """An empty string, or what differs: output, index, both values and the bound. Outputs that are None are left out.

    |c - reference| <= 2^-24 · (ulps + terms) · magnitude, element by element, as the op declares them.
    """
    expected = reference64(op, inputs, constants)
    bounds = op.error_bounds(inputs, expected, constants)
    names = backend.numbered(op.output_names, len(outputs))
    for name, got, want, bound in zip(names, outputs, expected, bounds, strict=True):
        if got is None:
            continue
        if got.shape != want.shape:
            return f"{name} has shape {got.shape}, the reference {want.shape}"
        if got.dtype.kind in "iu":
            wrong = got != want
        else:
            with np.errstate(all="ignore"):
                rounded = want.astype(got.dtype)
                error = np.abs(got.astype(np.float64) - want)
                wrong = ~((error <= bound) | (got == rounded) | (np.isnan(got) & np.isnan(want)))
        if wrong.any():
            index = tuple(int(i) for i in np.argwhere(wrong)[0])
            limit = "" if got.dtype.kind in "iu" else f", bound {np.broadcast_to(bound, want.shape)[index]:.3g}"
            return (f"{name}{list(index)} is {got[index]} in C but {want[index]} in the reference"
                    f"{limit} ({int(wrong.sum())} of {wrong.size} elements differ)")
    return ""
