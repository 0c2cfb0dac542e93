"""IMDB: 25,000 film reviews to learn from and 25,000 to test with, words as numbers; is a review good (1) or bad (0)?

Source: A. Maas and others 2011, http://ai.stanford.edu/~amaas/data/sentiment/, in the form of keras.datasets.imdb.
"""

import os

from fastnn.datasets import _words
from fastnn.datasets._files import shuffled
from fastnn.datasets._words import Split

_SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
_WORDS_MD5 = "bfafd718b763782e994055a2d397834f"


def load_data(path: str | os.PathLike[str] | None = None, num_words: int | None = None, skip_top: int = 0,
              maxlen: int | None = None, seed: int = 113, start_char: int | None = 1, oov_char: int | None = 2,
              index_from: int = 3) -> Split:
    """(x_train, y_train), (x_test, y_test): x (n,) of lists of word numbers, y (n,) 0 or 1.

    num_words: keep the most frequent words only; skip_top: and leave out the first of these; others become oov_char, or
    are dropped where that is None. maxlen: only texts with fewer words. start_char stands before each text, words are
    numbered from index_from on (0 is for padding). seed: of the shuffling.
    path: imdb.npz or its folder; without it fastnn's cache, Keras', or a download.
    """
    where = "datasets.imdb.load_data"
    x, y, x_test, y_test = _words.arrays(where, "imdb.npz", _SHA256, path, ("x_train", "y_train", "x_test", "y_test"))
    learn, test = (_words.cut(where, *shuffled(seed, *pair), maxlen=maxlen, start_char=start_char,
                              index_from=index_from) for pair in ((x, y), (x_test, y_test)))
    words = _words.limited(where, learn[0] + test[0], num_words, skip_top, oov_char)
    return (words[:len(learn[0])], learn[1]), (words[len(learn[0]):], test[1])


def get_word_index(path: str | os.PathLike[str] | None = None) -> dict[str, int]:
    """{word: number}, 1 for the most frequent; in the texts numbers are index_from (3) higher."""
    return _words.word_index("datasets.imdb.get_word_index", "imdb_word_index.json", _WORDS_MD5, path)
