"""Text to numbers (Keras' preprocessing.text): words or letters get numbers by how often they occur."""

import json
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from fastnn.errors import KindError, nearest, shown

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
_MODES = ("binary", "count", "freq", "tfidf")


def text_to_word_sequence(text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text: in lower case, with the characters in `filters` taken for `split`.

    >>> text_to_word_sequence("The cat, the hat!")
    ['the', 'cat', 'the', 'hat']
    """
    if not isinstance(text, str):
        raise KindError(f"text_to_word_sequence: text is {shown(text)}; needs a string.")
    text = text.lower() if lower else text
    return [word for word in text.translate(dict.fromkeys(map(ord, filters), split)).split(split) if word]


def hashing_trick(text: str, n: int, hash_function: Any = None, filters: str = FILTERS, lower: bool = True,
                  split: str = " ", analyzer: Callable[[str], list[str]] | None = None) -> list[int]:
    """Each word as a number from 1 to n - 1 made from the word alone; several words may get one number.

    hash_function: 'md5' unless given (Python's own `hash` differs from run to run), or a function of a word.
    """
    if hash_function is None or hash_function == "md5":
        def hash_function(word: str) -> int:
            import hashlib
            return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def one_hot(input_text: str, n: int, filters: str = FILTERS, lower: bool = True, split: str = " ",
            analyzer: Callable[[str], list[str]] | None = None) -> list[int]:
    """hashing_trick under Keras' name for it: numbers, not vectors. The numbers are the same in every run."""
    return hashing_trick(input_text, n, None, filters, lower, split, analyzer)


class Tokenizer:
    """Learns the words of some texts, numbers them from 1 by how often they occur, and turns texts into numbers and
    back.

    num_words: keep only the num_words - 1 most frequent. filters, lower, split: as text_to_word_sequence. char_level:
    letters instead of words. oov_token: gets number 1 and stands for words that were not learned (left out without it).
    analyzer: an own function from a text to words.

    >>> t = Tokenizer(); t.fit_on_texts(["the cat", "the hat"]); t.texts_to_sequences(["the hat"])
    [[1, 3]]
    """

    def __init__(self, num_words: int | None = None, filters: str = FILTERS, lower: bool = True, split: str = " ",
                 char_level: bool = False, oov_token: str | None = None,
                 analyzer: Callable[[str], list[str]] | None = None) -> None:
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.word_counts: OrderedDict[str, int] = OrderedDict()
        self.word_docs: Counter[str] = Counter()
        self.index_docs: Counter[int] = Counter()
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}
        self.document_count = 0

    def __repr__(self) -> str:
        return f"<Tokenizer: {len(self.word_index)} words>"

    def _words(self, text: Any) -> list[str]:
        if self.char_level or isinstance(text, (list, tuple)):
            letters = "".join(text) if self.char_level and isinstance(text, (list, tuple)) else text
            return [each.lower() for each in letters] if self.lower else list(letters)
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of these texts (strings, or lists of words) and number them; call it again to go on
        counting."""
        if isinstance(texts, str):
            raise KindError("Tokenizer.fit_on_texts: texts is one string; needs a list of strings: pass [text].")
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            self.word_docs.update(set(words))
        ranked = sorted(self.word_counts, key=lambda word: -self.word_counts[word])  # ties in order of appearance
        numbered = ([] if self.oov_token is None else [self.oov_token]) + [w for w in ranked if w != self.oov_token]
        self.word_index = {word: i for i, word in enumerate(numbered, 1)}
        self.index_word = {i: word for word, i in self.word_index.items()}
        self.index_docs = Counter({self.word_index[word]: count for word, count in self.word_docs.items()})

    def fit_on_sequences(self, sequences: Iterable[Sequence[int]]) -> None:
        """Count in how many sequences each number occurs, for sequences_to_matrix(mode='tfidf')."""
        for sequence in sequences:
            self.document_count += 1
            self.index_docs.update(set(sequence))

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """Each text as the numbers of its words."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """The same, one by one."""
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for text in texts:
            numbers = (self.word_index.get(word) for word in self._words(text))
            known = (unknown if n is None or (self.num_words and n >= self.num_words) else n for n in numbers)
            yield [n for n in known if n is not None]

    def sequences_to_texts(self, sequences: Iterable[Sequence[int]]) -> list[str]:
        """Each sequence as words with spaces between them; numbers without a word are left out, or the oov_token."""
        unknown = self.oov_token
        texts = []
        for sequence in sequences:
            words = ((self.index_word.get(int(n)) if not self.num_words or n < self.num_words else None) or unknown
                     for n in sequence)
            texts.append(" ".join(word for word in words if word is not None))
        return texts

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """One row a text, one column a word number: see sequences_to_matrix."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> np.ndarray:
        """(sequences, numbers) float64. mode: 'binary' 1 where the number occurs, 'count' how often, 'freq' count /
        length, 'tfidf' (1 + ln count)·ln(1 + documents / (1 + documents with it)). ValueError for another mode or
        before fitting.
        """
        if mode not in _MODES:
            raise ValueError(f"sequences_to_matrix: mode is {shown(mode)}; {nearest(mode, _MODES)}")
        if not self.num_words and not self.word_index:
            raise ValueError("sequences_to_matrix: the Tokenizer has no words yet; call fit_on_texts(texts) first, or "
                             "pass num_words.")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("sequences_to_matrix: mode='tfidf' needs counts of documents; call fit_on_texts or "
                             "fit_on_sequences first.")
        width = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), width))
        for row, sequence in enumerate(sequences):
            for number, count in Counter(n for n in sequence if n < width).items():
                if mode == "tfidf":
                    inverse = math.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))
                    matrix[row, number] = (1 + math.log(count)) * inverse
                else:
                    matrix[row, number] = {"binary": 1, "count": count, "freq": count / len(sequence)}[mode]
        return matrix

    def get_config(self) -> dict[str, Any]:
        """Arguments and counts; the tables as JSON text, as Keras writes them."""
        return {"num_words": self.num_words, "filters": self.filters, "lower": self.lower, "split": self.split,
                "char_level": self.char_level, "oov_token": self.oov_token, "document_count": self.document_count,
                **{name: json.dumps(getattr(self, name)) for name in _TABLES}}

    def to_json(self, **kwargs: Any) -> str:
        """The tokenizer as JSON text, which tokenizer_from_json reads."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The Tokenizer that to_json wrote, ours or Keras'."""
    config = json.loads(json_string)["config"]
    tables = {name: json.loads(config.pop(name)) for name in _TABLES}
    count = config.pop("document_count")
    tokenizer = Tokenizer(**config)
    tokenizer.document_count = count
    tokenizer.word_counts = OrderedDict(tables["word_counts"])
    tokenizer.word_docs, tokenizer.word_index = Counter(tables["word_docs"]), tables["word_index"]
    tokenizer.index_docs = Counter({int(n): c for n, c in tables["index_docs"].items()})
    tokenizer.index_word = {int(n): word for n, word in tables["index_word"].items()}
    return tokenizer
