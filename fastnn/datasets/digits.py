"""Handwritten digits: 1797 images of 8 x 8 pixels with values 0 .. 16, and the digit 0 .. 9 that each shows.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits" (its test set), UCI Machine Learning
Repository 1998, https://doi.org/10.24432/C50P49, licence CC BY 4.0. Rows and order as in scikit-learn's load_digits.
"""

import numpy as np

from fastnn.datasets._tables import Split, Table, split, table_of_classes

FEATURE_NAMES = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
TARGET_NAMES = tuple(str(digit) for digit in range(10))


def load() -> Table:
    """The whole table: data (1797, 64) float64, target (1797,) int64, feature_names (64), target_names (10)."""
    return table_of_classes("digits.csv.gz", 1797, FEATURE_NAMES, TARGET_NAMES)


def load_data(test_split: float = 0.2, seed: int = 42) -> Split:
    """The images shuffled by `seed` and split: (x_train, y_train), (x_test, y_test).

    x (rows, 8, 8) uint8 with values 0 .. 16 (divide by 16 to scale); y (rows,) int32. 1437 and 360 rows by default.
    """
    table = load()
    x, y = table.data.reshape(-1, 8, 8).astype(np.uint8), table.target.astype(np.int32)
    return split("datasets.digits.load_data", x, y, test_split, seed, classes=True)
