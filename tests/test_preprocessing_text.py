"""Tokenizer, pad_sequences, windows and skip-grams: Keras' results, and errors that say what to do."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn.errors import ShapeError
from fastnn.preprocessing.sequence import TimeseriesGenerator, make_sampling_table, pad_sequences, skipgrams
from fastnn.preprocessing.text import (
    Tokenizer,
    hashing_trick,
    one_hot,
    text_to_word_sequence,
    tokenizer_from_json,
)
from tests.errors import assert_good_error

TEXTS = ["The cat sat on the mat.", "The dog sat on the log!", "Dogs and cats living together..."]


# ---- pad_sequences -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("arguments", "expected"), [
    ({}, [[0, 0, 1], [0, 1, 2], [1, 2, 3]]), ({"padding": "post"}, [[1, 0, 0], [1, 2, 0], [1, 2, 3]]),
    ({"maxlen": 2}, [[0, 1], [1, 2], [2, 3]]), ({"maxlen": 2, "truncating": "post"}, [[0, 1], [1, 2], [1, 2]]),
    ({"maxlen": 2, "value": 9, "padding": "post"}, [[1, 9], [1, 2], [2, 3]])])
def test_sequences_of_one_length(arguments: dict[str, Any], expected: list[list[int]]) -> None:
    padded = pad_sequences([[1], [1, 2], [1, 2, 3]], **arguments)
    assert padded.dtype == np.int32 and padded.tolist() == expected


def test_sequences_of_vectors_of_text_and_of_nothing() -> None:
    vectors = pad_sequences([[[1, 2]], [[3, 4], [5, 6]]], dtype="float32")
    assert vectors.tolist() == [[[0, 0], [1, 2]], [[3, 4], [5, 6]]]
    assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="pad").tolist() == [["pad", "a"], ["b", "c"]]
    assert pad_sequences([[], [4]]).tolist() == [[0], [4]] and pad_sequences([]).shape == (0, 0)
    assert pad_sequences(np.arange(6).reshape(2, 3), maxlen=2).tolist() == [[1, 2], [4, 5]]


def test_padding_refuses_what_it_cannot_pad() -> None:
    assert_good_error(lambda: pad_sequences([1, 2]), ValueError, "sequence 0 is 1", "list of numbers")
    assert_good_error(lambda: pad_sequences(["ab"]), ValueError, "Tokenizer")
    assert_good_error(lambda: pad_sequences([[1]], padding="front"), ValueError, "padding", "post")
    assert_good_error(lambda: pad_sequences([[1]], maxlen=0), ValueError, "maxlen is 0")
    assert_good_error(lambda: pad_sequences([[1]], value="x"), ValueError, "dtype=object")
    assert_good_error(lambda: pad_sequences([[[1, 2]], [[1, 2, 3]]]), ShapeError, "sequence 1", "(3,)", "(2,)")


# ---- Tokenizer -----------------------------------------------------------------------------------------------------

def test_words_are_numbered_by_how_often_they_occur() -> None:
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.word_index["the"] == 1 and [*tokenizer.word_index][:4] == ["the", "sat", "on", "cat"]
    assert tokenizer.texts_to_sequences(["the cat flew"]) == [[1, 4]]
    assert tokenizer.sequences_to_texts([[1, 4, 99]]) == ["the cat"]
    assert tokenizer.document_count == 3 and tokenizer.word_docs["the"] == 2 and tokenizer.word_counts["the"] == 4


def test_unknown_words_and_a_limit() -> None:
    tokenizer = Tokenizer(num_words=3, oov_token="?")
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.word_index["?"] == 1
    assert tokenizer.texts_to_sequences(["the cat flew"]) == [[2, 1, 1]]
    assert tokenizer.sequences_to_texts([[2, 7]]) == ["the ?"]


def test_letters_lists_and_an_own_analyzer() -> None:
    letters = Tokenizer(char_level=True)
    letters.fit_on_texts(["abba"])
    assert letters.texts_to_sequences(["ab"]) == [[1, 2]]
    words = Tokenizer()
    words.fit_on_texts([["New", "York"], ["New", "Delhi"]])
    assert words.texts_to_sequences([["new", "delhi"]]) == [[1, 3]]
    own = Tokenizer(analyzer=lambda text: text.split("|"))
    own.fit_on_texts(["a b|c"])
    assert own.word_index == {"a b": 1, "c": 2}


@pytest.mark.parametrize(("mode", "expected"), [
    ("binary", [0, 1, 1]), ("count", [0, 2, 1]), ("freq", [0, 2 / 3, 1 / 3]),
    ("tfidf", [0, (1 + np.log(2)) * np.log(1 + 2 / 3), np.log(1 + 2 / 2)])])
def test_matrix(mode: str, expected: list[float]) -> None:
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["x x y", "x x"])
    np.testing.assert_allclose(tokenizer.texts_to_matrix(["x x y"], mode), [expected], rtol=1e-12)


def test_a_tokenizer_survives_json() -> None:
    tokenizer = Tokenizer(num_words=6, oov_token="?")
    tokenizer.fit_on_texts(TEXTS)
    twin = tokenizer_from_json(tokenizer.to_json())
    assert twin.get_config() == tokenizer.get_config() and twin.index_word == tokenizer.index_word
    assert (twin.texts_to_matrix(TEXTS, "tfidf") == tokenizer.texts_to_matrix(TEXTS, "tfidf")).all()


def test_tokenizer_errors() -> None:
    assert_good_error(lambda: Tokenizer().fit_on_texts("one text"), TypeError, "[text]")
    assert_good_error(lambda: Tokenizer().texts_to_matrix(["a"]), ValueError, "fit_on_texts")
    assert_good_error(lambda: Tokenizer(num_words=3).sequences_to_matrix([[1]], "tf"), ValueError, "mode", "tfidf")
    assert_good_error(lambda: text_to_word_sequence(7), TypeError, "string")  # type: ignore[arg-type]


def test_words_as_hashes_are_the_same_in_every_run() -> None:
    numbers = hashing_trick("a b a", 50)
    assert numbers == one_hot("a b a", 50) == hashing_trick("a b a", 50, "md5") == [15, 33, 15]
    assert numbers[0] == numbers[2] and all(1 <= n < 50 for n in numbers)


# ---- windows and pairs ---------------------------------------------------------------------------------------------

def test_windows_of_a_series() -> None:
    series = np.arange(10, dtype=np.float32)
    windows = TimeseriesGenerator(series, series * 10, length=4, sampling_rate=2, batch_size=3)
    assert len(windows) == 2
    x, y = windows[0]
    assert x.tolist() == [[0, 2], [1, 3], [2, 4]] and y.tolist() == [40, 50, 60]
    x, y = windows[1]
    assert x.tolist() == [[3, 5], [4, 6], [5, 7]] and y.tolist() == [70, 80, 90]
    backwards = TimeseriesGenerator(series, series, length=3, stride=4, batch_size=8, reverse=True)
    assert backwards[0][0].tolist() == [[2, 1, 0], [6, 5, 4]] and backwards[0][1].tolist() == [3, 7]
    assert_good_error(lambda: TimeseriesGenerator(series, series[1:], 3), ValueError, "10 steps", "9")
    assert_good_error(lambda: TimeseriesGenerator(series, series, 10), ValueError, "window of 10")


def test_windows_are_drawn_anew_and_repeat_with_the_seed() -> None:
    def drawn() -> list[list[int]]:
        fastnn.random.set_seed(4)
        made = TimeseriesGenerator(np.arange(1000), np.arange(1000), length=3, batch_size=9, shuffle=True)
        found = [made[0][1], made[1][1], made[0][1]]
        made.on_epoch_end()
        return [y.tolist() for y in [*found, made[0][1]]]

    batches = drawn()
    assert batches == drawn() and len(set(map(tuple, batches))) == 4
    assert all(3 <= step < 1000 for batch in batches for step in batch)


def test_skipgrams_pair_words_with_their_neighbours() -> None:
    pairs, labels = skipgrams([1, 2, 0, 3], vocabulary_size=9, window_size=1, negative_samples=0, shuffle=False)
    assert pairs == [[1, 2], [2, 1]] and labels == [1, 1]
    pairs, labels = skipgrams(list(range(1, 30)), vocabulary_size=30, window_size=2, seed=3)
    assert labels.count(1) == labels.count(0) == len(pairs) // 2
    assert all(0 < abs(a - b) <= 2 for (a, b), label in zip(pairs, labels) if label)
    assert (pairs, labels) == skipgrams(list(range(1, 30)), vocabulary_size=30, window_size=2, seed=3)


def test_sampling_table_falls_with_frequency() -> None:
    table = make_sampling_table(1000)
    assert table.shape == (1000,) and (np.diff(table[1:]) > 0).all() and 0 < table[1] < table[-1] <= 1
