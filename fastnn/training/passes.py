"""Pass: steps over a source, some now and more later. Floor 4."""

import math
import sys
import time

from fastnn.feeding.model import TrainedModel
from fastnn.feeding.source import Source

REDRAW = 0.1        # seconds between two looks at the progress while C runs


class Pass:
    """One pass of train, test or predict steps. done: how many ran; total: how many there are, or sys.maxsize."""

    def __init__(self, model: TrainedModel, mode: str, source: Source, resumed: bool = False) -> None:
        """resumed: the source is in the middle of it, where another run was."""
        self.model, self.mode, self.source = model, mode, source
        self.total = sys.maxsize if source.total is None else source.total
        if not resumed:
            source.begin()
        self.done = source.done

    def run(self, most: int, seconds: float = math.inf) -> None:
        """Run up to `most` steps, for about so many seconds; at least one, if there is one."""
        end = time.monotonic() + seconds
        while most > 0 and (ready := self.source.feed()) is not None:
            feed, rows, times = ready
            count = self.model._steps.run(self.mode, feed, rows, min(most, times), end - time.monotonic())
            self.source.took(count)
            self.done += count
            most -= count
            if self.source.full or time.monotonic() > end:
                return

    def together(self, count: int, room: int = 1) -> int:
        """The steps between two hooks on batches: `count` where that is more than one, however their shapes change; the
        number of the last, which is that of a whole count at the end of the data too (as Keras)."""
        if count == 1:
            self.run(room, REDRAW)
            return self.done - 1
        end = self.done + count
        while self.done < end and not self.finished:
            self.run(end - self.done)
        return end - 1

    @property
    def finished(self) -> bool:
        """Whether all steps have run. May wait for the next batch."""
        return self.source.finished
