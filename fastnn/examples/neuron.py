"""Chapter 1: a neuron. It weighs its inputs, adds a bias, and fires where the sum is not below 0.

y = f(w·x + b). With the weights chosen by hand one neuron is a gate: AND, OR and NAND need nothing else. For XOR there
are no such weights, and chapter 4 says what to do then.
"""

if __name__ == "__main__":     # python -m fastnn.examples.neuron --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

from fastnn import activations, plotting

steps = 41          # values of each weight that are tried for XOR

# %% [markdown]
# A gate has two inputs, 0 or 1. The sum must come out at 0 or above where the answer is 1, and below 0 where it is 0.

# %%
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
gates = {"AND": ([1, 1], -1.5), "OR": ([1, 1], -0.5), "NAND": ([-1, -1], 1.5)}
for name, (weights, bias) in gates.items():
    total = X @ np.array(weights, np.float32) + bias
    print(f"{name:<5} sums {total}  answers {activations.step(total).numpy().astype(int)}")

# %% [markdown]
# XOR would be 0, 1, 1, 0. Trying every pair of weights and every bias on a grid finds none that gets all four right:
# 1 and 1 may not fire together, yet each must fire alone.

# %%
grid = np.linspace(-2, 2, steps)
w1, w2, b = np.meshgrid(grid, grid, grid, indexing="ij")
answers = np.stack([x1 * w1 + x2 * w2 + b >= 0 for x1, x2 in X])
right = (answers == np.array([0, 1, 1, 0])[:, None, None, None]).sum(axis=0)
print(f"XOR: of {right.size:,} neurons the best has {right.max()} of 4 answers right")

# %%
figure = plotting.neuron(*gates["AND"], inputs=[1, 1])
figure
