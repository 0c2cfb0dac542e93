"""Chapters 19 and 21: epochs and batches. How often are the weights updated, and what is a good size?

An epoch is one pass over the data, a batch what one update looks at. 1,000 samples in batches of 250 are 4 updates an
epoch, and 1,000 epochs are 4,000: the guide's calculation. The optimizer counts its updates, so it can be checked.
"""

if __name__ == "__main__":     # python -m fastnn.examples.epochs_batches --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import time

import numpy as np

import fastnn
from fastnn import Sequential, datasets, layers, plotting

epochs = 20         # passes over the data
seed = 42           # the same seed gives the same numbers

# %%
rng = np.random.default_rng(seed)
x, y = rng.normal(size=(1000, 4)), rng.integers(0, 2, 1000)
model = Sequential([layers.Input((4,)), layers.Dense(1, activation="sigmoid")])
model.compile("sgd", "binary_crossentropy")
model.fit(x, y, epochs=1000, batch_size=250, verbose=0)
updates = int(model.optimizer.iterations)
print(f"1000 samples / 250 a batch = 4 updates an epoch; · 1000 epochs = 4000. The counter says {updates}.")

# %% [markdown]
# Small batches make many uncertain steps, large ones few sure ones. All of the data at once is plain gradient descent,
# one sample at a time is stochastic gradient descent, and in between lie mini-batches. The same network for digits:

# %%
(x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
histories, counts = {}, {}
for size in (1, 32, 256, len(x_train)):
    fastnn.random.set_seed(seed)
    model = Sequential([layers.Input((8, 8)), layers.Flatten(), layers.Dense(32, activation="relu"),
                        layers.Dense(10, activation="softmax")])
    model.compile(fastnn.optimizers.SGD(0.03), "sparse_categorical_crossentropy", metrics=["accuracy"])
    began = time.perf_counter()
    histories[f"batch {size}"] = model.fit(x_train / 16.0, y_train, batch_size=size, epochs=epochs, verbose=0)
    counts[size] = int(model.optimizer.iterations)
    seconds, accuracy = time.perf_counter() - began, model.evaluate(x_test / 16.0, y_test, verbose=0)[1]
    print(f"batch {size:>4}: {-(-len(x_train) // size):>4} updates an epoch, {counts[size]:>6} in all, "
          f"{seconds:5.2f} s, test accuracy {accuracy:.1%}")

# %%
figure = plotting.loss_curves(histories)
figure.axes[0].set_title("In as many epochs, smaller batches make more steps")
figure
