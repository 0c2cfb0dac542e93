"""Reproducible draws for splits and makers: the project's Philox, so independent of NumPy's generators and versions.

Keyed by (seed, stream). The streams lie apart from those that models count from 1, so that a data set and a model with
the same seed do not share numbers. Imports the reference's Philox and the checks of arguments.
"""

import numpy as np
import numpy.typing as npt

from fastnn.arguments import whole
from fastnn.reference import _philox

_STREAMS = 0xDA7A0000


def check_seed(where: str, seed: object) -> int:
    """The seed as an int, 0 <= seed < 2**63. TypeError or ValueError for others."""
    return whole(seed, f"{where}: seed", 0)


def bits(seed: int, stream: int, count: int) -> npt.NDArray[np.uint64]:
    """`count` draws of 64 random bits, keyed by (seed, stream): (count,) uint64."""
    words = _philox.bits(2 * count, 0, seed, _STREAMS + stream).astype(np.uint64)
    return words[0::2] << np.uint64(32) | words[1::2]


def permutation(seed: int, stream: int, count: int) -> npt.NDArray[np.int64]:
    """0 .. count-1 in random order, by sorting 64-bit random keys: (count,) int64."""
    return np.argsort(bits(seed, stream, count), kind="stable").astype(np.int64)


def uniform(seed: int, stream: int, count: int) -> npt.NDArray[np.float64]:
    """u = (k + 1/2) / 2**52 with k the top 52 bits, so 0 < u < 1: (count,) float64."""
    return ((bits(seed, stream, count) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normal(seed: int, stream: int, count: int) -> npt.NDArray[np.float64]:
    """z = sqrt(-2 ln u1) cos(2 pi u2), standard normal (Box and Muller 1958): (count,) float64."""
    u = uniform(seed, stream, 2 * count)
    return np.sqrt(-2.0 * np.log(u[:count])) * np.cos(2.0 * np.pi * u[count:])
