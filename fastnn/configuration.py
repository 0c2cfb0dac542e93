"""Objects are the arguments of their constructors: written down as plain data, and made again. Ground floor.

`get_config()` gives a dict by the names of the arguments, `from_config()` makes the object again; objects among the
arguments become dicts too (serialization.py).
"""

import functools
import inspect
from collections.abc import Iterator
from typing import Any, ClassVar

from fastnn.errors import shown
from fastnn.serialization import plain, revived

# What Keras writes down for its classes beside what is on, and fastnn's do not take.
IDLE = {"renorm_momentum": 0.99, "zero_output_for_mask": True, "jit_compile": True, "ragged": False}


class Configurable:
    """Base of objects that can be made again from their constructor's arguments.

    A class of fastnn keeps each argument as the attribute of the same name. A class of a user's need not: what its
    constructor was given is kept here. It defines get_config() only where its arguments cannot be written down.
    """
    _given: tuple[tuple[Any, ...], dict[str, Any]]
    filled_in: ClassVar[frozenset[str]] = frozenset()       # parameters of its bases that a class gives them itself

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        object.__setattr__(made, "_given", (args, dict(kwargs)))
        return made

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain data. ValueError or TypeError for one that cannot be written down."""
        cls: Any = type(self)
        own = _own(cls)
        return {name: plain(value, f"{type(self).__name__}: {name}", by_name=name in own)
                for name, value in arguments_of(self).items()}

    def _copied(self) -> Any:
        """Another of the same arguments."""
        return type(self).from_config(self.get_config())

    def _argument(self, name: str) -> Any:
        """An argument of a class of fastnn, as it is now."""
        return getattr(self, name)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The object of a get_config(). What it does not know and is off (None or False) is left out."""
        kind: Any = cls
        known = parameters(kind)
        takes_more = any(p.kind is p.VAR_KEYWORD for p in inspect.signature(cls).parameters.values())
        return cls(**{name: revived(value) for name, value in config.items()
                      if name in known or not (value is None or value is False or IDLE.get(name) == value)
                      or (takes_more and not known)})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in arguments_of(self).items())})"


@functools.cache
def parameters(cls: type) -> dict[str, inspect.Parameter]:
    """What the class takes by name: its constructor's parameters, and where that has **kwargs, those of its bases.

    TypeError for a constructor with *args, which have no names.
    """
    found: dict[str, inspect.Parameter] = {}
    for base, own in _constructors(cls):
        for p in own:
            if p.kind is p.VAR_POSITIONAL:
                raise TypeError(f"{cls.__name__}: the constructor of {base.__name__} takes *{p.name}, which have no "
                                "names; needs get_config() and from_config() of its own.")
            if p.kind is not p.VAR_KEYWORD and p.name not in getattr(cls, "filled_in", ()):
                found.setdefault(p.name, p)
    return found


def _constructors(cls: type) -> Iterator[tuple[type, list[inspect.Parameter]]]:
    """The classes whose constructors see the arguments, with their parameters but self."""
    for base in cls.__mro__:
        if "__init__" in vars(base) and base is not object:
            own = list(inspect.signature(base.__init__).parameters.values())[1:]  # type: ignore[misc]
            yield base, own
            if not any(p.kind is p.VAR_KEYWORD for p in own):
                return


@functools.cache
def _own(cls: type) -> frozenset[str]:
    """The names of the arguments that a constructor of fastnn takes first, and keeps as attributes."""
    seen: dict[str, bool] = {}
    for base, own in _constructors(cls):
        for p in own:
            seen.setdefault(p.name, base.__module__.partition(".")[0] == "fastnn")
    return frozenset(name for name, ours in seen.items() if ours)


def arguments_of(made: Configurable) -> dict[str, Any]:
    """The arguments that make the object as it is now, as objects.

    ValueError where an argument of a user's class and the attribute of its name have become different.
    """
    cls: Any = type(made)
    own = _own(cls)
    names = parameters(cls)
    args, kwargs = made._given
    given = inspect.signature(cls.__init__).bind(made, *args, **kwargs).arguments
    given |= kwargs     # those that **kwargs took
    found = {}
    for name, p in names.items():
        if name in own:
            found[name] = made._argument(name)
            continue
        found[name] = value = given.get(name, p.default)
        now = made.__dict__.get(name, value)
        if type(now) is type(value) and isinstance(now, (bool, int, float, str)) and now != value:
            raise ValueError(f"{cls.__name__}: was made with {name}={shown(value)} and has {name}={shown(now)} now; "
                             "needs a get_config() that says which of them makes it again.")
    return found
