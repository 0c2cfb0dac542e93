"""Chapters 32 and 33: dying ReLUs, and the leak that keeps them alive.

A ReLU gives 0 to every negative sum, and its derivative there is 0. One large step can push a neuron's sum below 0 for
every input; then nothing reaches its weights any more, and it never comes back: it is dead. Leaky ReLU leaves a small
slope there, along which it can return.
"""

if __name__ == "__main__":     # python -m fastnn.examples.dying_relu --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, datasets, layers, models, plotting

epochs = 30         # passes over the data
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# Three networks for digits. The second learns at a rate that is much too high, and so does the third, with leaky ReLUs.

# %%
(x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
x_train, x_test = x_train / 16.0, x_test / 16.0
networks, accuracies = {}, {}
for name, kind, rate in (("ReLU, rate 0.001", layers.ReLU, 0.001), ("ReLU, rate 0.1", layers.ReLU, 0.1),
                         ("Leaky ReLU, rate 0.1", layers.LeakyReLU, 0.1)):
    fastnn.random.set_seed(seed)
    model = Sequential([layers.Input((8, 8)), layers.Flatten(), layers.Dense(64), kind(), layers.Dense(64), kind(),
                        layers.Dense(10, activation="softmax")])
    model.compile(fastnn.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=epochs, verbose=0)
    networks[name], accuracies[name] = model, model.evaluate(x_test, y_test, verbose=0)[1]

# %% [markdown]
# A unit is dead where it is not above 0 for any of the 1,437 training images. (Leaky ones are below 0 there, not dead.)

# %%
dead = {}
for name, model in networks.items():
    hidden = models.Model(model.inputs, [model.layers[2].output, model.layers[4].output])
    shares = [np.mean(output.max(axis=0) <= 0) for output in hidden.predict(x_train, verbose=0)]
    dead[name] = shares
    print(f"{name:<21} never above 0: {shares[0]:.0%} and {shares[1]:.0%} of the units, test accuracy "
          f"{accuracies[name]:.1%}")

# %%
figure, (left, right) = plotting.subplots(1, 2, size=(12, 4))
plotting.dead_units(networks["ReLU, rate 0.1"], x_train, ax=left)
left.set_title("At rate 0.1: " + left.get_title())
right.barh(list(accuracies), list(accuracies.values()), color=["#009E73", "#D55E00", "#0072B2"])
right.set(title="What is left alive learns; the leak keeps more of it", xlabel="test accuracy", xlim=(0.8, 1))
right.invert_yaxis()
figure
