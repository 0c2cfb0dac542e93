"""ConvLSTM1D, ConvLSTM2D: LSTMs of signals or images, whose products are convolutions. Floor 3."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import activations, constraints, initializers, ops, regularizers
from fastnn.arguments import channels_last, choice, flag, share, sizes, whole
from fastnn.engine import backend
from fastnn.engine.kinds import Dims, Named
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.layers._random import RandomLayer
from fastnn.layers.rnn import RNN
from fastnn.layers.stacked import features_of


class ConvLSTMCell(RandomLayer):
    """i, f, o = s(x∗W + h∗U + b), g = a(…); c' = f·c + i·g; h' = o·a(c'), ∗ being a convolution; U's keeps the size.

    rank: 1 or 2 axes between time and channels. The other arguments as ConvLSTM2D. Shi et al. 2015.
    """

    def __init__(self, rank: int, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
                 data_format: str | None = None, dilation_rate: Any = 1, activation: Named = "tanh",
                 recurrent_activation: Named = "sigmoid", use_bias: bool = True,
                 kernel_initializer: Named = "glorot_uniform", recurrent_initializer: Named = "orthogonal",
                 bias_initializer: Named = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Named = None,
                 recurrent_regularizer: Named = None, bias_regularizer: Named = None, kernel_constraint: Named = None,
                 recurrent_constraint: Named = None, bias_constraint: Named = None, dropout: float = 0.0,
                 recurrent_dropout: float = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        name = type(self).__name__
        self.data_format = channels_last(data_format, name)
        self.rank, self.filters = rank, whole(filters, f"{name}: filters", 1)
        self.kernel_size = sizes(kernel_size, f"{name}: kernel_size", rank)
        self.strides = sizes(strides, f"{name}: strides", rank)
        self.dilation_rate = sizes(dilation_rate, f"{name}: dilation_rate", rank)
        self.padding = choice(padding, f"{name}: padding", ("valid", "same"))
        self.activation, self.recurrent_activation = activations.get(activation), activations.get(recurrent_activation)
        self.use_bias = flag(use_bias, f"{type(self).__name__}: use_bias")
        self.unit_forget_bias = flag(unit_forget_bias, f"{type(self).__name__}: unit_forget_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = share(dropout, f"{name}: dropout")
        self.recurrent_dropout = share(recurrent_dropout, f"{name}: recurrent_dropout")
        self.state_size: Any = [self.filters, self.filters]

    def build(self, input_shape: Dims) -> None:
        """Make kernel (…, channels, 4·filters), recurrent kernel (…, filters, 4·filters) and bias."""
        width = 4 * self.filters
        self.kernel = self.add_weight((*self.kernel_size, features_of(input_shape), width), self.kernel_initializer,
                                      name="kernel", regularizer=self.kernel_regularizer,
                                      constraint=self.kernel_constraint)
        self.recurrent_kernel = self.add_weight((*self.kernel_size, self.filters, width), self.recurrent_initializer,
                                                name="recurrent_kernel", regularizer=self.recurrent_regularizer,
                                                constraint=self.recurrent_constraint)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((width,), self._bias_values if self.unit_forget_bias else self.bias_initializer,
                                        name="bias", regularizer=self.bias_regularizer,
                                        constraint=self.bias_constraint)

    def _bias_values(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        n = self.filters
        return np.concatenate([np.asarray(self.bias_initializer((n,), dtype)), np.ones(n, dtype),
                               np.asarray(self.bias_initializer((2 * n,), dtype))])

    def spatial_output(self, spatial: Sequence[int | None]) -> tuple[int | None, ...]:
        """The axes of a state for the axes of an input between time and channels."""
        found: list[int | None] = []
        for n, k, s, d in zip(spatial, self.kernel_size, self.strides, self.dilation_rate):
            reach = (k - 1) * d + 1
            found.append(None if n is None else -(-n // s) if self.padding == "same" else (n - reach) // s + 1)
        return tuple(found)

    def call(self, inputs: Tensor, states: Sequence[Tensor], training: bool = False) -> tuple[Tensor, list[Tensor]]:
        """(h', [h', c'])."""
        h, c = states
        x = ops.conv(inputs, self.kernel, strides=self.strides, padding=self.padding, dilation_rate=self.dilation_rate)
        z = ops.add(x, ops.conv(h, self.recurrent_kernel, strides=1, padding="same"))
        z = z if self.bias is None else ops.add(z, self.bias)
        z_i, z_f, z_g, z_o = ops.split(z, 4, axis=-1)
        i, f, o = (self.recurrent_activation(each) for each in (z_i, z_f, z_o))
        c = ops.add(ops.multiply(f, c), ops.multiply(i, self.activation(z_g)))
        h = ops.multiply(o, self.activation(c))
        return h, [h, c]


class _ConvLSTM(RNN):
    """An RNN of ConvLSTMCells, whose attributes are the layer's."""
    rank = 2
    filled_in = frozenset({"cell", "unroll"})

    def __getattr__(self, name: str) -> Any:
        cell = self.__dict__.get("cell")
        if cell is None or name.startswith("_"):
            return super().__getattr__(name)
        return getattr(cell, name)

    def __init__(self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
                 data_format: str | None = None, dilation_rate: Any = 1, activation: Named = "tanh",
                 recurrent_activation: Named = "sigmoid", use_bias: bool = True,
                 kernel_initializer: Named = "glorot_uniform", recurrent_initializer: Named = "orthogonal",
                 bias_initializer: Named = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Named = None,
                 recurrent_regularizer: Named = None, bias_regularizer: Named = None,
                 activity_regularizer: Named = None, kernel_constraint: Named = None,
                 recurrent_constraint: Named = None, bias_constraint: Named = None, dropout: float = 0.0,
                 recurrent_dropout: float = 0.0, seed: int | None = None, return_sequences: bool = False,
                 return_state: bool = False, go_backwards: bool = False, stateful: bool = False, **kwargs: Any) -> None:
        cell = ConvLSTMCell(
            self.rank, filters, kernel_size, strides, padding, data_format, dilation_rate, activation,
            recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed)
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful,
                         activity_regularizer=activity_regularizer, **kwargs)

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
