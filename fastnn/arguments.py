"""Arguments, checked: each function gives the value in the form that is used, or raises before anything changes.

TypeError for a wrong kind, ValueError for a wrong value, in one wording: `what` is what; needs …. `what` says where and
which: "Dense: units", "fit(): epochs". Ground floor; imports errors only.
"""

import codecs
import math
import operator
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from fastnn.errors import KindError, nearest, shown

_END = 2 ** 63      # whole numbers are 64 bits wide in C


def whole(value: Any, what: str, least: int | None = 1, end: int = _END) -> int:
    """A whole number with least <= it < end; least None: below 0 too. bool is none, nor is 3.0."""
    wanted = "a whole number" if least is None else f"a whole number >= {least}"
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except (TypeError, ValueError):
        word = isinstance(value, str) and value.isidentifier()
        hint = ""
        if word and "()" in what:
            hint = f"\nName the arguments: {what.partition(': ')[2]}=…, so that each goes to its own."
        elif word:
            hint = "\nA name goes to its own argument, such as activation='relu'."
        raise KindError(f"{what} is {shown(value)}; needs {wanted}.{hint}") from None
    if least is not None and number < least:
        raise ValueError(f"{what} is {shown(number)}; needs {wanted}.")
    if not -end <= number < end:
        raise ValueError(f"{what} is {shown(number)}; needs {wanted}, below 2**{end.bit_length() - 1}.")
    return number


def number(value: Any, what: str, low: float = -math.inf, high: float = math.inf, *, above: bool = False,
           below: bool = False) -> float:
    """A finite number in [low, high]; `above`: > low, `below`: < high. A 0-d array is one, bool and text are not."""
    try:
        if isinstance(value, (bool, np.bool_, str, bytes, complex, np.complexfloating)) or getattr(value, "ndim", None):
            raise TypeError
        found = float(value)
    except OverflowError:
        found = math.inf
    except (TypeError, ValueError):
        raise KindError(f"{what} is {shown(value)}; needs {_interval(low, high, above, below)}.") from None
    inside = (found > low if above else found >= low) and (found < high if below else found <= high)
    if not (math.isfinite(found) and inside):
        raise ValueError(f"{what} is {shown(value)}; needs {_interval(low, high, above, below)}.")
    return found


def _interval(low: float, high: float, above: bool, below: bool) -> str:
    """'a number from 0 to 1', 'a finite number > 0', …"""
    if math.isfinite(low) and math.isfinite(high) and not (above or below):
        return f"a number from {low:g} to {high:g}"
    limits = [f"{sign} {limit:g}" for sign, limit in ((">" if above else ">=", low), ("<" if below else "<=", high))
              if math.isfinite(limit)]
    return f"a {'finite ' if len(limits) < 2 else ''}number {' and '.join(limits)}".rstrip()


def share(value: Any, what: str) -> float:
    """A part of a whole that leaves something: 0 <= it < 1, such as a dropout rate."""
    return number(value, what, 0, 1, below=True)


def flag(value: Any, what: str) -> bool:
    """True or False; 1, 0 and None too."""
    kinds = (type(None), bool, np.bool_, int, np.integer)
    if isinstance(value, kinds) and value in (None, 0, 1):
        return bool(value)
    raise KindError(f"{what} is {shown(value)}; needs True or False.")


def boolean(value: Any, what: str) -> bool:
    """True or False and nothing else: of what None or a number would decide by accident."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise KindError(f"{what} is {shown(value)}; needs True or False.")


def dense(value: Any, what: str) -> bool:
    """False, of `sparse` and `ragged`."""
    if flag(value, what):
        raise ValueError(f"{what} is {shown(value)}; needs False: fastnn computes with dense arrays.")
    return False


def text(value: Any, what: str, example: str = "") -> str:
    """A text that is not empty."""
    wanted = "a text" + (f", such as {example!r}" if example else "")
    if not isinstance(value, str):
        raise KindError(f"{what} is {shown(value)}; needs {wanted}.")
    if not value:
        raise ValueError(f"{what} is empty; needs {wanted}.")
    return value


def encoding(value: Any, what: str) -> str:
    """The name of a way to write text as bytes that Python knows."""
    name = text(value, what, "utf-8")
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(f"{what} is {shown(name)}; needs an encoding that Python knows, such as 'utf-8' or "
                         "'latin-1'.") from None
    return name


def path(value: Any, what: str, example: str) -> str:
    """The name of a file or folder, a text or a Path, as a text that is not empty."""
    return text(os.fspath(value) if isinstance(value, os.PathLike) else value, what, example)


def frequency(value: Any, what: str) -> Any:
    """'epoch', or a whole number of steps."""
    if isinstance(value, str) and value == "epoch":
        return value
    if isinstance(value, (str, float)):
        raise ValueError(f"{what} is {shown(value)}; needs 'epoch' or a whole number of steps.")
    return whole(value, what)


def choice(value: Any, what: str, options: Iterable[str]) -> str:
    """One of the options, in small letters or capitals. The error names the nearest."""
    options = tuple(options)
    if isinstance(value, str) and value not in options and value.lower() in options:
        return value.lower()
    if not isinstance(value, str):
        raise KindError(f"{what} is {shown(value)}; {nearest('', options)}")
    if value not in options:
        raise ValueError(f"{what} is {shown(value)}; {nearest(value, options)}")
    return value


def function(value: Any, what: str) -> Callable[..., Any]:
    """Something that can be called."""
    if not callable(value):
        raise KindError(f"{what} is {shown(value)}; needs a function.")
    return value  # type: ignore[no-any-return]


def optional(check: Callable[..., Any], value: Any, what: str, *limits: Any, **options: Any) -> Any:
    """None for None, else what the check gives."""
    return None if value is None else check(value, what, *limits, **options)


def refuse_unknown(names: Iterable[str], where: str, known: Iterable[str]) -> None:
    """KindError for the first of the names of arguments that nobody knows."""
    for name in names:
        raise KindError(f"{where}: got an unknown argument {shown(name)}; {nearest(name, known)}")


# ---- several numbers ------------------------------------------------------------------------------------------------


def is_sequence(value: Any) -> bool:
    """Whether it is a list, a tuple or an array with axes."""
    return isinstance(value, (list, tuple)) or bool(isinstance(value, np.ndarray) and value.ndim)


def sizes(value: Any, what: str, count: int, least: int = 1) -> tuple[int, ...]:
    """`count` whole numbers >= least, from as many, or from one for all: kernel sizes, strides."""
    more = "" if count == 1 else ", or two" if count == 2 else f", or {count}"
    items = value if is_sequence(value) else (value,) * count
    if len(items) != count:
        raise ValueError(f"{what} is {shown(value)}; needs a whole number >= {least}{more}.")
    return _each(whole, items, value, what, more, least)


def _each(check: Callable[..., Any], items: Sequence[Any], given: Any, what: str, more: str,
          *limits: Any) -> tuple[Any, ...]:
    """The check of each of several items; errors show them all, and what else is taken."""
    try:
        return tuple(check(item, what, *limits) for item in items)
    except (TypeError, ValueError) as error:
        needs = str(error).partition("; needs ")[2].rstrip(".")
        raise type(error)(f"{what} is {shown(given)}; needs {needs}{more}.") from None


def borders(value: Any, what: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) from a number for all four, (height, width), or two pairs."""
    pair = value if is_sequence(value) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{what} is {shown(value)}; needs a whole number >= 0, (height, width), or ((top, bottom), "
                         "(left, right)).")
    (top, bottom), (left, right) = _each(sizes, pair, value, what, " for each side", 2, 0)
    return (top, bottom), (left, right)


def interval(value: Any, what: str, low: float, high: float) -> tuple[float, float]:
    """(lower, upper) from a number f, which means -f to f, cut to [low, high], or from a pair, in any order."""
    if is_sequence(value):
        if len(value) != 2:
            raise ValueError(f"{what} is {shown(value)}; needs a number, or two: (lower, upper).")
        lower, upper = sorted(number(v, what, low, high) for v in value)
        return lower, upper
    size = abs(number(value, what, low, high))
    return max(-size, low), size


def numbers(value: Any, what: str) -> np.ndarray:
    """A number, or an array of numbers, all finite, as float64."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise KindError(f"{what} is {shown(value)}; needs numbers, rows of one length.") from None
    if array.dtype.kind not in "fiu":
        raise KindError(f"{what} is {shown(value)}; needs numbers.")
    bad = ~np.isfinite(array)
    if bad.any():
        raise ValueError(f"{what} holds {array[bad][0]}; needs finite numbers.")
    return array.astype(np.float64)


def shape(value: Any, what: str) -> tuple[int | None, ...]:
    """A shape as a tuple: whole numbers >= 1, or None for an axis that is not known. One number is one axis."""
    items = value if is_sequence(value) else (value,)
    if not is_sequence(value) and not hasattr(value, "__index__"):
        raise KindError(f"{what} is {shown(value)}; needs a tuple such as (30,).")
    try:
        return tuple(None if n is None else whole(n, what, 1) for n in items)
    except (TypeError, ValueError):
        raise ValueError(f"{what} is {shown(value)}; needs a whole number >= 1 (or None) for every axis.") from None


def axes(value: Any, what: str) -> tuple[int, ...]:
    """One or several axes as a tuple of whole numbers."""
    items = value if is_sequence(value) else (value,)
    if not len(items):
        raise ValueError(f"{what} is {shown(value)}; needs a whole number or several.")
    return _each(whole, items, value, what, " or several", None)


def channels_last(data_format: Any, where: str) -> str:
    """The one data format there is."""
    if data_format is not None and not (isinstance(data_format, str) and data_format == "channels_last"):
        raise ValueError(f"{where}: data_format is {shown(data_format)}; needs channels_last, as all of fastnn.\nBring "
                         "the channels to the end, x.transpose(0, 2, 3, 1), and leave data_format out.")
    return "channels_last"


def dtype_of(value: Any, what: str, options: tuple[str, ...]) -> str:
    """The name of a dtype given by name or as NumPy has it, the first of the options for None."""
    name = getattr(value, "__name__", None) or getattr(value, "name", value)
    if name is None:
        return options[0]
    if not isinstance(name, str) or name not in options:
        raise ValueError(f"{what} is {shown(value)}; needs {' or '.join(options)}.\nfastnn.config.set_floatx "
                         "chooses between float32 and float64.")
    return name


def of_weight(where: str, first: Any, second: Any, name: Any, shape: Any, initializer: Any) -> tuple[Any, Any, Any]:
    """(shape, initializer, name) of add_weight(first, second, ...): the shape and the initializer, or, in the order of
    Keras 2, the name and the shape. KindError for one that is given twice."""
    if isinstance(first, str) and name is None:
        name, first = first, None
        if isinstance(second, (list, tuple)):
            first, second = second, None
    twice = isinstance(first, str) or (first is not None and shape is not None)
    if twice or (second is not None and initializer is not None):
        raise KindError(f"{where}: add_weight got {shown(first if twice else second)} by its place, and "
                        f"{'shape or name' if twice else 'initializer'} too; needs one of them.")
    return first if shape is None else shape, second if initializer is None else initializer, name
