"""Cells on top of each other, and what is asked of any cell. Floor 3."""

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from fastnn.arguments import is_sequence
from fastnn.engine import backend
from fastnn.engine.kinds import Dims
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, shown
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer

__all__ = ["StackedRNNCells"]


class StackedRNNCells(Layer):
    """Cells on top of each other, as one cell: the output of each is the input of the next.

    cells: a list of cells. states: those of each cell. keras.layers.StackedRNNCells. Raises TypeError for what is no
    cell.
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        if not is_sequence(cells) or not len(cells):
            raise KindError(f"StackedRNNCells: cells is {shown(cells)}; needs a list of cells.")
        for cell in cells:
            checked_cell(cell, "StackedRNNCells")
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of each cell's states."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The width of the last cell's output."""
        return output_size(self.cells[-1])

    def build(self, input_shape: Dims) -> None:
        """Build each cell for the output of the one before."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell._build(input_shape)
            input_shape = (input_shape[0], output_size(cell))

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """Each cell's initial states, in the form of its state_size."""
        return [alike(cell.state_size, initial_states(cell, batch_size)) for cell in self.cells]

    def call(self, inputs: Tensor, states: Sequence[Any], training: bool = False) -> tuple[Tensor, list[Any]]:
        """One step through all cells."""
        after = []
        for cell, state in zip(self.cells, states):
            inputs, new = step(cell, inputs, as_list(state), training)
            after.append(alike(cell.state_size, new))
        return inputs, after

    def begin_sequence(self) -> None:
        """New dropout masks in all cells."""
        for cell in self.cells:
            if hasattr(cell, "begin_sequence"):
                cell.begin_sequence()

    def end_sequence(self) -> None:
        """The masks belong to no step any more."""
        for cell in self.cells:
            if hasattr(cell, "end_sequence"):
                cell.end_sequence()


def features_of(shape: Dims) -> int:
    """The last axis of inputs, which weights need to know. ShapeError where it is not known."""
    if not shape or shape[-1] is None:
        raise ShapeError(f"got inputs of shape {tuple(shape)}; needs the number of features known: give Input its "
                         "last axis.")
    return shape[-1]


def checked_cell(cell: Any, where: str) -> Any:
    """The cell, or a TypeError/ValueError that says what it lacks."""
    if not callable(getattr(cell, "call", None)) or isinstance(cell, type):
        raise KindError(f"{where}: got {shown(cell)} as a cell; needs a layer with call(inputs, states) and "
                        "state_size.")
    if not hasattr(cell, "state_size"):
        raise ValueError(f"{where}: the cell {shown(cell)} has no state_size; give it the width of its state, or a "
                         "list.")
    return cell


def output_size(cell: Any) -> int:
    """cell.output_size, or the width of its first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size
    return int(size)


def initial_states(cell: Any, batch_size: int) -> list[Any]:
    """The cell's own get_initial_state, or zeros."""
    if hasattr(cell, "get_initial_state"):
        return as_list(cell.get_initial_state(batch_size=batch_size))
    sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
    return [Tensor(np.zeros((batch_size, n), backend.floatx()), "zeros", constant=True) for n in sizes]


def step(cell: Any, x: Tensor, states: Any, training: bool) -> tuple[Tensor, Any]:
    """One step of any cell; the states as a list."""
    output, new = cell(x, states, training=training)
    return output, as_list(new)


def as_list(states: Any) -> list[Any]:
    return list(states) if isinstance(states, (list, tuple)) else [states]


def alike(states: Any, new: list[Tensor]) -> Any:
    """The new states in the form of the old ones: a list, or the one tensor."""
    return new if isinstance(states, (list, tuple)) else new[0]
