"""Chapter 2: a perceptron learns the AND gate, and its line can be watched.

After each sample the weights move by learning_rate · (target - output) · input. Nothing changes while the answers are
right; where one is wrong, the line that parts the plane turns towards it. Nothing here is drawn at random.
"""

if __name__ == "__main__":     # python -m fastnn.examples.and_gate --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

from fastnn import plotting
from fastnn.models import Perceptron

epochs = 10         # passes over the four samples

# %%
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 0, 0, 1])      # AND is 1 only where both inputs are

perceptron = Perceptron(input_size=2, learning_rate=0.1, epochs=epochs)
perceptron.train(X, y)
for sample in X:
    print(f"Input: {sample} -> Output: {perceptron.predict(sample)}")

# %% [markdown]
# By hand, `[1 0]` gives a sum of exactly 0 and would fire. In binary 0.1 is a little more than 0.1: that decides here.

# %%
bias, w1, w2 = perceptron.weights
print(f"The neuron fires where {bias:+.1f} {w1:+.1f}·x1 {w2:+.1f}·x2 >= 0.")
print(f"At [1 0] the sum is {bias + w1:.1e}: rounding puts it on the right side of the line.")
print(f"Wrong samples at the end of each epoch: {perceptron.errors_}")

# %% [markdown]
# The same again, sample by sample, with a picture of each step that changed something. Once an epoch has no mistake no
# later one changes anything: the perceptron rule stops by itself.

# %%
w, shots = np.zeros(3), []      # bias, w1, w2
for epoch in range(epochs):
    for sample, target in zip(X, y):
        inputs = np.array([1, *sample])
        change = 0.1 * (target - int(w @ inputs >= 0)) * inputs
        if change.any():
            w = w + change
            shots.append((f"epoch {epoch + 1}, sample {sample}", w))
print(f"{len(shots)} changes; the end is that of the perceptron: {np.array_equal(w, perceptron.weights)}")

# %%
figure, axes = plotting.subplots(2, -(-len(shots) // 2), size=(12, 5))
for ax, (title, (bias, w1, w2)) in zip(axes.flat, shots):
    x1, x2 = np.meshgrid(np.linspace(-0.5, 1.5, 101), np.linspace(-0.5, 1.5, 101))
    ax.contourf(x1, x2, bias + w1 * x1 + w2 * x2 >= 0, levels=[-0.5, 0.5, 1.5], colors=["#d6e6f2", "#fbe5c0"])
    ax.scatter(*X[y == 0].T, color="#0072B2", s=60)
    ax.scatter(*X[y == 1].T, color="#E69F00", marker="s", s=60)
    ax.set_title(f"{title}\n{bias:+.1f} {w1:+.1f}·x1 {w2:+.1f}·x2", fontsize=9)
    ax.set_xticks([0, 1], ["0", "1"])
    ax.set_yticks([0, 1], ["0", "1"])
for ax in axes.flat[len(shots):]:
    ax.axis("off")
figure.suptitle("Each mistake turns the line; it fires on the yellow side")
figure
