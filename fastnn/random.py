"""The seed of fastnn, and the streams drawn from it. Floor 3; nothing here touches NumPy's global state.

Every consumer of random numbers (an initializer call, a Dropout layer, a shuffled fit) takes a stream of its own:
numbers are a function of (seed, stream, counter) alone, so they do not depend on threads, platform or NumPy.
"""

import secrets
import threading
from dataclasses import dataclass

from fastnn.arguments import whole


@dataclass
class _State:
    seed: int
    streams: int = 0
    shuffles: int = 0


_state = _State(secrets.randbits(62))
_lock = threading.Lock()


def set_seed(seed: int) -> None:
    """Start again from this seed (0 <= seed < 2^63): what is built and drawn afterwards repeats exactly."""
    _state.seed = checked_seed(seed, "set_seed")
    _state.streams = _state.shuffles = 0


def checked_seed(seed: int, where: str) -> int:
    """The seed as an int, or TypeError/ValueError saying what is needed."""
    return whole(seed, f"{where}: seed", 0)


def new_stream(seed: int | None = None) -> tuple[int, int]:
    """(seed, stream) for a new consumer: stream 0 of its own seed, or the next stream of the global seed."""
    if seed is not None:
        return checked_seed(seed, "seed"), 0
    with _lock:
        _state.streams += 1
        return _state.seed, _state.streams


def new_shuffle() -> tuple[int, int]:
    """(seed, stream) for a compiled model's batch order; counted apart, so that compile() does not shift the weights
    that are drawn after it."""
    with _lock:
        _state.shuffles += 1
        return _state.seed, 2 ** 30 + _state.shuffles
