"""What floor 1 asks of an op, which floor 2 defines (ops/_op.py). Floor 1; imports backend."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from fastnn.engine.backend import Kernel


class Operation(Protocol):
    """What a call runs: a kernel, the names of its outputs, which inputs it overwrites (they are the outputs then),
    whether it only gives its input another shape or moves it into another's place, and, of a product, a rule for how
    many additions and multiplications it is."""
    name: str
    kernel: Kernel
    output_names: tuple[str, ...]
    updates: tuple[str, ...]
    may_omit: frozenset[str]
    view: bool
    moves: bool
    flops: Any

    def parts(self, tensors: Sequence[Any], constants: dict[str, Any]) -> int:
        """The most workers that C divides a call among; decided by sizes alone."""


class Bounded(Operation, Protocol):
    """An operation that says how far C may be from the reference."""

    def error_bounds(self, inputs: Sequence[np.ndarray], expected: Sequence[np.ndarray],
                     constants: dict[str, Any]) -> list[Any]:
        """Per output, the largest |C - reference| allowed, element by element."""
