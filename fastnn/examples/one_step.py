"""Chapters 6, 36 to 39 and 41: one training step, number by number, as NumPy and as fastnn do it.

The guide's neuron has two inputs, two weights and a sigmoid. Forward: what does it say? Loss: how wrong is that?
Backward: by the chain rule, how does the loss change with each weight? Update: a step against that. The same four
things are all that ever happens, in a network of any size.
"""

if __name__ == "__main__":     # python -m fastnn.examples.one_step --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, layers, plotting

epochs = 100        # steps in the picture

# %% [markdown]
# ## As the guide writes it

# %%
x, w, y_true, rate = np.array([0.5, 0.8]), np.array([0.1, -0.2]), 1.0, 0.1
z = x @ w                                               # 1 forward: the weighted sum
y_pred = 1 / (1 + np.exp(-z))                           #   and the sigmoid of it
loss = (y_true - y_pred) ** 2 / 2                       # 2 loss
slopes = (y_pred - y_true) * y_pred * (1 - y_pred) * x  # 3 backward: dL/dy · dy/dz · dz/dw
by_hand = w - rate * slopes                             # 4 update
print(f"z = 0.5·0.1 + 0.8·(-0.2) = {z:.2f}    y = sigmoid(z) = {y_pred:.6f}    loss = (1 - y)²/2 = {loss:.6f}")
print(f"dL/dy = y - 1 = {y_pred - y_true:.6f}    dy/dz = y·(1 - y) = {y_pred * (1 - y_pred):.6f}    dz/dw = x = {x}")
print(f"dL/dw = {slopes}    new weights {by_hand}")

# %% [markdown]
# ## The same as a network
# The mean squared error of one output is (1 - y)², twice the loss above: half the rate makes the same step.

# %%
model = Sequential([layers.Input((2,)), layers.Dense(1, activation="sigmoid", use_bias=False)])
model.layers[0].set_weights([w.reshape(2, 1)])
model.compile(fastnn.optimizers.SGD(rate / 2), loss="mse")
model.fit(x[None], np.array([[y_true]]), epochs=1, verbose=0)
by_fastnn = model.layers[0].kernel.numpy().ravel()
print(f"by hand {by_hand}\nfastnn  {by_fastnn}")

# %% [markdown]
# The calls of this step, in their order: forward, loss, backward, update.

# %%
print(model.program("train"))

# %% [markdown]
# A derivative can be checked without any calculus: move the weight a little and see how much the loss changes.

# %%
tiny = 1e-6
for i, name in enumerate(("w1", "w2")):
    moved = w + tiny * np.eye(2)[i]
    change = ((y_true - 1 / (1 + np.exp(-x @ moved))) ** 2 / 2 - loss) / tiny
    print(f"{name}: chain rule {slopes[i]:.7f}, by trying {change:.7f}")

# %% [markdown]
# Step after step the weights go where the loss is lower: against the gradient, which is the direction of x.

# %%
path = [w]
for _ in range(epochs):
    y_pred = 1 / (1 + np.exp(-x @ path[-1]))
    path.append(path[-1] - rate * (y_pred - y_true) * y_pred * (1 - y_pred) * x)
w1, w2 = np.meshgrid(np.linspace(-0.6, 1.6, 100), np.linspace(-0.8, 1.4, 100))
figure, ax = plotting.subplots(size=(6.4, 5))
shades = ax.contourf(w1, w2, (y_true - 1 / (1 + np.exp(-x[0] * w1 - x[1] * w2))) ** 2 / 2, levels=20, cmap="Blues")
ax.plot(*np.array(path).T, color="#D55E00", linewidth=2, label=f"{epochs} steps")
ax.plot(*w, "o", color="black", label="the guide's weights")
ax.plot(*by_hand, "*", color="#E69F00", markersize=13, label="after one step")
ax.set(title="Each step goes where the loss is lower", xlabel="w1", ylabel="w2")
ax.legend(loc="lower left")
figure.colorbar(shades, ax=ax, label="loss")
figure
