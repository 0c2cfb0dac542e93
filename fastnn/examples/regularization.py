"""Chapters 10 and 25: what L1 and L2 do to the weights. The same network three times, without a penalty and with each.

L2 adds the squares of the weights to the loss: large ones cost most, so all become smaller. L1 adds their sizes: a
small weight costs as much for each step towards 0 as a large one, so many end there, and what is left is what the
network needs.
"""

if __name__ == "__main__":     # python -m fastnn.examples.regularization --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, datasets, layers, plotting
from fastnn.regularizers import L1, L2

epochs = 60         # passes over the data
seed = 42           # the same seed gives the same numbers

# %%
(x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
weights, accuracies = {}, {}
for name, penalty in (("none", None), ("L1", L1(1e-3)), ("L2", L2(1e-2))):
    fastnn.random.set_seed(seed)
    model = Sequential([layers.Input((8, 8)), layers.Flatten(),
                        layers.Dense(32, activation="relu", kernel_regularizer=penalty),
                        layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train / 16.0, y_train, epochs=epochs, batch_size=32, verbose=0)
    weights[name] = w = model.layers[1].kernel.numpy()
    accuracies[name] = model.evaluate(x_test / 16.0, y_test, verbose=0)[1]
    print(f"penalty {name:<5} {np.mean(np.abs(w) < 1e-3):4.0%} of {w.size} weights below 0.001, largest "
          f"{np.abs(w).max():.2f}, test accuracy {accuracies[name]:.1%}")

# %% [markdown]
# The weights as pictures, a row for each pixel and a column for each neuron: under L1 whole rows are empty. These are
# pixels at the border that never say anything.

# %%
picture, axes = plotting.subplots(1, 3, size=(12, 4))
for ax, (name, w) in zip(axes, weights.items()):
    ax.imshow(w, cmap="RdBu", vmin=-0.5, vmax=0.5, aspect="auto", interpolation="nearest")
    ax.set(title=f"{name}: test accuracy {accuracies[name]:.1%}", xlabel="neuron", ylabel="pixel")
picture

# %%
figure = plotting.weight_histogram(weights)
figure
