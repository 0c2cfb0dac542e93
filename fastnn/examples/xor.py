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
starts = 20         # starting weights of the guide's own network that are tried
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
# The guide's own network, two hidden neurons and no biases, from many starting weights: without a bias a sigmoid of
# 00 is 0.5 whatever the weights are, and most runs get stuck.

# %%
stuck = []
for number in range(starts):
    fastnn.random.set_seed(number)
    small = Sequential([layers.Input((2,)), *(
        layers.Dense(units, activation="sigmoid", use_bias=False, kernel_initializer=start) for units in (2, 1))])
    small.compile(optimizer=optimizers.SGD(learning_rate=2.0), loss="mse")
    stuck.append(small.fit(X, y, batch_size=4, epochs=epochs, verbose=0)["loss"][-1])
print(f"of {starts} starts {sum(loss > 0.05 for loss in stuck)} end with a loss above 0.05 (all 0.5: 0.25)")
histogram, ax = plotting.subplots(size=(6, 3))
ax.hist(stuck, bins=[i / 100 for i in range(0, 31, 2)])
ax.set(title="Two hidden neurons without biases end stuck", xlabel="loss at the end", ylabel="starts")
histogram

# %% [markdown]
# What the four learned: the weights, and the plane as the network answers there. It bends along the lines where a
# hidden neuron turns.

# %%
plotting.network(model)

# %%
plotting.decision_boundary(model, X, y)

# %% [markdown]
# And why it can: in the space that the hidden neurons make of the four points, a line does part them.

# %%
figure = plotting.hidden_space(model, X, y)
figure
