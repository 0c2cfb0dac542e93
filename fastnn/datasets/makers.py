"""Point clouds in the plane for watching decision boundaries: moons, circles, spirals and XOR.

Every maker returns x (n, 2) float32 and y (n,) int32, rows shuffled, class sizes differing by at most one. Points are
computed in float64 and rounded once to float32, so the last bit of a library's sine does not show.
"""

import numpy as np
import numpy.typing as npt

from fastnn.arguments import number, whole
from fastnn.datasets import _random

Points = tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]
_NOISE, _SHUFFLE = 1, 2


def moons(n: int = 200, noise: float = 0.1, seed: int = 0) -> Points:
    """Two interleaved half circles: (cos t, sin t) is class 0, (1 - cos t, 1/2 - sin t) class 1, 0 <= t <= pi.

    `noise` is the standard deviation of the Gaussian added to both coordinates. -> x (n, 2) float32, y (n,) int32.
    Source: shapes of scikit-learn's make_moons.
    """
    n, noise, seed = _check("moons", n, noise, seed, classes=2)
    upper, lower = (np.linspace(0, np.pi, size) for size in _sizes(n, 2))
    return _finish([_polar(1, upper), [1.0, 0.5] - _polar(1, lower)], noise, seed)


def circles(n: int = 200, noise: float = 0.1, seed: int = 0, factor: float = 0.5) -> Points:
    """Two circles around the origin: radius 1 is class 0, radius `factor` class 1.

    `noise` is the standard deviation of the Gaussian added to both coordinates. -> x (n, 2) float32, y (n,) int32.
    Source: shapes of scikit-learn's make_circles.
    """
    n, noise, seed = _check("circles", n, noise, seed, classes=2)
    factor = number(factor, "datasets.circles: factor", 0, 1)
    outer, inner = (np.linspace(0, 2 * np.pi, size, endpoint=False) for size in _sizes(n, 2))
    return _finish([_polar(1, outer), _polar(factor, inner)], noise, seed)


def spirals(n: int = 200, noise: float = 0.02, seed: int = 0, classes: int = 2) -> Points:
    """One spiral arm per class, a full turn each: radius r in (0, 1], angle 2 pi (r + class / classes).

    `noise` is the standard deviation of the Gaussian added to both coordinates. -> x (n, 2) float32, y (n,) int32.
    """
    classes = whole(classes, "datasets.spirals: classes", 2)
    n, noise, seed = _check("spirals", n, noise, seed, classes=classes)
    radii = [np.arange(1, size + 1) / size for size in _sizes(n, classes)]
    return _finish([_polar(r, 2 * np.pi * (r + arm / classes)) for arm, r in enumerate(radii)], noise, seed)


def xor(n: int | None = None, noise: float = 0.1, seed: int = 0) -> Points:
    """y = x0 xor x1. Without `n` the table itself, x (4, 2) float32, y (4,) int32, in the order 00, 01, 10, 11.

    With `n`, that many points around the four corners, `noise` being the standard deviation of the Gaussian added to
    both coordinates: x (n, 2) float32, y (n,) int32.
    """
    if n is None:
        corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
        return corners, np.array([0, 1, 1, 0], dtype=np.int32)
    n, noise, seed = _check("xor", n, noise, seed, classes=2)
    equal, different = (np.arange(size) % 2 for size in _sizes(n, 2))
    return _finish([np.stack([equal, equal], 1), np.stack([different, 1 - different], 1)], noise, seed)


def _polar(radius: float | npt.NDArray[np.float64], angle: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(r cos t, r sin t): angle (size,) -> (size, 2) float64."""
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _sizes(n: int, classes: int) -> list[int]:
    """How many points each class gets; the first n mod classes get one more."""
    return [n // classes + (label < n % classes) for label in range(classes)]


def _finish(clouds: list[npt.NDArray[np.float64]], noise: float, seed: int) -> Points:
    """Stack one cloud (size, 2) per class, label it, add noise and shuffle the rows."""
    x = np.concatenate(clouds)
    y = np.repeat(np.arange(len(clouds), dtype=np.int32), [len(cloud) for cloud in clouds])
    x = x + noise * _random.normal(seed, _NOISE, x.size).reshape(x.shape)
    order = _random.permutation(seed, _SHUFFLE, len(x))
    return x[order].astype(np.float32), y[order]


def _check(maker: str, n: int, noise: float, seed: int, classes: int) -> tuple[int, float, int]:
    """The arguments, checked; every class needs a point."""
    return (whole(n, f"datasets.{maker}: n", classes), number(noise, f"datasets.{maker}: noise", 0, 100),
            _random.check_seed(f"datasets.{maker}", seed))
