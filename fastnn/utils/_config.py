"""Config: settings by name, which can be locked. Floor 5."""

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

from fastnn.errors import nearest, shown

__all__ = ["Config"]


class Config(MutableMapping[str, Any]):
    """Settings as attributes and as items of a dict: Config(lr=0.1), config.lr, config["lr"], config.seed = 3.

    ValueError for a change after freeze(), AttributeError naming the nearest for a setting that is not there.
    Source: keras.utils.Config.

    >>> config = Config(units=16); config.rate = 0.1; config.freeze(); dict(config)
    {'units': 16, 'rate': 0.1}
    """
    _values: dict[str, Any]
    _frozen: bool

    def __init__(self, **kwargs: Any) -> None:
        self.__dict__.update(_values={}, _frozen=False)
        for name, value in kwargs.items():
            self[name] = value

    @property
    def frozen(self) -> bool:
        """Whether it is locked."""
        return self._frozen

    def freeze(self) -> None:
        """Lock it: from now on a change is a ValueError."""
        self.__dict__["_frozen"] = True

    def unfreeze(self) -> None:
        """Let it be changed again."""
        self.__dict__["_frozen"] = False

    def as_dict(self) -> dict[str, Any]:
        """A dict of the settings."""
        return dict(self._values)

    def to_json(self) -> str:
        """The settings as JSON."""
        return json.dumps(self._values)

    def __copy__(self) -> "Config":
        made = Config(**self._values)
        made.__dict__["_frozen"] = self._frozen
        return made

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._may_change(name)
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        self._may_change(name)
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("_values", {})       # a copy under way has none yet
        if name not in values:
            raise AttributeError(f"Config: got {shown(name)}; {nearest(name, values)}")
        return values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f"Config: {shown(name)} is what it does; needs another name for a setting.")
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{name}={shown(value)}' for name, value in self._values.items())})"

    def _may_change(self, name: str) -> None:
        if self._frozen:
            raise ValueError(f"Config: {shown(name)} cannot change, as all is frozen; needs unfreeze() first.")
