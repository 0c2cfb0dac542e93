"""What a traceback shows: the user's lines, not this package's own. Ground floor; imports errors only.

A message says what to do; it should stand right under the line that made it necessary.
"""

import functools
import inspect
import os
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from fastnn.errors import PACKAGE, KindError, nearest, shown

_P = ParamSpec("_P")
_R = TypeVar("_R")
ROOT = __name__.partition(".")[0]
_doors: dict[Callable[..., object], Callable[..., object]] = {}       # what entrances() has made, by what is behind
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


def entrance(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """What users call: errors show no frames of this package below it, a call that does not fit is told how it should
    be, and an argument that there is not is named with the nearest that there is."""
    @functools.wraps(function)
    def entered(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                if error.__traceback__ is not None and error.__traceback__.tb_next is None:     # the call itself failed
                    raise _misfit(function, args, kwargs, str(error)) from None
                raise
        except BaseException as error:
            clear(error)
            raise       # without a frame of its own
    return entered


def _misfit(function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object],
            text: str) -> KindError:
    """What to say of a call whose arguments are not those of the function: Python's words, and how to call it."""
    name = type(args[0]).__name__ if function.__name__ == "__init__" else f"{function.__name__}()"
    if strange := unknown(function, kwargs):
        return KindError(f"{name}: {strange}")
    found = [p for key, p in inspect.signature(function).parameters.items() if key != "self"]
    needed = [p.name for p in found if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    more = [f"{p.name}={shown(p.default, 30)}" for p in found if p.default is not p.empty]
    call = ", ".join(needed + more[:max(0, 4 - len(needed))] + ["..."] * (len(needed) + len(more) > 4))
    return KindError(f"{name}: {text.partition('() ')[2]}; needs {name.removesuffix('()')}({call}).")


def unknown(function: Callable[..., object], keys: Iterable[str], *others: str) -> str:
    """What to say of the first of these arguments that the function does not take, with the nearest that it takes;
    empty where it takes them all, as one with **kwargs does. others: names that are taken for it."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return ""
    known = [*(p.name for p in parameters if p.name != "self"), *others]
    return next((f"got an unknown argument {shown(key)}; {nearest(key, known)}" for key in keys if key not in known),
                "")


def entrances(module: types.ModuleType) -> None:
    """Make entrances of a public module's functions, and of those of the modules that it lists."""
    own = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    for name in getattr(module, "__all__", own):
        value = vars(module).get(name)
        if inspect.isfunction(value) and value.__module__.startswith(f"{ROOT}."):
            if value not in _doors:
                door = entrance(value)
                door.__module__ = module.__name__       # where pickle looks for it
                _doors.update({value: door, door: door})
            vars(module)[name] = _doors[value]
        elif inspect.ismodule(value) and value.__name__.startswith(f"{module.__name__}."):
            entrances(value)


def list_names(face: dict[str, Any], *modules: str) -> types.ModuleType:
    """Give a face that imports its modules with * its __all__, for dir() and for * in turn: all that has no underscore,
    and the modules that are named. → the face.

    Behind the back of mypy and editors: to them what is imported with * is public, but not beside an __all__ that they
    cannot work out."""
    names = sorted(name for name, value in face.items()
                   if name in modules or not (name.startswith("_") or inspect.ismodule(value)))
    face["__all__"], face["__dir__"] = names, names.copy
    return sys.modules[face["__name__"]]
