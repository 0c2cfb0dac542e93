"""What layers that draw random numbers share. Floor 3."""

from typing import Unpack

from fastnn import seeds
from fastnn.engine.tensor import Tensor
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer


class RandomLayer(Layer):
    """A layer that draws from a generator of its own, `seed_generator`: draws are functions of (its state, index), so
    that they do not depend on threads, and a replayed program draws anew. seed: an own seed, else a stream of the
    global one."""

    def __init__(self, *, seed: int | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = seeds.SeedGenerator(seed, self.name)

    def _key(self) -> Tensor:
        """What the next draw has its numbers from."""
        return self.seed_generator.key()
