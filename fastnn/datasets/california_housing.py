"""California housing: 20,640 districts in the census of 1990, 8 numbers each; the median value of a house, in dollars.

Source: R. Pace, R. Barry 1997, in the form of keras.datasets.california_housing.
"""

import os

from fastnn.arguments import choice, number
from fastnn.datasets._files import shuffled
from fastnn.datasets._tables import Split
from fastnn.datasets._words import arrays

_SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"


def load_data(version: str = "large", path: str | os.PathLike[str] | None = None, test_split: float = 0.2,
              seed: int = 113) -> Split:
    """(x_train, y_train), (x_test, y_test): x (rows, 8), y (rows,), shuffled by `seed`, unscaled.

    version: 'large', all rows, or 'small', 600 of them. test_split: the part to test with.
    path: california_housing.npz or its folder; without it fastnn's cache, Keras', or a download.
    """
    where = "datasets.california_housing.load_data"
    part = number(test_split, f"{where}: test_split", 0, 1, above=True, below=True)
    rows = None if choice(version, f"{where}: version", ("large", "small")) == "large" else 600
    x, y = (each[:rows] for each in arrays(where, "california_housing.npz", _SHA256, path, ("x", "y")))
    x, y = shuffled(seed, x, y)
    at = int(len(x) * (1 - part))
    return (x[:at], y[:at]), (x[at:], y[at:])
