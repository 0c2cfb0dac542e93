"""Chapters 12, 15 and 21: a feedforward network for MNIST, 60,000 handwritten digits of 28 x 28 pixels.

784-128-10: 101,770 weights. The four files are looked for in the cache folder (~/.cache/fastnn) and downloaded once if
they are not there, unless `data` names a folder that holds them.
"""

if __name__ == "__main__":     # python -m fastnn.examples.mnist_mlp --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import time

import numpy as np

import fastnn
from fastnn import Sequential, datasets, layers, plotting

data = None         # the folder that holds the four IDX files, .gz or not
samples = 60000     # images to learn from
epochs = 5          # passes over the data
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# Pixels 0 .. 255 become 0 .. 1: with inputs of that size the first steps are neither tiny nor wild.

# %%
(x_train, y_train), (x_test, y_test) = datasets.mnist.load_data(data)
x, y = x_train[:samples].reshape(-1, 784).astype(np.float32) / 255, y_train[:samples]
x_unseen = x_test.reshape(-1, 784).astype(np.float32) / 255

# %%
fastnn.random.set_seed(seed)
model = Sequential([
    layers.Input((784,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(10, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
began = time.perf_counter()
history = model.fit(x, y, epochs=epochs, batch_size=32, verbose=2)
seconds = time.perf_counter() - began
_, accuracy = model.evaluate(x_unseen, y_test, verbose=0)
print(f"Test accuracy: {accuracy:.2%} after {epochs} epochs in {seconds:.1f} s")

# %%
counts = plotting.confusion_counts(y_test, model.predict(x_unseen, verbose=0))
mistakes = counts - np.diag(np.diag(counts))
digit, taken_for = np.unravel_index(mistakes.argmax(), mistakes.shape)
print(f"Most frequent mistake: {mistakes.max()} times a {digit} was taken for a {taken_for}")

# %%
figure = plotting.confusion_matrix(counts)
figure
