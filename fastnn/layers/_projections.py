"""Projections: the kernels and biases that attention with heads has for queries, keys, values and outputs. Floor 3."""

from typing import Any

from fastnn import ops
from fastnn.arguments import flag
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import NotBuiltError
from fastnn.layers.layer import Layer
from fastnn.layers.products import EinsumDense, spread_by
from fastnn.ops.rows.dense import dense


class Projection(EinsumDense):
    """One projection as a layer of its own: x W + b with the weights that the attention has, whose they stay.

    trainable: of these weights.
    """

    @property
    def trainable(self) -> bool:
        """Whether training changes its weights."""
        return all(v.trainable for v in self._variables)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for variable in self._variables:
            variable.trainable = flag(value, f"{self.name}: trainable")


class Projections(Layer):
    """A layer with projections by name: `_make` makes the weights of one, `_projected` applies it."""
    use_bias: bool
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    output_kernel: Variable
    output_bias: Variable

    def _make(self, name: str, features: int, heads: int, width: int) -> None:
        self._weight(f"{name}_kernel", (features, heads, width), spread_by(self.kernel_initializer, 1))
        if self.use_bias:
            self._weight(f"{name}_bias", (heads, width), self.bias_initializer)

    def _weight(self, name: str, shape: tuple[int, ...], initializer: Any) -> None:
        bias = name.endswith("bias")
        setattr(self, name, self.add_weight(
            shape, initializer, name=name, regularizer=self.bias_regularizer if bias else self.kernel_regularizer,
            constraint=self.bias_constraint if bias else self.kernel_constraint))

    def _projected(self, x: Tensor, name: str) -> Tensor:
        """(batch, n, features) → (batch, n, heads·width)."""
        kernel = getattr(self, f"{name}_kernel")
        return self._product(x, ops.reshape(kernel, (kernel.shape[0], -1)), f"{name}_bias")

    def _product(self, x: Tensor, kernel: Tensor, bias: str) -> Tensor:
        """x·kernel + the bias of this name, for each position."""
        if not self.use_bias:
            return ops.matmul(x, kernel)
        rows, b = ops.reshape(x, (-1, x.shape[-1])), ops.reshape(getattr(self, bias), (-1,))
        return ops.reshape(dense(rows, kernel, b, activation="linear"), (-1, *x.shape[1:-1], kernel.shape[1]))

    def _dense(self, name: str, inputs: str) -> Projection:
        """The layer of a projection that sums over these axes. NotBuiltError before there are weights."""
        if not self.built:
            raise NotBuiltError(f"{self.name}: has no {name}_dense yet, because its input shape is not known. Call it "
                                "on data, or build it for a shape.")
        kernel = getattr(self, f"{name}_kernel")
        outputs = "".join(chr(ord("o") + i) for i in range(kernel.ndim - len(inputs)))
        made = Projection(f"...{inputs},{inputs}{outputs}->...{outputs}", kernel.shape[len(inputs):], name=name,
                          bias_axes=outputs if self.use_bias else None)
        made.kernel, made.bias, made.built = kernel, getattr(self, f"{name}_bias", None), True
        return made

    @property
    def query_dense(self) -> Projection:
        """The projection of queries, (batch, …, features) → (batch, …, heads, width)."""
        return self._dense("query", "a")

    @property
    def key_dense(self) -> Projection:
        """The projection of keys."""
        return self._dense("key", "a")

    @property
    def value_dense(self) -> Projection:
        """The projection of values."""
        return self._dense("value", "a")

    @property
    def output_dense(self) -> Projection:
        """The projection of what the heads give, (batch, …, heads, width) → (batch, …, features)."""
        return self._dense("output", "ab")
