"""What an op remembers of the shapes and dtypes that it has seen, for the next call with the same. Floor 2."""

from typing import Any

import numpy as np

from fastnn.engine import backend, threads
from fastnn.engine.tensor import Tensor, made_tensor

MOST = 16        # arrays of a call that is remembered; stack and unstack may have more
LARGEST = 2 ** 30        # bytes of its outputs: larger ones are asked for with care


class Known:
    """What the rules say for inputs of certain shapes and dtypes, and the C call that is ready for them."""
    __slots__ = ("outputs", "ready", "updated")

    def __init__(self, op: Any, tensors: tuple[Tensor, ...], outputs: tuple[Tensor, ...], parts: int) -> None:
        self.updated = [op.kernel.inputs.index(name) for name in op.updates]
        self.outputs = [(t.shape, t.dtype, t.data.dtype) for t in outputs]
        self.ready = backend.ready(op.kernel, tuple(t.data for t in tensors), tuple(t.data for t in outputs),
                                   parts)

    def made(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The output tensors: new ones, or the inputs that are updated."""
        if self.updated:
            return tuple([inputs[i] for i in self.updated])
        return tuple([made_tensor(np.empty(shape, dtype), shape, name) for shape, name, dtype in self.outputs])

    def run(self, inputs: tuple[Any, ...], outputs: tuple[Any, ...], values: tuple[Any, ...]) -> bool:
        """Run it in C; False, and nothing has run, where an array is not there or of another size."""
        ready: bool = self.ready.run(inputs, outputs, values, threads.num_threads() if self.ready.parts > 1 else 1)
        return ready
