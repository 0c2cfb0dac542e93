"""Chapter 24: bias and variance. Too stiff a network misses the curve; too free a one follows the noise.

Fifteen noisy points of a sine, drawn anew again and again, and a network learns each set. Where all of these networks
are wrong in the same way, that is bias. Where they differ from each other, that is variance. What is learned best has
little of both.
"""

if __name__ == "__main__":     # python -m fastnn.examples.bias_variance --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, layers, plotting

epochs = 300        # steps for each fit
fits = 8            # sets of points
seed = 42           # the same seed gives the same numbers

# %%
def network(units: int) -> Sequential:
    """1-units-units-1; without a hidden layer it is a straight line."""
    hidden = [layers.Dense(units, activation="tanh") for _ in range(2)] if units else []
    model = Sequential([layers.Input((1,)), *hidden, layers.Dense(1)])
    model.compile(fastnn.optimizers.Adam(0.005 if units == 100 else 0.02), "mse")
    return model


# %%
rng = np.random.default_rng(seed)
grid = np.linspace(-3, 3, 200, dtype=np.float32)[:, None]
curves: dict[int, list[np.ndarray]] = {}
for units in (0, 4, 100):
    curves[units] = []
    for i in range(fits):
        x = rng.uniform(-3, 3, (15, 1)).astype(np.float32)
        y = np.sin(x) + rng.normal(0, 0.3, x.shape)
        fastnn.random.set_seed(seed + i)
        model = network(units)
        model.fit(x, y, epochs=epochs * (4 if units == 100 else 1), batch_size=15, verbose=0)
        curves[units].append(model.predict(grid, verbose=0)[:, 0])

# %% [markdown]
# The error splits: (mean curve - truth)² is the squared bias, the spread about the mean curve the variance.

# %%
truth, parts = np.sin(grid[:, 0]), {}
for units, found in curves.items():
    bias, variance = np.mean((np.mean(found, axis=0) - truth) ** 2), np.mean(np.var(found, axis=0))
    parts[units] = bias, variance
    print(f"{units:>3} hidden units: bias² {bias:.3f} + variance {variance:.3f} = {bias + variance:.3f}")

# %%
figure, axes = plotting.subplots(1, 3, size=(13, 4))
names = {0: "A line: high bias", 4: "4 units: a balance", 100: "100 units: high variance"}
for ax, (units, found) in zip(axes, curves.items()):
    ax.plot(grid, np.transpose(found), color="#56B4E9", linewidth=0.8)
    ax.plot(grid, np.mean(found, axis=0), color="#0072B2", linewidth=2.5, label="their mean")
    ax.plot(grid, truth, "--", color="black", label="truth")
    ax.set(ylim=(-2.5, 2.5), xlabel="x",
           title=f"{names[units]}\nbias² {parts[units][0]:.3f}, variance {parts[units][1]:.3f}")
axes[0].legend(loc="lower right")
figure
