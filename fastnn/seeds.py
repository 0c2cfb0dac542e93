"""The seed of fastnn, the streams of it, and generators of random numbers. Floor 3; nothing here touches NumPy's global
state.

Every consumer of random numbers (an initializer call, a Dropout layer, a shuffled fit) takes a stream of its own:
numbers are a function of (seed, draws, stream) alone, so they do not depend on threads, platform or NumPy.
"""

import os
import threading
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fastnn.arguments import optional, refuse_unknown, whole
from fastnn.configuration import Configurable, brief
from fastnn.engine.context import is_recording, section_scope
from fastnn.engine.tensor import Tensor, Variable
from fastnn.engine.watch import Watched, note
from fastnn.names import unique_name
from fastnn.ops.rows.elementwise import cast
from fastnn.ops.rows.random import draw_key, draw_step
from fastnn.reference.random import DRAWS

__all__ = ["SeedGenerator", "set_seed"]


@dataclass(eq=False)
class _State(Watched):
    """A step that was recorded with the generator of draws without a seed is stale once there is another."""
    unwatched = frozenset({"seed", "streams", "shuffles"})
    name: ClassVar[str] = "set_seed"
    seed: int
    streams: int = 0
    shuffles: int = 0
    generator: "SeedGenerator | None" = None      # of draws without a seed


_state = _State(int.from_bytes(os.urandom(8)) >> 2)
_lock = threading.RLock()


def set_seed(seed: int) -> None:
    """Start again from this seed (0 <= seed < 2^63): what is built and drawn afterwards repeats exactly."""
    note(_state)        # a step that does this has to run in Python
    _state.seed = checked_seed(seed, "set_seed")
    _state.streams = _state.shuffles = 0
    _state.generator = None


def get_state() -> dict[str, Any]:
    """Where the global seed's streams are, as plain data; `set_state` goes on from there."""
    generator = _state.generator
    return {"seed": _state.seed, "streams": _state.streams, "shuffles": _state.shuffles,
            "generator": None if generator is None else generator.state.data.tolist()}


def set_state(state: dict[str, Any]) -> None:
    """Go on from a get_state()."""
    _state.seed, _state.streams, _state.shuffles = (int(state[name]) for name in ("seed", "streams", "shuffles"))
    if state["generator"] is None:
        _state.generator = None
    else:
        _state.generator = _state.generator or SeedGenerator(0)     # what was recorded goes on with the one that it has
        _state.generator.state.assign(state["generator"])


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


def state_of(seed: int, stream: int, draws: int = 0) -> list[int]:
    """The state of a generator."""
    return [seed, (stream % 2 ** (63 - DRAWS) << DRAWS) + draws]


def key(seed: int, draws: int = 0, stream: int = 0) -> Tensor:
    """What an op that draws has its numbers from."""
    return Tensor(np.array([seed, draws, stream], np.int64), "key")


class SeedGenerator(Configurable):
    """A random stream of its own, as `seed` of the functions of fastnn.random: each draw gives new numbers, in a
    recorded step too.

    seed: an own seed, else a stream of the global one. state: a Variable, int64 (seed, draws so far), which each draw
    moves on; read it, and assign it later to draw the same again. Where the seed is the global one, the draws begin at
    stream·2³⁸, so that no two generators draw the same. Layers and models that hold a generator count the state among
    their `variables` and `non_trainable_variables`, not among their weights; checkpoints keep it.
    keras.random.SeedGenerator.
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        refuse_unknown(kwargs, "SeedGenerator", {"seed", "name"})
        self.seed = optional(whole, seed, "SeedGenerator: seed", 0)
        self.name = unique_name("seed_generator") if name is None else name
        self.state = Variable(state_of(*new_stream(seed)), f"{self.name}/seed_generator_state", trainable=False,
                              dtype="int64")
        if seed is not None and is_recording():
            self.state.assign(self.state.data.copy())       # made anew at every step, as Python would

    def __repr__(self) -> str:
        return f"SeedGenerator({brief(self, hidden='name')})"

    def key(self) -> Tensor:
        """What an op draws by; then the state is that of the next draw. In a recorded step this happens at every
        step."""
        with _lock, section_scope("random state", folded=True):
            now: Tensor = draw_key(self.state)
            draw_step(self.state)
        return now

    def next(self, ordered: bool = True) -> Tensor:
        """The state of now, a copy, which moves on as by a draw. ordered: Keras' name; draws always go on one by
        one."""
        with _lock, section_scope("random state", folded=True):
            now: Tensor = cast(self.state, dtype="int64")
            draw_step(self.state)
        return now


class Repeated:
    """Of a whole number, for a function that draws several times: the same draws each time it is called."""

    def __init__(self, seed: int) -> None:
        self._seed, self._draws = seed, 0

    def key(self) -> Tensor:
        """That of the next draw."""
        self._draws += 1
        return key(self._seed, self._draws)


def global_generator() -> SeedGenerator:
    """That of draws without a seed."""
    if _state.generator is None:
        _state.generator = SeedGenerator()
    note(_state)
    return _state.generator


def states(held: list[SeedGenerator]) -> list[Variable]:
    """The states of these generators, and of the global one where there is one."""
    return [generator.state for generator in (*held, *filter(None, [_state.generator]))]
