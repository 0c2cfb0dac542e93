"""Boston housing: 506 districts of Boston around 1978, 13 numbers each; the median price of a house, in 1,000 dollars.

Source: D. Harrison, D. Rubinfeld 1978, in the form of keras.datasets.boston_housing. One of its columns was made on an
assumption about race that does harm (M. Carlisle 2019); `housing` and `california_housing` are better ones.
"""

import os

from fastnn.arguments import number
from fastnn.datasets._files import shuffled
from fastnn.datasets._tables import Split
from fastnn.datasets._words import arrays

_SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(path: str | os.PathLike[str] | None = None, test_split: float = 0.2, seed: int = 113) -> Split:
    """(x_train, y_train), (x_test, y_test): x (rows, 13), y (rows,), shuffled by `seed`, unscaled.

    test_split: the part to test with.
    path: boston_housing.npz or its folder; without it fastnn's cache, Keras', or a download.
    """
    where = "datasets.boston_housing.load_data"
    part = number(test_split, f"{where}: test_split", 0, 1, above=True, below=True)
    x, y = arrays(where, "boston_housing.npz", _SHA256, path, ("x", "y"))
    x, y = shuffled(seed, x, y)
    at = int(len(x) * (1 - part))
    return (x[:at], y[:at]), (x[at:], y[at:])
