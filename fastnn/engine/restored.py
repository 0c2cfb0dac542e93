"""What `with` blocks set and set back on a thread, and that an interrupt may keep them from setting back. Floor 1."""

import threading
from typing import TypeVar

Local = TypeVar("Local", bound=threading.local)
_shared: list[threading.local] = []


def shared(state: Local) -> Local:
    """The state, which `restored` closes from now on: one for each module that has such `with` blocks."""
    _shared.append(state)
    return state


class restored:
    """What the `with` block leaves open on this thread is closed at its end: an interrupt on the very line that would
    close it has kept it from that."""
    __slots__ = ("_before", "_held")

    def __enter__(self) -> None:
        before = self._before = [(state.__dict__, {**state.__dict__}) for state in _shared]
        self._held = [(state[name], [*state[name]]) for _, state in before for name in state
                      if type(state[name]) in (list, set)]

    def __exit__(self, *exception: object) -> None:
        # Operators instead of methods: every fit, evaluate and predict comes through here.
        for now, before in self._before:
            now |= before
            for name in [*now]:
                if name not in before:
                    del now[name]
        for value, items in self._held:
            if type(value) is list:
                value[:] = items
            else:
                value &= {*items}       # layers that are being walked: there may be more than before, not fewer
