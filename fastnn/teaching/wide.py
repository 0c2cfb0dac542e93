"""A program in double precision, and with complex numbers: its calls by the reference, over arrays of its own. Floor 5.

Nothing that the program works on is touched, so weights can be moved as one likes: for finite differences, and for the
complex step, f'(w) = Im f(w + ih) / h, which is exact where the reference computes with complex numbers.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine.call import Call
from fastnn.engine.program import Program

TINY = 1e-30        # of a complex step: nothing is subtracted, so it may be as small as one likes
BEND = 0.01         # how far the slopes of both sides are apart at a kink at least: a thousand times what is smooth
PROBE = 1e-6        # of the finite differences that a complex step is compared with, call by call

Values = dict[int, np.ndarray]      # by the ids of tensors


def wide(array: np.ndarray) -> np.ndarray:
    """Floats in double precision."""
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def results(call: Call, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """What the reference makes of arrays; all are complex where one is; where a constant asks for floats, such ones."""
    is_complex = any(a.dtype.kind == "c" for a in arrays)
    dtype = "complex128" if is_complex else "float64"
    constants = {name: dtype if value in ("float32", "float64") else value for name, value in call.constants.items()}
    if is_complex:
        arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
    with np.errstate(all="ignore"):
        found = call.op.kernel.reference(*arrays, **constants)
    return tuple(map(np.asarray, found if isinstance(found, tuple) else (found,)))


class Wide:
    """The calls that lead to `target`, one of the program's results (and to `more` of them), and what they make of the
    numbers of now."""

    def __init__(self, program: Program, target: Any, *more: Any) -> None:
        self.target, self.calls = target, _behind(program.calls, (target, *more))
        self.start: Values = {}         # of what the calls read and none of them makes
        for call in self.calls:
            for t in call.inputs:
                if id(t) not in self.start:
                    self.start[id(t)] = wide(t.data.copy())
        self.values = dict(self.start)
        for call in self.calls:
            made = results(call, [self.values[id(t)] for t in call.inputs])
            self.values.update(zip(map(id, call.outputs), made))

    def along(self, tensor: Any) -> list[Call]:
        """The calls that depend on a tensor."""
        reached, found = {id(tensor)}, []
        for call in self.calls:
            if any(id(t) in reached for t in call.inputs):
                reached.update(map(id, call.outputs))
                found.append(call)
        return found

    def moved(self, tensor: Any, array: np.ndarray, calls: Sequence[Call]) -> Values:
        """The values that change when a tensor is moved to an array; calls: those along it."""
        values: Values = {id(tensor): array}
        for call in calls:
            arrays = [values.get(id(t), self.values[id(t)]) for t in call.inputs]
            values.update(zip(map(id, call.outputs), results(call, arrays)))
        return values

    def of(self, values: Values) -> Any:
        """The target among the values that have changed."""
        return values.get(id(self.target), self.values[id(self.target)])[()]

    def kink(self, up: Values, down: Values, calls: Sequence[Call]) -> str:
        """The first call whose outputs change by another slope one way than the other, as `relu in dense`; or empty."""
        for call in calls:
            for t in call.outputs:
                here = self.values[id(t)]
                if here.dtype.kind == "f":
                    right, left = up[id(t)] - here, here - down[id(t)]
                    largest = max(float(np.abs(right).max(initial=0.0)), float(np.abs(left).max(initial=0.0)))
                    if float(np.abs(right - left).max(initial=0.0)) > BEND * largest:
                        name = call.constants.get("activation", call.op.name)       # that a product applies itself
                        return f"{name} in {call.layer}" if call.layer else str(name)
        return ""

    def not_complex(self, tensors: Sequence[Any]) -> str:
        """The first kernel between these and the target whose reference does not take complex numbers as a complex step
        needs it, found out by trying each call in a random direction; empty where all do."""
        rng, reached = np.random.default_rng(0), set(map(id, tensors))
        for call in self.calls:
            if not any(id(t) in reached for t in call.inputs):
                continue
            reached.update(map(id, call.outputs))
            arrays = [self.values[id(t)] for t in call.inputs]
            ways = [rng.standard_normal(a.shape) if id(t) in reached and a.dtype.kind == "f" else None
                    for a, t in zip(arrays, call.inputs)]
            if not _is_analytic(call, arrays, ways):
                return call.op.name
        return ""


def _is_analytic(call: Call, arrays: Sequence[np.ndarray], ways: Sequence[Any]) -> bool:
    """Whether the complex step of a call is what finite differences are."""
    def at(step: Any) -> tuple[np.ndarray, ...]:
        return results(call, [a if way is None else a + step * way for a, way in zip(arrays, ways)])

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")      # an imaginary part that is thrown away
            stepped = at(1j * TINY)
    except (TypeError, ValueError, Warning):
        return False
    for exact, up, here, down in zip(stepped, at(PROBE), at(0), at(-PROBE)):
        if up.dtype.kind != "f":
            continue
        with np.errstate(all="ignore"):
            right, left = (up - here) / PROBE, (here - down) / PROBE
            least = 1e-3 * max(1.0, float(np.abs(right).max(initial=0.0)))
            smooth = np.abs(right - left) <= least          # elsewhere is a kink, as at relu's 0, and no one derivative
            derivative = exact.imag / TINY if exact.dtype.kind == "c" else np.zeros_like(right)
            wrong = smooth & ~(np.abs(derivative - (right + left) / 2) <= 1e-3 * least)
        if wrong.any():
            return False
    return True


def _behind(calls: Sequence[Call], targets: Sequence[Any]) -> list[Call]:
    """The calls on which the targets depend; those that update a state are left out."""
    wanted, found = set(map(id, targets)), []
    for call in reversed(calls):
        if not call.op.updates and any(id(t) in wanted for t in call.outputs):
            wanted.update(map(id, call.inputs))
            found.append(call)
    return found[::-1]
