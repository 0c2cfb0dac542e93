"""Arguments of layers for images and sequences, checked: sizes, borders, ranges, the data format. Floor 3."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, nearest, shown

Border = tuple[int, int]


def channels_last(data_format: Any, where: str) -> str:
    """The one data format there is. ValueError for another."""
    if data_format not in (None, "channels_last"):
        raise ValueError(f"{where}: got data_format {shown(data_format)}; fastnn is channels_last throughout.")
    return "channels_last"


def choice(value: Any, options: Iterable[str], what: str) -> str:
    """One of the options, or a ValueError that names the nearest."""
    if value not in tuple(options):
        raise ValueError(f"{what} is {shown(value)}; {nearest(value, options)}")
    return str(value)


def number(value: Any, what: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number in [low, high]. TypeError for other kinds (bool too), ValueError outside."""
    wanted = f"needs a number from {low:g} to {high:g}." if math.isfinite(low + high) else "needs a finite number."
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{what} is {shown(value)}; {wanted}")
    if not (low <= value <= high and math.isfinite(value)):
        raise ValueError(f"{what} is {shown(value)}; {wanted}")
    return float(value)


def interval(value: Any, what: str, low: float, high: float) -> tuple[float, float]:
    """(lower, upper) from a number f, which means -f to f, cut to [low, high], or from a pair, in any order."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(f"{what} is {shown(value)}; needs a number, or two: (lower, upper).")
        lower, upper = sorted(number(v, what, low, high) for v in value)
        return lower, upper
    size = abs(number(value, what, low, high))
    return max(-size, low), size


def whole(value: Any, what: str, least: int) -> int:
    """A whole number >= least. TypeError for other kinds (bool too), ValueError for smaller ones."""
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(f"{what} is {shown(value)}; needs whole numbers >= {least}.")
    if int(value) < least:
        raise ValueError(f"{what} is {shown(value)}; needs whole numbers >= {least}.")
    return int(value)


def pair(value: Any, what: str, least: int) -> Border:
    """(a, b) from two whole numbers, or from one for both."""
    if hasattr(value, "__index__"):
        value = (value, value)
    if not isinstance(value, (tuple, list, np.ndarray)):
        raise TypeError(f"{what} is {shown(value)}; needs a whole number or two.")
    if len(value) != 2:
        raise ValueError(f"{what} is {shown(value)}; needs a whole number or two.")
    return whole(value[0], what, least), whole(value[1], what, least)


def border_pairs(value: Any, what: str) -> tuple[Border, Border]:
    """((top, bottom), (left, right)) from a number for all four, (height, width), or two pairs."""
    if hasattr(value, "__index__"):
        value = (value, value)
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 2:
        raise ValueError(f"{what} is {shown(value)}; needs a number, (height, width), or ((top, bottom), (left, "
                         "right)).")
    return pair(value[0], what, 0), pair(value[1], what, 0)


def checked_rank(x: Tensor, axes: str, name: str) -> Tensor:
    """x, if it has these axes, such as 'batch, rows, columns, channels', all but the batch known. ShapeError else."""
    rank = axes.count(",") + 1
    if x.ndim != rank or any(n is None for n in x.shape[1:]):
        known = "" if x.ndim != rank else ", all but the batch known"
        hint = " For one sample, add the batch axis: x[None]." if x.ndim == rank - 1 else ""
        raise ShapeError(f"{name}: got inputs of shape {x.shape}; needs ({axes}){known}.{hint}")
    return x
