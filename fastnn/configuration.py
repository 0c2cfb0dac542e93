"""Objects are the arguments of their constructors: written down as plain data, and made again. Ground floor.

`get_config()` gives a dict by the names of the arguments, `from_config()` makes the object again; objects among the
arguments become dicts too (serialization.py).
"""

import functools
import inspect
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from fastnn.errors import KindError, shown
from fastnn.frames import entrance
from fastnn.names import snake_case
from fastnn.serialization import plain, revived

# What Keras writes down for its classes beside what is on, and fastnn's do not take.
IDLE = {"zero_output_for_mask": True, "jit_compile": True, "ragged": False}


class _Signature:
    """What inspect.signature() says of a class, and so help(), editors and notebooks: the arguments of its bases too,
    which its constructor takes as **kwargs. Without types, which are long lists of names; __init__ has them."""

    def __get__(self, made: Any, cls: Any) -> inspect.Signature:
        if made is not None:
            raise AttributeError("__signature__")       # of an object, what it can be called with
        own = dict(list(inspect.signature(cls.__init__).parameters.items())[1:])
        try:
            bases = {name: p for name, p in parameters(cls).items() if name not in own}
        except TypeError:       # of *args, which have no names
            bases = {}
        added = [p.replace(kind=p.KEYWORD_ONLY) for p in bases.values()]
        return inspect.Signature([p.replace(annotation=p.empty) for p in sorted(
            [*own.values(), *added], key=lambda p: p.kind)])


class Configurable:
    """Base of objects that can be made again from their constructor's arguments.

    A class of fastnn keeps each argument as the attribute of the same name. A class of a user's need not: what its
    constructor was given is kept here. It defines get_config() only where its arguments cannot be written down.
    """
    _given: tuple[tuple[Any, ...], dict[str, Any]]
    __signature__: ClassVar[Any] = _Signature()
    filled_in: ClassVar[frozenset[str]] = frozenset()       # parameters of its bases that a class gives them itself

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        object.__setattr__(made, "_given", (args, dict(kwargs)))
        return made

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Constructors of fastnn's are what users call."""
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls) and cls.__module__.startswith("fastnn."):
            cls.__init__ = entrance(vars(cls)["__init__"])  # type: ignore[method-assign]

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
        if not isinstance(config, dict) or not all(isinstance(name, str) for name in config):
            raise KindError(f"{cls.__name__}: the configuration is {shown(config)}; needs a dict by the names of its "
                            "arguments.")
        takes_more = any(p.kind is p.VAR_KEYWORD for p in inspect.signature(cls).parameters.values())
        return cls(**{name: revived(value) for name, value in config.items()
                      if name in known or not (value is None or value is False or IDLE.get(name) == value)
                      or (takes_more and not known)})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({brief(self)})"


@functools.cache
def parameters(cls: type) -> dict[str, inspect.Parameter]:
    """What the class takes by name: its constructor's parameters, and where that has **kwargs, those of its bases.

    TypeError for a constructor with *args, which have no names.
    """
    found: dict[str, inspect.Parameter] = {}
    filled_in: set[str] = set()
    for base, own in _constructors(cls):
        if _is_ours(base):      # a user's class has these names for itself
            filled_in.update(getattr(base, "filled_in", ()))
        for p in own:
            if p.kind is p.VAR_POSITIONAL:
                raise KindError(f"{cls.__name__}: the constructor of {base.__name__} takes *{p.name}, which have no "
                                "names; needs get_config() and from_config() of its own.")
            if p.kind is not p.VAR_KEYWORD and p.name not in filled_in:
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
            seen.setdefault(p.name, _is_ours(base))
    return frozenset(name for name, ours in seen.items() if ours)


def _is_ours(base: type) -> bool:
    return base.__module__.partition(".")[0] == "fastnn"


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


# Arguments that make themselves up where they are not given.
_MADE_UP = frozenset({"name", "dtype", "seed"})


def brief(made: Configurable, always: str = "", hidden: str = "") -> str:
    """units=16, activation='relu': the arguments that are not as they would be anyway, for a repr. It never fails.

    always: one that is named whatever it is; hidden: one that is not.
    """
    cls: Any = type(made)
    try:
        given = inspect.signature(cls.__init__).bind_partial(made, *made._given[0], **made._given[1])
        names = given.arguments.keys() | made._given[1].keys()
        return ", ".join(f"{key}={brief_value(value)}" for key, value in arguments_of(made).items()
                         if key == always or (key != hidden and _differs(key, value, parameters(cls)[key].default,
                                                                         key in names)))
    except Exception:       # of a class whose arguments cannot be told, or have reprs that fail
        return ""


def _differs(key: str, value: Any, default: Any, given: bool) -> bool:
    """Whether an argument says something that its default does not."""
    if key == "dtype" and value == "float32":
        return False
    if not given and (key in _MADE_UP or default is None or not isinstance(value, (bool, int, float, str))):
        return False
    if isinstance(value, (int, float)) and isinstance(default, (int, float)):
        return bool(value != default)
    return brief_value(value) != brief_value(default)


def brief_value(value: Any) -> str:
    """A value in short, for a repr: functions and plain objects by name, arrays by shape, numbers to six digits."""
    if isinstance(value, (float, np.floating)):
        return repr(float(f"{value:.6g}"))
    if isinstance(value, np.ndarray):
        return f"<array {value.shape}>" if value.size > 8 else repr(value.tolist())
    if type(value) in (list, tuple):
        ends = "[]" if isinstance(value, list) else "()"
        comma = "," if ends == "()" and len(value) == 1 else ""
        return ends[0] + ", ".join(map(brief_value, value)) + comma + ends[1]
    if type(value).__repr__ is Configurable.__repr__ and not brief(value):
        return repr(snake_case(type(value).__name__))
    if inspect.isroutine(value) or inspect.isclass(value):
        return repr(value.__name__)
    return shown(value, 80)
