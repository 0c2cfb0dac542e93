"""Floor 5. Data to learn with: small tables and series in the package, MNIST, and point clouds to draw from a seed.

The tables and MNIST are modules with `load_data(...) -> (x_train, y_train), (x_test, y_test)`, as in Keras;
the makers are functions that return `x (n, 2) float32, y (n,) int32`. Nothing here touches NumPy's global
random state, and the same seed gives the same bits with every NumPy. Imports NumPy only.
"""

from fastnn.datasets import (
    breast_cancer,
    digits,
    housing,
    mnist,
    names,
    sunspots,
    weather,
)
from fastnn.datasets.makers import (
    circles,
    moons,
    spirals,
    xor,
)

__all__ = [
    "breast_cancer",
    "circles",
    "digits",
    "housing",
    "mnist",
    "moons",
    "names",
    "spirals",
    "sunspots",
    "weather",
    "xor",
]
