"""Items: what a generator, an iterator or a PyDataset gives, pass after pass, as the user's code makes it. Floor 4."""

import inspect
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, KeysView, Set, ValuesView
from typing import Any, NamedTuple

import numpy as np

from fastnn.feeding.feed import Feeds
from fastnn.feeding.prefetch import in_threads
from fastnn.feeding.pydataset import PyDataset
from fastnn.reference import _philox

DEPTH = 10      # batches that an iterator may be ahead, as Keras' max_queue_size
_ARRAY_LIKE = ("__array__", "__array_interface__", "__dlpack__", "to_numpy", "tocsr", "__getitem__")
_ENDLESS = (itertools.count, itertools.cycle, itertools.repeat)


class _Mark(NamedTuple):
    """From the item number `made` on: the random order, and the state of the data set."""
    made: int
    order: int
    dataset: dict[str, Any]


def is_batches(x: Any, where: str) -> bool:
    """Whether x gives batches: a PyDataset, an iterator (generator, zip, …), or an iterable that is no data itself."""
    if inspect.isgeneratorfunction(x):
        raise TypeError(f"{where}: x is the generator function {x.__name__}; needs what it makes: call it, "
                        f"{x.__name__}().")
    if isinstance(x, PyDataset) or hasattr(x, "__next__"):
        return True
    return (isinstance(x, Iterable) and not isinstance(x, (Set, KeysView, ValuesView, str, bytes, memoryview))
            and not any(hasattr(x, name) for name in _ARRAY_LIKE))


class Items:
    """What the user gave, asked for item after item. steps: how many a pass takes, None for all there are.

    A pass ends when they have ended; a PyDataset, or an iterable that can begin anew, then begins anew in the next. An
    iterator goes on where the last pass stopped, and is asked for no item too many where `steps` says how many are
    needed. goes_on: so do the others. shuffle: a PyDataset's items come in the orders of `feeds`.
    Raises ValueError where their number is needed and cannot be known; steps_name is what it should be given as.
    """

    def __init__(self, given: Any, where: str, steps: int | None, feeds: Feeds, *, steps_name: str = "steps",
                 shuffle: bool = False, goes_on: bool = False) -> None:
        self.given, self.steps, self.feeds, self.shuffle, self.goes_on = given, steps, feeds, shuffle, goes_on
        self.dataset = given if isinstance(given, PyDataset) else None
        self.length = given.num_batches if self.dataset is not None else None       # None: nobody knows
        if self.length == 0:
            raise ValueError(f"{where}: {type(given).__name__} has 0 batches; needs at least one.")
        if steps is None and (isinstance(given, _ENDLESS) or (self.dataset is not None and self.length is None)):
            raise ValueError(f"{where}: {type(given).__name__} has no end; needs the number of batches to "
                             f"take: {steps_name}=….")
        self.restarts = self.dataset is not None or not hasattr(given, "__next__")
        self.depth = DEPTH if self.dataset is None else self.dataset.max_queue_size
        self._source: Iterator[Any] | None = None
        self._taken = 0         # from this source
        self._begun = False
        self._number = 0        # of the random order of this pass
        self._made = 0          # items of all passes
        self._marks: deque[_Mark] = deque(maxlen=self.depth + 8)
        self._skip = 0          # items that a resumed fit has had
        self._again: int | None = None      # the random order that it was reading

    def number(self, keep: bool) -> None:
        """The next pass takes the next of the random orders. keep: it counts; else somebody only looks."""
        if keep and self.dataset is not None and self.shuffle:
            self.feeds.epoch.assign(int(self.feeds.epoch.data) + 1)
            self._number = int(self.feeds.epoch.data)
        elif not keep:
            self._number = int(self.feeds.epoch.data) + 1

    def of_pass(self, taken: int) -> Iterator[Any]:
        """What the user's code gives for one pass, `taken` of which are there already."""
        if not self._begun:
            self._begun = True
            if self.dataset is not None:
                self.dataset.on_epoch_begin()
            if not self.goes_on and self.restarts:
                self._source = None
        while self.steps is None or taken < self.steps:
            fresh = self._source is None and not self._skip     # else it may have nothing left
            if self._source is None:
                self._taken = self._skip
                self._source = self._begin_anew()
            if self._skip:
                self._source = self._caught_up(self._source)
            for item in self._source:
                taken += 1
                self._taken += 1
                self._made += 1
                fresh = False
                yield item
                if taken == self.steps:
                    return
            self._source = None
            if fresh or not self.restarts or taken:
                return      # all there is; else the last pass took the last of them

    def _begin_anew(self) -> Iterator[Any]:
        order, self._again = self._number if self._again is None else self._again, None
        self._mark(order)
        if self.dataset is None:
            return iter(self.given)
        skip, self._skip = self._skip, 0
        if self.length is None:
            indices: Any = itertools.count(skip)
        elif self.shuffle:
            keys = _philox.bits(self.length, order, self.feeds.seed, self.feeds.stream)
            indices = [int(i) for i in np.argsort(keys, kind="stable")][skip:]
        else:
            indices = range(skip, self.length)
        return in_threads(self.dataset.__getitem__, indices, self.dataset.workers, self.depth)

    def _caught_up(self, source: Iterator[Any]) -> Iterator[Any]:
        """An iterable after the items that a resumed fit has had: they are made again, pass by pass, as that may decide
        what comes next, such as a new order."""
        anew = False
        while self._skip:
            had = sum(1 for _ in itertools.islice(source, self._skip))
            self._skip -= had
            if self._skip:
                if not self.restarts or (anew and not had):
                    self._skip = 0      # other data than before, and fewer
                source, anew = iter(self.given), True
        return source

    def state(self, consumed: int) -> dict[str, Any]:
        """What `resume` needs beside the number of items that were trained on; more of them may have been made."""
        mark = next((mark for mark in list(self._marks)[::-1] if mark.made <= consumed), _Mark(0, 0, {}))
        return {"order": mark.order, "dataset": mark.dataset}

    def _mark(self, order: int) -> None:
        """Remember how it is here: a thread makes items ahead of the steps that take them."""
        self._marks.append(_Mark(self._made, order, {} if self.dataset is None else self.dataset.get_state()))

    def resume(self, position: dict[str, Any], seen: int) -> None:
        """Go on after the items that were trained on, `seen` of which have been given already, to be looked at."""
        middle, consumed = position["done"] > 0 and not position["ended"], position["consumed"]
        self._made, self._number = consumed, int(self.feeds.epoch.data)
        self._begun = middle
        if self.dataset is None:
            self._skip = consumed - seen
        else:
            self._source, self._skip = None, consumed % self.length if self.length else consumed
        self._again = position["order"] if self._skip else None
        if self.dataset is not None:
            self.dataset.set_state(position["dataset"])
            if middle and not self._skip:
                self._source = iter(())     # that pass has come to the end of the data

    def end(self) -> None:
        """A pass is over: the data set may prepare the next."""
        self._begun = False
        if self.dataset is not None:
            self.dataset.on_epoch_end()
        self._mark(self._marks[-1].order if self._marks else 0)
        if self.steps is None or self._taken == self.length:
            self._source = None

    def close(self) -> None:
        """End all threads."""
        if self.dataset is not None and self._source is not None:
            self._source.close()  # type: ignore[attr-defined]
        self._source = None
