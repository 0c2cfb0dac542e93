"""Chapters 10 and 25: what L1 and L2 do to the weights. The same network three times, without a penalty and with each.

L2 adds the squares of the weights to the loss: large ones cost most, so all become smaller. L1 adds their sizes: a
small weight costs as much for each step towards 0 as a large one, so most end there, and what is left is what the
network needs.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import datasets
from fastnn.examples._lesson import lesson, run
from fastnn.layers import Dense, Flatten, Input
from fastnn.models import Sequential
from fastnn.regularizers import L1, L2

SMALL = 1e-3        # a weight below this is as good as 0


class Result(NamedTuple):
    """The weights from the pixels to the hidden layer, and the accuracies on the test digits, by penalty."""
    weights: dict[str, np.ndarray]
    accuracies: dict[str, float]


def train(epochs: int = 60, seed: int = 42, verbose: Any = 0) -> Result:
    """Train the network without a penalty, with L1 and with L2."""
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
    weights, accuracies = {}, {}
    for name, penalty in (("none", None), ("L1", L1(1e-3)), ("L2", L2(1e-2))):
        fastnn.random.set_seed(seed)
        model = Sequential([Input((8, 8)), Flatten(), Dense(32, activation="relu", kernel_regularizer=penalty),
                            Dense(10, activation="softmax")])
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x_train / 16.0, y_train, epochs=epochs, batch_size=32, verbose=verbose)
        weights[name] = model.layers[1].kernel.numpy()
        accuracies[name] = model.evaluate(x_test / 16.0, y_test, verbose=0)[1]
    return Result(weights, accuracies)


def figure(result: Result) -> Any:
    """The weights of each network as a histogram, and as a picture: a row for each pixel, a column for each neuron."""
    from fastnn.plotting._figure import BLUE, new_figure, style
    drawn = new_figure(12, 7.4)
    limit = max(float(np.abs(w).max()) for w in result.weights.values())
    for place, (name, w) in enumerate(result.weights.items()):
        ax = drawn.add_subplot(2, 3, place + 1)
        ax.hist(w.ravel(), bins=np.linspace(-limit, limit, 81), color=BLUE)
        ax.set_yscale("log")
        ax.set_ylim(0.5, w.size)
        style(ax, f"{name}: {np.mean(np.abs(w) < SMALL):.0%} of the weights are 0", "weight", "how many")
        below = drawn.add_subplot(2, 3, place + 4)
        shown = below.imshow(w, cmap="RdBu", vmin=-limit / 2, vmax=limit / 2, aspect="auto", interpolation="nearest")
        below.set_title(f"test accuracy {result.accuracies[name]:.1%}")
        below.set_xlabel("neuron")
        below.set_ylabel("pixel")
    drawn.colorbar(shown, ax=drawn.axes[1::2], shrink=0.8, label="weight")
    return drawn


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("regularization", __doc__, epochs=60).parse_args(argv)
    result = train(options.epochs, seed=options.seed)
    for name, w in result.weights.items():
        print(f"penalty {name:<5} {np.mean(np.abs(w) < SMALL):4.0%} of {w.size} weights below {SMALL}, largest "
              f"{np.abs(w).max():.2f}, test accuracy {result.accuracies[name]:.1%}")
    if options.plot:
        from fastnn.plotting._figure import saved
        saved(figure(result), options.plot)
        print(f"The weights under each penalty: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
