"""Names and shapes of layers, checked and counted. Floor 3; imports errors only."""

import re
from typing import Any

import numpy as np

from fastnn.errors import shown

_counters: dict[str, int] = {}


def snake_case(name: str) -> str:
    """MultiHeadAttention → multi_head_attention, Conv2D → conv2d."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])", "_", name).lower()


def unique_name(base: str) -> str:
    """dense, dense_1, dense_2, … as they are asked for."""
    count = _counters.get(base, 0)
    _counters[base] = count + 1
    return base if count == 0 else f"{base}_{count}"


def reset_names() -> None:
    """Count names from the start again."""
    _counters.clear()


def checked_name(name: str | None, where: str) -> str | None:
    """A usable layer name, or TypeError/ValueError."""
    if name is None:
        return None
    if not isinstance(name, str):
        raise TypeError(f"{where}: got the name {shown(name, 40)}; needs text.")
    if not 0 < len(name) <= 255 or not name.isprintable() or "/" in name or ".." in name:
        raise ValueError(f"{where}: got the name {shown(name, 40)}; needs 1 to 255 printable characters without '/' or "
                         "'..'.")
    return name


def checked_shape(shape: Any, where: str) -> tuple[int | None, ...]:
    """A sample's shape as a tuple: ints >= 1 or None."""
    items = (shape,) if hasattr(shape, "__index__") else shape
    if not isinstance(items, (tuple, list, np.ndarray)):
        raise TypeError(f"{where}: got the input shape {shown(shape)}; needs a tuple such as (30,).")
    for n in items:
        if n is not None and (isinstance(n, bool) or not hasattr(n, "__index__") or int(n) < 1):
            raise ValueError(f"{where}: got the input shape {shown(shape)}; every axis must be a whole number >= 1 "
                             "(or None).")
    return tuple(None if n is None else int(n) for n in items)


def positive_int(value: Any, what: str) -> int:
    """A whole number >= 1. TypeError for other kinds (bool too), ValueError for smaller ones."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{what} is {shown(value)}; needs a whole number >= 1.")
    if int(value) < 1:
        raise ValueError(f"{what} is {shown(value)}; needs a whole number >= 1.")
    return int(value)
