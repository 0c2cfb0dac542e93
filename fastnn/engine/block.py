"""Block: variables laid side by side in one vector, so that one call updates them all. Floor 1."""

import math
import weakref
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from fastnn.engine.plan import aligned_empty
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import ShapeError


class Block:
    """One contiguous, 64-byte aligned vector holding the values of several variables.

    `flat`: the whole vector. `views`: one array per variable into it. Each variable begins at a multiple of `grain`
    elements; the gaps are zero and stay zero. After `hold`, the variables' own `data` are the views.
    """
    _of: ClassVar["weakref.WeakValueDictionary[tuple[int, ...], Block]"] = weakref.WeakValueDictionary()

    @classmethod
    def holding(cls, variables: Sequence[Variable]) -> "Block | None":
        """The block in which just these variables lie, in this order, as another optimizer has laid them out."""
        found = cls._of.get(tuple(map(id, variables)))
        return found if found is not None and all(v.data is view for v, view in zip(variables, found.views)) else None

    def __init__(self, shapes: Sequence[tuple[int, ...]], dtype: str, name: str, grain: int = 16) -> None:
        self.offsets: list[int] = []
        self.shapes = [tuple(s) for s in shapes]
        size = 0
        for shape in self.shapes:
            self.offsets.append(size)
            size += -(-math.prod(shape) // grain) * grain
        array = aligned_empty(size * np.dtype(dtype).itemsize).view(dtype)
        array.fill(0)
        self.flat = Tensor(array, name)
        self.views = [array[o:o + math.prod(s)].reshape(s) for o, s in zip(self.offsets, self.shapes)]

    def hold(self, variables: Sequence[Variable]) -> None:
        """Move the variables' values into the block. ShapeError for a value that was replaced by another shape."""
        moved = False
        for variable, view in zip(variables, self.views, strict=True):
            if variable.data is not view:
                if variable.data.shape != view.shape:
                    raise ShapeError(f"{variable.name!r}: its data has shape {variable.data.shape} now; needs "
                                     f"{view.shape}.\nUse assign(), or make a new layer.")
                view[...] = variable.data
                variable.data = view
                moved = True
        if moved:
            self._of[tuple(map(id, variables))] = self

    def like(self, name: str) -> "Block":
        """A block of zeros with the same layout."""
        block = Block.__new__(Block)
        block.offsets, block.shapes = self.offsets, self.shapes
        array = aligned_empty(self.flat.data.nbytes).view(self.flat.data.dtype)
        array.fill(0)
        block.flat = Tensor(array, name)
        block.views = [array[o:o + math.prod(s)].reshape(s) for o, s in zip(block.offsets, block.shapes)]
        return block

    @property
    def count(self) -> int:
        """How many numbers the variables hold, gaps not counted."""
        return sum(math.prod(s) for s in self.shapes)
