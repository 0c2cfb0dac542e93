"""Batches for fit made from something else than arrays of rows: windows of a series, sequences of different lengths.
Under the names of `keras.utils` where it has them."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastnn import seeds
from fastnn.arguments import flag, optional, whole
from fastnn.errors import ShapeError, shown
from fastnn.preprocessing.sequence import pad_sequences

__all__ = ["Batches", "bucketed_dataset_from_sequences", "timeseries_dataset_from_array"]


class Batches:
    """An iterable of batches, made when they are asked for; each pass begins anew. fit, evaluate and predict take it.

    groups: which samples may be together in a batch; make: a batch of the samples with these numbers. batch_size None:
    single samples, without a batch axis. shuffle: every pass has an order of its own.
    """

    def __init__(self, groups: Sequence[np.ndarray], make: Callable[[np.ndarray], Any], batch_size: int | None,
                 shuffle: bool, seed: int | None, where: str) -> None:
        self._groups, self._make = groups, make
        self._batch = optional(whole, batch_size, f"{where}: batch_size")
        self._shuffle = flag(shuffle, f"{where}: shuffle")
        self._draws = np.random.Generator(np.random.Philox(key=list(seeds.new_stream(seed))))
        self._most: int | None = None       # batches of a pass
        self.class_names: list[str] | None = None
        self.file_paths: list[str] | None = None

    def __len__(self) -> int:
        count = sum(-(-len(group) // (self._batch or 1)) for group in self._groups)
        return count if self._most is None else min(count, self._most)

    @property
    def num_batches(self) -> int:
        """How many batches a pass has."""
        return len(self)

    def take(self, count: int) -> "Batches":
        """The first so many batches of each pass: for x, y in batches.take(1)."""
        twin = copy.copy(self)
        twin._most = min(whole(count, "take: count", 0), len(self))
        return twin

    def map(self, function: Callable[..., Any]) -> "Batches":
        """The same batches with function(x) or function(x, y) in the place of each: to make numbers of texts, say."""
        twin, make = copy.copy(self), self._make

        def mapped(rows: np.ndarray) -> Any:
            batch = make(rows)
            return function(*batch) if isinstance(batch, tuple) else function(batch)
        twin._make = mapped
        return twin

    def __iter__(self) -> Iterator[Any]:
        size = self._batch or 1
        parts = []
        for group in self._groups:
            order = self._draws.permutation(group) if self._shuffle else group
            parts += [order[begin:begin + size] for begin in range(0, len(order), size)]
        mixed = self._shuffle and len(self._groups) > 1
        for place in (self._draws.permutation(len(parts)) if mixed else range(len(parts)))[:self._most]:
            batch = self._make(parts[place])
            one = self._batch is None
            yield batch if not one else tuple(b[0] for b in batch) if isinstance(batch, tuple) else batch[0]


def check_format(format: str | None, where: str) -> None:
    """ValueError for batches of another library."""
    if format not in ("tf", None):
        raise ValueError(f"{where}: format is {shown(format)}; needs 'tf', Keras' default, or None: the batches are "
                         "fastnn's, for fit, evaluate and predict.")


def timeseries_dataset_from_array(data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1,
                                  sampling_rate: int = 1, batch_size: int | None = 128, shuffle: bool = False,
                                  seed: int | None = None, start_index: int | None = None,
                                  end_index: int | None = None, format: str | None = "tf") -> Batches:
    """Windows of a series in batches, with targets[i] for the window that begins at step i; targets None: windows only.

    data (steps, ...) → x (batch, sequence_length, ...). sequence_stride: steps between the beginnings of windows;
    sampling_rate: steps between the rows of a window. start_index, end_index: the part of data to use, end not
    included. format: Keras' default alone; what comes out is the same Batches always.
    Source: keras.utils.timeseries_dataset_from_array.

    >>> next(iter(timeseries_dataset_from_array(np.arange(6), np.arange(3, 6), sequence_length=3)))
    (array([[0, 1, 2], [1, 2, 3], [2, 3, 4]]), array([3, 4, 5]))
    """
    where = "timeseries_dataset_from_array"
    check_format(format, where)
    series, wanted = np.asarray(data), None if targets is None else np.asarray(targets)
    length, rate = whole(sequence_length, f"{where}: sequence_length"), whole(sampling_rate, f"{where}: sampling_rate")
    stride = whole(sequence_stride, f"{where}: sequence_stride")
    if not series.ndim:
        raise ShapeError(f"{where}: data is {shown(data)}; needs an array of steps.")
    begin = 0 if start_index is None else whole(start_index, f"{where}: start_index", 0)
    end = len(series) if end_index is None else whole(end_index, f"{where}: end_index")
    if not begin < end <= len(series):
        raise ValueError(f"{where}: start_index is {begin} and end_index {end}; needs 0 <= start_index < end_index <= "
                         f"{len(series)}, the steps of data.")
    count = end - begin - (length - 1) * rate
    if wanted is not None:
        count = min(count, len(wanted) - begin)
    if count < 1:
        raise ValueError(f"{where}: {end - begin} steps have no window of {length} steps, {rate} apart"
                         + ("" if wanted is None else f", with a target ({len(wanted)} of them)")
                         + "; needs at least one. Use a smaller sequence_length.")

    def make(rows: np.ndarray) -> Any:
        windows = series[rows[:, None] + np.arange(length) * rate]
        return windows if wanted is None else (windows, wanted[rows])
    return Batches([begin + np.arange(0, count, stride)], make, batch_size, shuffle, seed, where)


def bucketed_dataset_from_sequences(sequences: Sequence[Any], targets: Any = None, batch_size: int = 32,
                                    boundaries: Sequence[int] = (8, 16, 32, 64, 128, 256), padding: str = "post",
                                    value: float = 0, dtype: Any = "int32", shuffle: bool = True,
                                    seed: int | None = None) -> Batches:
    """Sequences of different lengths in batches of about one length, so that little of a batch is padding and few
    programs serve all: one for each length in `boundaries`, and one for its short last batch.

    A sequence goes to the first boundary that is not below its length, and is padded to that; to one of the longest
    sequence's length if it is beyond them all. targets: one a sequence, or a sequence of numbers each (as long as the
    sequence: padded alike), or None. value: for the padding, at the 'post' or 'pre' end. Mask it: Embedding(mask_zero),
    Masking.

    >>> [x.shape for x in bucketed_dataset_from_sequences([[1], [2, 3, 4], [5, 6]], boundaries=(2, 4), shuffle=False)]
    [(2, 2), (1, 4)]
    """
    where = "bucketed_dataset_from_sequences"
    lengths = np.array([len(each) for each in sequences])
    if not len(lengths) or (lengths == 0).any():
        raise ValueError(f"{where}: sequences is {shown(sequences)}; needs at least one, and none of them empty.")
    ends = [whole(n, f"{where}: boundaries") for n in boundaries]
    if ends != sorted(set(ends)):
        raise ValueError(f"{where}: boundaries is {shown(boundaries)}; needs whole numbers that grow.")
    if targets is not None and len(targets) != len(lengths):
        raise ValueError(f"{where}: there are {len(lengths)} sequences and {len(targets)} targets; needs as many.")
    ends = [n for n in ends if n < lengths.max()] + [next((n for n in ends if n >= lengths.max()), int(lengths.max()))]
    bucket = np.searchsorted(ends, lengths)
    sizes = np.zeros(1) if targets is None or not np.ndim(targets[0]) else np.array([len(each) for each in targets])
    per_step = np.array_equal(sizes, lengths)
    if not per_step and (sizes != sizes[0]).any():
        row = int(np.flatnonzero(sizes != lengths)[0])
        raise ValueError(f"{where}: target {row} has {sizes[row]} numbers and its sequence {lengths[row]}; needs one "
                         "for each step, or as many for all sequences.")

    def make(rows: np.ndarray) -> Any:
        end = ends[bucket[rows[0]]]
        x = pad_sequences([sequences[i] for i in rows], end, dtype, padding, value=value)
        if targets is None:
            return x
        chosen = [targets[i] for i in rows]
        return x, pad_sequences(chosen, end, np.asarray(targets[0]).dtype, padding) if per_step else np.asarray(chosen)
    groups = [np.flatnonzero(bucket == i) for i in range(len(ends))]
    return Batches([group for group in groups if len(group)], make, whole(batch_size, f"{where}: batch_size"), shuffle,
                   seed, where)
