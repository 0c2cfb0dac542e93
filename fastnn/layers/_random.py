"""What layers that draw random numbers share. Floor 3."""

from typing import Unpack

from fastnn import random
from fastnn.engine.tensor import Tensor
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer


class RandomLayer(Layer):
    """A layer with a random stream of its own: draws are functions of (seed, stream, step, index), so that they do not
    depend on threads, and a replayed program draws anew. seed: an own seed, else a stream of the global one."""

    def __init__(self, *, seed: int | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self._generator = random.SeedGenerator(seed)

    def _key(self) -> tuple[Tensor, dict[str, int]]:
        """(counter, {"seed", "stream"}) of this application; see SeedGenerator.key."""
        return self._generator.key()
