"""Chapters 6, 36 and 40: a layer and a loss of your own. The chain rule is done for you.

Both are built from `fastnn.ops`. Every op knows its own gradient, so there is no backward to write; the recorded
training step of this network is as fast as that of the built-in layers, because it is made of the same kernel calls.
"""

if __name__ == "__main__":     # python -m fastnn.examples.custom_layer --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
from typing import Any

import numpy as np

import fastnn
from fastnn import Sequential, layers, ops, plotting

epochs = 200        # passes over the data
seed = 42           # the same seed gives the same numbers


# %%
class MyDense(layers.Layer):
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


# %% [markdown]
# Fit a noisy sine with it; one point in eight is far out. Then the same with the built-in layer, from the same weights,
# and with squares as the loss.

# %%
rng = np.random.default_rng(seed)
x = np.linspace(-3, 3, 80, dtype=np.float32).reshape(-1, 1)
y = np.sin(x) + rng.normal(0, 0.1, x.shape)
y[::8] += 2.5
fastnn.random.set_seed(seed)
own = Sequential([layers.Input((1,)), MyDense(24), layers.Dense(1)])
built_in = Sequential([layers.Input((1,)), layers.Dense(24, activation="tanh"), layers.Dense(1)])
squares = Sequential([layers.Input((1,)), MyDense(24), layers.Dense(1)])
built_in.set_weights(own.get_weights())
squares.set_weights(own.get_weights())
trained: list[tuple[Sequential, Any]] = [(own, pseudo_huber), (built_in, pseudo_huber), (squares, "mse")]
for model, loss in trained:
    fastnn.random.set_seed(seed)       # the batches are shuffled alike
    model.compile(optimizer=fastnn.optimizers.Adam(learning_rate=0.01), loss=loss)
    model.fit(x, y, epochs=epochs, verbose=0)

# %%
difference = float(np.abs(own.predict(x, verbose=0) - built_in.predict(x, verbose=0)).max())
print(own.history)
print(f"Largest difference from the network of built-in layers: {difference:.2g}")
print(own.program("train"))      # forward, backward and update, each line one kernel call

# %%
figure = plotting.curve_fits(x, y, {"pseudo-Huber": own, "squares": squares}, truth=np.sin, unseen=(x, np.sin(x)))
figure
