"""Batches: what a generator, an iterator or a PyDataset gives, adapted to the model batch by batch. Floor 4."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastnn.errors import ShapeError, shown, warn
from fastnn.feeding import arguments, checks
from fastnn.feeding.feed import Feed
from fastnn.feeding.items import Items
from fastnn.feeding.model import TrainedModel
from fastnn.feeding.prefetch import Prefetch
from fastnn.feeding.raw import adapt_raw
from fastnn.feeding.source import Source
from fastnn.nest import flatten

KEPT_BYTES = 1 << 26        # of batches, for finding where a loss went bad


class Batches(Source):
    """The batches of one fit, evaluate, predict or validation. Each pass over them is a `Prefetch` of named arrays.

    items: where they come from. Every row shape has a feed of one batch, whose arrays are replaced before each step.
    """

    def __init__(self, model: TrainedModel, mode: str, items: Items, where: str, class_weight: Any = None,
                 check_finite: bool = True) -> None:
        super().__init__(model, mode)
        if isinstance(class_weight, str):
            raise ValueError(f"{where}: class_weight={shown(class_weight)} needs all labels at once; for batches give "
                             "a dict {class: weight}.")
        self.items, self.where, self.class_weight, self.check_finite = items, where, class_weight, check_finite
        self.total = min((n for n in (items.length, items.steps) if n is not None), default=None)
        self._own = mode != "predict" and model.writes("train" if mode == "train" else "test")
        self._running: Prefetch | None = None
        self._symbols: dict[Any, list[Any]] = {}
        self._peeked: list[dict[str, np.ndarray]] = []
        self._feeds: dict[Any, Feed] = {}       # by the shapes of rows
        self._next: dict[str, np.ndarray] | None = None
        self._consumed = 0      # steps of all passes
        self._ended = False
        self._kept: list[dict[str, np.ndarray]] = []        # since mark()
        self._size = 0
        self._results: list[list[np.ndarray]] = []      # of each batch

    def peek(self) -> "Batches":
        """Make and adapt the first batch, so that what is wrong with it is said before anything changes."""
        self.items.number(keep=False)
        items = self._adapted()
        try:
            self._peeked = [next(items)]
        except StopIteration:
            raise ValueError(f"{self.where}: {type(self.items.given).__name__} gave no batch; needs at least one. An "
                             "iterator gives its batches once: make a new one.") from None
        return self

    # ---- one pass ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        self._stop()
        self.items.number(keep=True)
        self._next, self.done, self._ended, self._results = None, 0, False, []
        self._running = Prefetch(self._adapted(self._peeked), self.items.depth)
        self._running.start()
        self._peeked = []

    @property
    def finished(self) -> bool:
        if self._next is None and not self._ended:
            if self._running is not None and (self.total is None or self.done < self.total):
                self._next = next(self._running, None)
            if self._next is None:
                self._ended = True
                self._end()
        return self._ended

    def feed(self) -> tuple[Feed, int, int] | None:
        if self.finished:
            return None
        arrays = self._next
        assert arrays is not None
        feed = self._aimed(arrays)
        if self.mode == "predict":
            feed.receive(checks.room(self.symbols(arrays), feed.count))
        return feed, feed.count, 1

    def _aimed(self, arrays: dict[str, np.ndarray]) -> Feed:
        """The feed of these row shapes, pointed at these arrays."""
        key = Feed.signature(arrays)
        if key not in self._feeds:
            self._feeds[key] = self.model._feeds.take(self.mode, arrays, self)
        self._feeds[key].refill(arrays)
        return self._feeds[key]

    def took(self, count: int) -> None:
        arrays, self._next = self._next, None
        assert arrays is not None and count == 1
        self.done += 1
        self._consumed += 1
        if self.mode == "train":
            self._kept.append(arrays)
            self._size += sum(array.nbytes for array in arrays.values())
        elif self.mode == "predict":
            self._results.append([t.data for t in self._feeds[Feed.signature(arrays)].results])

    @property
    def full(self) -> bool:
        return self._size >= KEPT_BYTES

    def mark(self) -> None:
        self._kept, self._size = [], 0

    def again(self, steps: int) -> Iterator[tuple[Feed, int]]:
        for arrays in self._kept[:steps]:
            feed = self._aimed(arrays)
            yield feed, feed.count

    def outputs(self) -> list[np.ndarray]:
        return self.latest(self.done)

    def latest(self, steps: int) -> list[np.ndarray]:
        """One array per output from those of the batches. ShapeError where their rows differ in shape."""
        outputs = list(zip(*self._results[-steps:], strict=True))
        for arrays in outputs:
            shapes = {array.shape[1:] for array in arrays}
            if len(shapes) > 1:
                a, b = sorted(shapes)[:2]
                raise ShapeError(f"{self.where}: the outputs of the batches have rows of shapes {a} and {b}; needs "
                                 "one shape to make one array. Predict batches of one shape at a time.")
        return [np.concatenate(arrays) for arrays in outputs]

    def again_as(self, mode: str) -> "Batches":
        items = self.items
        if not items.restarts:
            raise ValueError(f"{self.where}: evaluate_train reads the data twice; {type(items.given).__name__} gives "
                             "its batches once.\nIt needs arrays or a utils.PyDataset.")
        other = Items(items.given, self.where, None if items.length else items.steps, items.feeds)
        return Batches(self.model, mode, other, self.where, self.class_weight, self.check_finite)

    def position(self) -> dict[str, Any]:
        return {"done": self.done, "ended": self._ended, "consumed": self._consumed,
                **self.items.state(self._consumed)}

    def resume(self, position: dict[str, Any]) -> None:
        self._stop()
        seen, self._peeked, self._next = len(self._peeked), [], None
        self.done, self._ended, self._consumed = position["done"], position["ended"], position["consumed"]
        self.items.resume(position, seen)
        if self.done and not self._ended:      # in the middle of a pass
            self._running = Prefetch(self._adapted(taken=self.done), self.items.depth)
            self._running.start()

    def _end(self) -> None:
        """A pass is over. A warning as Keras gives it, where it is over too early; fit ends then, unless the data can
        begin anew."""
        self._stop()
        self.items.end()
        if not self.done or (self.total is not None and self.done < self.total):
            anew = self.items.restarts and self.done
            stops = self.mode == "train" and not anew
            wanted = f" of {self.items.steps}" if self.items.steps else ""
            what = "; the next epoch begins anew" if anew else "; training stops" if stops else ""
            warn(f"{self.where}: ran out of data after {self.done}{wanted} batches{what}. "
                 + ("Leave out how many it should take for all there are." if anew else
                    "The iterator must give steps x epochs batches; make it endless, or use a utils.PyDataset."))
            self.model.stop_training |= stops

    def _stop(self) -> None:
        """End the thread, if there is one."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def close(self) -> None:
        self._stop()
        self.items.close()
        self._peeked, self._kept = [], []
        for feed in self._feeds.values():
            self.model._steps.release(feed)
        self._feeds = {}

    def _adapted(self, first: list[dict[str, np.ndarray]] | None = None,
                 taken: int = 0) -> Iterator[dict[str, np.ndarray]]:
        """The batches of a pass after `taken` of them; `first` are there already."""
        yield from first or []
        taken += len(first or [])
        for number, item in enumerate(self.items.of_pass(taken), 1 + taken):
            yield self.adapt(item, f"{self.where}, batch {number}")

    # ---- one batch --------------------------------------------------------------------------------------------

    def adapt(self, item: Any, where: str) -> dict[str, np.ndarray]:
        """Named arrays of this batch's own: the user's code may fill the same array again."""
        x, y, weight = self._parts(item, where)
        if self._own:
            named = adapt_raw(self.model, x, y, weight, where, self.class_weight, self.check_finite,
                                        part=True)
            return named.like({name: array.copy() for name, array in named.items()})
        arrays = arguments.adapt_x(self.model, x, where, self.check_finite)
        if self.mode == "predict":
            checks.check_lengths(arrays, where)
            self.symbols(arrays)
        else:
            if not self._symbols and hasattr(y, "shape") and y.shape:      # before x gives a model its shape
                checks.check_lengths({**arrays, "y0": y}, where)
            shapes = [t.shape for t in self.symbols(arrays)]
            arrays = arrays.like(arguments.adapt_targets(self.model, arrays, y, weight, shapes, where,
                                                         self.class_weight, self.check_finite, part=True))
        given = {id(leaf) for leaf in flatten((x, y, weight))}
        return arrays.like({name: array.copy() if id(array) in given or not array.flags.owndata else array
                            for name, array in arrays.items()})

    def symbols(self, arrays: dict[str, np.ndarray]) -> list[Any]:
        """The model's symbolic outputs for inputs of these row shapes."""
        inputs = {name: array for name, array in arrays.items() if name.startswith("x")}
        key = repr(getattr(arrays, "template", "")), *((a.shape[1:], a.dtype.str) for a in inputs.values())
        if key not in self._symbols:
            self._symbols[key] = arguments.build(self.model, arrays)
        return self._symbols[key]

    def _parts(self, item: Any, where: str) -> tuple[Any, Any, Any]:
        alone = self.mode == "predict" or self._own or self.model.compiled.targetless
        if alone and not isinstance(item, (tuple, list)):
            item = (item,)
        if isinstance(item, (tuple, list)) and (1 if alone else 2) <= len(item) <= 3:
            return item[0], item[1] if len(item) > 1 else None, item[2] if len(item) > 2 else None
        what = f"{type(item).__name__} of {len(item)}" if isinstance(item, (tuple, list)) else type(item).__name__
        needs = "x, (x,), " if alone else ""
        raise ValueError(f"{where} is a {what}; needs {needs}(x, y) or (x, y, sample_weight); a model with several "
                         "inputs takes a list or a dict of arrays as x.")
