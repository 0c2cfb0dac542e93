"""Breast cancer Wisconsin (diagnostic): 569 tumours, 30 measurements each; is it malignant (0) or benign (1)?

Source: W. Wolberg, O. Mangasarian, N. Street, W. Street, UCI Machine Learning Repository 1995,
https://doi.org/10.24432/C5DW2B, licence CC BY 4.0. Rows, order and names as in scikit-learn's load_breast_cancer.
"""

import numpy as np

from fastnn.datasets._tables import Split, Table, split, table_of_classes

_STATISTICS = ("mean {}", "{} error", "worst {}")
_MEASURES = ("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points",
             "symmetry", "fractal dimension")
FEATURE_NAMES = tuple(statistic.format(measure) for statistic in _STATISTICS for measure in _MEASURES)
TARGET_NAMES = ("malignant", "benign")


def load() -> Table:
    """The whole table: data (569, 30) float64, target (569,) int64, feature_names (30), target_names (2)."""
    return table_of_classes("breast_cancer.csv", 569, FEATURE_NAMES, TARGET_NAMES)


def load_data(test_split: float = 0.2, seed: int = 42) -> Split:
    """The table shuffled by `seed` and split: (x_train, y_train), (x_test, y_test).

    x (rows, 30) float32, unscaled; y (rows,) int32, 0 malignant, 1 benign. 455 and 114 rows by default.
    """
    table = load()
    x, y = table.data.astype(np.float32), table.target.astype(np.int32)
    return split("datasets.breast_cancer.load_data", x, y, test_split, seed, classes=True)
