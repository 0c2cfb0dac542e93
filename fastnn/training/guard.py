"""When the loss stops being a number: which step, which layer, which kernel. Floor 4.

Replaying is deterministic, so the guard keeps the state from before a slice of steps, goes back to it when the loss
has gone bad, and walks the program call by call to the first output that is not finite. Then training goes on, as in
Keras: a run that diverges is a lesson; the callback TerminateOnNaN stops it.
"""

import math
import time
import warnings
from typing import Any

import numpy as np

from fastnn.engine.plan import HUGE, aligned_empty
from fastnn.engine.program import not_recording

RARE = 50       # copies of the state in an epoch take at most one part in so many of its time


def _empty_like(array: np.ndarray) -> np.ndarray:
    """The same, on huge pages where it is large."""
    if array.nbytes < HUGE:
        return np.empty_like(array)
    return aligned_empty(array.nbytes).view(array.dtype).reshape(array.shape)


class Guard:
    """Watches one model's loss through a fit; warns once per compile."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.saved: list[tuple[Any, np.ndarray]] = []
        self._due = -math.inf       # when the time since the last copy is so long that another one does not matter

    @property
    def _done(self) -> bool:
        return bool(getattr(self.model.compiled, "nonfinite_seen", False)) or self.model.run_eagerly

    def remember(self, always: bool = True) -> None:
        """Keep a copy of the state, in the memory of the copy before: fresh memory takes twice as long.

        Unless `always`, only where the steps since the last copy took RARE times as long as that."""
        begin = time.monotonic()
        if self._done or not (always or begin > self._due):
            return
        state = self.model._steps.state()
        kept = {id(t): copy for t, copy in self.saved if copy.shape == t.data.shape}
        self.saved = [(t, kept[id(t)] if id(t) in kept else _empty_like(t.data)) for t in state]
        for t, copy in self.saved:
            copy[...] = t.data
        now = time.monotonic()
        self._due = now + RARE * (now - begin)

    def _swap(self) -> None:
        """Exchange the state with the kept copy."""
        with not_recording():
            for tensor, copy in self.saved:
                if tensor.data.shape == copy.shape:
                    now = tensor.data.copy()
                    tensor.data[...] = copy
                    copy[...] = now

    def look(self, passing: Any, epoch: int) -> None:
        """After a slice of an epoch's steps."""
        if self._done or not self.saved or math.isfinite(self.model.compiled.results()["loss"]):
            return
        cursor = int(passing.feed.cursor.data)
        self._swap()
        try:
            if hasattr(passing, "slice"):
                self._hunt_batches(passing, epoch)
            else:
                self._hunt(passing.feed, epoch, cursor)
        finally:
            self._swap()

    def look_back(self, losses: np.ndarray, epoch: int, plan: Any, feed: Any) -> None:
        """After many epochs in one go: replay up to the epoch that went bad, then walk it."""
        bad = np.flatnonzero(~np.isfinite(losses)).tolist()
        if self._done or not bad:
            return
        self._swap()
        try:
            for i in range(bad[0] + 1):
                self.model._steps.begin(feed, plan.shuffle)[0].run()
                self.model.compiled.reset()
                if i < bad[0]:
                    for batch, times in plan.parts():
                        self.model._steps.step("train", feed, batch)[0].run(times)
            self._hunt(feed, epoch + bad[0], sum(b * t for b, t in plan.parts()), plan)
        finally:
            self._swap()

    def _hunt(self, feed: Any, epoch: int, end: int, plan: Any = None) -> None:
        programs = {key[2]: program for key, program in self.model._steps.programs.items()
                    if isinstance(key, tuple) and key[0] == "train" and key[1] == feed.number}
        self.model.compiled.nonfinite_seen = True
        while int(feed.cursor.data) < end:
            left = end - int(feed.cursor.data)
            full = max(programs, default=0)
            program = programs.get(full if left >= full else left)
            if program is None:
                break
            if self._walk(program, epoch, int(feed.cursor.data) // max(full, 1)):
                return
        self._warn_only(epoch)

    def _hunt_batches(self, passing: Any, epoch: int) -> None:
        """The same where the batches came one by one: run those of the slice again, and walk the last."""
        self.model.compiled.nonfinite_seen = True
        *before, (feed, arrays) = passing.slice
        for _, earlier in before:
            passing.step(earlier)
        program = self.model._steps.recorded(("train", feed.number, len(arrays["x0"])))
        feed.refill(arrays)
        if program is None or not self._walk(program, epoch, passing.done - 1):
            self._warn_only(epoch)

    def _walk(self, program: Any, epoch: int, step: int) -> bool:
        """Run a program call by call; warn of the first output that is not finite. Whether there was one."""
        for call in program.calls:
            call.run()
            if any(t.data.dtype.kind == "f" and not np.isfinite(t.data).all() for t in call.outputs):
                self._warn(epoch, step, call)
                return True
        return False

    def _warn_only(self, epoch: int) -> None:
        warnings.warn(f"fit(): the loss of {self.model.name} is not finite in epoch {epoch + 1}; training goes on. "
                      "Try a smaller learning rate, or the callback TerminateOnNaN.", RuntimeWarning, stacklevel=2)

    def _warn(self, epoch: int, step: int, call: Any) -> None:
        where = f"layer {call.layer!r}" if call.layer else "the loss or the optimizer"
        given = all(np.isfinite(t.data).all() for t in call.inputs if t.data.dtype.kind == "f" and
                    not any(t is o for o in call.outputs))
        largest = max((float(np.abs(t.data).max()) for t in call.inputs if t.data.dtype.kind == "f" and t.data.size),
                      default=0.0)
        cause = f"its inputs are finite, the largest is {largest:.3g}" if given else "its inputs were bad already"
        warnings.warn(f"fit(): the loss of {self.model.name} is not finite: first in epoch {epoch + 1}, step {step + 1}"
                      f", kernel {call.op.name} of {where} ({cause}).\nTraining goes on; try a smaller learning rate, "
                      "scale the inputs, or stop with the callback TerminateOnNaN.", RuntimeWarning, stacklevel=2)
