"""What the tables shipped in the package share: reading a file of numbers, and the reproducible split."""

import csv
import gzip
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastnn.arguments import number
from fastnn.datasets import _random
from fastnn.errors import warn

Array = npt.NDArray[Any]
Split = tuple[tuple[Array, Array], tuple[Array, Array]]

_FOLDER = Path(__file__).parent / "data"
_WORDS = {"yes": "1", "no": "0"}


class Table(NamedTuple):
    """A whole table: data (rows, features) float64, target (rows,), and the names of columns and of classes."""

    data: Array
    target: Array
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]


def read_rows(name: str, count: int) -> list[list[str]]:
    """The rows of the packaged CSV file `name` as text, without the heading; OSError unless there are `count`."""
    with open(_FOLDER / name, encoding="ascii", newline="") as file:
        rows = list(csv.reader(file))[1:]
    if len(rows) != count:
        raise OSError(f"datasets: {_FOLDER / name} holds {len(rows)} rows; it must be {count}; reinstall fastnn")
    return rows


def read_table(name: str, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """The numbers of the packaged CSV file `name` without heading and row names, yes/no as 1/0: `shape` float64."""
    path = _FOLDER / name
    with gzip.open(path, "rt") if path.suffix == ".gz" else open(path, encoding="ascii", newline="") as file:
        rows = [[_WORDS.get(cell, cell) for cell in row[-shape[1]:]] for row in csv.reader(file)]
    table = np.array(rows[-shape[0]:], dtype=np.float64)
    if table.shape != shape:
        raise OSError(f"datasets: {path} holds a table of shape {table.shape}; it must be {shape}; reinstall fastnn")
    return table


def table_of_classes(name: str, rows: int, features: tuple[str, ...], classes: tuple[str, ...]) -> Table:
    """The packaged table whose last column is the class: target (rows,) int64."""
    table = read_table(name, (rows, len(features) + 1))
    return Table(table[:, :-1].copy(), table[:, -1].astype(np.int64), features, classes)


def split(where: str, x: Array, y: Array, test_split: float, seed: int, *, classes: bool) -> Split:
    """Shuffle rows by `seed` and cut off the last ceil(rows * test_split) of them as the test part.

    x (rows, ...), y (rows,) -> (x_train, y_train), (x_test, y_test), new arrays. With `classes`, y holds class
    numbers, and a class that is missing from one of the parts is warned about.
    """
    order = _random.permutation(_random.check_seed(where, seed), 0, len(x))
    rows_train = len(x) - _rows_test(where, len(x), test_split)
    train, test = order[:rows_train], order[rows_train:]
    if classes:
        _warn_missing(where, y, train, "training")
        _warn_missing(where, y, test, "test")
    return (x[train], y[train]), (x[test], y[test])


def _rows_test(where: str, rows: int, test_split: float) -> int:
    """ceil(rows * test_split), rounded first so that 100 * 0.07 = 7.000000000000001 counts as 7."""
    part = number(test_split, f"{where}: test_split", 0, 1, above=True, below=True)
    rows_test = math.ceil(round(rows * part, 6))
    if not 0 < rows_test < rows:
        raise ValueError(f"{where}: test_split is {part}, which leaves one of the parts of the {rows} rows empty; "
                         "needs rows in both, or call load() for all rows.")
    return rows_test


def _warn_missing(where: str, y: Array, rows: npt.NDArray[np.int64], part: str) -> None:
    missing = sorted(set(y.tolist()) - set(y[rows].tolist()))
    if missing:
        warn(f"{where}: no row of class {', '.join(map(str, missing))} among the {len(rows)} {part} rows; "
             f"choose another test_split or seed")
