"""Chapters 4 to 7: XOR, which no single neuron can learn, and four hidden ones can.

No straight line parts {00, 11} from {01, 10}. A hidden layer bends the plane first. The guide's own script (2 hidden
neurons, no biases) ends stuck for most starting weights; 4 hidden neurons with biases learn it from any seed we tried.
"""

if __name__ == "__main__":     # python -m fastnn.examples.xor --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import fastnn
from fastnn import Sequential, datasets, initializers, layers, optimizers, plotting

epochs = 5000       # passes over the data
seed = 42           # the same seed gives the same numbers

# %%
X, y = datasets.xor()           # the table: 00, 01, 10, 11 and 0, 1, 1, 0
fastnn.random.set_seed(seed)
start = initializers.RandomUniform(-1, 1)        # as the guide's script draws them
model = Sequential([
    layers.Input((2,)),
    layers.Dense(4, activation="sigmoid", kernel_initializer=start),
    layers.Dense(1, activation="sigmoid", kernel_initializer=start),
])

# %% [markdown]
# Plain gradient descent on all four samples at once wants large steps here: the sigmoids' slopes (at most 1/4) multiply
# up in the chain rule. `Every(k)` prints each k-th epoch, and C runs the others without Python.

# %%
model.compile(optimizer=optimizers.SGD(learning_rate=2.0), loss="mse", metrics=["accuracy"])
model.fit(X, y, batch_size=4, epochs=epochs, verbose=fastnn.Every(max(1, epochs // 5)))
model.summary()

# %%
answers = model.predict(X, verbose=0).ravel()
for sample, target, answer in zip(X.astype(int), y, answers):
    print(f"Input: {sample} -> Prediction: {answer:.3f} (should be {target})")
solved = bool(((answers > 0.5) == y).all())
print("XOR is solved." if solved else "XOR is not solved yet: train longer, or start from another seed.")

# %% [markdown]
# What it learned: the weights, and the plane as it answers there. The lines are those where a hidden neuron turns; the
# answer bends along them.

# %%
plotting.network(model)

# %%
plotting.decision_boundary(model, X, y)

# %% [markdown]
# And why it can: in the space that the hidden neurons make of the four points, a line does part them.

# %%
figure = plotting.hidden_space(model, X, y)
figure
