"""Chapters 36 to 41: backpropagation, done for you. A layer and a loss of your own, written with fastnn.ops.

Every op knows its derivative, and the chain rule (chapter 40) joins them: there is no backward to write. The lesson
trains the same network with the built-in Dense as well; its answers must be the same.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import layers, ops, plotting
from fastnn.examples._lesson import lesson, run
from fastnn.layers import Input, Layer
from fastnn.models import Sequential


class MyDense(Layer):
    """y = tanh(x W + b). x (batch, in) → y (batch, units)."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    def build(self, input_shape: Any) -> None:
        """Make the weights, once the number of inputs is known."""
        self.w = self.add_weight((input_shape[-1], self.units), "glorot_uniform", name="w")
        self.b = self.add_weight((self.units,), "zeros", name="b")

    def call(self, x: Any) -> Any:
        """The forward pass; + and @ are ops too."""
        return ops.tanh(x @ self.w + self.b)


def pseudo_huber(y_true: Any, y_pred: Any) -> Any:
    """sqrt(1 + e²) - 1 with e = y_pred - y_true: like e²/2 near 0, like |e| far out, so outliers pull less."""
    return ops.mean(ops.sqrt((y_pred - y_true) ** 2 + 1.0) - 1.0, axis=-1)


class Result(NamedTuple):
    """The own layer's model and recorded training step, and how far its answers are from the built-in one's."""
    model: Sequential
    step: str
    difference: float


def train(epochs: int = 100, seed: int = 42, verbose: Any = 0) -> Result:
    """Fit a sine with MyDense, then with Dense from the same weights and in the same order of batches."""
    x = np.linspace(-3, 3, 256, dtype=np.float32).reshape(-1, 1)
    fastnn.random.set_seed(seed)
    own = Sequential([Input((1,)), MyDense(24), layers.Dense(1)])
    built_in = Sequential([Input((1,)), layers.Dense(24, activation="tanh"), layers.Dense(1)])
    built_in.set_weights(own.get_weights())
    steps = []
    for model in (own, built_in):
        fastnn.random.set_seed(seed)       # the batches are shuffled alike
        model.compile(optimizer=fastnn.optimizers.Adam(learning_rate=0.01), loss=pseudo_huber)
        model.fit(x, np.sin(x), epochs=epochs, verbose=verbose if model is own else 0)
        steps.append(str(model.program("train")))
    return Result(own, steps[0], float(np.abs(own.predict(x, verbose=0) - built_in.predict(x, verbose=0)).max()))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("custom_layer", __doc__, epochs=100).parse_args(argv)
    result = train(options.epochs, options.seed, verbose=fastnn.Every(20))
    print(result.model.history)
    print(f"Largest difference from the network of built-in layers: {result.difference:.2g}")
    print(result.step)      # forward, backward and update, each line one kernel call
    if options.plot:
        plotting.loss_curves(result.model.history, options.plot)
        print(f"The loss over the epochs: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
