"""Chapters 3, 29 and 30: a sigmoid instead of a step. A dimmer can be turned a little; a switch cannot.

The same neuron learns the same data twice. With the step, by the perceptron's rule, it only ever knows right or wrong;
where the classes overlap, its line jumps about for ever. With the sigmoid it says how sure it is, and gradient descent
brings it to rest.
"""

if __name__ == "__main__":     # python -m fastnn.examples.sigmoid --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, layers, plotting
from fastnn.models import Perceptron

epochs = 40         # passes over the data
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# Two clouds of points that overlap: some are on the wrong side of every line.

# %%
rng = np.random.default_rng(seed)
y = rng.integers(0, 2, 200)
X = rng.normal(size=(200, 2)) + 1.6 * y[:, None]

# %%
switch = Perceptron(input_size=2, learning_rate=0.1, epochs=epochs)
switch.train(X, y)
print(f"step: wrong at the end of the last five epochs {switch.errors_[-5:]}")

fastnn.random.set_seed(seed)
dimmer = Sequential([layers.Input((2,)), layers.Dense(1, activation="sigmoid")])
dimmer.compile(fastnn.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])
history = dimmer.fit(X, y, epochs=epochs, verbose=0)
print(f"sigmoid: {history}")

# %% [markdown]
# The step says 0 or 1. The sigmoid is 0.5 on its line and surer the farther away; that is what has a derivative.

# %%
point = np.array([[0.8, 0.8]], np.float32)
print(f"between the clouds: step {switch.predict(point[0])}, sigmoid {dimmer.predict(point, verbose=0)[0, 0]:.2f}")

# %%
figure, (left, right) = plotting.subplots(1, 2, size=(11, 4.4))
plotting.decision_boundary(switch, X, y, ax=left)
plotting.decision_boundary(dimmer, X, y, ax=right)
left.set_title("Step: a switch, all or nothing")
right.set_title("Sigmoid: a dimmer, unsure near its line")
figure
