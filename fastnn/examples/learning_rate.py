"""Chapters 9, 44, 48 and 49: the learning rate. Too low, and nothing moves; too high, and it jumps about.

The same network from the same weights, three rates. A learning rate finder shows the same in one short run: it lets the
rate rise at each step, and suggests one where the loss falls fast, well below those that blow it up.
"""

if __name__ == "__main__":     # python -m fastnn.examples.learning_rate --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import fastnn
from fastnn import Sequential, datasets, layers, plotting
from fastnn.optimizers import SGD

epochs = 30         # passes over the data
seed = 42           # the same seed gives the same numbers

# %%
(x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
x_train, x_test = x_train / 16.0, x_test / 16.0


def network(rate: float) -> Sequential:
    """64-32-10 on digits, with plain gradient descent."""
    fastnn.random.set_seed(seed)
    model = Sequential([layers.Input((8, 8)), layers.Flatten(), layers.Dense(32, activation="tanh"),
                        layers.Dense(10, activation="softmax")])
    model.compile(SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %%
histories, accuracies = {}, {}
for name, rate in (("too low", 0.0001), ("right", 0.1), ("too high", 3.0)):
    model = network(rate)
    histories[f"{name}: {rate:g}"] = history = model.fit(x_train, y_train, epochs=epochs, batch_size=32, verbose=0)
    accuracies[name] = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"{name:<9} {rate:<7g} loss {history['loss'][0]:.3f} to {history['loss'][-1]:.3f}, "
          f"test accuracy {accuracies[name]:.2%}")

# %%
found = network(0.01).find_lr(x_train, y_train, lowest=1e-4, highest=100.0)
print(f"The finder tried {found}")

# %%
figure, (left, right) = plotting.subplots(1, 2, size=(11, 4.4))
plotting.loss_curves(histories, ax=left)
left.set(title="Too low stands still, too high jumps about", yscale="log")
found.plot(ax=right)
figure
