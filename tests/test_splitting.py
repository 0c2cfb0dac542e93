"""Data in two parts, and the bar for loops of one's own."""

import io
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn.utils import Progbar, split_dataset, train_test_split
from tests.errors import assert_good_error

X, Y = np.arange(40, dtype=np.float32).reshape(20, 2), np.arange(20) % 4


def test_the_same_rows_of_each_array() -> None:
    a, b, c, d = train_test_split(X, Y, random_state=3)
    assert a.shape == (15, 2) and b.shape == (5, 2) and a.dtype == X.dtype
    assert np.array_equal(a[:, 0] // 2 % 4, c) and np.array_equal(b[:, 0] // 2 % 4, d)
    assert sorted(np.concatenate([a, b])[:, 0]) == X[:, 0].tolist()
    assert all(np.array_equal(p, q) for p, q in zip((a, b, c, d), train_test_split(X, Y, random_state=3)))
    assert not np.array_equal(a, train_test_split(X, random_state=4)[0])
    fastnn.random.set_seed(5)
    first = train_test_split(X)
    fastnn.random.set_seed(5)
    assert np.array_equal(first[0], train_test_split(X)[0])


@pytest.mark.parametrize(("sizes", "want"), [
    ({}, (15, 5)), ({"test_size": 0.2}, (16, 4)), ({"test_size": 3}, (17, 3)), ({"train_size": 0.5}, (10, 10)),
    ({"train_size": 4, "test_size": 5}, (4, 5)), ({"test_size": 0.21}, (15, 5)), ({"train_size": 0.31}, (6, 14))])
@pytest.mark.parametrize("shuffle", [True, False])
def test_sizes_are_those_of_scikit_learn(sizes: dict[str, Any], want: tuple[int, int], shuffle: bool) -> None:
    train, test = train_test_split(X, shuffle=shuffle, random_state=0, **sizes)
    assert (len(train), len(test)) == want
    selection = pytest.importorskip("sklearn.model_selection")
    theirs = selection.train_test_split(X, shuffle=shuffle, random_state=0, **sizes)
    assert (len(theirs[0]), len(theirs[1])) == want
    if not shuffle:
        assert all(np.array_equal(a, b) for a, b in zip((train, test), theirs))


def test_both_parts_have_the_shares_of_the_classes() -> None:
    labels = np.array(["a"] * 12 + ["b"] * 6 + ["c"] * 2)
    for seed in range(20):
        train, test = train_test_split(labels, test_size=0.5, random_state=seed, stratify=labels)
        assert [(part == name).sum() for part in (train, test) for name in "abc"] == [6, 3, 1] * 2
    assert np.array_equal(np.bincount(train_test_split(Y, test_size=6, stratify=Y)[1]), [2, 2, 1, 1])
    with pytest.raises(ValueError, match="class 9 has one row"):
        train_test_split(Y, stratify=[9, *[1] * 19])
    with pytest.raises(ValueError, match="3 rows for 4 classes"):
        train_test_split(Y, test_size=3, stratify=Y)


def test_frames_stay_frames() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    train, test, _, labels = train_test_split(frame, frame["a"], random_state=0)
    assert list(test.columns) == ["a", "b"] and test.index.equals(labels.index) and len(train) == 15


@pytest.mark.parametrize(("wrong", "word"), [
    ({"test_size": 0.0}, "test_size"), ({"test_size": 1.5}, "test_size"), ({"test_size": 20}, "20 of 20"),
    ({"test_size": 0}, "test_size"), ({"test_size": 12, "train_size": 12}, "in all"),
    ({"random_state": -1}, "random_state"), ({"shuffle": False, "stratify": Y}, "shuffle=True"),
    ({"stratify": Y[:3]}, "shape"), ({"train_size": 0.01}, "0 rows")])
def test_what_cannot_be_split(wrong: dict[str, Any], word: str) -> None:
    assert_good_error(lambda: train_test_split(X, **wrong), (ValueError, TypeError), word)


def test_lengths_that_differ() -> None:
    assert_good_error(lambda: train_test_split(X, Y[:5]), ValueError, "5, 20 rows")
    assert_good_error(lambda: train_test_split(), ValueError, "at least one array")
    assert_good_error(lambda: train_test_split(X[:1]), ValueError, "1 rows")


def test_split_dataset_keeps_the_form() -> None:
    (a, b), (c, d) = split_dataset((X, Y), left_size=0.8)
    assert np.array_equal(a, X[:16]) and np.array_equal(d, Y[16:]) and len(b) == 16 and len(c) == 4
    left, right = split_dataset({"x": X}, right_size=5, shuffle=True, seed=1)
    assert len(left["x"]) == 15 and sorted([*left["x"][:, 0], *right["x"][:, 0]]) == X[:, 0].tolist()
    for wrong in ({}, {"left_size": 20}, {"left_size": 15, "right_size": 15}, {"left_size": 0.01}):
        assert_good_error(lambda wrong=wrong: split_dataset(X, **wrong), ValueError, "needs")


@pytest.mark.parametrize("verbose", [1, 2])
def test_progbar_of_no_steps_and_of_arrays(verbose: int, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(0, verbose=verbose)
    bar.update(0, finalize=True)
    assert "0/0" in capsys.readouterr().out
    bar = Progbar(2, verbose=verbose)
    bar.update(1, [("a", np.array(2.0))])
    bar.update(2, [("a", [3.0, 5.0]), ("b", 1.0)])
    assert "a: 3.0000 - b: 1.0000" in capsys.readouterr().out       # of 2 and 4, the mean of 3 and 5


def test_progbar_averages_only_what_is_stateless(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(2, verbose=2, stateless_metrics=["loss"])
    for step in (1, 2):
        bar.update(step, [("loss", float(step)), ("rate", float(step))])
    assert "loss: 1.5000 - rate: 2.0000" in capsys.readouterr().out


def test_progbar_averages_what_is_not_stateful(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    bar = Progbar(10, verbose=2, stateful_metrics=["rate"], unit_name="file")
    for step in range(1, 9):
        bar.update(step, [("loss", float(step)), ("rate", float(step))])
    assert out.getvalue() == ""
    bar.add(2, [("loss", 9.0), ("rate", 0.5)])      # counts twice
    text = out.getvalue()
    assert text.startswith("10/10 - 0s - ") and "/file - loss: 5.4000 - rate: 0.5000\n" in text
    bar.update(10)      # once only
    assert out.getvalue() == text
    silent = Progbar(None, verbose=0)
    silent.update(3, finalize=True)
    assert out.getvalue() == text
    for wrong in ({"target": -1}, {"target": 2.5}, {"target": 3, "verbose": 5},
                  {"target": 3, "stateful_metrics": [], "stateless_metrics": []}):
        with pytest.raises((ValueError, TypeError)):
            Progbar(**wrong)
