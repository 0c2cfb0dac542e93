"""What layers that draw random numbers share. Floor 3."""

import itertools
from typing import Any

import numpy as np

from fastnn import random
from fastnn.engine.program import draws
from fastnn.engine.tensor import Tensor
from fastnn.layers.layer import Layer, context


class RandomLayer(Layer):
    """A layer with a random stream of its own: draws are functions of (seed, stream, step, index), so that they do not
    depend on threads, and a replayed program draws anew. seed: an own seed, else a stream of the global one."""

    def __init__(self, *, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self._seed, self._stream = random.new_stream(seed)
        self._draws = itertools.count(1)

    def _key(self) -> tuple[Tensor, dict[str, int]]:
        """(counter, {"seed", "stream"}): the pass' step counter and a stream for each application in it; outside a pass
        a constant that differs from call to call."""
        counter, applications = context.counter, context.applications
        if counter is None and (found := draws()) is not None:
            counter, applications = found
        if counter is None or applications is None:
            return Tensor(np.array(next(self._draws), np.int64), "draw"), {"seed": self._seed, "stream": self._stream}
        nth = applications.get(id(self), 0)
        applications[id(self)] = nth + 1
        return counter, {"seed": self._seed, "stream": self._stream + (nth << 20)}
