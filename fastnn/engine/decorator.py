"""fastnn.function: a Python function of tensors that is recorded once per shapes, and replayed. Floor 1.

Another user of the mechanism that runs the trainer's steps (engine/function.py).
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.context import is_recording, is_symbolic_pass, open_tape_number
from fastnn.engine.function import Recorder
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import shown, warn
from fastnn.nest import flatten, map_structure

KEPT = 64       # programs of a function
_OWN = {name: np.dtype(name).str for name in backend.FLOATX}
MANY = 16       # after so many, somebody is told that numbers are constants


class Function:
    """`@fastnn.function def step(x, y): …`: the function, replayed by C from its second call on.

    Arrays and tensors among the arguments (in lists, tuples and dicts too) are read anew at every call; each
    combination of shapes and dtypes is recorded once. Everything else, plain numbers among it, is a constant: another
    value is another recording. Variables, layers, optimizers and metrics may be used and updated. What is returned are
    new tensors. Python's own effects, such as print, happen when it is recorded; where it reads numbers of tensors,
    sets attributes or draws random numbers, it runs in Python every time, with a warning. Inside a GradientTape, or
    another step, it is part of that. Source: tf.function.
    """

    def __init__(self, python: Callable[..., Any]) -> None:
        functools.update_wrapper(self, python)
        self.python = python
        self.recorder = Recorder(KEPT)
        self._taken: dict[Any, tuple[list[Tensor], Any]] = {}       # inputs and outputs of the recorded call, by key
        self._lock = threading.RLock()
        self._told = False

    def __repr__(self) -> str:
        return f"<fastnn.function of {self.python.__qualname__}>"

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        """As a method: with self as its first argument."""
        return self if owner is None else functools.partial(self, owner)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""
        data = [leaf for leaf in flatten([*args, *kwargs.values()]) if _is_data(leaf)]
        if is_recording() or is_symbolic_pass() or open_tape_number() or any(
                isinstance(leaf, Tensor) and leaf.symbolic for leaf in data):
            return self.python(*args, **kwargs)
        arrays = [_array(leaf) for leaf in data]
        key = _key((args, kwargs)), tuple((a.shape, a.dtype.str) for a in arrays), backend.backend(), backend.floatx()
        with self._lock:
            return self._run(key, arrays, args, kwargs)

    def _run(self, key: Any, arrays: list[np.ndarray], args: Any, kwargs: Any) -> Any:
        made: list[np.ndarray] = []

        def body() -> list[Tensor]:
            inputs = [Tensor(array.copy(), f"x{i}") for i, array in enumerate(arrays)]
            left = iter(inputs)
            given = map_structure(lambda leaf: next(left) if _is_data(leaf) else leaf, [list(args), kwargs], _is_data)
            outputs = self.python(*given[0], **given[1])
            kept = [t for t in flatten(outputs, Tensor) if not isinstance(t, Variable)]
            numbers = {id(t): _Result(i) for i, t in enumerate(kept)}
            self._taken[key] = inputs, map_structure(lambda leaf: numbers.get(id(leaf), leaf), outputs)
            made.extend(t.data for t in kept)
            return kept

        self.recorder.look()
        program = self.recorder.ready(key, f"function {getattr(self, '__name__', 'of tensors')}", body)
        inputs, outputs = self._taken[key]
        if program is not None:
            for tensor, array in zip(inputs, arrays):
                tensor.data[...] = array
            program.run()
        elif (program := self.recorder.program(key)) is None or not program.rounds:     # else it was run anew
            self._tell()
            return map_structure(lambda leaf: Tensor(made[leaf]) if isinstance(leaf, _Result) else leaf, outputs)
        self._tell()
        results = program.results
        return map_structure(lambda leaf: Tensor(results[leaf].data.copy()) if isinstance(leaf, _Result) else leaf,
                             outputs)

    def _tell(self) -> None:
        if len(self._taken) > KEPT:
            self._taken = {key: self._taken[key] for key, _ in self.recorder.items() if key in self._taken}
        if len(self._taken) > MANY and not self._told:
            self._told = True
            warn(f"{getattr(self, '__name__', 'function')}: recorded {len(self._taken)} times, for other shapes or "
                 "other plain numbers. Give numbers that change as arrays, such as np.float32(x).")


def function(python: Callable[..., Any] | None = None, **options: Any) -> Any:
    """A function of tensors, recorded once per shapes and replayed; see Function. Options of tf.function (jit_compile,
    reduce_retracing) are accepted and not needed; TypeError for what cannot be called."""
    if python is None:
        return function
    if not callable(python):
        raise TypeError(f"function: got {shown(python)}; needs a function of tensors.")
    return Function(python)


class _Result(int):
    """In the place of a tensor that the function returns: which of the program's results it is."""


def _is_data(leaf: Any) -> bool:
    """Whether an argument is numbers to be read anew at every call."""
    return (isinstance(leaf, (Tensor, np.ndarray, np.generic)) or hasattr(leaf, "__array__")) and not isinstance(
        leaf, Variable)


def _array(leaf: Any) -> np.ndarray:
    """As ops take it: floats as floatx, whole numbers as int32, bytes and bools as they are."""
    array = leaf.data if isinstance(leaf, Tensor) else np.asarray(leaf)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"function: got an array of dtype {array.dtype}; needs numbers.")
    if array.dtype.kind == "f":
        if array.dtype.str == _OWN[backend.floatx()] and array.flags.carray:
            return array
        return np.require(array, backend.floatx(), ["C", "A"])
    return np.require(array, None if array.dtype in (np.uint8, np.bool_) else np.int32, ["C", "A"])


def _key(value: Any) -> Any:
    """What of the arguments is no array: their structure, and the constants in it."""
    if isinstance(value, dict):
        return "dict", tuple((name, _key(item)) for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return type(value).__name__, tuple(map(_key, value))
    if _is_data(value):
        return "array"
    plain = isinstance(value, (bool, int, float, str, bytes, type(None)))
    return (type(value).__name__, value) if plain else id(value)
