"""Arrays: data that are all there, read in batches by C, in a shuffled order where that is asked for. Floor 4."""

import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastnn.errors import warn
from fastnn.feeding import arguments, checks
from fastnn.feeding.feed import Feed
from fastnn.feeding.model import TrainedModel
from fastnn.feeding.source import Source


class Arrays(Source):
    """Named arrays of one length. limit: the steps of a pass; fewer than there are batches, and a pass of training
    begins where the last one stopped, and ends with the data; other passes begin anew. Each reading of the data has an
    order of its own."""

    def __init__(self, model: TrainedModel, mode: str, arrays: dict[str, np.ndarray], batch: int,
                 limit: int | None = None, shuffle: bool = False) -> None:
        super().__init__(model, mode)
        self.arrays, self.batch, self.limit, self.shuffle = arrays, batch, limit, shuffle
        self.samples = len(next(iter(arrays.values())))
        self.total: int = len(self) if limit is None else min(limit, len(self))
        self.goes_on = mode == "train" and self.total < len(self)
        self.at_hand = not self.goes_on
        self._feed: Feed | None = None
        self._left: list[tuple[int, int]] = []      # (rows, batches) of the data that are still to be read
        self._marked: list[tuple[int, int]] = []
        self._results: list[np.ndarray] = []
        self._print: list[Any] = []

    def __len__(self) -> int:
        """How many batches one reading of the data has."""
        return math.ceil(self.samples / self.batch)

    def reading(self) -> tuple[Feed, bool, list[tuple[int, int]]]:
        if self._feed is None:
            self._feed = self.model._feeds.take(self.mode, self.arrays, self)
        return self._feed, self.shuffle, self.sizes()

    def sizes(self) -> list[tuple[int, int]]:
        """(rows, how many such batches): full ones, then a shorter last one."""
        full, rest = divmod(self.samples, self.batch)
        parts = [part for part in ((self.batch, full), (rest, 1)) if part[0] and part[1]]
        if not self.goes_on and self.total <= full:
            parts = [(self.batch, self.total)] if self.total else []
        return parts

    def begin(self) -> None:
        if self.mode == "predict":
            rows = min(self.samples, self.total * self.batch)
            self._results = checks.room(arguments.build(self.model, self.arrays), rows)
            self.reading()[0].receive(self._results)
        self.done = 0
        if not self.goes_on or not self._left:      # all of it, in a new order
            feed, shuffle, self._left = self.reading()
            self.model._steps.begin(feed, shuffle)

    def feed(self) -> tuple[Feed, int, int] | None:
        if self.finished:
            return None
        rows, times = self._left[0]
        assert self._feed is not None
        return self._feed, rows, min(times, self.total - self.done)

    def took(self, count: int) -> None:
        self.done += count
        self._left = self._after(self._left, count)
        if not self._left and self.done < self.total:
            warn(f"fit(): an epoch ended after {self.done} of {self.total} steps: the data have {len(self)} batches; "
                 "the next begins anew. Leave steps_per_epoch out, or choose one that divides them.")

    @staticmethod
    def _after(left: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
        """What is left after so many batches of the first size."""
        (rows, times), *rest = left
        return [(rows, times - count), *rest] if count < times else rest

    @property
    def finished(self) -> bool:
        return self.done >= self.total or not self._left

    def mark(self) -> None:
        self._marked = self._left

    def again(self, steps: int) -> Iterator[tuple[Feed, int]]:
        left = self._marked
        for _ in range(steps):
            assert self._feed is not None
            yield self._feed, left[0][0]
            left = self._after(left, 1)

    def again_as(self, mode: str) -> "Arrays":
        return Arrays(self.model, mode, self.arrays, self.batch)

    def position(self) -> dict[str, Any]:
        assert self._feed is not None
        return {"done": self.done, "left": self._left, "cursor": int(self._feed.cursor.data),
                "data": self.fingerprint()}

    def resume(self, position: dict[str, Any]) -> None:
        feed, shuffle, _ = self.reading()
        self.done, self._left = position["done"], [(rows, times) for rows, times in position["left"]]
        if self._left:      # the order of now once more: it follows from the number of the epoch
            epoch = self.model._feeds.epoch
            epoch.assign(int(epoch.data) - shuffle)
            self.model._steps.begin(feed, shuffle)
            feed.cursor.assign(position["cursor"])

    def fingerprint(self) -> list[Any]:
        """What other data would differ in: names, dtypes, shapes, batches, and the bytes' CRC-32."""
        if not self._print:
            self._print = [self.batch, self.total, self.shuffle, *(
                [name, array.dtype.str, list(array.shape), zlib.crc32(np.ascontiguousarray(array).data.cast("B"))]
                for name, array in self.arrays.items() if array.size)]
        return self._print

    def outputs(self) -> list[np.ndarray]:
        return [array[:self.done * self.batch] for array in self._results] if not self.finished else self._results

    def latest(self, steps: int) -> list[np.ndarray]:
        rows = slice((self.done - steps) * self.batch, self.done * self.batch)
        return [array[rows] for array in self._results]

    def close(self) -> None:
        if self._feed is not None:
            self.model._steps.release(self._feed)
            self._feed = None
