"""Sequences of numbers: to one length, into windows, and into pairs for word vectors (Keras'
preprocessing.sequence)."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import seeds
from fastnn.errors import ShapeError, nearest, shown
from fastnn.feeding.pydataset import PyDataset

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]

_ENDS = ("pre", "post")


def pad_sequences(sequences: Sequence[Any], maxlen: int | None = None, dtype: Any = "int32", padding: str = "pre",
                  truncating: str = "pre", value: Any = 0.0) -> np.ndarray:
    """Sequences of different lengths as one array: longer ones cut, shorter ones filled with `value`.

    sequences: lists, each of numbers or of vectors of one shape. maxlen: the longest one's length unless given.
    padding, truncating: 'pre' or 'post', where to fill and where to cut. → (sequences, maxlen, ...). ShapeError where
    vectors have different shapes; ValueError for another choice, for text, and for a value that the dtype cannot hold.

    >>> pad_sequences([[1, 2, 3], [4]])
    array([[1, 2, 3], [0, 0, 4]], dtype=int32)
    """
    for name, choice in (("padding", padding), ("truncating", truncating)):
        if choice not in _ENDS:
            raise ValueError(f"pad_sequences: {name} is {shown(choice)}; {nearest(choice, _ENDS)}")
    if isinstance(sequences, (str, bytes)) or not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences: sequences is {shown(sequences)}; needs a list of lists.")
    arrays = []
    for i, each in enumerate(sequences):
        if isinstance(each, (str, bytes)) or not hasattr(each, "__len__"):
            raise ValueError(f"pad_sequences: sequence {i} is {shown(each)}; needs a list of numbers. Text becomes "
                             "numbers by preprocessing.text.Tokenizer.")
        arrays.append(np.asarray(each))
    length = max((len(a) for a in arrays), default=0) if maxlen is None else _positive("pad_sequences: maxlen", maxlen)
    inner = next((a.shape[1:] for a in arrays if len(a)), ())
    kind = np.dtype(object if dtype is str else dtype)
    if kind.kind not in "OSU" and isinstance(value, str):
        raise ValueError(f"pad_sequences: value is {shown(value)} and dtype is {kind}; pass dtype=object for text.")
    result = np.full((len(arrays), length, *inner), value, kind)
    for i, array in enumerate(arrays):
        if not len(array):
            continue
        if array.shape[1:] != inner:
            raise ShapeError(f"pad_sequences: sequence {i} has steps of shape {array.shape[1:]}; needs {inner}, as "
                             "those before it.")
        kept = array[max(0, len(array) - length):] if truncating == "pre" else array[:length]
        begin = length - len(kept) if padding == "pre" else 0
        result[i, begin:begin + len(kept)] = kept
    return result


def _positive(what: str, value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < least:
        raise ValueError(f"{what} is {shown(value)}; needs a whole number >= {least}.")
    return int(value)


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """How likely the word of each rank is to be kept, where frequent words are drawn less often: (size,) float64.

    p(rank) = min(1, √f) with f = factor·rank·(ln rank + γ) + …, the frequency of rank r being 1 / (r·(ln r + γ) + 1/2 -
    1 / 12r) by Zipf's law; rank 0 counts as 1. Mikolov et al. 2013; keras' make_sampling_table.
    """
    rank = np.arange(_positive("make_sampling_table: size", size), dtype=np.float64)
    rank[0] = 1
    inverse = rank * (np.log(rank) + 0.577) + 0.5 - 1.0 / (12.0 * rank)
    return np.minimum(1.0, np.sqrt(sampling_factor * inverse))


def skipgrams(sequence: Sequence[int], vocabulary_size: int, window_size: int = 4, negative_samples: float = 1.0,
              shuffle: bool = True, categorical: bool = False, sampling_table: Any = None,
              seed: int | None = None) -> tuple[list[list[int]], list[Any]]:
    """Pairs (word, word nearby) with label 1 and (word, drawn word) with label 0, for word vectors.

    sequence: word numbers, 0 being no word. window_size: how far apart. negative_samples: drawn pairs for each true
    one. categorical: labels [0, 1] and [1, 0]. sampling_table: how likely each word is kept. → (pairs, labels). Mikolov
    et al. 2013.
    """
    key, stream = seeds.new_stream(seed)
    draws = np.random.Generator(np.random.Philox(key=[key, stream]))
    words = [int(w) for w in sequence]
    pairs: list[list[int]] = []
    for i, word in enumerate(words):
        if not word or (sampling_table is not None and sampling_table[word] < draws.random()):
            continue
        near = words[max(0, i - window_size):i] + words[i + 1:i + 1 + window_size]
        pairs += [[word, other] for other in near if other]
    true = len(pairs)
    if negative_samples > 0 and true:
        others = draws.integers(1, max(2, vocabulary_size), int(true * negative_samples))
        centres = [pairs[j][0] for j in draws.permutation(true)]
        pairs += [[centres[j % true], int(other)] for j, other in enumerate(others)]
    labels: list[Any] = [1 if j < true else 0 for j in range(len(pairs))]
    if categorical:
        labels = [[0, 1] if label else [1, 0] for label in labels]
    if shuffle:
        order = draws.permutation(len(pairs))
        pairs, labels = [pairs[j] for j in order], [labels[j] for j in order]
    return pairs, labels


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a series, each with the value that comes next (Keras' class of this name; a PyDataset).

    data (steps, ...), targets as long; window i is data[i - length:i:sampling_rate], its target targets[i]. stride:
    steps between windows. start_index, end_index: the first and last step that is a target's. reverse: windows run
    backwards. ValueError where lengths differ or no window fits.

    >>> TimeseriesGenerator(np.arange(10), np.arange(10), length=3, batch_size=2)[0]
    (array([[0, 1, 2], [1, 2, 3]]), array([3, 4]))
    """

    def __init__(self, data: Any, targets: Any, length: int, sampling_rate: int = 1, stride: int = 1,
                 start_index: int = 0, end_index: int | None = None, shuffle: bool = False, reverse: bool = False,
                 batch_size: int = 128) -> None:
        super().__init__()
        self.data, self.targets = np.asarray(data), np.asarray(targets)
        if len(self.data) != len(self.targets):
            raise ValueError(f"TimeseriesGenerator: data has {len(self.data)} steps and targets {len(self.targets)}; "
                             "needs as many of both.")
        self.length, self.sampling_rate = _positive("length", length), _positive("sampling_rate", sampling_rate)
        self.stride, self.batch_size = _positive("stride", stride), _positive("batch_size", batch_size)
        self.start_index = _positive("start_index", start_index, 0) + self.length
        self.end_index = len(self.data) - 1 if end_index is None else _positive("end_index", end_index, 0)
        self.shuffle, self.reverse = bool(shuffle), bool(reverse)
        if self.start_index > self.end_index:
            raise ValueError(f"TimeseriesGenerator: the first target would be step {self.start_index} and the last "
                             f"{self.end_index}; no window of {self.length} steps fits. Use a smaller length.")
        self._seed, self._stream = seeds.new_stream()
        self._epoch = 0
        self._asked: dict[int, int] = {}        # how often for each batch of this epoch

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._asked.clear()

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self._asked.clear()

    def __len__(self) -> int:
        return math.ceil((self.end_index - self.start_index + 1) / (self.batch_size * self.stride))

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if self.shuffle:
            again = self._asked[index] = self._asked.get(index, -1) + 1
            place = np.random.Philox(key=[self._seed, self._stream], counter=[0, index % 2 ** 32, again, self._epoch])
            rows = np.random.Generator(place).integers(self.start_index, self.end_index + 1, self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            rows = np.arange(first, min(first + self.batch_size * self.stride, self.end_index + 1), self.stride)
        windows = np.stack([self.data[row - self.length:row:self.sampling_rate] for row in rows])
        return windows[:, ::-1] if self.reverse else windows, self.targets[rows]

    def get_config(self) -> dict[str, Any]:
        """The arguments but for data and targets."""
        return {"length": self.length, "sampling_rate": self.sampling_rate, "stride": self.stride,
                "start_index": self.start_index - self.length, "end_index": self.end_index, "shuffle": self.shuffle,
                "reverse": self.reverse, "batch_size": self.batch_size}
