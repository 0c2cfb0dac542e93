"""What a traceback shows: the user's lines, not this package's own. Ground floor; imports errors only.

A message says what to do; it should stand right under the line that made it necessary.
"""

import functools
import inspect
import os
import types
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from fastnn.errors import PACKAGE, nearest, shown

_P = ParamSpec("_P")
_R = TypeVar("_R")
_filtering = os.environ.get("FASTNN_TRACEBACK", "short") != "full"


def enable_traceback_filtering() -> None:
    """Leave fastnn's own frames out of tracebacks, as it is unless FASTNN_TRACEBACK=full (as Keras)."""
    global _filtering
    _filtering = True


def disable_traceback_filtering() -> None:
    """Show all frames in tracebacks (as Keras)."""
    global _filtering
    _filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether tracebacks leave fastnn's own frames out."""
    return _filtering


def clear(error: BaseException) -> None:
    """Take this package's frames out of the traceback of an error that is under way, but for the one that raises."""
    if not _filtering:
        return
    kept: list[types.TracebackType] = []
    frame = error.__traceback__
    while frame is not None:
        if not frame.tb_frame.f_code.co_filename.startswith(PACKAGE):
            kept.append(frame)
        frame = frame.tb_next
    below: types.TracebackType | None = None
    for frame in reversed(kept):
        below = types.TracebackType(below, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    error.__traceback__ = below


def entrance(method: Callable[_P, _R]) -> Callable[_P, _R]:
    """A method that users call: errors show no frames of this package below it, and an argument that it does not have
    is named with the nearest that it has."""
    name = f"{method.__name__}()"

    @functools.wraps(method)
    def entered(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            try:
                return method(*args, **kwargs)
            except TypeError as error:
                if error.__traceback__ is not None and error.__traceback__.tb_next is None:     # the call itself failed
                    known = [key for key in inspect.signature(method).parameters if key != "self"]
                    for key in kwargs:
                        if key not in known:
                            raise TypeError(f"{name}: got an unknown argument {shown(key)}; "
                                            f"{nearest(key, known)}") from None
                raise
        except BaseException as error:
            clear(error)
            raise       # without a frame of its own
    return entered
