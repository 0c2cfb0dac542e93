"""Windows of signals, sums over neighbours and counts of vectors: what NumPy has for them. Floor 2."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnn.arguments import whole
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._arithmetic import add, divide, floor_divide, mod, multiply, power, sqrt, subtract
from fastnn.ops._compare import equal, less, where
from fastnn.ops._convert import axis_of, floats, ids, is_one, reshaped, tensor, together, whole_numbers, widened
from fastnn.ops._core import cast
from fastnn.ops._creation import linspace
from fastnn.ops._getitem import getitem
from fastnn.ops._indexing import argsort, diagonal
from fastnn.ops._products import matmul
from fastnn.ops._reduction import max, mean, min, sum
from fastnn.ops._shaping import expand_dims, flip, pad, stack, swapaxes
from fastnn.ops._sizes import of_any_size

__all__ = [
    "argpartition", "bartlett", "blackman", "corrcoef", "correlate", "geomspace", "get_item", "hamming", "hanning",
    "histogram", "kaiser", "trapezoid", "unravel_index", "vander",
]


def _window(make: Callable[..., np.ndarray]) -> Callable[[TensorLike], Tensor]:
    """A window of NumPy's as a function of its length."""
    def window(x: TensorLike) -> Tensor:
        return cast(make(whole(x, f"{make.__name__}: x", None)), "float")
    window.__name__ = window.__qualname__ = make.__name__
    window.__doc__ = f"numpy.{make.__name__} of x numbers: a window that leaves little of both ends."
    return window


bartlett, blackman = _window(np.bartlett), _window(np.blackman)
hamming, hanning = _window(np.hamming), _window(np.hanning)


def kaiser(x: TensorLike, beta: float) -> Tensor:
    """numpy.kaiser of x numbers: a window that leaves less of both ends, the larger beta is."""
    return cast(np.kaiser(whole(x, "kaiser: x", None), float(np.asarray(beta))), "float")


def get_item(x: TensorLike, key: Any) -> Tensor:
    """x[key], as NumPy."""
    return getitem(tensor(x), key)


def argpartition(x: TensorLike, kth: int, axis: int = -1) -> Tensor:
    """Indices that put the kth smallest in its place along the axis, smaller ones before it: those that sort x."""
    x, kth = tensor(x), whole(kth, "argpartition: kth", None)
    size = x.shape[axis_of(x, axis)]
    if size is not None and not -size <= kth < size:
        raise ValueError(f"argpartition: kth is {kth} and axis {axis} has {size} places; needs one of them.")
    return argsort(x, axis)


def geomspace(start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, dtype: str | None = None,
              axis: int = 0) -> Tensor:
    """num numbers from start to stop, each the same multiple of the one before it."""
    a, b = map(floats, together("geomspace", start, stop))
    place = axis_of(a, axis, 1)
    steps = np.linspace(0, 1, num, endpoint).reshape([-1 if i == place else 1 for i in range(a.ndim + 1)])
    y = power(expand_dims(divide(b, a), place), steps)
    y = multiply(expand_dims(a, place), y)
    return y if dtype is None else cast(y, dtype)


@of_any_size
def trapezoid(y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The area under y along the axis, at the places x or dx apart, between neighbours straight lines."""
    y = floats(y)
    place = axis_of(y, axis)
    keys: list[Any] = [slice(None)] * y.ndim
    first, second = ((*keys[:place], each, *keys[place + 1:]) for each in (slice(None, -1), slice(1, None)))
    width: Any = dx
    if x is not None:
        x = floats(x)
        if x.ndim == 1:
            x = reshaped(x, [-1 if i == place else 1 for i in range(y.ndim)])
            width = subtract(getitem(x, tuple(s if i == place else slice(None) for i, s in enumerate(second))),
                             getitem(x, tuple(s if i == place else slice(None) for i, s in enumerate(first))))
        else:
            width = subtract(getitem(x, second), getitem(x, first))
    return sum(multiply(multiply(add(getitem(y, first), getitem(y, second)), 0.5), width), place)


@of_any_size
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of a vector: columns x^(N-1) to x^0, or x^0 on if `increasing`."""
    x = tensor(x)
    count = x.shape[0] if N is None else N
    columns: list[Any] = []
    for i in range(count):
        columns.append(power(x, 0) if i == 0 else multiply(columns[-1], x))
    y = stack(columns, -1)
    return y if increasing else flip(y, -1)


@of_any_size
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """y[k] = Σ x1[i + k]·x2[i] of two vectors: where they overlap in full ("valid"), as many as the longer one has
    ("same"), or everywhere ("full")."""
    a, b = tensor(x1), tensor(x2)
    if a.ndim != 1 or b.ndim != 1 or mode not in ("valid", "same", "full"):
        raise ShapeError(f"correlate: got shapes {a.shape} and {b.shape} and mode {shown(mode)}; needs two "
                         "vectors, and 'valid', 'same' or 'full'.")
    m, n = a.shape[0], b.shape[0]
    places = np.arange(m + n - 1)[:, None] + np.arange(n)
    y = matmul(getitem(pad(a, [(n - 1, n - 1)]), places), b)        # everywhere
    short, long = sorted((m, n))
    first = {"full": 0, "valid": short - 1, "same": short // 2 if n > m else (short - 1) // 2}[mode]
    return getitem(y, slice(first, first + {"full": m + n - 1, "valid": long - short + 1, "same": long}[mode]))


@of_any_size
def corrcoef(x: TensorLike) -> Tensor:
    """How much each two rows of x vary together, from -1 to 1: covariance by both deviations."""
    x = floats(x)
    rows = reshaped(x, (1, -1)) if x.ndim == 1 else x
    centred = subtract(rows, mean(rows, -1, keepdims=True))
    covariance = matmul(centred, swapaxes(centred, -1, -2))
    deviation = sqrt(diagonal(covariance))
    y = divide(covariance, multiply(reshaped(deviation, (-1, 1)), deviation))
    return reshaped(y, ()) if x.ndim == 1 else y


def histogram(x: TensorLike, bins: int = 10, range: Sequence[float] | None = None) -> tuple[Tensor, Tensor]:
    """How many of x are in each of so many equally wide intervals (int32), and their edges. range: the first and the
    last edge, the smallest and the largest x unless given."""
    if not is_one(bins) or bins < 1 or (range is not None and (len(range) != 2 or range[0] > range[1])):
        raise ValueError(f"histogram: bins is {shown(bins)} and range {shown(range)}; needs a whole number >= 1 and "
                         "two numbers in order.")
    flat = reshaped(floats(x), (-1,))
    low, high = (min(flat), max(flat)) if range is None else (floats(range[0]), floats(range[1]))
    same = equal(low, high)
    low, high = where(same, subtract(low, 0.5), low), where(same, add(high, 0.5), high)
    edges = linspace(low, high, bins + 1)
    above = sum(widened(less(reshaped(flat, (-1, 1)), edges), "int32"), 0)      # below each edge
    last = sum(widened(equal(flat, high), "int32"))
    counts = subtract(getitem(above, slice(1, None)), getitem(above, slice(None, -1)))
    top = Tensor(np.eye(1, bins, bins - 1, dtype=np.int32)[0], constant=True)
    return add(counts, multiply(top, last)), edges


def unravel_index(indices: TensorLike, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """Places in a row as places along each axis of an array of this shape."""
    rest, found = ids(indices), []
    for n in whole_numbers("unravel_index", shape)[::-1]:
        found.append(mod(rest, n))
        rest = floor_divide(rest, n)
    return tuple(found[::-1])
