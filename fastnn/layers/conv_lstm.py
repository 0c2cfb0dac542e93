"""ConvLSTM1D, ConvLSTM2D: LSTMs of signals or images, whose products are convolutions. Floor 3."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Unpack

import numpy as np

from fastnn import ops
from fastnn.arguments import channels_last, choice, sizes, whole
from fastnn.engine import backend
from fastnn.engine.kinds import ActivationLike, Dims
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.layers._options import CellOptions, OwnCellOptions
from fastnn.layers.cells import LSTMCell
from fastnn.layers.rnn import OwnCell
from fastnn.literals import Padding

__all__ = ["ConvLSTM1D", "ConvLSTM2D"]


class ConvLSTMCell(LSTMCell):
    """i, f, o = s(x∗W + h∗U + b), g = a(…); c' = f·c + i·g; h' = o·a(c'), ∗ being a convolution; U's keeps the size.

    rank: 1 or 2 axes between time and channels. The other arguments as ConvLSTM2D. Shi et al. 2015.
    """

    filled_in = frozenset({"units"})

    def __init__(self, rank: int, filters: int, kernel_size: Any, strides: Any = 1, padding: Padding = "valid",
                 data_format: str | None = None, dilation_rate: Any = 1, activation: ActivationLike = "tanh",
                 recurrent_activation: ActivationLike = "sigmoid", use_bias: bool = True, *,
                 unit_forget_bias: bool = True, **kwargs: Unpack[CellOptions]) -> None:
        name = type(self).__name__
        self.rank, self.filters = rank, whole(filters, f"{name}: filters", 1)
        super().__init__(filters, activation, recurrent_activation, use_bias, unit_forget_bias=unit_forget_bias,
                         **kwargs)
        self.data_format = channels_last(data_format, name)
        self.kernel_size = self._window = sizes(kernel_size, f"{name}: kernel_size", rank)
        self.strides = sizes(strides, f"{name}: strides", rank)
        self.dilation_rate = sizes(dilation_rate, f"{name}: dilation_rate", rank)
        self.padding = choice(padding, f"{name}: padding", ("valid", "same"))
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(f"{name}: strides is {self.strides} and dilation_rate is {self.dilation_rate}; needs 1 "
                             "for one of them.")

    def spatial_output(self, spatial: Sequence[int | None]) -> tuple[int | None, ...]:
        """The axes of a state for the axes of an input between time and channels."""
        found: list[int | None] = []
        for n, k, s, d in zip(spatial, self.kernel_size, self.strides, self.dilation_rate):
            reach = (k - 1) * d + 1
            found.append(None if n is None else -(-n // s) if self.padding == "same" else (n - reach) // s + 1)
        return tuple(found)

    def products(self, x: Tensor, h: Tensor, training: bool) -> tuple[list[Tensor], list[Tensor]]:
        """x∗W and h∗U (no bias) of each gate; with either dropout each gate drops for itself, as in Keras."""
        return (self._gates(lambda w, i: self._input_conv(self.drop_inputs(x, training, i), w), self.kernel,
                            training and self.dropout > 0),
                self._gates(lambda u, i: ops.conv(self.drop_state(h, training, i), u, strides=1, padding="same"),
                            self.recurrent_kernel, training and self.recurrent_dropout > 0))

    def _gates(self, conv: Callable[[Tensor, int], Tensor], kernel: Tensor, apart: bool) -> list[Tensor]:
        """conv(the gate's part of the kernel, its number) of each gate: one convolution, or one for each."""
        if apart:
            return [conv(part, i) for i, part in enumerate(ops.split(kernel, self.gates, axis=-1))]
        return list(ops.split(conv(kernel, 0), self.gates, axis=-1))

    def _input_conv(self, x: Tensor, kernel: Tensor) -> Tensor:
        return ops.conv(x, kernel, strides=self.strides, padding=self.padding, dilation_rate=self.dilation_rate)

    def drop_inputs(self, x: Tensor, training: bool, gate: int = 0) -> Tensor:
        """x (batch, …, channels) with `dropout`, each number for itself."""
        return self._drop(x, self.dropout, gate << 16, training)


class _ConvLSTM(OwnCell):
    """An RNN of ConvLSTMCells."""
    rank = 2
    filled_in = frozenset({"cell", "make", "unroll"})

    def __init__(self, filters: int, kernel_size: Any, strides: Any = 1, padding: Padding = "valid",
                 data_format: str | None = None, dilation_rate: Any = 1, activation: ActivationLike = "tanh",
                 recurrent_activation: ActivationLike = "sigmoid", use_bias: bool = True, *,
                 unit_forget_bias: bool = True, **kwargs: Unpack[OwnCellOptions]) -> None:
        super().__init__(partial(ConvLSTMCell, self.rank, filters, kernel_size, strides, padding, data_format,
                                 dilation_rate, activation, recurrent_activation, use_bias,
                                 unit_forget_bias=unit_forget_bias), **kwargs)

    def build(self, sequences_shape: Dims, initial_state_shape: Any = None) -> None:
        """Make the cell's weights."""
        if len(sequences_shape) != self.rank + 3:
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(sequences_shape)}; needs (batch, time, "
                             f"{'rows, columns' if self.rank == 2 else 'steps'}, channels).")
        super().build(sequences_shape)

    def _step_shape(self, x: Tensor) -> tuple[Any, ...]:
        return (*self.cell.spatial_output(x.shape[2:-1]), self.cell.filters)

    def _first_states(self, x: Tensor) -> list[Any]:
        shape = (x.shape[0], *self._step_shape(x))
        return [Tensor(np.zeros(shape, backend.floatx()), "zeros", constant=True) for _ in range(2)]


class ConvLSTM1D(_ConvLSTM):
    """ConvLSTM2D for signals: x (batch, time, steps, channels) → (batch, steps', filters). keras.layers.ConvLSTM1D."""
    rank = 1


class ConvLSTM2D(_ConvLSTM):
    """An LSTM of images: i, f, o = sigmoid(x∗W + h∗U + b), g = tanh(…); c' = f·c + i·g; h' = o·tanh(c').

    x (batch, time, rows, columns, channels) → (batch, rows', columns', filters), or (batch, time, …) with
    return_sequences. filters, kernel_size, strides, padding, dilation_rate as Conv2D, for x∗W; h∗U keeps the size. W
    (height, width, channels, 4·filters), U (height, width, filters, 4·filters), b (4·filters,). The other arguments as
    LSTM. Shi et al. 2015; keras.layers.ConvLSTM2D.
    """
