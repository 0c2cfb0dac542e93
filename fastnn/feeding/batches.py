"""Batches: what a generator, an iterator or a PyDataset gives, adapted to the model batch by batch. Floor 4."""

import inspect
import itertools
import warnings
from collections.abc import Iterable, Iterator, KeysView, Set, ValuesView
from typing import Any

import numpy as np

from fastnn.errors import shown
from fastnn.feeding import arguments, checks
from fastnn.feeding.prefetch import Prefetch, in_threads
from fastnn.feeding.pydataset import PyDataset
from fastnn.nest import flatten
from fastnn.reference import _philox

DEPTH = 10      # batches that an iterator may be ahead, as Keras' max_queue_size
_ARRAY_LIKE = ("__array__", "__array_interface__", "__dlpack__", "to_numpy", "tocsr", "__getitem__")
_ENDLESS = (itertools.count, itertools.cycle, itertools.repeat)


def is_batches(x: Any, where: str) -> bool:
    """Whether x gives batches: a PyDataset, an iterator (generator, zip, …), or an iterable that is no data itself."""
    if inspect.isgeneratorfunction(x):
        raise TypeError(f"{where}: x is the generator function {x.__name__}; needs what it makes: call it, "
                        f"{x.__name__}().")
    if isinstance(x, PyDataset) or hasattr(x, "__next__"):
        return True
    return (isinstance(x, Iterable) and not isinstance(x, (Set, KeysView, ValuesView, str, bytes, memoryview))
            and not any(hasattr(x, name) for name in _ARRAY_LIKE))


class Batches:
    """The batches of one fit, evaluate, predict or validation. Each pass over them is a `Prefetch` of named arrays.

    given: what the user gave. mode: "train", "validation", "evaluate" or "predict". steps: batches of a pass, None for
    all there are.
    A PyDataset, or an iterable that can begin anew, begins anew when it has ended; an iterator goes on where the last
    pass stopped, and is asked for no batch too many where `steps` says how many are needed.
    Raises ValueError where the number of batches is needed and cannot be known.
    """

    def __init__(self, model: Any, given: Any, where: str, mode: str, steps: int | None, *, steps_name: str = "steps",
                 class_weight: Any = None, shuffle: bool = False, check_finite: bool = True) -> None:
        self.model, self.given, self.where, self.steps = model, given, where, steps
        self.feed_mode, self.mode = mode, mode if mode in ("train", "predict") else "test"
        self.class_weight, self.shuffle, self.check_finite = class_weight, shuffle, check_finite
        self.dataset = given if isinstance(given, PyDataset) else None
        self.length = given.num_batches if self.dataset is not None else None
        if self.length == 0:
            raise ValueError(f"{where}: {type(given).__name__} has 0 batches; needs at least one.")
        if steps is None and (isinstance(given, _ENDLESS) or (self.dataset is not None and self.length is None)):
            raise ValueError(f"{where}: {type(given).__name__} has no end; needs the number of batches to "
                             f"take: {steps_name}=….")
        if isinstance(class_weight, str):
            raise ValueError(f"{where}: class_weight={shown(class_weight)} needs all labels at once; for batches give "
                             "a dict {class: weight}.")
        self.restarts = self.dataset is not None or not hasattr(given, "__next__")
        self.feeds: dict[Any, Any] = {}         # by the shapes of rows
        self.depth = DEPTH if self.dataset is None else self.dataset.max_queue_size
        self._source: Iterator[Any] | None = None
        self._taken = 0         # from this source
        self._running: Prefetch | None = None
        self._symbols: dict[Any, list[Any]] = {}
        self._peeked: list[dict[str, np.ndarray]] = []
        self._begun = False
        self._number = 0        # of the random order of this pass

    @property
    def total(self) -> int | None:
        """Batches of a pass, where they can be known."""
        return self.length if self.steps is None else self.steps

    def peek(self) -> "Batches":
        """Make and adapt the first batch, so that what is wrong with it is said before anything changes."""
        self._number = int(self.model._steps.epoch.data) + 1
        items = self._adapted()
        try:
            self._peeked = [next(items)]
        except StopIteration:
            raise ValueError(f"{self.where}: {type(self.given).__name__} gave no batch; needs at least one. An "
                             "iterator gives its batches once: make a new one.") from None
        return self

    # ---- one pass ---------------------------------------------------------------------------------------------

    def begin(self) -> Iterator[dict[str, np.ndarray]]:
        """The batches of the next pass, made in the background."""
        self.stop()
        if self.dataset is not None and self.shuffle:
            epoch = self.model._steps.epoch
            self._number = int(epoch.data) + 1
            epoch.assign(self._number)
        self._running = Prefetch(self._adapted(self._peeked), self.depth)
        self._running.start()
        self._peeked = []
        return self._running

    def end(self) -> None:
        """A pass is over: the data set may prepare the next."""
        self.stop()
        self._begun = False
        if self.dataset is not None:
            self.dataset.on_epoch_end()
        if self.steps is None or self._taken == self.length:
            self._source = None

    def stop(self) -> None:
        """End the thread, if there is one."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def close(self) -> None:
        """End all threads; nothing is kept of the data."""
        self.stop()
        if self.dataset is not None and self._source is not None:
            self._source.close()  # type: ignore[attr-defined]
        self._source = None
        self._peeked = []

    def _adapted(self, first: list[dict[str, np.ndarray]] | None = None) -> Iterator[dict[str, np.ndarray]]:
        yield from first or []
        number = len(first or [])
        for item in self._items(number):
            number += 1
            yield self.adapt(item, f"{self.where}, batch {number}")

    def _items(self, taken: int) -> Iterator[Any]:
        """What the user's code gives for one pass, `taken` of which are there already."""
        if not self._begun:
            self._begun = True
            if self.dataset is not None:
                self.dataset.on_epoch_begin()
            if self.mode != "train" and self.restarts:
                self._source = None     # validation sees the same batches every time
        while self.steps is None or taken < self.steps:
            fresh = self._source is None
            if self._source is None:
                self._source, self._taken = self._begin_anew(), 0
            for item in self._source:
                taken += 1
                self._taken += 1
                fresh = False
                yield item
                if taken == self.steps:
                    return
            self._source = None
            if self.steps is None or fresh or not self.restarts:
                return      # all there is, or an iterator that has ended
            if self.dataset is not None:
                self.dataset.on_epoch_end()
                self.dataset.on_epoch_begin()

    def _begin_anew(self) -> Iterator[Any]:
        if self.dataset is None:
            return iter(self.given)
        if self.length is None:
            indices: Any = itertools.count()
        elif self.shuffle:
            indices = self._order(self.length)
        else:
            indices = range(self.length)
        return in_threads(self.dataset.__getitem__, indices, self.dataset.workers, self.depth)

    def _order(self, n: int) -> list[int]:
        """The batches in the random order of this epoch of the model."""
        seed, stream = self.model._steps._stream
        keys = _philox.bits(n, self._number, seed, stream)
        return [int(i) for i in np.argsort(keys, kind="stable")]

    # ---- one batch --------------------------------------------------------------------------------------------

    def adapt(self, item: Any, where: str) -> dict[str, np.ndarray]:
        """Named arrays of this batch's own: the user's code may fill the same array again."""
        x, y, weight = self._parts(item, where)
        arrays = arguments.adapt_x(self.model, x, where, self.check_finite)
        if self.mode == "predict":
            checks.check_lengths(arrays, where)
            self.symbols(arrays)
        else:
            if not self._symbols and hasattr(y, "shape") and y.shape:      # before x gives a model its shape
                checks.check_lengths({**arrays, "y0": y}, where)
            shapes = [t.shape for t in self.symbols(arrays)]
            arrays = arguments.adapt_targets(self.model, arrays, y, weight, shapes, where, self.class_weight,
                                           self.check_finite, part=True)
        given = {id(leaf) for leaf in flatten((x, y, weight))}
        return {name: array.copy() if id(array) in given or not array.flags.owndata else array
                for name, array in arrays.items()}

    def symbols(self, arrays: dict[str, np.ndarray]) -> list[Any]:
        """The model's symbolic outputs for inputs of these row shapes."""
        key = tuple((array.shape[1:], array.dtype.str) for name, array in arrays.items() if name.startswith("x"))
        if key not in self._symbols:
            self._symbols[key] = arguments.build(self.model, arrays)
        return self._symbols[key]

    def _parts(self, item: Any, where: str) -> tuple[Any, Any, Any]:
        if self.mode == "predict" and not isinstance(item, (tuple, list)):
            item = (item,)
        if isinstance(item, (tuple, list)) and (1 if self.mode == "predict" else 2) <= len(item) <= 3:
            return item[0], item[1] if len(item) > 1 else None, item[2] if len(item) > 2 else None
        what = f"{type(item).__name__} of {len(item)}" if isinstance(item, (tuple, list)) else type(item).__name__
        needs = "x, (x,), " if self.mode == "predict" else ""
        raise ValueError(f"{where} is a {what}; needs {needs}(x, y) or (x, y, sample_weight); a model with several "
                         "inputs takes a list or a dict of arrays as x.")


def refuse_with_batches(where: str, **arguments: Any) -> None:
    """ValueError for the first argument that belongs to arrays only."""
    why = {"y": "the batches hold the targets", "sample_weight": "give (x, y, sample_weight) as a batch",
           "batch_size": "the batches have their sizes", "validation_split": "pass validation_data"}
    for name, value in arguments.items():
        if value is not None and not (name == "validation_split" and value == 0):
            raise ValueError(f"{where}: {name} does not go with batches from a generator or data set; "
                             f"{why.get(name, why['batch_size'])}.")


def warn_out_of_data(batches: Batches, done: int, stops: bool) -> None:
    """What Keras says where an iterator ends too early."""
    wanted = f" of {batches.steps}" if batches.steps else ""
    warnings.warn(f"{batches.where}: ran out of data after {done}{wanted} batches"
                  f"{'; training stops' if stops else ''}. The iterator must give steps x epochs batches; make it "
                  "endless, or use a utils.PyDataset.", UserWarning, stacklevel=4)
