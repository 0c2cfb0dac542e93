"""Reuters: 11,228 newswires of 46 topics, words as numbers.

Source: D. Lewis 1987, Reuters-21578, in the form of keras.datasets.reuters. Topics: `LABEL_NAMES`.
"""

import os

import numpy as np

from fastnn.arguments import number
from fastnn.datasets import _words
from fastnn.datasets._files import shuffled
from fastnn.datasets._words import Split

LABEL_NAMES = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar",
    "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp",
    "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi", "iron-steel",
    "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog",
    "lead",
)
_SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_WORDS_MD5 = "4d44cc38712099c9e383dc6e5f11a921"


def load_data(path: str | os.PathLike[str] | None = None, num_words: int | None = None, skip_top: int = 0,
              maxlen: int | None = None, test_split: float = 0.2, seed: int = 113,
              start_char: int | None = 1, oov_char: int | None = 2, index_from: int = 3) -> Split:
    """(x_train, y_train), (x_test, y_test): x (n,) of lists of word numbers, y (n,) topics 0..45.

    num_words: keep the most frequent words only; skip_top: and leave out the first of these; others become oov_char, or
    are dropped where that is None. maxlen: only texts with fewer words. start_char stands before each text, words are
    numbered from index_from on (0 is for padding). seed: of the shuffling.
    test_split: the part to test with. path: reuters.npz or its folder; without it a cache or a download.
    """
    where = "datasets.reuters.load_data"
    part = number(test_split, f"{where}: test_split", 0, 1, above=True, below=True)
    pair = shuffled(seed, *_words.arrays(where, "reuters.npz", _SHA256, path, ("x", "y")))
    texts, labels = _words.cut(where, *pair, maxlen=maxlen, start_char=start_char, index_from=index_from)
    words, topics = _words.limited(where, texts, num_words, skip_top, oov_char), np.asarray(labels)
    at = int(len(words) * (1 - part))
    return (words[:at], topics[:at]), (words[at:], topics[at:])


def get_word_index(path: str | os.PathLike[str] | None = None) -> dict[str, int]:
    """{word: number}, 1 for the most frequent; in the texts numbers are index_from (3) higher."""
    return _words.word_index("datasets.reuters.get_word_index", "reuters_word_index.json", _WORDS_MD5, path)


def get_label_names() -> tuple[str, ...]:
    """The topics in the order of their numbers."""
    return LABEL_NAMES
