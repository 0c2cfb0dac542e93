"""RNN: a cell applied step by step along time, with masks, states that are handed on, and either direction. Floor 3."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Unpack

import numpy as np

from fastnn import nest, ops
from fastnn.arguments import flag
from fastnn.engine import backend
from fastnn.engine.kinds import ConstraintLike, Dims, InitializerLike, RegularizerLike
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import ShapeError
from fastnn.layers import stacked
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer, context
from fastnn.ops._rules import differ
from fastnn.ops.rows.data import copy

__all__ = ["RNN"]


class RNN(Layer):
    """Applies a cell to x (batch, time, ...) step by step → the last output (batch, units).

    cell: a cell, or a list of them (StackedRNNCells). return_sequences: all outputs, (batch, time, units).
    return_state: the states after the last step too. go_backwards: from the last step to the first; sequences come out
    in that order. stateful: the states of row i are those with which row i of the next batch begins, until
    reset_states(). unroll: no difference here. zero_output_for_mask: outputs of steps that do not count are 0 instead
    of the output before them. Call: layer(x, initial_state=[…], mask=…), mask (batch, time) True where a step counts.
    keras.layers.RNN.
    """

    no_weights = frozenset({"states"})

    def __init__(self, cell: Any, return_sequences: bool = False, return_state: bool = False,
                 go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
                 zero_output_for_mask: bool = False, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = stacked.StackedRNNCells(cell)
        self.cell = stacked.checked_cell(cell, type(self).__name__)
        self.return_sequences = flag(return_sequences, f"{type(self).__name__}: return_sequences")
        self.return_state = flag(return_state, f"{type(self).__name__}: return_state")
        self.go_backwards = flag(go_backwards, f"{type(self).__name__}: go_backwards")
        self.stateful = flag(stateful, f"{type(self).__name__}: stateful")
        self.unroll = flag(unroll, f"{type(self).__name__}: unroll")
        self.zero_output_for_mask = flag(zero_output_for_mask, f"{type(self).__name__}: zero_output_for_mask")
        self.supports_masking = True
        self.states: Any = None

    @property
    def state_size(self) -> list[Any]:
        """The widths of the cell's states."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    def build(self, sequences_shape: Dims, initial_state_shape: Any = None) -> None:
        """Make the cell's weights."""
        if len(sequences_shape) < 3:
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(sequences_shape)}; needs (batch, time, "
                             "features): one row of features a step.\nOf data, add the axis that is missing: "
                             "x[..., None] or x[:, None]. After another recurrent layer, give that one "
                             "return_sequences=True.")
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell._build((sequences_shape[0], *sequences_shape[2:]))

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The states before the first step."""
        return stacked.initial_states(self.cell, batch_size)

    def _first_states(self, x: Tensor) -> list[Any]:
        """The states before the first step of these sequences."""
        return self.get_initial_state(x.shape[0])

    def goes_stepwise(self, call: dict[str, Any]) -> bool:
        """Yes, but not backwards, and not with a state given for each step."""
        return not self.go_backwards and call.get("initial_state") is None

    # ---- states that are handed on ----------------------------------------------------------------------------

    def _held_states(self, x: Tensor) -> list[Any]:
        """The variables that hold the states between batches, made at the first."""
        batch = x.shape[0]
        if self.states is None:
            self.states = nest.map_structure(lambda t: Variable(t.data, f"{self.name}/state", trainable=False),
                                             self._first_states(x))
        self.check_batches([batch], self.name)
        return list(self.states)

    def check_batches(self, sizes: Sequence[int], where: str) -> None:
        """ShapeError where the layer is stateful and a batch has other rows than its states."""
        if not self.stateful:
            return
        held = sizes[0] if self.states is None else nest.flatten(self.states, Variable)[0].shape[0]
        for rows in sizes:
            if rows != held:
                raise ShapeError(f"{where}: stateful, and got a batch of {rows}; its states are those of {held} "
                                 "sequences.\nUse batches of one size (batch_size that divides the data, and is that "
                                 "of batch_shape), or forget them by reset_states().")

    def reset_states(self) -> None:
        """Forget the states: the next batch begins with initial ones, and may have another size."""
        if self.states is not None:
            self.states = None

    reset_state = reset_states

    # ---- the call ---------------------------------------------------------------------------------------------

    def call(self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The outputs, and the states where return_state. ShapeError for other ranks, lengths and states."""
        mask = mask[0] if isinstance(mask, (list, tuple)) and mask else mask
        self._check(sequences, initial_state, mask)
        if sequences.symbolic:
            return self._symbols(sequences)
        held: list[Any] = []
        if context.stream is not None:
            held = nest.map_structure(lambda t: context.stream.state(self, "state", t), self._first_states(sequences))
        elif self.stateful:
            held = self._held_states(sequences)
        states = initial_state if initial_state is not None else held or self._first_states(sequences)
        states = list(states) if isinstance(states, (list, tuple)) else [states]
        given = initial_state is not None or bool(held)
        with self._masks():
            outputs, last, after = self._sequence(sequences, states, mask, training, given)
        for state, new in zip(nest.flatten(held, Variable), nest.flatten(after, Tensor)):
            copy(state, new)
        if self.return_sequences:
            last = ops.flip(outputs, axis=1) if self.go_backwards else outputs
        return (last, *after) if self.return_state else last

    @contextlib.contextmanager
    def _masks(self) -> Iterator[None]:
        """The cell's dropout masks, one set for the whole sequence."""
        if hasattr(self.cell, "begin_sequence"):
            self.cell.begin_sequence()
        try:
            yield
        finally:
            if hasattr(self.cell, "end_sequence"):
                self.cell.end_sequence()

    def _check(self, x: Tensor, states: Any, mask: Any) -> None:
        if x.ndim < 3 or x.shape[1] == 0:
            raise ShapeError(f"{self.name}: got inputs of shape {x.shape}; needs (batch, time, features) with at least "
                             "one step.")
        if mask is not None and (mask.ndim != 2 or any(map(differ, mask.shape, x.shape))):
            raise ShapeError(f"{self.name}: got a mask of shape {mask.shape} for inputs of shape {x.shape}; needs "
                             f"{x.shape[:2]}, one value a step.")
        if states is None:
            return
        wanted, found = nest.flatten(self.state_size), nest.flatten(states, Tensor)
        if len(found) != len(wanted) or any(t.ndim < 2 or t.shape[-1] != n or differ(t.shape[0], x.shape[0])
                                            for t, n in zip(found, wanted) if isinstance(n, int)):
            raise ShapeError(f"{self.name}: got initial states of shapes {[t.shape for t in found]}; needs "
                             f"{[(x.shape[0], n) for n in wanted]}: one row for each sequence.")

    def _symbols(self, x: Tensor) -> Any:
        """Outputs and states without numbers."""
        def symbol(*shape: Any) -> Tensor:
            return Tensor(None, shape=(x.shape[0], *shape), dtype=backend.floatx())
        shape = self._step_shape(x)
        output = symbol(x.shape[1], *shape) if self.return_sequences else symbol(*shape)
        states = nest.map_structure(lambda n: symbol(*shape[:-1], n), self.state_size)
        return (output, *states) if self.return_state else output

    def _step_shape(self, x: Tensor) -> tuple[Any, ...]:
        """The shape of a step's output, without the batch."""
        return (stacked.output_size(self.cell),)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask goes on with sequences; states have none."""
        mask = mask[0] if isinstance(mask, (list, tuple)) and mask else mask
        output = mask if self.return_sequences else None
        return [output, *[None] * len(self.state_size)] if self.return_state else output

    # ---- along time -------------------------------------------------------------------------------------------

    def _sequence(self, x: Tensor, states: list[Any], mask: Tensor | None, training: bool,
                  given: bool) -> tuple[Tensor, Tensor, list[Any]]:
        """(outputs in the order of time, the last output, the states after it), step by step."""
        steps = ops.unstack(x, axis=1)
        counted = None if mask is None else ops.unstack(ops.cast(mask, "bool"), axis=1)
        outputs: list[Any] = [None] * len(steps)
        before: Any = None
        for t in range(len(steps) - 1, -1, -1) if self.go_backwards else range(len(steps)):
            output, new = stacked.step(self.cell, steps[t], states, training)
            if counted is not None:
                counts = _column(counted[t], output)
                before = ops.zeros_like(output) if before is None or self.zero_output_for_mask else before
                output = ops.where(counts, output, before)
                flat = [ops.where(_column(counted[t], a), a, b)
                        for a, b in zip(nest.flatten(new, Tensor), nest.flatten(states, Tensor))]
                new = _packed(new, flat)
            outputs[t], before, states = output, output, new
        last = before
        return ops.stack(outputs, axis=1) if self.return_sequences else last, last, states


class OwnCell(RNN):
    """A layer around one cell of its own, whose attributes are the layer's, to be read and to be set.

    make: gives the cell for the arguments that all cells have, whose defaults are the cell's too.
    """
    filled_in = frozenset({"cell", "make"})

    def __init__(self, make: Callable[..., Any], *, kernel_initializer: InitializerLike = "glorot_uniform",
                 recurrent_initializer: InitializerLike = "orthogonal", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, recurrent_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 recurrent_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None,
                 dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(make(
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint, dropout=dropout, recurrent_dropout=recurrent_dropout, seed=seed), **kwargs)

    def __getattr__(self, name: str) -> Any:
        cell = self.__dict__.get("cell")
        if cell is None or name.startswith("_"):
            return super().__getattr__(name)
        return getattr(cell, name)

    def __setattr__(self, name: str, value: Any) -> None:
        cell = self.__dict__.get("cell")
        theirs = cell is not None and not name.startswith("_") and name in vars(cell)
        if theirs and name not in vars(self) and not hasattr(type(self), name):
            setattr(cell, name, value)
        else:
            super().__setattr__(name, value)


def _column(counted: Tensor, like: Tensor) -> Tensor:
    """(batch,) → (batch, 1, ...), as many axes as `like`."""
    return ops.reshape(counted, (-1, *[1] * (like.ndim - 1)))


def _packed(like: Any, leaves: Sequence[Tensor]) -> Any:
    """The leaves in the structure of `like`."""
    rest = iter(leaves)
    return nest.map_structure(lambda _: next(rest), like)


def zeros(*shape: int) -> Tensor:
    """Zeros that never change."""
    return Tensor(np.zeros(shape, backend.floatx()), "zeros", constant=True)
