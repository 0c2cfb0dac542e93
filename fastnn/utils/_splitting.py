"""Data in two parts: train_test_split, with scikit-learn's arguments, and split_dataset, with Keras'. Floor 5."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import seeds
from fastnn.arguments import flag, number, whole
from fastnn.errors import shown
from fastnn.nest import flatten, map_structure
from fastnn.reference import _philox


def train_test_split(*arrays: Any, test_size: float | int | None = None, train_size: float | int | None = None,
                     random_state: int | None = None, shuffle: bool = True, stratify: Any = None) -> list[Any]:
    """[first train, first test, second train, …]: the rows of each array in two parts, the same rows in each.

    Sizes: a part of the rows (0 to 1) or a number of them; 0.25 for test unless given. random_state: a seed, else
    fastnn's own decides. stratify: labels, one for each row, of which both parts get the same shares; give y. NumPy
    arrays, lists, and pandas frames, which stay frames. ValueError for lengths that differ, a part without rows, a
    class of one row. Source: sklearn.model_selection.train_test_split.

    >>> x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y > 0)
    """
    if not arrays:
        raise ValueError("train_test_split: got nothing; needs at least one array.")
    n = _length(arrays, "train_test_split")
    test, train = _sizes(n, test_size, train_size)
    if not flag(shuffle, "train_test_split: shuffle"):
        if stratify is not None:
            raise ValueError("train_test_split: stratify with shuffle=False; needs shuffle=True, for rows change "
                             "places.")
        order = np.arange(n)
    else:
        order = _permutation(n, random_state, "train_test_split: random_state")
    if stratify is None:
        chosen = order[train:train + test] if not shuffle else order[:test]
        kept = order[:train] if not shuffle else order[test:test + train]
    else:
        chosen, kept = _stratified(order, np.asarray(stratify), n, test, train)
    return [_rows(array, rows) for array in arrays for rows in (kept, chosen)]


def split_dataset(dataset: Any, left_size: float | int | None = None, right_size: float | int | None = None,
                  shuffle: bool = False, seed: int | None = None) -> tuple[Any, Any]:
    """(left, right): the rows of an array, or of a tuple, list or dict of arrays, in two parts of the same form.

    Sizes: a part of the rows (0 to 1) or a number of them; what is not given is the rest. Source:
    keras.utils.split_dataset, which gives tf.data sets.

    >>> (x_train, y_train), (x_test, y_test) = split_dataset((x, y), left_size=0.8)
    """
    if left_size is None and right_size is None:
        raise ValueError("split_dataset: got no sizes; needs left_size or right_size.")
    n = _length(flatten(dataset), "split_dataset")
    left = None if left_size is None else _size(left_size, n, "split_dataset: left_size", math.floor)
    right = None if right_size is None else _size(right_size, n, "split_dataset: right_size", math.floor)
    left = n - (right or 0) if left is None else left
    right = n - left if right is None else right
    if not left or not right or left + right > n:
        raise ValueError(f"split_dataset: {left} and {right} rows of {n}; needs at least one in each part, {n} in all.")
    order = _permutation(n, seed, "split_dataset: seed") if flag(shuffle, "split_dataset: shuffle") else np.arange(n)
    parts = order[:left], order[left:left + right]
    return tuple(map_structure(lambda array, rows=rows: _rows(array, rows), dataset) for rows in parts)  # type: ignore


def _length(arrays: Sequence[Any], where: str) -> int:
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1:
        raise ValueError(f"{where}: the arrays have {', '.join(map(str, sorted(lengths)))} rows; needs as many in "
                         "each.")
    if (n := lengths.pop()) < 2:
        raise ValueError(f"{where}: the arrays have {n} rows; needs at least 2.")
    return n


def _size(size: Any, n: int, what: str, rounded: Any) -> int:
    """How many rows; a part of them is rounded as the function says, but for the rounding of 0.2 · n itself."""
    if isinstance(size, (float, np.floating)):
        return int(rounded(round(number(size, what, 0, 1, above=True, below=True) * n, 9)))
    found = whole(size, what)
    if found >= n:
        raise ValueError(f"{what} is {found} of {n} rows; needs fewer.")
    return found


def _sizes(n: int, test_size: Any, train_size: Any) -> tuple[int, int]:
    """(rows for test, for train)."""
    test = None if test_size is None else _size(test_size, n, "train_test_split: test_size", math.ceil)
    train = None if train_size is None else _size(train_size, n, "train_test_split: train_size", math.floor)
    if test is None:
        test = math.ceil(0.25 * n) if train is None else n - train
    train = n - test if train is None else train
    if not test or not train or test + train > n:
        raise ValueError(f"train_test_split: {train} rows to train and {test} to test of {n}; needs at least one each, "
                         f"{n} in all.")
    return test, train


def _permutation(n: int, seed: int | None, what: str) -> np.ndarray:
    if seed is not None:
        seeds.checked_seed(seed, what.replace(": ", " "))
    found: np.ndarray = np.argsort(_philox.bits(n, 0, *seeds.new_stream(seed)), kind="stable")
    return found


def _stratified(order: np.ndarray, labels: np.ndarray, n: int, test: int, train: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows for test, for train), of each class its share, rounded so that the sizes are right."""
    if labels.shape != (n,):
        raise ValueError(f"train_test_split: stratify has shape {labels.shape}; needs a label for each of {n} rows.")
    classes, numbers, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise ValueError(f"train_test_split: class {shown(classes[counts.argmin()].item())} has one row; needs two or "
                         "more of each, one for each part.")
    if min(test, train) < len(classes):
        raise ValueError(f"train_test_split: {min(test, train)} rows for {len(classes)} classes; needs one of each.")
    tests = _shares(counts, test)
    trains = np.minimum(_shares(counts, train), counts - tests)
    rows = [order[numbers[order] == k] for k in range(len(classes))]
    chosen = np.concatenate([each[:t] for each, t in zip(rows, tests)])
    kept = np.concatenate([each[t:t + k] for each, t, k in zip(rows, tests, trains)])
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    return chosen[np.argsort(place[chosen])], kept[np.argsort(place[kept])]


def _shares(counts: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers near counts · total / sum, with this total: the largest remainders are rounded up."""
    exact = counts * total / counts.sum()
    found = np.floor(exact).astype(np.int64)
    for k in np.argsort(found - exact, kind="stable")[:total - found.sum()]:
        found[k] += 1
    return found


def _rows(array: Any, rows: np.ndarray) -> Any:
    return array.iloc[rows] if hasattr(array, "iloc") else np.asarray(array)[rows]
