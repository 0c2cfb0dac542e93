"""Chapters 5, 14, 27 and 28: activation functions. Without one a network of any depth draws a straight line.

A product of matrices is a matrix: layers without an activation are one layer. Two moons that interlock show it; a ReLU
bends the border at corners, a tanh rounds it.
"""

if __name__ == "__main__":     # python -m fastnn.examples.activations --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import fastnn
from fastnn import Sequential, datasets, layers, plotting

epochs = 200        # passes over the data
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# The functions of the chapter and their derivatives, which say how much of an error passes back through them.

# %%
plotting.activation_functions()

# %% [markdown]
# The same network three times, 2-16-16-1, from the same weights; only the activation of the hidden layers differs.

# %%
X, y = datasets.moons(200, noise=0.15, seed=seed)
models = {}
for name in ("linear", "relu", "tanh"):
    fastnn.random.set_seed(seed)
    model = Sequential([
        layers.Input((2,)),
        layers.Dense(16, activation=name),
        layers.Dense(16, activation=name),
        layers.Dense(1, activation="sigmoid"),
    ])
    model.compile(fastnn.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    model.fit(X, y, epochs=epochs, verbose=0)
    models[name] = model

accuracies = {name: model.evaluate(X, y, verbose=0)[1] for name, model in models.items()}
for name, accuracy in accuracies.items():
    print(f"{name:<7} {accuracy:.1%} of the points on their side")

# %%
figure, axes = plotting.subplots(1, 3, size=(14, 4.2))
for ax, (name, model) in zip(axes, models.items()):
    plotting.decision_boundary(model, X, y, ax=ax)
    ax.set_title(f"{name}: {accuracies[name]:.1%} right")
figure
