"""First names as numbers, for the lessons names and mini_gpt: letters, and a sign for the begin and the end."""

from collections.abc import Sequence

import numpy as np

from fastnn import datasets
from fastnn.preprocessing.sequence import pad_sequences
from fastnn.utils import train_test_split

END, FIRST = 1, 2       # 0 is padding; END is what a name begins and ends with; then come the letters
NUMBERS = FIRST + 26
LONGEST = 12            # letters, and the end


def numbers(name: str) -> list[int]:
    """The end, the letters, the end: 'ab' → [1, 2, 3, 1]."""
    return [END, *(FIRST + ord(letter) - ord("a") for letter in name), END]


def letters(ids: Sequence[int]) -> str:
    """The letters before the next end: [1, 2, 3, 1, …] → 'ab'."""
    text = "".join(chr(ord("a") + i - FIRST) if i >= FIRST else "." for i in ids[1:])
    return text.split(".")[0]


def pairs_of(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """x (n, 12): the end and the letters; y (n, 12): for each the one that comes next. Padded with 0."""
    rows = [numbers(name) for name in names]
    return (pad_sequences([row[:-1] for row in rows], LONGEST, padding="post"),
            pad_sequences([row[1:] for row in rows], LONGEST, padding="post"))


def guesses(train: np.ndarray, follow: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Mean -ln p of the letters y that come after x, by how often they come in the training data at all, and after the
    one before them."""
    counts = np.full((NUMBERS, NUMBERS), 0.1)
    np.add.at(counts, (train[train > 0], follow[train > 0]), 1)
    alone, after = counts.sum(axis=0) / counts.sum(), counts / counts.sum(axis=1, keepdims=True)
    return float(-np.log(alone[y[x > 0]]).mean()), float(-np.log(after[x[x > 0], y[x > 0]]).mean())


def parts(seed: int) -> tuple[list[str], list[str]]:
    """(nine tenths of the names, to learn from; the others), drawn by the seed."""
    kept, apart = train_test_split(datasets.names.load_data(), test_size=0.1, random_state=seed)
    return kept.tolist(), apart.tolist()
