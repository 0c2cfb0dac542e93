"""BatchPass: one pass of steps over Batches, as the loops run them; and predict over them. Floor 4."""

import math
import sys
import time
from typing import Any

import numpy as np

from fastnn.engine.schedule import whole_step
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.feeding.batches import Batches, warn_out_of_data
from fastnn.feeding.feed import Feed

KEPT_BYTES = 1 << 26        # of batches, for finding where a loss went bad


class BatchPass:
    """Some steps now, more later, each on the next batch. `slice`: (feed, arrays) of the steps since the last `run`.

    Every row shape has a feed of one batch, whose arrays are replaced before the program of this size is replayed.
    """

    def __init__(self, model: Any, mode: str, batches: Batches) -> None:
        self.model, self.mode, self.batches = model, mode, batches
        self.total = sys.maxsize if batches.total is None else batches.total
        self.done = 0
        self.feed: Feed | None = None
        self.slice: list[tuple[Feed, dict[str, np.ndarray]]] = []
        self._items = batches.begin()
        self._next: dict[str, np.ndarray] | None = None
        self._ended = False
        if mode == "train":     # its sum is not finite as soon as one batch's loss was not
            self._loss = model.compiled.trackers[0][1].variables[0]

    @property
    def finished(self) -> bool:
        """Whether all steps have run; waits for the next batch."""
        if self._next is None and not self._ended:
            self._next = next(self._items, None) if self.done < self.total else None
            if self._next is None:
                self._finish()
        return self._ended

    def _finish(self) -> None:
        self._ended = True
        self.batches.end()
        if not self.done or (self.batches.total is not None and self.done < self.total):
            stops = self.mode == "train"
            warn_out_of_data(self.batches, self.done, stops)
            self.model.stop_training |= stops

    def run(self, most: float, seconds: float = math.inf) -> None:
        """Run up to `most` steps, for about so many seconds; at least one, if there is one."""
        end = time.monotonic() + seconds
        self.slice = []
        size = 0
        while most > 0 and not self.finished and size < KEPT_BYTES:
            arrays, self._next = self._next, None
            assert arrays is not None
            feed = self.step(arrays)
            self.done += 1
            most -= 1
            if self.mode == "train":
                self.slice.append((feed, arrays))
                size += sum(array.nbytes for array in arrays.values())
                if not math.isfinite(self._loss.data):
                    return
            if time.monotonic() > end:
                return

    def step(self, arrays: dict[str, np.ndarray]) -> Feed:
        """One step on this batch; the feed it went through."""
        steps = self.model._steps
        feed = self.feed = self._feed(arrays)
        feed.refill(arrays)
        if self.model.run_eagerly:
            with whole_step():
                getattr(steps, self.mode)(feed, feed.count)
            return feed
        program, ran = steps.step(self.mode, feed, feed.count)
        if not ran:
            program.run()
        return feed

    def _feed(self, arrays: dict[str, np.ndarray]) -> Feed:
        feeds = self.batches.feeds
        key = Feed.signature(arrays)
        if key not in feeds:
            feeds[key] = self.model._steps.feed(self.batches.feed_mode, arrays)
        feed: Feed = feeds[key]
        return feed

    def predict(self) -> list[np.ndarray]:
        """Run the next step of prediction; its outputs as new arrays."""
        arrays, self._next = self._next, None
        assert arrays is not None
        feed = self._feed(arrays)
        results = [np.zeros((len(arrays["x0"]), *t.shape[1:]), t.dtype) for t in self.batches.symbols(arrays)]
        if not feed.results:
            feed.results = [Tensor(array, "result") for array in results]
        for tensor, array in zip(feed.results, results, strict=True):
            tensor.data, tensor.shape = array, array.shape
        self.step(arrays)
        self.done += 1
        return results


def joined(parts: list[list[np.ndarray]], where: str) -> list[np.ndarray]:
    """One array per output from those of the batches. ShapeError where their rows differ in shape."""
    outputs = list(zip(*parts, strict=True))
    for arrays in outputs:
        shapes = {array.shape[1:] for array in arrays}
        if len(shapes) > 1:
            a, b = sorted(shapes)[:2]
            raise ShapeError(f"{where}: the outputs of the batches have rows of shapes {a} and {b}; needs one shape to "
                             "make one array. Predict batches of one shape at a time.")
    return [np.concatenate(arrays) for arrays in outputs]
