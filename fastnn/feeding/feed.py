"""Feed: the buffers that programs read their batches from, and the order in which they read them. Floor 4."""

import itertools
import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastnn import seeds
from fastnn.engine.context import section_scope
from fastnn.engine.tensor import Tensor, Variable
from fastnn.ops.rows.batch import gather_rows, shuffle_step, store_step
from fastnn.ops.rows.data import advance, fill


class Feed:
    """Data sets by name (x, y, weight, …), the shuffled order, and the cursor; all of them tensors, so that the
    programs recorded over them run on other data of the same row shape when `load` replaces the arrays."""

    _numbers = itertools.count(1)

    def __init__(self, mode: str, arrays: dict[str, np.ndarray], epoch: Variable, seed: int, stream: int) -> None:
        self.mode = mode
        self.number = next(Feed._numbers)       # names it in the keys of programs
        self.user: weakref.ref[Any] | None = None       # the source that reads from it
        self.tensors = {name: Tensor(array[:0], name) for name, array in arrays.items()}
        self.order = Tensor(np.zeros(0, np.int32), "order")
        self.keys = Tensor(np.zeros(0, np.int64), "keys")
        self.cursor = Variable(0, "cursor", dtype="int64", trainable=False)
        self.epoch = epoch
        self.results: list[Tensor] = []
        self.template: tuple[Any, Any] = ("x0", None)       # x and y as the user gave them, with names for arrays
        self.seed, self.stream = seed, stream
        self.count = 0

    @property
    def busy(self) -> bool:
        """Whether a source reads from it. One that an interrupt has ended before it knew its feed is gone, and with it
        the claim."""
        return self.user is not None and self.user() is not None

    @staticmethod
    def signature(arrays: dict[str, np.ndarray]) -> tuple[Any, ...]:
        """What programs depend on: names, dtypes and row shapes, but not how many rows."""
        form = repr(getattr(arrays, "template", ""))
        return form, *((name, array.dtype.str, array.shape[1:]) for name, array in arrays.items())

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Point the tensors at these arrays, in their own order."""
        for name, array in arrays.items():
            tensor = self.tensors[name]
            tensor.data, tensor.shape = array, array.shape
        self.count = len(next(iter(arrays.values())))
        self.order.data = np.arange(self.count, dtype=np.int32)
        self.keys.data = np.empty(self.count, np.int64)
        self.order.shape = self.keys.shape = (self.count,)
        self.cursor.assign(0)

    def refill(self, arrays: dict[str, np.ndarray]) -> None:
        """Point the tensors at the next batch, of the same row shapes, and the cursor at its first row."""
        if len(next(iter(arrays.values()))) != self.count:
            self.load(arrays)
            return
        for name, array in arrays.items():
            tensor = self.tensors[name]
            tensor.data, tensor.shape = array, array.shape
        self.cursor.data[()] = 0

    def receive(self, arrays: Sequence[np.ndarray]) -> None:
        """Point the results, one per output of the model, at these arrays."""
        if [t.dtype for t in self.results] != [array.dtype.name for array in arrays]:
            self.results = [Tensor(array, "result") for array in arrays]
        for tensor, array in zip(self.results, arrays):
            tensor.data, tensor.shape = array, array.shape

    def unload(self) -> None:
        """Let go of the arrays. The shapes stay, so that a program run now knows that its data are gone."""
        for tensor in (*self.tensors.values(), *self.results, self.order, self.keys):
            tensor.data = tensor.data[:0].copy()

    # ---- parts of programs ------------------------------------------------------------------------------------

    def begin(self, shuffle: bool) -> None:
        """Ops at the start of an epoch: back to the first batch, of a new order where shuffled."""
        fill(self.cursor, value=0)
        if shuffle:
            advance(self.epoch, by=1)
            shuffle_step(self.order, self.keys, self.epoch, seed=self.seed, stream=self.stream)

    def batch(self, size: int) -> dict[str, Tensor]:
        """Ops that gather the rows of the next batch."""
        with section_scope("batch", folded=True):
            return {name: gather_rows(t, self.order, self.cursor, batch=size) for name, t in self.tensors.items()}

    def store(self, outputs: list[Tensor]) -> None:
        """Ops that put a batch's outputs where its rows belong in `results`."""
        with section_scope("results"):
            for result, output in zip(self.results, outputs, strict=True):
                store_step(result, output, self.cursor)

    def next(self, size: int) -> None:
        """Op that moves on to the next batch."""
        with section_scope("next step", folded=True):
            advance(self.cursor, by=size)


class Feeds:
    """A model's feeds, by mode and row shapes; several of a kind where they are in use at the same time.

    `epoch` counts the orders that were shuffled; with (seed, stream), drawn at `restart`, it decides each of them.
    """

    def __init__(self) -> None:
        self.epoch = Variable(0, "epoch", dtype="int64", trainable=False)
        self.seed, self.stream = 0, 0
        self._found: dict[Any, Feed] = {}
        self._lock = threading.RLock()      # predict may run beside fit, in another thread; an interrupted thread that
                                            # still holds it does not wait for itself

    def __iter__(self) -> Iterator[Feed]:
        return iter(list(self._found.values()))

    def forget(self) -> None:
        """Make new feeds from now on: the old ones have another seed."""
        self._found.clear()

    def restart(self) -> None:
        """A new compilation: batches in a new random order."""
        self.forget()
        self.seed, self.stream = seeds.new_shuffle()
        self.epoch.assign(0)

    def take(self, mode: str, arrays: dict[str, np.ndarray], user: Any) -> Feed:
        """A feed for arrays of these row shapes that nobody is using, loaded with them, for this source."""
        with self._lock:
            key = mode, Feed.signature(arrays)
            number = 0
            while (*key, number) in self._found and self._found[*key, number].busy:
                number += 1
            if (*key, number) not in self._found:
                self._found[*key, number] = Feed(mode, arrays, self.epoch, self.seed, self.stream)
            feed = self._found[*key, number]
            feed.user = weakref.ref(user)
        feed.template = getattr(arrays, "template", ("x0", None))
        feed.load(arrays)
        return feed
