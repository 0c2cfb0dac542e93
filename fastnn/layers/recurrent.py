"""SimpleRNN, LSTM and GRU: recurrent layers whose steps run in one call. Floor 3.

The product of all inputs with the kernel is one call, and so is the walk through time, where the activations are the
usual ones and the states are not dropped; else the cell's steps are calls of their own (RNN).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Unpack

from fastnn import activations, ops
from fastnn.engine.kinds import ActivationLike, Dims
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.layers._options import RecurrentOptions
from fastnn.layers.cells import GRUCell, LSTMCell, SimpleRNNCell
from fastnn.layers.rnn import OwnCell, zeros
from fastnn.ops.rows.dense import dense, matmul
from fastnn.ops.rows.gru import gru_after_steps, gru_before_steps
from fastnn.ops.rows.recurrent import lstm_steps, rnn_steps

__all__ = ["GRU", "LSTM", "SimpleRNN"]


class _Recurrent(OwnCell):
    """A layer whose steps may be one call."""

    def __init__(self, make: Callable[..., Any], **kwargs: Any) -> None:
        for unused in ("use_cudnn", "implementation"):       # ways to compute that are not here
            kwargs.pop(unused, None)
        super().__init__(make, **kwargs)
        self.cell.trainable = self.trainable

    def build(self, sequences_shape: Dims, initial_state_shape: Any = None) -> None:
        """Make the cell's weights."""
        self._check_rank(sequences_shape)
        super().build(sequences_shape, initial_state_shape)

    def _check(self, x: Tensor, states: Any, mask: Any) -> None:
        self._check_rank(x.shape)
        super()._check(x, states, mask)

    def _check_rank(self, shape: Dims) -> None:
        if len(shape) > 3:
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(shape)}; needs (batch, time, features): one row "
                             "of features a step.\nJoin the axes after time (layers.Reshape), or read one of them "
                             f"within each step: layers.TimeDistributed(layers.{type(self).__name__}(…)).")

    def _fused(self, training: bool) -> bool:
        """Whether one call does all steps."""
        raise NotImplementedError

    def _project(self, x: Tensor, bias: Tensor | None, training: bool) -> Tensor:
        """x·W + b of all steps at once: (batch, time, features) → (batch, time, gates·units)."""
        x = self.cell.drop_inputs(x, training)
        rows = ops.reshape(x, (-1, x.shape[2]))
        z = matmul(rows, self.cell.kernel) if bias is None else dense(rows, self.cell.kernel, bias, activation="linear")
        return ops.reshape(z, (x.shape[0], x.shape[1], z.shape[1]))

    def _sequence(self, x: Tensor, states: list[Any], mask: Tensor | None, training: bool,
                  given: bool) -> tuple[Tensor, Tensor, list[Any]]:
        if not self._fused(training):
            return super()._sequence(x, states, mask, training, given)
        counts = None if mask is None else ops.cast(mask, "uint8")
        h, last, after = self._steps(x, states, counts, training)
        if mask is not None and (given or self.zero_output_for_mask):
            h, last = self._outputs(h, last, mask)
        return h, last, after

    def _steps(self, x: Tensor, states: list[Any], mask: Tensor | None,
               training: bool) -> tuple[Tensor, Tensor, list[Any]]:
        """(states after each step, after the last, all states after the last) by one call."""
        raise NotImplementedError

    def _outputs(self, h: Tensor, last: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs from states: before the first step that counts the output is 0, whatever the state; with
        zero_output_for_mask it is 0 wherever a step does not count."""
        counted = ops.cast(mask, h.dtype)
        if self.zero_output_for_mask:
            seen = counted
        else:
            along = ops.flip(counted, axis=1) if self.go_backwards else counted
            seen = ops.minimum(ops.cumsum(along, axis=1), 1.0)
            seen = ops.flip(seen, axis=1) if self.go_backwards else seen
        end = seen[:, 0] if self.go_backwards else seen[:, -1]
        return ops.multiply(h, ops.expand_dims(seen, -1)), ops.multiply(last, ops.expand_dims(end, -1))


class SimpleRNN(_Recurrent):
    """h_t = f(x_t·W + h_{t-1}·U + b). x (batch, time, features) → (batch, units), or (batch, time, units) with
    return_sequences. W (features, units), U (units, units), b (units,). The other arguments as RNN;
    keras.layers.SimpleRNN.
    """

    def __init__(self, units: int, activation: ActivationLike = "tanh", use_bias: bool = True,
                 **kwargs: Unpack[RecurrentOptions]) -> None:
        super().__init__(partial(SimpleRNNCell, units, activation, use_bias), **kwargs)

    def _fused(self, training: bool) -> bool:
        return self.cell.activation in FUSED and not (training and self.cell.recurrent_dropout)

    def _steps(self, x: Tensor, states: list[Any], mask: Tensor | None,
               training: bool) -> tuple[Tensor, Tensor, list[Any]]:
        z = self._project(x, self.cell.bias, training)
        h, _, last = rnn_steps(z, self.cell.recurrent_kernel, states[0], mask, activation=FUSED[self.cell.activation],
                               reverse=self.go_backwards)
        return h, last, [last]


FUSED = {activations.linear: "linear", activations.relu: "relu", activations.tanh: "tanh",
         activations.sigmoid: "sigmoid"}


class LSTM(_Recurrent):
    """Long short-term memory: i, f, o = sigmoid(x·W + h·U + b), g = tanh(…); c_t = f·c_{t-1} + i·g; h_t = o·tanh(c_t).

    x (batch, time, features) → (batch, units), or (batch, time, units) with return_sequences; states h and c. W
    (features, 4·units), U (units, 4·units), b (4·units,), in the order i, f, g, o. The other arguments as RNN.
    Hochreiter & Schmidhuber 1997; keras.layers.LSTM.
    """

    def __init__(self, units: int, activation: ActivationLike = "tanh",
                 recurrent_activation: ActivationLike = "sigmoid", use_bias: bool = True, *,
                 unit_forget_bias: bool = True, **kwargs: Unpack[RecurrentOptions]) -> None:
        super().__init__(partial(LSTMCell, units, activation, recurrent_activation, use_bias,
                                 unit_forget_bias=unit_forget_bias), **kwargs)

    def _fused(self, training: bool) -> bool:
        return (self.cell.activation is activations.tanh and self.cell.recurrent_activation is activations.sigmoid
                and not (training and self.cell.recurrent_dropout))

    def _steps(self, x: Tensor, states: list[Any], mask: Tensor | None,
               training: bool) -> tuple[Tensor, Tensor, list[Any]]:
        z = self._project(x, self.cell.bias, training)
        h, _, _, _, last, c = lstm_steps(z, self.cell.recurrent_kernel, states[0], states[1], mask,
                                         reverse=self.go_backwards)
        return h, last, [last, c]


class GRU(_Recurrent):
    """Gated recurrent unit: k = sigmoid(x·W_k + h·U_k), r = sigmoid(x·W_r + h·U_r), g = tanh(x·W_g + r·(h·U_g));
    h_t = k·h_{t-1} + (1 - k)·g; each sum with its bias.

    x (batch, time, features) → (batch, units), or (batch, time, units) with return_sequences. W (features, 3·units), U
    (units, 3·units), b (2, 3·units): of x·W and of h·U; (3·units,) with reset_after=False, which is (r·h)·U_g. The
    other arguments as RNN. Cho et al. 2014; keras.layers.GRU.
    """

    def __init__(self, units: int, activation: ActivationLike = "tanh",
                 recurrent_activation: ActivationLike = "sigmoid", use_bias: bool = True, *, reset_after: bool = True,
                 **kwargs: Unpack[RecurrentOptions]) -> None:
        super().__init__(partial(GRUCell, units, activation, recurrent_activation, use_bias, reset_after=reset_after),
                         **kwargs)

    def _fused(self, training: bool) -> bool:
        return (self.cell.activation is activations.tanh and self.cell.recurrent_activation is activations.sigmoid
                and not (training and self.cell.recurrent_dropout))

    def _steps(self, x: Tensor, states: list[Any], mask: Tensor | None,
               training: bool) -> tuple[Tensor, Tensor, list[Any]]:
        u = self.cell.recurrent_kernel
        bias, recurrent_bias = self.cell.biases()
        z = self._project(x, bias, training)
        if self.cell.reset_after:
            b = zeros(u.shape[1]) if recurrent_bias is None else recurrent_bias
            h, _, _, last = gru_after_steps(z, u, b, states[0], mask, reverse=self.go_backwards)
        else:
            h, _, _, last = gru_before_steps(z, u, states[0], mask, reverse=self.go_backwards)
        return h, last, [last]
