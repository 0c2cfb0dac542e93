"""Generating: a language model goes on with sequences, its own outputs becoming its inputs. Floor 4.

A step reads one number of each sequence, runs the model on it, draws the next number and writes it behind: a program
over buffers, which C replays many steps at a time. Layers remember the steps before (layers/_stream.py). A model that
reads a window of fixed length runs on the last of it in each step.
"""

import threading
from typing import Any

import numpy as np

from fastnn import ops, seeds
from fastnn.arguments import number, optional, whole
from fastnn.engine import backend
from fastnn.engine.context import not_recording, section_scope
from fastnn.engine.function import Recorder
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, LabelError, NotBuiltError, ShapeError, shown
from fastnn.feeding.arguments import check_numbers
from fastnn.layers._context import context, forward_pass
from fastnn.layers._stream import NotStepwise, Stream
from fastnn.ops.rows import elementwise
from fastnn.ops.rows.batch import gather_rows, store_step
from fastnn.ops.rows.data import advance, copy
from fastnn.ops.rows.random import random_uniform
from fastnn.training.mismatch import head_activation

KEPT = 8            # sizes of what is generated, with a program each
TOGETHER = 16       # steps between two looks whether all sequences have ended
HIDDEN = -1e9       # the logit of what must not be drawn


class Buffers:
    """What a program of generating reads and writes. One row of `ids` is a step of all sequences."""

    def __init__(self, length: int, batch: int, window: int) -> None:
        def zeros(shape: tuple[int, ...], dtype: str, name: str) -> Tensor:
            return Tensor(np.zeros(shape, dtype), name)
        self.ids, self.given = zeros((length, batch), "int32", "ids"), zeros((length, batch), "uint8", "given")
        self.places = Tensor(np.arange(length, dtype=np.int32), "places", constant=True)
        self.window = window
        self.stream = Stream(length)
        self.here, self.next, self.draw = self.stream.here, zeros((), "int64", "next"), zeros((), "int64", "draw")
        self.zero = Tensor(np.zeros((), np.int64), "zero", constant=True)
        self.ended, self.stop = zeros((batch,), "uint8", "ended"), zeros((batch,), "int32", "stop")
        self.factor, self.noise = (zeros((), backend.floatx(), name) for name in ("factor", "noise"))

    def begin(self, ids: np.ndarray, given: np.ndarray, seed: int | None, temperature: float, stop: int | None) -> None:
        """Everything as it is before the first step."""
        self.ids.data[...], self.given.data[...], self.ended.data[...] = ids, given, 0
        self.stream.begin()
        self.next.data[...] = self.window
        number, stream = seeds.new_stream(seed)
        self.draw.data[...] = ((number * 0x9E3779B1 + stream * 0x85EBCA77) % 2 ** 31) << 32
        self.factor.data[...], self.noise.data[...] = (1 / temperature, 1) if temperature else (1, 0)
        self.stop.data[...] = -1 if stop is None else stop


class Generator:
    """The programs with which a model generates, by size."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.recorder = Recorder(KEPT)
        self._buffers: dict[Any, Buffers] = {}
        self._lock = threading.RLock()

    def run(self, prompt: Any, steps: int, temperature: float, top_k: int | None, seed: int | None,
            stop: int | None) -> np.ndarray:
        """See Model.generate."""
        rows, alone = _rows(prompt)
        steps, top_k = whole(steps, "generate(): steps"), optional(whole, top_k, "generate(): top_k")
        temperature = number(temperature, "generate(): temperature", 0)
        stop = optional(whole, stop, "generate(): stop", 0)
        if seed is not None:
            seeds.checked_seed(seed, "generate()")
        window = self._window()
        length = max(map(len, rows)) + steps
        ids, given = np.zeros((length, len(rows)), np.int32), np.zeros((length, len(rows)), np.uint8)
        for i, row in enumerate(rows):
            check_numbers(self.model, {"x0": np.asarray(row, np.int32)[None]}, "generate()")
            ids[:len(row), i], given[:len(row), i] = row, 1
        with self._lock:
            self.recorder.look()
            try:
                return self._generated(1, ids, given, seed, temperature, top_k, stop, alone)
            except NotStepwise:
                if window is None:
                    raise
            short = min(map(len, rows))
            if short < window:
                raise ShapeError(f"generate(): prompt has {short} numbers and the model reads {window} at a time; "
                                 f"needs at least {window}. Put some before it, such as padding.")
            return self._generated(window, ids, given, seed, temperature, top_k, stop, alone)

    def _window(self) -> int | None:
        """The steps that the model reads at a time, None for any number. Errors for models that are no such thing."""
        inputs, outputs = self.model.inputs, self.model.outputs
        if inputs is None and not self.model.built:
            raise NotBuiltError(f"generate(): {self.model.name} has no weights yet; needs an Input, or to have seen "
                                "data.")
        if inputs is None:
            return None
        if len(inputs) != 1 or len(outputs) != 1 or len(inputs[0].shape) != 2 or len(outputs[0].shape) not in (2, 3):
            raise ShapeError(f"generate(): {self.model.name} makes {[t.shape for t in outputs]} of "
                             f"{[t.shape for t in inputs]}; needs a language model.\nThat has one input (batch, time), "
                             "whole numbers, and one output (batch, time, numbers) or (batch, numbers).")
        return inputs[0].shape[1]  # type: ignore[no-any-return]

    def _generated(self, window: int, ids: np.ndarray, given: np.ndarray, seed: int | None, temperature: float,
                   top_k: int | None, stop: int | None, alone: bool) -> np.ndarray:
        key = ids.shape, window, top_k, backend.backend(), backend.floatx()
        if self.recorder.program(key) is None or key not in self._buffers:
            self.recorder.forget(key)
            made = Buffers(len(ids), ids.shape[1], window)
            with not_recording():       # where it cannot be, nothing has changed
                self._outputs(made, forward_pass(False))
            self._buffers = {k: b for k, b in list(self._buffers.items())[1 - KEPT:] if k != key}
            self._buffers[key] = made
        buffers = self._buffers[key]
        buffers.begin(ids, given, seed, temperature, stop)
        left = len(ids) - window
        while left and not (stop is not None and buffers.ended.data.all()):
            program = self.recorder.ready(key, f"generate {self.model.name}", lambda: self._step(buffers, top_k))
            count = 1 if program is None else min(left, TOGETHER)
            if program is not None:
                program.run(count)
            left -= count
        found = buffers.ids.data.T.copy()
        if left:        # all have ended before
            found[:, len(ids) - left:] = stop
        return found[0] if alone else found

    def _step(self, buffers: Buffers, top_k: int | None) -> None:
        """One number more of each sequence."""
        b = buffers
        logits = self._outputs(b, self.model._steps.inference())
        with section_scope("draw"):
            if top_k is not None and top_k < logits.shape[1]:
                least = ops.top_k(logits, top_k)[0][:, -1:]
                logits = ops.where(ops.less(logits, least), HIDDEN, logits)
            key = ops.stack([b.zero, b.draw, b.zero])
            u = random_uniform(key, shape=logits.shape, low=2.0 ** -25, high=1.0)
            gumbel = ops.negative(ops.log(ops.negative(ops.log(u))))
            drawn = ops.argmax(ops.add(ops.multiply(logits, b.factor), ops.multiply(gumbel, b.noise)), axis=-1)
        with section_scope("write"):
            def row(of: Tensor) -> Any:
                return ops.reshape(gather_rows(of, b.places, b.next, batch=1), (-1,))
            known = ops.cast(row(b.given), "bool")
            drawn = ops.where(ops.cast(b.ended, "bool"), b.stop, drawn)
            ends = ops.logical_and(ops.equal(drawn, b.stop), ops.logical_not(known))
            copy(b.ended, ops.cast(ops.logical_or(ends, ops.cast(b.ended, "bool")), "uint8"))
            store_step(b.ids, ops.expand_dims(ops.where(known, row(b.ids), drawn), 0), b.next)
        with section_scope("next step", folded=True):
            for counter in (b.here, b.next, b.draw):
                advance(counter, by=1)

    def _outputs(self, buffers: Buffers, forward: Any) -> Tensor:
        """Logits (batch, numbers) of the number to come, from this step's numbers."""
        with section_scope("read"):
            x = ops.transpose(gather_rows(buffers.ids, buffers.places, buffers.here, batch=buffers.window))
        buffers.stream.step()
        context.stream = buffers.stream if buffers.window == 1 else None
        try:
            with forward:
                y = self.model(x)
        finally:
            context.stream = None
        if not isinstance(y, Tensor) or y.ndim not in (2, 3):
            raise ShapeError(f"generate(): {self.model.name} makes {shown(getattr(y, 'shape', y))}; needs (batch, "
                             "time, numbers) or (batch, numbers).")
        with section_scope("draw"):
            logits: Tensor = y if y.ndim == 2 else y[:, -1]
            if head_activation(self.model, 0)[0] == "softmax":
                logits = elementwise.log(elementwise.clip(logits, low=1e-30, high=1.0))
        return logits


def _rows(prompt: Any) -> tuple[list[np.ndarray], bool]:
    """(the sequences to go on with, whether it is one alone)."""
    if isinstance(prompt, (str, bytes)) or not hasattr(prompt, "__len__") or not len(prompt):
        raise KindError(f"generate(): prompt is {shown(prompt)}; needs whole numbers, or a list of rows of them. Text "
                        "becomes numbers by TextVectorization or StringLookup.")
    alone = not any(hasattr(item, "__len__") for item in prompt)
    rows = [np.asarray(row) for row in ([prompt] if alone else prompt)]
    for i, row in enumerate(rows):
        if row.ndim != 1 or row.dtype.kind not in "iu" or not row.size:
            raise KindError(f"generate(): row {i} of prompt is {shown(row.tolist())}; needs at least one whole number.")
        if row.min() < 0 or row.max() >= 2 ** 31:
            raise LabelError(f"generate(): row {i} of prompt holds {row.min() if row.min() < 0 else row.max()}; needs "
                             "numbers from 0 on, as the model was trained on.")
    return rows, alone
