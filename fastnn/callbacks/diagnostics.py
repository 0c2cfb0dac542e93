"""Diagnostics: the doctor beside a fit. Floor 5; the checks are in teaching/health, imported when a fit begins."""

import math
from typing import Any

from fastnn.arguments import flag, optional, whole
from fastnn.callbacks.base import Callback, Logs


class Diagnostics(Callback):
    """Watch a fit, and print at its end what is wrong with the data, the network and the training, as fastnn.doctor
    does: what was seen, the chapter of the study guide, what to do.

    It looks before the first step, every `every` epochs (a tenth of them unless given), and after the last, at one
    training step on up to 256 samples, or on the last batch where the data are a generator; nothing of the training
    changes, to the bit. An illness that has passed by the end is not reported. `diagnosis`: the report, a
    teaching.Diagnosis; `courses`: {epoch, from 1: its Walk}, how gradients and units developed. verbose=0: do not
    print. TypeError or ValueError for arguments that are none.

    >>> history = model.fit(x, y, epochs=20, verbose=0, callbacks=[callbacks.Diagnostics()])
    """

    def __init__(self, every: int | None = None, verbose: int = 1) -> None:
        self.every = optional(whole, every, "Diagnostics: every")
        self.verbose = int(flag(verbose, "Diagnostics: verbose"))
        self.diagnosis: Any = None
        self.courses: dict[int, Any] = {}
        self._before: list[Any] = []

    def get_state(self) -> dict[str, Any]:
        """Nothing: a resumed fit is looked at anew."""
        return {}

    def _resume(self, run: Any) -> None:
        """Before the first step: the data are there."""
        from fastnn.teaching.health import watching
        self.courses, self._before = {}, watching.at_the_start(run)
        self.diagnosis = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """The data and the model are looked at in `_keep`, which follows; so C does not run several epochs at once."""

    def _keep(self, run: Any, middle: bool) -> None:
        """After an epoch, if it is one to look at."""
        if middle:
            return
        from fastnn.teaching.health import watching
        number = run.epoch + 1
        last = number >= run.epochs or self.model.stop_training
        lost = not math.isfinite(next(iter(self.model.history.history.get("loss", [0.0])[-1:]), 0.0))
        if last or lost or number % (self.every or max(1, run.epochs // 10)) == 0:
            self.diagnosis = watching.after_epoch(run, self._before)
            self.courses[number] = self.diagnosis.walk

    def on_train_end(self, logs: Logs = None) -> None:
        if self.diagnosis is not None and self.verbose:
            print(self.diagnosis)
