"""Chapter 18: loss functions. What an error costs decides what is learned, and outliers show it.

The same straight line is fitted three times to points of which a few are far out: by squares (MSE), by size (MAE), and
by Huber's loss, which is like squares near 0 and like sizes far out.
"""

if __name__ == "__main__":     # python -m fastnn.examples.losses --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, layers, losses, plotting

epochs = 300        # passes over the data
seed = 42           # the same seed gives the same numbers

# %%
plotting.losses()

# %% [markdown]
# Forty points near the line y = 2x + 1; five of them were written down wrong.

# %%
rng = np.random.default_rng(seed)
x = np.sort(rng.uniform(-1, 1, (40, 1)), axis=0).astype(np.float32)
y = 2 * x + 1 + rng.normal(0, 0.15, x.shape).astype(np.float32)
y[-5:] -= 5

# %%
models = {}
for loss in (losses.MeanSquaredError(name="MSE"), losses.MeanAbsoluteError(name="MAE"),
             losses.Huber(delta=0.3, name="Huber")):
    fastnn.random.set_seed(seed)
    model = Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile(fastnn.optimizers.Adam(0.05), loss)
    model.fit(x, y, epochs=epochs, batch_size=40, verbose=0)
    models[loss.name] = model
    slope, intercept = (float(v.numpy().ravel()[0]) for v in model.layers[0].weights)
    print(f"{loss.name:<6} y = {slope:.2f}x + {intercept:.2f}")

# %% [markdown]
# Squares cost most where the error is largest, so the line goes to the wrong points. The others let them lie.

# %%
figure = plotting.curve_fits(x, y, models, truth=lambda v: 2 * v + 1)
figure
