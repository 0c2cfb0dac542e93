"""Cells: one step of a recurrent layer, with weights of its own. Floor 3.

A cell is called with the step's input (batch, features) and a list of states, each (batch, size), and gives its output
and the states after the step. `state_size` says how wide they are.
"""

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from fastnn import activations, constraints, initializers, ops, regularizers, seeds
from fastnn.arguments import flag, share, whole
from fastnn.engine import backend
from fastnn.engine.kinds import ActivationLike, ConstraintLike, Dims, InitializerLike, RegularizerLike
from fastnn.engine.tensor import Tensor
from fastnn.layers._options import CellOptions, LayerOptions
from fastnn.layers._random import RandomLayer
from fastnn.layers.stacked import alike, as_list, features_of
from fastnn.ops.rows.random import dropout as dropped

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell"]

_RECURRENT = 1 << 18        # streams from the masks of the inputs to those of the states


class DropoutCell(RandomLayer):
    """What the cells share: weights for so many gates, and dropout by masks that are the same at every step.

    A mask is a function of its key, so drawing it again at each step gives the same one.
    """
    gates = 1
    _window: tuple[int, ...] = ()       # the kernels' axes before features, of a convolution
    unwatched = RandomLayer.unwatched | {"_sequence"}      # of the sequence under way only

    def __init__(self, units: int, activation: ActivationLike = "tanh", use_bias: bool = True,
                 kernel_initializer: InitializerLike = "glorot_uniform",
                 recurrent_initializer: InitializerLike = "orthogonal", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, recurrent_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 recurrent_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None,
                 dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        kwargs.pop("implementation", None)  # type: ignore[typeddict-item]
        super().__init__(seed=seed, **kwargs)
        name = type(self).__name__
        self.units = whole(units, f"{name}: units", 1)
        self.activation = activations.get(activation)
        self.use_bias = flag(use_bias, f"{type(self).__name__}: use_bias")
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
        self.state_size: Any = self.units
        self.output_size = self.units
        seeds.new_stream(seed)      # once that of the recurrent masks: what is made after it keeps its own
        self._sequence: Any = None      # the key of the sequence under way

    def build(self, input_shape: Dims) -> None:
        """Make kernel (…, features, gates·units), recurrent kernel (…, units, gates·units) and bias."""
        width = self.gates * self.units
        self.kernel = self.add_weight((*self._window, features_of(input_shape), width), self.kernel_initializer,
                                      name="kernel", regularizer=self.kernel_regularizer,
                                      constraint=self.kernel_constraint)
        self.recurrent_kernel = self.add_weight((*self._window, self.units, width), self.recurrent_initializer,
                                                name="recurrent_kernel", regularizer=self.recurrent_regularizer,
                                                constraint=self.recurrent_constraint)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(self._bias_shape(), self._bias_values(), name="bias",
                                        regularizer=self.bias_regularizer, constraint=self.bias_constraint)

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _bias_values(self) -> Any:
        return self.bias_initializer

    def get_initial_state(self, batch_size: int) -> list[Tensor]:
        """Zeros for each state."""
        sizes = self.state_size if isinstance(self.state_size, (list, tuple)) else [self.state_size]
        return [Tensor(np.zeros((batch_size, n), backend.floatx()), "zeros", constant=True) for n in sizes]

    # ---- dropout ----------------------------------------------------------------------------------------------

    def begin_sequence(self) -> None:
        """New masks, for the steps of a sequence that begins now."""
        self._sequence = self._key()

    def end_sequence(self) -> None:
        """The masks belong to no step any more."""
        self._sequence = None

    def _drop(self, x: Tensor, share: float, stream: int, training: bool) -> Tensor:
        if not training or share == 0 or x.symbolic:
            return x
        key = self._key() if self._sequence is None else self._sequence
        return dropped(x, key, rate=share, stream=stream)

    def drop_inputs(self, x: Tensor, training: bool, gate: int = 0) -> Tensor:
        """x with `dropout`, x (batch, features) or, for all steps at once, (batch, time, features)."""
        if x.ndim == 2 or not training or self.dropout == 0 or x.symbolic:
            return self._drop(x, self.dropout, gate << 16, training)
        ones = Tensor(np.ones((x.shape[0], x.shape[2]), x.dtype), "ones", constant=True)
        return ops.multiply(x, ops.expand_dims(self._drop(ones, self.dropout, gate << 16, training), 1))

    def drop_state(self, h: Tensor, training: bool, gate: int = 0) -> Tensor:
        """h with `recurrent_dropout`."""
        return self._drop(h, self.recurrent_dropout, _RECURRENT + (gate << 16), training)

    def products(self, x: Tensor, h: Tensor, training: bool) -> tuple[list[Tensor], list[Tensor]]:
        """x·W and h·U (no bias) of each gate; with recurrent dropout each gate drops for itself, as in Keras."""
        one_mask = self.gates == 1 or not training or self.recurrent_dropout == 0
        if one_mask:
            of_x = ops.matmul(self.drop_inputs(x, training), self.kernel)
            of_h = ops.matmul(self.drop_state(h, training), self.recurrent_kernel)
            return ops.split(of_x, self.gates, axis=-1), ops.split(of_h, self.gates, axis=-1)
        kernels = ops.split(self.kernel, self.gates, axis=1)
        recurrent = ops.split(self.recurrent_kernel, self.gates, axis=1)
        return ([ops.matmul(self.drop_inputs(x, training, i), w) for i, w in enumerate(kernels)],
                [ops.matmul(self.drop_state(h, training, i), u) for i, u in enumerate(recurrent)])


class SimpleRNNCell(DropoutCell):
    """h' = f(x·W + h·U + b). x (batch, features), one state h (batch, units). Elman 1990;
    keras.layers.SimpleRNNCell."""

    def call(self, inputs: Tensor, states: Sequence[Tensor], training: bool = False) -> tuple[Tensor, list[Tensor]]:
        """(h', [h'])."""
        (of_x,), (of_h,) = self.products(inputs, as_list(states)[0], training)
        z = ops.add(of_x, of_h)
        h = self.activation(z if self.bias is None else ops.add(z, self.bias))
        return h, alike(states, [h])


class LSTMCell(DropoutCell):
    """i, f, o = s(x·W + h·U + b), g = a(…); c' = f·c + i·g; h' = o·a(c'). States h and c (batch, units); weights in the
    order i, f, g, o; the bias of f begins at 1. Hochreiter & Schmidhuber 1997; keras.layers.LSTMCell."""
    gates = 4

    def __init__(self, units: int, activation: ActivationLike = "tanh",
                 recurrent_activation: ActivationLike = "sigmoid", use_bias: bool = True, *,
                 unit_forget_bias: bool = True, **kwargs: Unpack[CellOptions]) -> None:
        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = flag(unit_forget_bias, f"{type(self).__name__}: unit_forget_bias")
        self.state_size = [self.units, self.units]

    def _bias_values(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer

        def values(shape: tuple[int, ...], dtype: str) -> np.ndarray:
            draw = self.bias_initializer
            return np.concatenate([np.asarray(draw((self.units,), dtype)), np.ones(self.units, dtype),
                                   np.asarray(draw((2 * self.units,), dtype))])
        return values

    def call(self, inputs: Tensor, states: Sequence[Tensor], training: bool = False) -> tuple[Tensor, list[Tensor]]:
        """(h', [h', c'])."""
        h, c = states
        z = [ops.add(a, b) for a, b in zip(*self.products(inputs, h, training))]
        if self.bias is not None:
            z = [ops.add(part, b) for part, b in zip(z, ops.split(self.bias, 4, axis=0))]
        i, f, o = (self.recurrent_activation(z[k]) for k in (0, 1, 3))
        c = ops.add(ops.multiply(f, c), ops.multiply(i, self.activation(z[2])))
        h = ops.multiply(o, self.activation(c))
        return h, [h, c]


class GRUCell(DropoutCell):
    """k = s(x·W_k + h·U_k), r = s(x·W_r + h·U_r), g = a(x·W_g + r·(h·U_g)); h' = k·h + (1 - k)·g; each sum with its
    bias.

    One state h (batch, units); weights in the order k (update), r (reset), g. reset_after=False: (r·h)·U_g instead, and
    one bias (3·units,) instead of two, (2, 3·units). Cho et al. 2014; keras.layers.GRUCell.
    """
    gates = 3

    def __init__(self, units: int, activation: ActivationLike = "tanh",
                 recurrent_activation: ActivationLike = "sigmoid", use_bias: bool = True, *, reset_after: bool = True,
                 **kwargs: Unpack[CellOptions]) -> None:
        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = flag(reset_after, f"{type(self).__name__}: reset_after")

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def biases(self) -> tuple[Tensor | None, Tensor | None]:
        """(that of x·W, that of h·U), each (3·units,)."""
        if self.bias is None or not self.reset_after:
            return self.bias, None
        both = ops.split(self.bias, 2, axis=0)
        return ops.squeeze(both[0], 0), ops.squeeze(both[1], 0)

    def call(self, inputs: Tensor, states: Sequence[Tensor], training: bool = False) -> tuple[Tensor, list[Tensor]]:
        """(h', [h'])."""
        h = as_list(states)[0]
        of_x, of_h = self.products(inputs, h, training)
        bias, recurrent_bias = self.biases()
        if bias is not None:
            of_x = [ops.add(part, b) for part, b in zip(of_x, ops.split(bias, 3, axis=0))]
        if recurrent_bias is not None:
            of_h = [ops.add(part, b) for part, b in zip(of_h, ops.split(recurrent_bias, 3, axis=0))]
        k, r = (self.recurrent_activation(ops.add(of_x[i], of_h[i])) for i in (0, 1))
        if self.reset_after:
            inner = ops.multiply(r, of_h[2])
        else:
            u = ops.split(self.recurrent_kernel, 3, axis=1)[2]
            inner = ops.matmul(ops.multiply(r, self.drop_state(h, training, 2)), u)
        g = self.activation(ops.add(of_x[2], inner))
        h = ops.add(g, ops.multiply(k, ops.subtract(h, g)))
        return h, alike(states, [h])
