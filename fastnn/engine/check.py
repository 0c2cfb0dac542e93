"""The `check` backend: run a call on both implementations and compare within the op's error bound.

Floor 1; imports backend. Also the comparer that the tests use.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fastnn.engine import backend
from fastnn.engine.nouns import Bounded
from fastnn.engine.restored import shared

if TYPE_CHECKING:
    from fastnn.engine.call import Call

UNIT = 2.0 ** -24       # half a unit in the last place of float32, relative


class KernelMismatch(AssertionError):
    """C and the reference disagree beyond the kernel's error bound."""


@dataclass
class Checked:
    """What the backend has compared: `steps`, `calls`, and the largest deviation from the reference, as a `share` of
    the error bound, with its `kernel` and `layer`; above 1 is an error. by_kernel: {kernel: (calls, largest share)}."""
    steps: int = 0
    calls: int = 0
    share: float = 0.0
    kernel: str = ""
    layer: str = ""
    by_kernel: dict[str, tuple[int, float]] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        if not self.calls:
            return f"checked {self.steps} steps, none of whose calls is in C"
        where = f"{self.kernel}{f' in {self.layer}' if self.layer else ''}"
        deviation = f"{self.share:.2g} of the bound ({where})" if self.share else "0"
        return (f"checked {self.steps} step{'s' * (self.steps != 1)}, {self.calls:,} calls, against the reference: "
                f"largest deviation {deviation}")

    def take(self, kernel: str, layer: str, share: float) -> None:
        """A call has been compared."""
        calls, largest = self.by_kernel.get(kernel, (0, 0.0))
        self.by_kernel[kernel] = calls + 1, max(largest, share)
        self.calls += 1
        if share > self.share:
            self.share, self.kernel, self.layer = share, kernel, layer


class _Open(threading.local):
    def __init__(self) -> None:
        self.tallies: list[Checked] = []


_open = shared(_Open())


@contextlib.contextmanager
def counting() -> Iterator[Checked]:
    """What is compared on this thread in the `with` block."""
    found = Checked()
    _open.tallies.append(found)
    try:
        yield found
    finally:
        _open.tallies = [each for each in _open.tallies if each is not found]


def count_steps(steps: int) -> None:
    """So many steps have run."""
    for each in _open.tallies:
        each.steps += steps


def run_both(call: "Call", inputs: tuple[np.ndarray, ...], outputs: tuple[np.ndarray | None, ...]) -> None:
    """Run the call in C; compare with the float64 reference on the same inputs."""
    kernel = call.op.kernel
    before = tuple(a.copy() for a in inputs)       # an update overwrites its inputs
    backend.run_c(kernel, inputs, outputs, call.constants, call.parts)
    if kernel.c is None and kernel.own is None:
        return
    by = "C" if kernel.in_c else "yours"
    problem, share = measured(cast(Bounded, call.op), before, outputs, call.constants, by)
    for each in _open.tallies:
        each.take(kernel.name, call.layer, share)
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
    return measured(op, inputs, outputs, constants)[0]


def measured(op: Bounded, inputs: tuple[np.ndarray, ...], outputs: tuple[np.ndarray | None, ...],
             constants: dict[str, Any], by: str = "C") -> tuple[str, float]:
    """(what differs, as compare says it; the largest deviation as a share of the bound: 0 for whole numbers and for
    what is rounded as well as can be). by: who has made the outputs."""
    largest = 0.0
    expected = reference64(op, inputs, constants)
    bounds = op.error_bounds(inputs, expected, constants)
    names = backend.numbered(op.output_names, len(outputs))
    for name, got, want, bound in zip(names, outputs, expected, bounds, strict=True):
        if got is None:
            continue
        if got.shape != want.shape:
            return f"{name} has shape {got.shape}, the reference {want.shape}", largest
        if got.dtype.kind in "iu":
            wrong = got != want
        else:
            with np.errstate(all="ignore"):
                rounded = want.astype(got.dtype)
                error = np.abs(got.astype(np.float64) - want)
                exact = (got == rounded) | (np.isnan(got) & np.isnan(want))
                wrong = ~((error <= bound) | exact)
                shares = np.where(exact, 0.0, error / bound)
            largest = max(largest, float(shares.max(initial=0.0, where=np.isfinite(shares))))
        if wrong.any():
            index = tuple(int(i) for i in np.argwhere(wrong)[0])
            limit = "" if got.dtype.kind in "iu" else f", bound {np.broadcast_to(bound, want.shape)[index]:.3g}"
            return (f"{name}{list(index)} is {got[index]} in {by} but {want[index]} in the reference"
                    f"{limit} ({int(wrong.sum())} of {wrong.size} elements differ)", largest)
    return "", largest
