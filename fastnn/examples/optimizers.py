"""Chapters 8, 20 and 43 to 47: optimizers race down two slopes, the guide's parabola and a ravine, from the same start.

On a parabola one rate suits all, and plain gradient descent is the fastest. In a ravine, 100 times steeper across than
along, the rate that its walls allow is too small for its floor: gradient descent goes from wall to wall and hardly on.
Momentum adds up what points the same way each time; RMSprop and Adam give each weight a step size of its own.
"""

if __name__ == "__main__":     # python -m fastnn.examples.optimizers --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
from typing import Any

import numpy as np

import fastnn
from fastnn import ops, plotting
from fastnn.optimizers import SGD, Adam, Optimizer, RMSprop

epochs = 80         # steps of each optimizer


# %%
def parabola(w: Any) -> Any:
    """The guide's x² + 2x + 1, lowest at -1."""
    return ops.square(w[0]) + 2 * w[0] + 1


def ravine(w: Any) -> Any:
    """x²/2 + 100·y²/2, lowest at (0, 0)."""
    return (ops.square(w[0]) + 100 * ops.square(w[1])) / 2


def race(slope: Any, start: list[float], optimizer: Optimizer) -> np.ndarray:
    """Where the weights are before each step, and in the last row after it."""
    w = fastnn.Variable(start, "w")

    @fastnn.function
    def step() -> None:
        with fastnn.GradientTape() as tape:
            loss = slope(w)
        optimizer.apply([tape.gradient(loss, w)], [w])

    path = [w.numpy()]
    for _ in range(epochs):
        step()
        path.append(w.numpy())
    return np.array(path)


# %% [markdown]
# Each has its best rate on each slope. On the ravine's walls plain gradient descent diverges from 0.02 on.

# %%
racers = {"SGD": (SGD(0.2), SGD(0.018)), "Momentum": (SGD(0.2, momentum=0.8), SGD(0.018, momentum=0.8)),
          "RMSprop": (RMSprop(0.2), RMSprop(0.08)), "Adam": (Adam(0.3, beta_1=0.8), Adam(0.3, beta_1=0.8))}
paths, arrivals = {}, {}
print(f"Steps until the loss stays below 0.01, of {epochs}:  parabola   ravine")
for name, (on_parabola, in_ravine) in racers.items():
    paths[name] = race(parabola, [3.0], on_parabola), race(ravine, [-4.0, 1.0], in_ravine)
    high = [np.flatnonzero(slope(path.T).numpy() >= 0.01) for slope, path in zip((parabola, ravine), paths[name])]
    arrivals[name] = [int(h[-1]) + 1 if h[-1] < epochs else None for h in high]
    print(f"  {name:<36}" + "".join(f"{steps if steps is not None else 'not yet':>10}" for steps in arrivals[name]))

# %% [markdown]
# Steps of Adam by hand: m is a mean of the gradients, v of their squares; both start at 0 and are corrected for that.

# %%
w, m, v = 3.0, 0.0, 0.0
for t in range(1, 4):
    g = 2 * w + 2
    m, v = 0.8 * m + 0.2 * g, 0.999 * v + 0.001 * g * g
    w -= 0.3 * (m / (1 - 0.8 ** t)) / ((v / (1 - 0.999 ** t)) ** 0.5 + 1e-7)
    print(f"step {t}: gradient {g:.4f}  m {m:.4f}  v {v:.4f}  x {w:.4f}  (fastnn {paths['Adam'][0][t, 0]:.4f})")

# %%
figure, (left, right) = plotting.subplots(1, 2, size=(11, 4.6))
x = np.linspace(-5, 3.2, 200)
left.plot(x, parabola([x]).numpy(), color="#888888")
grid = np.meshgrid(np.linspace(-4.5, 1.5, 200), np.linspace(-1.1, 1.1, 200))
right.contour(*grid, ravine(grid).numpy(), levels=[0.1, 0.5, 2, 5, 10, 20, 40], colors="#bbbbbb", linewidths=0.8)
for (name, (line, path)), marker in zip(paths.items(), "osD^"):
    left.plot(line[:15, 0], parabola([line[:15, 0]]).numpy(), marker, markerfacecolor="none", label=name)
    right.plot(*path.T, marker=marker, markersize=3, linewidth=1.2, label=name)
left.set(title="On a parabola plain descent is fastest (15 steps)", xlabel="x", ylabel="loss")
right.set(title=f"In a ravine it goes from wall to wall ({epochs} steps)", xlabel="x, along", ylabel="y, across")
right.legend(loc="lower right")
figure
