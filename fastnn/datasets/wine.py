"""Wine: 178 wines of one region of Italy, 13 measurements each; which of three growers made it?

Source: S. Aeberhard, M. Forina 1992, UCI Machine Learning Repository, https://doi.org/10.24432/C5PC7J, licence
CC BY 4.0. Rows, order and names as in scikit-learn's load_wine.
"""

import numpy as np

from fastnn.datasets._tables import Split, Table, split, table_of_classes

FEATURE_NAMES = (
    "alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
    "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines", "proline")
TARGET_NAMES = ("class_0", "class_1", "class_2")


def load() -> Table:
    """The whole table: data (178, 13) float64, target (178,) int64, feature_names (13), target_names (3)."""
    return table_of_classes("wine.csv", 178, FEATURE_NAMES, TARGET_NAMES)


def load_data(test_split: float = 0.2, seed: int = 42) -> Split:
    """The table shuffled by `seed` and split: (x_train, y_train), (x_test, y_test).

    x (rows, 13) float32, unscaled; y (rows,) int32, 0..2. 142 and 36 rows by default.
    """
    table = load()
    x, y = table.data.astype(np.float32), table.target.astype(np.int32)
    return split("datasets.wine.load_data", x, y, test_split, seed, classes=True)
