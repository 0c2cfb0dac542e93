"""Straight: predict for a few rows without adapters, feeds, listeners and progress: copy in, run, copy out. Floor 4.

A predict of one row takes 7 us this way and 40 the long way, most of which is Python: nothing that C could do quicker.
"""

import threading
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.context import keeping, recording, undo
from fastnn.engine.function import Draws
from fastnn.engine.program import Program
from fastnn.engine.restored import restored
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import Watch, noting
from fastnn.feeding import arguments, checks
from fastnn.feeding.model import TrainedModel

BATCH = 32              # rows that go through the model together, as the long way takes them
MOST_BYTES = 1 << 20    # of x: a large one pays for the long way, and its program would be long
REFUSALS = 2            # recordings that came to nothing, after which a shape takes the long way for good
KEPT = 16               # shapes of x, each with buffers of its own


class Straight:
    """The forward passes over x's rows, one after the other in one program over buffers of its own.

    `source`: what x is copied into; `outputs`: what was computed when `calls` were recorded.
    """

    def __init__(self, name: str, source: np.ndarray, calls: list[Any], outputs: list[Tensor], watch: Watch) -> None:
        self.watch = watch
        self.source, self.outputs = source, outputs
        self.program = Program(calls, name, keep=outputs)
        self.lock = threading.Lock()
        self.read = False       # whether a layer reads the numbers of x as they are

    @classmethod
    def record(cls, model: TrainedModel, source: np.ndarray) -> "tuple[np.ndarray | None, Straight | None]":
        """(the outputs, the Straight): no outputs where they are no rows that the model computes, no Straight where
        Python has to run every time (engine/function.py says why, when the long way is recorded)."""
        rows = [Tensor(source[begin:begin + BATCH], "x") for begin in range(0, len(source), BATCH)]
        outputs: list[Any] = []
        draws, before = Draws(traced=False), dict[int, tuple[Any, np.ndarray]]()
        with restored(), noting() as noted, keeping(before), recording() as calls, draws:
            for x in rows:
                with model._steps.inference():
                    outputs.append(model(x))
        if not all(isinstance(t, Tensor) and t.source is not None and t.shape[:1] == x.shape[:1]
                   for t, x in zip(outputs, rows)):
            return None, None
        watch = Watch(noted.values())
        if calls.reads or draws.changed or watch.changed():
            return cls._copied([t.data for t in outputs]), None
        made = cls(f"predict {len(source)} rows of {model.name}", source, calls, outputs, watch)
        if not made.program.rounds:
            return made.recorded(), made
        undo(before)        # the first prediction has the bits of all others
        made.program.run()
        return made._copied([t.data for t in made.program.results]), made

    def run(self, x: np.ndarray) -> np.ndarray | None:
        """The outputs for x as a new array; None while another thread is in here."""
        if not self.lock.acquire(blocking=False):
            return None
        try:
            np.copyto(self.source, x, casting="unsafe")      # into floats; whole numbers were checked before
            self.program.run()
            return self._copied([t.data for t in self.program.results])
        finally:
            self.lock.release()

    def recorded(self) -> np.ndarray:
        """The outputs that recording has computed."""
        return self._copied([t.data for t in self.outputs])

    @staticmethod
    def _copied(arrays: list[np.ndarray]) -> np.ndarray:
        return arrays[0].copy() if len(arrays) == 1 else np.concatenate(arrays)


class Straights:
    """A model's Straights by shape of x. One row is recorded when it first comes; several, when their shape comes twice
    in a row, as recording costs as much as ten predictions the long way."""

    def __init__(self, model: TrainedModel) -> None:
        self.model = model
        self._found: dict[Any, Straight] = {}
        self._refused: dict[Any, int] = {}      # how often in a row a shape could not be recorded
        self._last: Any = None

    def predict(self, x: Any, verbose: Any) -> np.ndarray | None:
        """The outputs for x, or None where it must take the long way: it has no rows or many, it is not an array of
        numbers, there would be progress to show, or the model is not that simple."""
        if type(x) is not np.ndarray or self.model.run_eagerly or self.model.writes("predict"):
            return None
        key = x.shape, x.dtype, backend.backend(), backend.floatx(), backend.replaced
        found = self._found.get(key)
        if not ((found or (x.dtype.kind in "fiub" and x.ndim and 0 < x.nbytes <= MOST_BYTES)) and isinstance(
                verbose, (int, str)) and (verbose == 0 or (verbose == "auto" and len(x) <= BATCH))):
            return None
        if found is not None and found.watch.holds() and found.watch.same_contents():
            if found.read:
                arguments.check_numbers(self.model, {"x0": x}, "predict()")
            dtype = found.source.dtype
            if dtype not in (x.dtype, backend.floatx()):
                x = checks.to_dtype(x, arguments.input_dtype(self.model, 0, x), "predict(): x")
            return found.run(x) if dtype in (x.dtype, backend.floatx()) else None
        seen, self._last = self._last == key or len(x) == 1, key
        seen = seen and self._refused.get(key, 0) < REFUSALS
        return self._record(x, key) if seen else None

    def _record(self, x: np.ndarray, key: Any) -> np.ndarray | None:
        model = self.model
        form = model._output_form if model._graph is None else model._graph.outputs
        if not model.built or len(model.inputs or "x") != 1 or isinstance(form, (list, tuple, dict)):
            return None
        arrays = arguments.adapt_x(model, x, "predict()", check_finite=False)
        if arrays["x0"].shape != x.shape or len(arrays) != 1:
            return None
        outputs, made = Straight.record(model, arrays["x0"].astype(arguments.input_dtype(model, 0, x)))
        if made is None:
            self._found.pop(key, None)
            self._refused[key] = self._refused.get(key, 0) + 1
            return outputs
        while len(self._found) >= KEPT:
            self._found.pop(next(iter(self._found)), None)
        made.read = bool(model.inputs and model._graph.readers)
        self._found[key] = made
        return outputs
