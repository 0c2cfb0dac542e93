"""PyDataset: batches by number, made by a user's class. Floor 4; imports the checks of arguments only."""

import itertools
from collections.abc import Iterator
from typing import Any

from fastnn.arguments import flag, whole
from fastnn.errors import warn


class PyDataset:
    """Base of data sets that make their batches in Python: write `__len__` (batches) and `__getitem__` (one batch).

    `__getitem__(i)` returns (x, y) or (x, y, sample_weight), for predict also x or (x,). fit asks for every batch once
    an epoch, in random order unless shuffle=False, and calls `on_epoch_begin` and `on_epoch_end` around them. Batches
    are made in the background, while C computes.

    workers: threads that call `__getitem__`. max_queue_size: how many batches they may be ahead. use_multiprocessing
    is accepted with a warning: there are threads only, and NumPy and C let go of Python's lock. ValueError for numbers
    below 1 (workers: 0, which counts as 1). `num_batches` may be overridden to return None: endless, which needs
    steps_per_epoch. Source: keras.utils.PyDataset (once Sequence).
    """

    _workers, _max_queue_size = 1, 10       # where a subclass does not call super().__init__()
    use_multiprocessing = False

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self._workers = whole(workers, f"{type(self).__name__}: workers", 0)
        self._max_queue_size = whole(max_queue_size, f"{type(self).__name__}: max_queue_size")
        self.use_multiprocessing = flag(use_multiprocessing, f"{type(self).__name__}: use_multiprocessing")
        if self.use_multiprocessing:
            warn(f"{type(self).__name__}: use_multiprocessing=True has no effect; batches are made in "
                 f"{max(1, workers)} thread(s) of this process. Set workers for more.")

    @property
    def workers(self) -> int:
        """How many threads make batches."""
        return self._workers

    @property
    def max_queue_size(self) -> int:
        """How many batches they may be ahead."""
        return self._max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index), which returns batch "
                                  "number index.")

    @property
    def num_batches(self) -> int | None:
        """How many batches an epoch has; None where there is no end."""
        if not hasattr(self, "__len__"):
            raise NotImplementedError(f"{type(self).__name__} must define __len__(self), the number of batches.")
        return len(self)

    def __iter__(self) -> Iterator[Any]:
        """One epoch's batches in order."""
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    def get_state(self) -> dict[str, Any]:
        """What a fit that is resumed goes on with: the attributes that are numbers and texts."""
        return {name: value for name, value in vars(self).items() if isinstance(value, (bool, int, float, str))}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on with a get_state()."""
        vars(self).update(state)

    def on_epoch_begin(self) -> None:
        """An epoch begins."""

    def on_epoch_end(self) -> None:
        """An epoch has ended; here the order or the data may change."""
