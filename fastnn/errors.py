"""The error types of fastnn and the wording helpers. Imports nothing of fastnn."""

import difflib
import os
import sys
import warnings
from collections.abc import Iterable

PACKAGE = os.path.dirname(__file__) + os.sep


class ShapeError(ValueError):
    """Arrays whose shapes do not fit together, or do not fit the model."""


class KindError(TypeError, ValueError):
    """An argument of the wrong kind: a TypeError, and a ValueError for scripts that expect Keras' error."""


class UnknownNameError(KeyError, ValueError):
    """A name in a dict that is none of those there are: a KeyError, and a ValueError; Keras raises now one, now the
    other."""
    __str__ = Exception.__str__     # KeyError would show the message as a repr


class PlaceError(IndexError, ValueError):
    """An index of which there is none: an IndexError, and a ValueError for scripts that expect Keras' error."""


class LabelError(ValueError):
    """Labels outside the classes that the model or the loss knows."""


class NotBuiltError(RuntimeError, ValueError):
    """A model or layer asked for weights before its input shape is known; a ValueError too, as Keras' is."""


class BusyError(RuntimeError):
    """A model asked to train while it is training."""


class DownloadError(OSError, ValueError):
    """A file from the network that is not what it should be; a ValueError too, as Keras' is."""


class MissingFileError(FileNotFoundError, ValueError):
    """A file that is not there; a ValueError too, as Keras' is."""


class ModelFileError(ValueError):
    """A file that holds no model, or one that is damaged."""


def shown(value: object, limit: int = 60) -> str:
    """repr(value), control characters escaped, cut to `limit` characters: safe to put into a message."""
    try:
        text = repr(value)
    except Exception:       # a number of over 4300 digits, or an object whose repr fails
        text = f"a {type(value).__name__} that cannot be printed"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def nearest(name: object, options: Iterable[str]) -> str:
    """'did you mean 'relu'?' where something is close, else a list of the options, on a line of its own if long."""
    options = sorted(options)
    word = str(name).lower()
    known = {option.lower(): option for option in sorted(options, key=lambda each: each.islower() == (word == name))}
    swapped = [option for option in known if sorted(option) == sorted(word)]       # as adma for adam
    close = swapped or difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {known[close[0]]!r}?"
    text = ", ".join(options)
    return f"choose from {text}." if len(text) <= 50 else f"needs one of these names:\n{text}."


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning that shows the user's line: the innermost one outside this package."""
    frame, level = sys._getframe(1), 2      # 2: the caller of this function
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
