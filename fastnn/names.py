"""Names of things: checked, counted, in snake case. Ground floor; imports errors only."""

import inspect
import re
from collections.abc import Callable
from types import FunctionType
from typing import Any

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


def parameter_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's parameters. Most of an import of fastnn was inspect.signature once."""
    if type(function) is not FunctionType or "__wrapped__" in function.__dict__ or function.__code__.co_flags & (
            inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        return tuple(inspect.signature(function).parameters)
    return function.__code__.co_varnames[:function.__code__.co_argcount + function.__code__.co_kwonlyargcount]
