"""Windows of series, files of text and sequences of different lengths in batches: Keras' results; what fit makes of
them; few programs for many lengths."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastnn import Sequential, layers
from fastnn.errors import ShapeError
from fastnn.preprocessing import (
    bucketed_dataset_from_sequences,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)
from tests.errors import assert_good_error

SERIES = np.arange(10)


def test_windows_have_the_targets_of_their_first_steps() -> None:
    x, y = next(iter(timeseries_dataset_from_array(SERIES, SERIES[3:] * 10, 3)))
    assert x.tolist() == [[i, i + 1, i + 2] for i in range(7)] and y.tolist() == [i * 10 for i in range(3, 10)]
    some = timeseries_dataset_from_array(SERIES, None, 2, sequence_stride=3, sampling_rate=2, batch_size=2,
                                         start_index=1, end_index=9)
    assert [x.tolist() for x in some] == [[[1, 3], [4, 6]]] and len(some) == 1
    rows = timeseries_dataset_from_array(np.arange(12).reshape(6, 2), SERIES, 2, batch_size=None)
    x, y = next(iter(rows))
    assert x.tolist() == [[0, 1], [2, 3]] and y == 0 and len(rows) == 5


def test_windows_are_shuffled_anew_in_each_pass_and_repeat_with_the_seed() -> None:
    first, again = (timeseries_dataset_from_array(SERIES, SERIES, 1, batch_size=4, shuffle=True, seed=5)
                    for _ in range(2))
    passes = [np.concatenate([y for _, y in first]).tolist() for _ in range(2)]
    assert passes[0] != passes[1] and sorted(passes[0]) == sorted(passes[1]) == list(range(10))
    assert np.concatenate([y for _, y in again]).tolist() == passes[0]


def test_the_first_batches_are_taken() -> None:
    data = timeseries_dataset_from_array(SERIES, None, 2, batch_size=4, shuffle=True, seed=1, format="tf")
    some = data.take(2)
    assert len(some) == 2 and [x.shape for x in some] == [(4, 2), (4, 2)] and len(data) == 3 == len(list(data))
    assert len(data.take(9)) == 3 and len(list(some.take(1))) == 1 and not list(data.take(0))
    assert_good_error(lambda: data.take(-1), ValueError, "take")
    assert_good_error(lambda: timeseries_dataset_from_array(SERIES, None, 2, format="grain"), ValueError, "'grain'")


def test_windows_that_cannot_be_are_refused() -> None:
    assert_good_error(lambda: timeseries_dataset_from_array(SERIES, None, 11), ValueError, "10 steps", "window of 11")
    assert_good_error(lambda: timeseries_dataset_from_array(SERIES, [], 2), ValueError, "0 of them")
    assert_good_error(lambda: timeseries_dataset_from_array(SERIES, None, 2, end_index=11), ValueError, "end_index")
    assert_good_error(lambda: timeseries_dataset_from_array(3, None, 2), ShapeError, "data is 3")


def test_fit_takes_windows() -> None:
    waves = np.sin(np.arange(120) / 5)[:, None].astype(np.float32)
    data = timeseries_dataset_from_array(waves, waves[8:], 8, batch_size=16, shuffle=True, seed=1)
    model = Sequential([layers.Input((8, 1)), layers.SimpleRNN(6), layers.Dense(1)])
    model.compile("adam", "mse")
    losses = model.fit(data, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0] and model.predict(data.map(lambda x, y: x), verbose=0).shape == (112, 1)


# ---- sequences of different lengths ----------------------------------------------------------------------------------

def lists(count: int = 60) -> list[list[int]]:
    return [[1 + (i + j) % 9 for j in range(1 + i * 7 % 23)] for i in range(count)]


def test_buckets_pad_to_their_end_and_lose_nothing() -> None:
    given = lists()
    data = bucketed_dataset_from_sequences(given, list(range(60)), batch_size=8, boundaries=(4, 8, 16))
    seen: dict[int, list[int]] = {}
    for x, y in data:
        assert x.shape[1] in (4, 8, 16, 23)
        for row, number in zip(x, y):
            seen[int(number)] = row[row > 0].tolist()
    assert [seen[i] for i in range(60)] == given
    assert max(len(x) for x, _ in data) == 8 and len(data) == sum(1 for _ in data)


def test_targets_of_each_step_are_padded_too() -> None:
    given = [[1, 2], [3], [4, 5, 6]]
    data = bucketed_dataset_from_sequences(given, [[7.0, 8.0], [9.0], [1.0, 2.0, 3.0]], 2, (2,), shuffle=False)
    assert [y.tolist() for _, y in data] == [[[7, 8], [9, 0]], [[1, 2, 3]]]
    ((x, y),) = bucketed_dataset_from_sequences([[1, 2], [3, 4]], [[5, 6], [7, 8]], boundaries=(3,), shuffle=False)
    assert x.tolist() == [[1, 2, 0], [3, 4, 0]] and y.tolist() == [[5, 6, 0], [7, 8, 0]]


def test_many_lengths_few_programs() -> None:
    """One program for each bucket and one for its short last batch, whatever the lengths."""
    given = lists(200)
    y = np.array([[sum(each) % 2] for each in given], np.float32)
    model = Sequential([layers.Input((None,), dtype="int32"), layers.Embedding(10, 4, mask_zero=True), layers.LSTM(4),
                        layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    model.fit(bucketed_dataset_from_sequences(given, y, 16, (8, 16)), epochs=2, verbose=0)
    programs = [program for _, program in model._steps.recorder.items()]
    assert 3 <= len(programs) <= 6
    exact = {len(each) for each in given}
    assert len(exact) > 20      # which would have been as many


def test_sequences_that_cannot_be_are_refused() -> None:
    assert_good_error(lambda: bucketed_dataset_from_sequences([[1], []]), ValueError, "none of them empty")
    assert_good_error(lambda: bucketed_dataset_from_sequences([[1]], [1, 2]), ValueError, "2 targets")
    assert_good_error(lambda: bucketed_dataset_from_sequences([[1]], boundaries=(4, 2)), ValueError, "grow")
    assert_good_error(lambda: bucketed_dataset_from_sequences([[1, 2], [3]], [[1, 2, 3, 4], [5]]), ValueError,
                      "target 0 has 4 numbers", "2;")


# ---- files -----------------------------------------------------------------------------------------------------------

@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("good", "bad"):
        (tmp_path / kind).mkdir()
        for i in range(5):
            (tmp_path / kind / f"{i}.txt").write_text(f"a {kind} film, number {i}")
    (tmp_path / "bad" / "notes.md").write_text("no text of the data")
    return tmp_path


def texts(data: Any) -> list[tuple[str, Any]]:
    return [(str(t), y) for x, labels in data for t, y in zip(x, labels)]


def test_files_are_labelled_by_their_folders(folder: Path, capsys: Any) -> None:
    data = text_dataset_from_directory(folder, batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 10 files of 2 classes.\n"
    assert data.class_names == ["bad", "good"] and len(data) == 3
    found = texts(data)
    assert [y for _, y in found] == [0] * 5 + [1] * 5 and found[0][0] == "a bad film, number 0"
    quiet: dict[str, Any] = dict(shuffle=False, verbose=False)
    other = text_dataset_from_directory(folder, class_names=["good", "bad"], label_mode="binary", **quiet)
    assert next(iter(other))[1].tolist() == [[0.0]] * 5 + [[1.0]] * 5
    rows = next(iter(text_dataset_from_directory(folder, label_mode="categorical", max_length=5, **quiet)))
    assert_good_error(lambda: text_dataset_from_directory(folder, max_length=-1, **quiet), ValueError, "max_length")
    assert rows[1][0].tolist() == [1, 0] and rows[0][0] == "a bad"
    own = text_dataset_from_directory(folder, labels=list(range(10)), **quiet)
    assert next(iter(own))[1].tolist() == list(range(10))
    for nothing in ({"labels": None}, {"label_mode": None}):
        alone = text_dataset_from_directory(folder, **nothing, **quiet)
        assert next(iter(alone)).shape == (10,) and alone.class_names is None


def test_a_share_is_for_validation(folder: Path) -> None:
    both = text_dataset_from_directory(folder, validation_split=0.3, subset="both", seed=2, verbose=False)
    one = text_dataset_from_directory(folder, validation_split=0.3, subset="validation", seed=2, verbose=False)
    parts = [{text for text, _ in texts(data)} for data in (*both, one)]
    assert [len(part) for part in parts] == [7, 3, 3] and not parts[0] & parts[1] and parts[1] == parts[2]


def test_texts_become_numbers_in_a_model(folder: Path) -> None:
    data = text_dataset_from_directory(folder, batch_size=5, verbose=False, seed=1)
    vectorize = layers.TextVectorization(output_sequence_length=6)
    vectorize.adapt(data.map(lambda x, y: x))
    assert "film" in vectorize.get_vocabulary()
    model = Sequential([layers.Input((6,), dtype="int32"), layers.Embedding(20, 4), layers.GlobalAveragePooling1D(),
                        layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    numbers = data.map(lambda x, y: (np.asarray(vectorize(x)), y[:, None].astype(np.float32)))
    assert model.fit(numbers, epochs=60, verbose=0).history["accuracy"][-1] == 1


def test_folders_that_cannot_be_are_refused(folder: Path) -> None:
    (folder / "third").mkdir()
    assert_good_error(lambda: text_dataset_from_directory(folder / "none"), FileNotFoundError, "no folder")
    assert_good_error(lambda: text_dataset_from_directory(folder, label_mode="binary"), ValueError, "3 classes")
    assert_good_error(lambda: text_dataset_from_directory(folder, class_names=["good"]), ValueError, "class_names")
    assert_good_error(lambda: text_dataset_from_directory(folder, labels=[1, 2]), ValueError, "10 files")
    assert_good_error(lambda: text_dataset_from_directory(folder, subset="both"), ValueError, "validation_split")
    assert_good_error(lambda: text_dataset_from_directory(folder, label_mode="words"), ValueError, "label_mode")
