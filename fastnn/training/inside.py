"""Looking inside a model that trains: its programs, and what their calls cost. Floor 4."""

import sys
import types
from typing import TYPE_CHECKING, Any

from fastnn.engine.program import Program
from fastnn.errors import nearest, shown
from fastnn.frames import entrance

STEPS = {"train": "fit()", "test": "evaluate()", "predict": "predict() with a batch_size"}


class Inside:
    """What Trainer offers to those who want to see."""
    if TYPE_CHECKING:
        name: str
        _steps: Any

    @entrance
    def profile(self: Any, x: Any, y: Any, batch_size: int = 32, seconds: float = 0.5) -> Any:
        """How long each call of a training step takes: print it, or `.plot(path)`; see fastnn.teaching.profile."""
        from fastnn.teaching.profile import profile
        return profile(self, x, y, batch_size, seconds)

    @entrance
    def find_lr(self: Any, x: Any, y: Any = None, batch_size: int = 32, lowest: float = 1e-6, highest: float = 10.0,
                steps: int = 100, sample_weight: Any = None) -> Any:
        """Which learning rate: let it rise from `lowest` to `highest` for some steps, and suggest the one where the
        loss falls fastest, with the reason; `.plot(path)`. Nothing has changed then; see fastnn.teaching.find_lr."""
        from fastnn.teaching.finder import find_lr
        return find_lr(self, x, y, batch_size, lowest, highest, steps, sample_weight)

    @entrance
    def trace(self: Any, x: Any, y: Any = None, samples: int = 2, sample_weight: Any = None,
              update: bool = False) -> Any:
        """One training step on the first `samples`, written out with all its numbers: products, loss, chain rule,
        gradients, update. print it; in a notebook it opens and closes; `.full()`, `.to_latex()`, `.to_csv()`.
        Nothing has changed then, unless update=True; see fastnn.teaching.trace."""
        from fastnn.teaching.trace.step import trace
        return trace(self, x, y, samples, sample_weight, update)

    @property
    def programs(self) -> list[Program]:
        """The programs recorded so far; print one to see its calls."""
        return [program for _, program in self._steps.recorder.items()]

    @entrance
    def program(self, step: str = "train") -> Program:
        """The recorded program of a "train", "test" or "predict" step, of the largest batch there was.

        print(model.program()) shows its calls, print(model.program().full()) every one of them on a line of its own.
        Raises ValueError for other names, RuntimeError where no such step has been recorded.
        """
        if step not in STEPS:
            raise ValueError(f"program(): got {shown(step)}; {nearest(step, STEPS)}")
        found = [(key[2], program) for key, program in self._steps.recorder.items() if key[0] == step]
        if not found:
            raise RuntimeError(f"program(): {self.name} has recorded no {step} step yet; call {STEPS[step]} first, "
                               "with the layers as they are now.")
        return max(found, key=lambda pair: pair[0])[1]

    def _at_work(self: Any, asker: types.FrameType) -> bool:
        """Whether the function that took the model is still under way on its thread: an interrupt at an unlucky moment
        may have kept it from giving the model back. asker: the call that asks now, maybe of the same function."""
        worker, code = self._worker
        frame = sys._current_frames().get(worker)
        while frame is not None:
            if frame.f_code is code and frame is not asker and any(v is self for v in frame.f_locals.values()):
                return True
            frame = frame.f_back
        return not worker
