"""Floor 5. Data to learn with: small tables and series in the package, what courses load, and point clouds.

Tables, images and texts are modules with `load_data(...) -> (x_train, y_train), (x_test, y_test)`, as in Keras;
the makers are functions that return `x (n, 2) float32, y (n,) int32`. Nothing here touches NumPy's global
random state, and the same seed gives the same bits with every NumPy. Imports NumPy only.
"""

import sys

from fastnn.datasets import (
    boston_housing,
    breast_cancer,
    california_housing,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    housing,
    imdb,
    iris,
    mnist,
    names,
    reuters,
    sunspots,
    weather,
    wine,
)
from fastnn.datasets.makers import (
    circles,
    moons,
    spirals,
    xor,
)
from fastnn.frames import entrances

__all__ = [
    "boston_housing",
    "breast_cancer",
    "california_housing",
    "cifar10",
    "cifar100",
    "circles",
    "digits",
    "fashion_mnist",
    "housing",
    "imdb",
    "iris",
    "mnist",
    "moons",
    "names",
    "reuters",
    "spirals",
    "sunspots",
    "weather",
    "wine",
    "xor",
]

entrances(sys.modules[__name__])
