"""Stream: a model that reads a sequence step by step, its layers remembering what they need of those before. Floor 3.

The layers' Python is that of a whole sequence; those that look along time ask `context.stream` for what came before. So
one step costs what one step costs, and as what is remembered lies in tensors, it is a program like any other.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor, Variable
from fastnn.ops._shaping import transpose
from fastnn.ops.rows import activation, elementwise
from fastnn.ops.rows.batch import gather_rows, store_step


class NotStepwise(ValueError):
    """A layer cannot say one step's output from that step and what it remembers."""


class Stream:
    """What layers remember in a pass over `length` steps, one at a time. here: the number of this step, 0-d int64."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.here = Tensor(np.zeros((), np.int64), "here")
        self.places = Tensor(np.arange(length, dtype=np.int32), "places", constant=True)
        self._memory: dict[Any, tuple[Variable, np.ndarray]] = {}       # and what is there before the first step
        self._asked: dict[Any, int] = {}
        self._inside = 0        # of how many layers that answer for all that they call

    def begin(self) -> None:
        """Back to before the first step."""
        self.here.data[...] = 0
        for variable, first in self._memory.values():
            variable.data[...] = first

    def step(self) -> None:
        """A pass over one step begins."""
        self._asked.clear()

    def _held(self, owner: Any, name: str, first: Callable[[], np.ndarray]) -> Variable:
        """The variable of this name; of a layer that is called several times in a pass one for each call."""
        nth = self._asked[id(owner), name] = self._asked.get((id(owner), name), 0) + 1
        key = id(owner), name, nth
        if key not in self._memory:
            value = first()
            self._memory[key] = Variable(value.copy(), f"{owner.name}/{name}", trainable=False,
                                         dtype=value.dtype.name), value
        return self._memory[key][0]

    def state(self, owner: Any, name: str, first: Tensor) -> Variable:
        """A state after the last step, which is to be set after this one: as `first` before there was one."""
        return self._held(owner, name, lambda: np.asarray(first.data))

    def so_far(self, owner: Any, name: str, x: Tensor) -> Tensor:
        """This step's x (batch, 1, …) among those of all steps: (batch, length, …), zeros where none was yet."""
        others = tuple(range(2, x.ndim))
        rows = self._held(owner, name, lambda: np.zeros((self.length, x.shape[0], *x.shape[2:]), x.dtype))
        store_step(rows, transpose(x, (1, 0, *others)), self.here)
        return transpose(rows, (1, 0, *others))

    def at_this_step(self, table: Tensor) -> Tensor:
        """The row of a table (steps, …) that belongs to this step: (1, …)."""
        places = self.places if table.shape[0] == self.length else Tensor(
            np.arange(table.shape[0], dtype=np.int32), "places", constant=True)
        return gather_rows(table, places, self.here, batch=1)  # type: ignore[no-any-return]

    # ---- who can do that --------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def entered(self, layer: Any, call: dict[str, Any]) -> Iterator[None]:
        """While a layer's call runs. NotStepwise where it can not go step by step and does not consist of others that
        can."""
        whole = getattr(layer, "_graph", None) is None
        if whole and not self._inside and not layer.goes_stepwise(call):
            raise NotStepwise(f"generate(): the layer {layer.name!r} does not go on step by step; needs others, or an "
                              "Input of fixed length.\nThese do: recurrent layers forwards, attention with a causal "
                              "mask, and what takes each step for itself; your own layer says so by stepwise = True.")
        self._inside += whole
        try:
            yield
        finally:
            self._inside -= whole

    def check_op(self, op: Any) -> None:
        """NotStepwise for an op of a model's graph that may mix steps."""
        if not any(vars(module).get(op.name) is op for module in (elementwise, activation)):
            raise NotStepwise(f"generate(): the model computes {op.name} between its layers, which may mix steps; "
                              "needs arithmetic only there, or an Input of fixed length.")
