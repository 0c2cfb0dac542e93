"""Iris: 150 flowers, four lengths each; which of three kinds of iris is it?

Source: R. Fisher 1936, UCI Machine Learning Repository 1988, https://doi.org/10.24432/C56C76, licence CC BY 4.0. Rows,
order and names as in scikit-learn's load_iris.
"""

import numpy as np

from fastnn.datasets._tables import Split, Table, split, table_of_classes

FEATURE_NAMES = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
TARGET_NAMES = ("setosa", "versicolor", "virginica")


def load() -> Table:
    """The whole table: data (150, 4) float64, target (150,) int64, feature_names (4), target_names (3)."""
    return table_of_classes("iris.csv", 150, FEATURE_NAMES, TARGET_NAMES)


def load_data(test_split: float = 0.2, seed: int = 42) -> Split:
    """The table shuffled by `seed` and split: (x_train, y_train), (x_test, y_test).

    x (rows, 4) float32, unscaled; y (rows,) int32, 0..2. 120 and 30 rows by default.
    """
    table = load()
    x, y = table.data.astype(np.float32), table.target.astype(np.int32)
    return split("datasets.iris.load_data", x, y, test_split, seed, classes=True)
