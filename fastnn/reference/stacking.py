"""Arrays put together along an axis or a new one, and taken apart again. NumPy only."""

import numpy as np

from fastnn.reference._types import Array


def concatenate(*xs: Array, axis: int) -> Array:
    """y = xs[0], then xs[1], … along `axis`. xs of one shape but for this axis → y, their sizes added up."""
    return np.concatenate(xs, axis=axis)


def stack(*xs: Array, axis: int) -> Array:
    """y[…, i, …] = xs[i], i counting along `axis` of y. xs all of one shape → y with one axis more, len(xs) long."""
    return np.stack(xs, axis=axis)


def unstack(x: Array, *, axis: int) -> tuple[Array, ...]:
    """ys[i] = x[…, i, …], i counting along `axis` of x. x any shape → arrays without it, as many as it is long."""
    return tuple(np.moveaxis(x, axis, 0))
