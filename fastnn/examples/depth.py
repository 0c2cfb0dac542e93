"""Chapters 16 and 30: depth. More layers can say more, if the gradient gets through them.

Networks of 1, 2, 4 and 8 hidden layers learn the same digits, with sigmoids and with ReLUs. A sigmoid is nowhere
steeper than 1/4, so each leaves at most a quarter of the gradient that comes back to it: the first layers of a deep
network of sigmoids hear nothing. ReLUs pass it on.
"""

if __name__ == "__main__":     # python -m fastnn.examples.depth --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
from typing import Any

import fastnn
from fastnn import Sequential, datasets, layers, plotting

epochs = 15         # passes over the data
seed = 42           # the same seed gives the same numbers

# %%
(x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
x_train, x_test = x_train / 16.0, x_test / 16.0


def network(depth: int, activation: Any) -> Sequential:
    """64-32-...-32-10."""
    fastnn.random.set_seed(seed)
    model = Sequential([layers.Input((8, 8)), layers.Flatten(),
                        *(layers.Dense(32, activation=activation) for _ in range(depth)),
                        layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %%
depths = (1, 2, 4, 8)
accuracies: dict[str, list[float]] = {"sigmoid": [], "relu": []}
for activation, found in accuracies.items():
    for depth in depths:
        model = network(depth, activation)
        model.fit(x_train, y_train, epochs=epochs, verbose=0)
        found.append(model.evaluate(x_test, y_test, verbose=0)[1])
    print(f"{activation:<8} test accuracy at depths {depths}: {', '.join(f'{a:.1%}' for a in found)}")

# %%
figure, (left, right) = plotting.subplots(1, 2, size=(12, 4.2))
for (activation, found), line in zip(accuracies.items(), ("o-", "s--")):
    left.plot(depths, found, line, label=activation)
left.set(title="Deep sigmoids do not learn", xlabel="hidden layers", ylabel="test accuracy", xticks=depths, ylim=(0, 1))
left.legend()
plotting.gradient_sizes({name: network(8, name) for name in accuracies}, x_train[:128], y_train[:128], ax=right)
right.set_title("because little reaches their first layers")
figure
