"""What a kernel of one's own is tried on: arrays of the shapes that its docstring names, random and at the edges.
Floor 5."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from fastnn.engine.check import KernelMismatch, measured
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._op import Op
from fastnn.teaching.compiler import sizes_of

SIZES = ((1, 1, 1, 1, 1), (2, 3, 5, 4, 6), (7, 1, 9, 2, 3), (9, 17, 12, 8, 5), (16, 24, 20, 8, 4))
EDGES = (0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 0.5, 3.0, -3.0, 6.0, 20.0, -20.0, 88.0, -88.0, 1e4, -1e4)
CONSTANTS = {"slope": 0.2, "alpha": 1.0, "epsilon": 1e-3, "rate": 0.3, "factor": 1.5, "value": 0.5, "exponent": 2.0,
             "threshold": 0.5, "maximum": 6.0, "smoothing": 0.0, "ignore": -1, "activation": "linear", "low": -1.0,
             "high": 1.0, "momentum": 0.9, "nesterov": False, "beta_1": 0.9, "beta_2": 0.999, "rho": 0.9, "scale": 0.5,
             "offset": 0.1, "causal": False, "heads": 1, "reverse": False, "groups": 1, "strides": (1, 1),
             "pads": (0, 0, 0, 0), "dilation": (1, 1), "pool": (1, 1), "norm": 1.0, "depth": 3, "k": 1, "axis": 0,
             "axes": (0,), "full": False, "by": 1}
POSITIVE = ("v", "a", "variance", "rstd", "lr")
SHARES = ("y", "y_pred", "y_true", "probabilities")


class Trial(NamedTuple):
    """Arrays and constants to call a kernel with, and what they are."""
    inputs: tuple[np.ndarray, ...]
    constants: dict[str, Any]
    what: str


def trials(op: Op) -> Iterator[Trial]:
    """Those whose shapes and constants the kernel takes, and on which the reference itself stays within the bound in
    single precision; none where nothing is known of its shapes."""
    sizes, rng = sizes_of(op), np.random.default_rng(0)
    constants = {name: CONSTANTS[name] for name in op.kernel.constants if name in CONSTANTS}
    if len(constants) < len(op.kernel.constants) or any(name.startswith("*") for name in op.kernel.inputs):
        return
    for values in SIZES:
        known = dict(zip(sizes.names, itertools.cycle(values)))
        shapes = [tuple(_size(axis, known) for axis in sizes.shapes[name]) if name in sizes.shapes else
                  (known.get("n", values[0]) * 4,) for name in op.kernel.inputs]
        for edges in (False, True):
            inputs = tuple(_array(op, name, shape, rng, edges) for name, shape in zip(op.kernel.inputs, shapes))
            try:
                op.results(tuple(Tensor(a) for a in inputs), constants)
            except (ShapeError, TypeError, ValueError, IndexError):
                continue
            trial = Trial(inputs, constants, "edge numbers" if edges else "random numbers")
            if _is_fair(op, trial):
                yield trial


def _size(axis: str, known: dict[str, int]) -> int:
    """What a size is: of n, of 4·units, of c / groups where there is one group."""
    factor, _, name = axis.partition("·") if axis[:1].isdigit() else ("1", "", axis.partition(" / ")[0])
    return int(factor) * known.get(name, 1)


def _is_fair(op: Op, trial: Trial) -> bool:
    """Whether NumPy in single precision is within the bound, which holds for numbers as they come in training."""
    with np.errstate(all="ignore"):
        try:
            made = op.kernel.reference(*trial.inputs, **trial.constants)
            outputs = checked(op, trial.inputs, made, trial.constants)
        except (ValueError, IndexError, TypeError):
            return False
    return not measured(op, trial.inputs, outputs, trial.constants)[0]


def _array(op: Op, name: str, shape: tuple[int, ...], rng: np.random.Generator, edges: bool) -> np.ndarray:
    kind = op.dtypes.get(name, "float")
    if name in ("mask", "moving_mean", "moving_variance") and name in op.optional:
        return np.zeros(0, np.uint8 if name == "mask" else np.float32)
    if kind in ("lr", "step", "counter") or name in ("lr", "step", "counter"):
        shape = ()
    if kind in ("int32", "int64", "uint8", "bool"):
        return rng.integers(0, 2, shape).astype(kind)
    array = rng.standard_normal(shape).astype(np.float32)
    if edges:
        array = np.resize(np.array(EDGES, np.float32), shape)
    if name in POSITIVE and (op.updates or name != "v"):
        array = np.abs(array)
    return 1 / (1 + np.exp(-np.clip(array, -80, 80))) if name in SHARES else array      # as activations give it


def tried(op: Op, function: Callable[..., Any], trial: Trial, by: str = "yours") -> tuple[np.ndarray, ...]:
    """The outputs of a function on a trial. KernelMismatch, TypeError or ShapeError naming what is wrong with them."""
    copies = tuple(a.copy() for a in trial.inputs)
    with np.errstate(all="ignore"):
        made = function(*copies, **trial.constants)
    outputs = checked(op, trial.inputs, made, trial.constants)
    for name, copy, given in zip(op.kernel.inputs, copies, trial.inputs):
        if not np.array_equal(copy, given, equal_nan=copy.dtype.kind == "f"):
            raise KernelMismatch(f"kernel {op.name}: it changes its input {name}; return a new array instead.")
    problem, _ = measured(op, trial.inputs, outputs, trial.constants, by)
    if problem and _is_fair(op, trial):
        shapes = ", ".join(str(a.shape) for a in trial.inputs)
        raise KernelMismatch(f"kernel {op.name}, on {trial.what} of shape {shapes}: {problem}.")
    return outputs


def checked(op: Op, inputs: tuple[np.ndarray, ...], made: Any, constants: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """What a function returned, as arrays of the dtypes of the outputs; errors where these do not fit."""
    wanted = op.results(tuple(Tensor(a) for a in inputs), constants)
    found = made if isinstance(made, tuple) else (made,)
    if len(found) != len(wanted):
        raise TypeError(f"kernel {op.name}: it returns {len(found)} arrays; needs {len(wanted)}: "
                        f"{', '.join(op.output_names)}.")
    arrays = tuple(np.asarray(a) for a in found)
    for name, array, (shape, _) in zip(op.output_names, arrays, wanted):
        if array.shape != shape:
            raise ShapeError(f"kernel {op.name}: its {name} has shape {array.shape}; needs {shape}, for inputs of "
                             f"shape {', '.join(str(a.shape) for a in inputs)}.")
        if array.dtype.kind not in "fiub":
            raise TypeError(f"kernel {op.name}: its {name} has dtype {array.dtype}; needs numbers.")
    return tuple(a.astype(dtype, copy=False) for a, (_, dtype) in zip(arrays, wanted))
