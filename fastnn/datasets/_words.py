"""Texts as lists of word numbers, as IMDB and Reuters come: cut, marked and split as Keras does."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn.arguments import optional, whole
from fastnn.datasets._files import KERAS, found, npz_arrays

Texts = npt.NDArray[Any]        # (n,) of lists of word numbers
Labels = npt.NDArray[np.int64]
Split = tuple[tuple[Texts, Labels], tuple[Texts, Labels]]


def arrays(where: str, name: str, sha256: str, path: Any, wanted: tuple[str, ...]) -> list[np.ndarray]:
    """The arrays of these names in a data set's .npz file."""
    file = found(where, name, KERAS + name, sha256, path)
    held = npz_arrays(where, file)
    missing = [each for each in wanted if each not in held]
    if missing:
        raise ValueError(f"{where}: {file} holds {sorted(held)}, no {missing}; replace it by a sound copy")
    return [held[each] for each in wanted]


def cut(where: str, texts: Any, labels: Any, *, maxlen: int | None, start_char: int | None,
        index_from: int) -> tuple[list[list[int]], Any]:
    """Texts with their words moved up by index_from and start_char before them, those with fewer than maxlen words."""
    start = [] if start_char is None else [start_char]
    moved = [start + [word + index_from for word in text] for text in texts]
    if maxlen is not None:
        maxlen = whole(maxlen, f"{where}: maxlen")
        kept = [i for i, text in enumerate(moved) if len(text) < maxlen]
        if not kept:
            raise ValueError(f"{where}: no text has fewer than maxlen={maxlen} words; needs a larger one.")
        moved, labels = [moved[i] for i in kept], labels[kept]
    return moved, labels


def limited(where: str, texts: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None) -> Texts:
    """Words from skip_top to num_words - 1; others become oov_char, or go where that is None."""
    last = optional(whole, num_words, f"{where}: num_words", 1) or max(max(text) for text in texts)
    skip_top = whole(skip_top, f"{where}: skip_top", 0)
    oov_char = optional(whole, oov_char, f"{where}: oov_char", 0)
    if skip_top >= last:
        raise ValueError(f"{where}: skip_top is {skip_top} and leaves no word of {last}; needs a smaller one.")
    kept = np.empty(len(texts), object)
    for i, text in enumerate(texts):
        kept[i] = ([word if skip_top <= word < last else oov_char for word in text] if oov_char is not None
                   else [word for word in text if skip_top <= word < last])
    return kept


def word_index(where: str, name: str, md5: str, path: str | os.PathLike[str] | None) -> dict[str, int]:
    """{word: its number, without index_from}."""
    file = found(where, name, KERAS + name, md5, path)
    try:
        index: dict[str, int] = json.loads(Path(file).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{where}: {file} is no JSON ({error}); replace it by a sound copy") from error
    return index
