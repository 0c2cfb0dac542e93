"""When the loss stops being a number: which step, which layer, which kernel. Floor 4.

Replaying is deterministic, so the guard keeps the state from before a slice of steps, goes back to it when the loss
has gone bad, and walks the program call by call to the first output that is not finite. Then training goes on, as in
Keras: a run that diverges is a lesson; the callback TerminateOnNaN stops it.
"""

import math
import time
from typing import Any

import numpy as np

from fastnn.engine.call import Call
from fastnn.engine.context import not_recording
from fastnn.engine.plan import HUGE, aligned_empty
from fastnn.engine.program import Program
from fastnn.errors import warn
from fastnn.feeding.model import TrainedModel
from fastnn.training.passes import Pass

RARE = 50       # copies of the state in an epoch take at most one part in so many of its time


def _empty_like(array: np.ndarray) -> np.ndarray:
    """The same, on huge pages where it is large."""
    if array.nbytes < HUGE:
        return np.empty_like(array)
    return aligned_empty(array.nbytes).view(array.dtype).reshape(array.shape)


class Guard:
    """Watches one model's loss through a fit; warns once per compile."""

    def __init__(self, model: TrainedModel) -> None:
        self.model = model
        self.saved: dict[int, tuple[Any, np.ndarray]] = {}      # (tensor, its copy), by id
        self.watched = False        # whether a callback wants to know the first bad step, whoever was warned before
        self._from = 0              # the step of the pass that the copy is from
        self._due = -math.inf       # when the time since the last copy is so long that another one does not matter

    @property
    def _done(self) -> bool:
        return bool(getattr(self.model.compiled, "nonfinite_seen", False)) or self.model.run_eagerly

    def remember(self, passing: Any = None, always: bool = True) -> None:
        """Keep a copy of the state, in the memory of the copy before: fresh memory takes twice as long.

        Unless `always`, only where the steps since the last copy took RARE times as long as that."""
        begin = time.monotonic()
        if (self._done and not self.watched) or not (always or begin > self._due):
            return
        kept, self.saved = self.saved, {}
        for t in self.model._steps.state():
            _, copy = kept.get(id(t), (t, None))
            if copy is None or copy.shape != t.data.shape:
                copy = _empty_like(t.data)
            copy[...] = t.data
            self.saved[id(t)] = t, copy
        self.model._steps.recorder.before = self.saved      # a step that is yet to be recorded adds what it writes
        if passing is not None:
            passing.source.mark()
            self._from = passing.done
        now = time.monotonic()
        self._due = now + RARE * (now - begin)

    def close(self) -> None:
        """Let go of the copy."""
        self.saved, self.model._steps.recorder.before = {}, None

    def _swap(self, back: bool) -> None:
        """Exchange the state with the kept copy, to go back; once more, to come here again. One tensor may be part of
        another, and the copy that was made first counts: it is the last to be put back."""
        with not_recording():
            for tensor, copy in list(self.saved.values())[::-1 if back else 1]:
                if tensor.data.shape == copy.shape:
                    now = tensor.data.copy()
                    tensor.data[...] = copy
                    copy[...] = now

    def look(self, passing: Any, epoch: int) -> None:
        """After a slice of an epoch's steps."""
        if self._done or not self.saved or math.isfinite(self.model.compiled.results("loss").get("loss", 0.0)):
            return
        self._swap(True)
        try:
            self._hunt(passing.source, passing.done - self._from, epoch, self._from)
        finally:
            self._swap(False)

    def can_look_back(self, source: Any) -> bool:
        """Whether the steps of a pass are programs of the model's own, so that they can be run again."""
        if not source.at_hand or self.model.writes("train"):
            return False
        feed, _, parts = source.reading()
        return all(self.model._steps.recorded(self.model._steps.key("train", feed, rows)) for rows, _ in parts)

    def back_to_first(self, passing: Any) -> bool:
        """Whether the loss has gone bad since the copy; if so, the state is that just after the first bad step, and
        passing.done counts the steps up to it."""
        total = self.model.compiled.trackers[0][1].variables[0]
        if math.isfinite(total.data) or not self.saved:
            return False
        self._swap(True)
        count, passing.done = passing.done - self._from, self._from
        for feed, rows in passing.source.again(count):
            self.model._steps.run("train", feed, rows)
            passing.done += 1
            if not math.isfinite(total.data):
                break
        self.saved = {}
        return True

    def look_back(self, losses: np.ndarray | None, epoch: int, source: Any) -> None:
        """After many epochs in one go: replay up to the epoch that went bad, then look for the step."""
        bad = [] if losses is None else np.flatnonzero(~np.isfinite(losses)).tolist()
        if self._done or not bad:
            return
        self._swap(True)
        try:
            for _ in range(bad[0]):
                passing = Pass(self.model, "train", source)
                passing.run(passing.total)
            self.model.compiled.reset()
            source.begin()
            source.mark()
            self._hunt(source, source.total, epoch + bad[0], 0)
        finally:
            self._swap(False)

    def _hunt(self, source: Any, count: int, epoch: int, first: int) -> None:
        """Which of `count` steps went bad, by running them again from the state of now; then that one, call by call."""
        self.model.compiled.nonfinite_seen = True
        if self.model.writes("train"):      # what it shows is its own business
            self._warn_only(epoch)
            return
        steps, state = self.model._steps, [(t, t.data.copy()) for t, _ in self.saved.values()]
        total = self.model.compiled.trackers[0][1].variables[0]
        good = 0
        for feed, rows in source.again(count):
            if steps.recorded(steps.key("train", feed, rows)) is None:
                break
            steps.run("train", feed, rows)
            if not math.isfinite(total.data):
                break
            good += 1
        for tensor, copy in state:
            tensor.data[...] = copy
        for step, (feed, rows) in enumerate(source.again(min(good + 1, count))):
            program = steps.recorded(steps.key("train", feed, rows))
            if step < good:
                steps.run("train", feed, rows)
            elif program is not None and self._walk(program, epoch, first + step):
                return
        self._warn_only(epoch)

    def _walk(self, program: Program, epoch: int, step: int) -> bool:
        """Run a program call by call; warn of the first output that is not finite. Whether there was one."""
        for call in program.calls:
            call.run()
            if any(t.data.dtype.kind == "f" and not np.isfinite(t.data).all() for t in call.made):
                self._warn(epoch, step, call)
                return True
        return False

    def _warn_only(self, epoch: int) -> None:
        warn(f"fit(): the loss of {self.model.name} is not finite in epoch {epoch + 1}; training goes on. Try a "
             "smaller learning rate, or the callback TerminateOnNaN.", RuntimeWarning)

    def _warn(self, epoch: int, step: int, call: Call) -> None:
        where = f"layer {call.layer!r}" if call.layer else "the loss or the optimizer"
        given = all(np.isfinite(t.data).all() for t in call.inputs if t.data.dtype.kind == "f" and
                    not any(t is o for o in call.outputs))
        largest = max((float(np.abs(t.data).max()) for t in call.inputs if t.data.dtype.kind == "f" and t.data.size),
                      default=0.0)
        cause = f"its inputs are finite, the largest is {largest:.3g}" if given else "its inputs were bad already"
        warn(f"fit(): the loss of {self.model.name} is not finite: first in epoch {epoch + 1}, step {step + 1}, "
             f"kernel {call.op.name} of {where} ({cause}).\nTraining goes on; try a smaller learning rate, scale the "
             "inputs, or stop with the callback TerminateOnNaN.", RuntimeWarning)
