"""House prices: 546 houses sold in Windsor, Canada, in summer 1987; 11 features and the price in Canadian dollars.

Source: P. Anglin, R. Gencay, "Semiparametric estimation of a hedonic price function", Journal of Applied
Econometrics 11(6), 1996, 633-648, from the journal's public data archive; column names as in R's Ecdat::Housing.
The archive states no licence; the table holds facts only.
"""

import numpy as np

from fastnn.datasets._tables import Split, Table, read_table, split

FEATURE_NAMES = ("lotsize", "bedrooms", "bathrms", "stories", "driveway", "recroom", "fullbase", "gashw", "airco",
                 "garagepl", "prefarea")
TARGET_NAMES = ("price",)


def load() -> Table:
    """The whole table: data (546, 11) float64 with yes/no as 1/0, target (546,) float64, the price; and the names."""
    table = read_table("windsor_housing.csv", (546, 12))
    return Table(table[:, 1:].copy(), table[:, 0].copy(), FEATURE_NAMES, TARGET_NAMES)


def load_data(test_split: float = 0.2, seed: int = 42) -> Split:
    """The table shuffled by `seed` and split: (x_train, y_train), (x_test, y_test).

    x (rows, 11) float32, unscaled, yes/no as 1/0, columns as in FEATURE_NAMES; y (rows,) float32, the price.
    436 and 110 rows by default.
    """
    table = load()
    x, y = table.data.astype(np.float32), table.target.astype(np.float32)
    return split("datasets.housing.load_data", x, y, test_split, seed, classes=False)
