"""Call: a kernel on its operands, the node of the autodiff graph and the instruction of a program. Floor 1."""

import itertools
from typing import Any, NamedTuple

import numpy as np

from fastnn.engine import backend, check
from fastnn.engine.nouns import Operation


class Section(NamedTuple):
    """What the calls made inside a section_scope are for. folded: bookkeeping, which a listing sums up in one line."""
    name: str = ""
    folded: bool = False


NOWHERE = Section()


class Call:
    """One kernel applied to input tensors, output tensors and constants.

    The same object is the node of the autodiff graph and the instruction of a program. `op` gives the kernel and
    its rules, `layer` names the layer and `section` the part of the step that made the call, `index` orders calls in
    time.
    """
    __slots__ = ("_parts", "constants", "index", "inputs", "layer", "op", "outputs", "section")
    _count = itertools.count(1)       # next() is atomic: threads may record at the same time

    def __init__(self, op: Operation, inputs: tuple[Any, ...], outputs: tuple[Any, ...], constants: dict[str, Any],
                 layer: str, section: Section = NOWHERE) -> None:
        self.op, self.inputs, self.outputs, self.constants = op, inputs, outputs, constants
        self.layer, self.section, self._parts = layer, section, 0
        self.index = next(Call._count)

    def over(self, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> "Call":
        """The same call over other tensors."""
        return Call(self.op, inputs, outputs, self.constants, self.layer, self.section)

    @property
    def made(self) -> tuple[Any, ...]:
        """The outputs that are computed: in a program those that nobody reads may have no memory."""
        return tuple(t for t in self.outputs if t.data is not None)

    @property
    def is_view(self) -> bool:
        """Whether it only gives the memory of its input another shape: there is nothing to run."""
        return self.op.view and np.may_share_memory(self.inputs[0].data, self.outputs[0].data)

    @property
    def parts(self) -> int:
        """The most workers that C divides it among; decided by sizes alone."""
        self._parts = self._parts or self.op.parts(self.inputs, self.constants)
        return self._parts

    def run(self) -> None:
        """Run it now, on the backend in use."""
        if self.is_view:
            return
        inputs, outputs = tuple(t.data for t in self.inputs), tuple(t.data for t in self.outputs)
        kernel, name = self.op.kernel, backend.backend()
        if name == "c":
            backend.run_c(kernel, inputs, outputs, self.constants, self.parts)
        elif name == "reference":
            backend.run_reference(kernel, inputs, outputs, self.constants)
        else:
            check.run_both(self, inputs, outputs)


class Recording(list[Call]):
    """The calls of a `with` block. reads: where Python read numbers that the next run changes (engine/reading.py)."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[Any] = []
