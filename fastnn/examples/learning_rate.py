"""Chapters 44 and 49: the learning rate. Too low, and nothing moves; too high, and it jumps about.

The same network from the same weights, three rates. Chapter 48's learning rate finder shows the same in one short run:
it lets the rate rise at each step, and suggests the one where the loss falls fastest.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import fastnn
from fastnn import datasets
from fastnn.examples._lesson import lesson, run
from fastnn.layers import Dense, Flatten, Input
from fastnn.models import Sequential
from fastnn.optimizers import SGD

RATES = {"too low": 0.0001, "right": 0.1, "too high": 3.0}


class Result(NamedTuple):
    """The histories and test accuracies by rate, and what the finder saw."""
    histories: dict[str, Any]
    accuracies: dict[str, float]
    found: Any


def network(rate: float, seed: int) -> Sequential:
    """64-32-10 on digits, with plain gradient descent."""
    fastnn.random.set_seed(seed)
    model = Sequential([Input((8, 8)), Flatten(), Dense(32, activation="tanh"), Dense(10, activation="softmax")])
    model.compile(SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(epochs: int = 30, seed: int = 42, verbose: Any = 0) -> Result:
    """Train with each rate, then let the finder look."""
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
    histories, accuracies = {}, {}
    for name, rate in RATES.items():
        model = network(rate, seed)
        histories[name] = model.fit(x_train / 16.0, y_train, epochs=epochs, batch_size=32, verbose=verbose)
        accuracies[name] = model.evaluate(x_test / 16.0, y_test, verbose=0)[1]
    found = network(0.01, seed).find_lr(x_train / 16.0, y_train, lowest=1e-4, highest=100.0)
    return Result(histories, accuracies, found)


def draw(result: Result, path: str) -> None:
    """The three losses, and the finder's curve."""
    from fastnn.plotting._figure import BLUE, GREEN, VERMILION, new_figure, saved, style
    figure = new_figure(11, 4.4)
    left, right = figure.subplots(1, 2)
    for colour, line, (name, history) in zip((BLUE, GREEN, VERMILION), ("--", "-", ":"), result.histories.items()):
        left.plot(range(1, len(history.epoch) + 1), history.history["loss"], line, color=colour, linewidth=1.8,
                  label=f"{name}: {RATES[name]:g}")
    style(left, "Three learning rates", "epoch", "loss")
    left.set_yscale("log")
    left.legend(frameon=False)
    result.found.plot(ax=right)
    saved(figure, path)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("learning_rate", __doc__, epochs=30).parse_args(argv)
    result = train(options.epochs, options.seed)
    for name, accuracy in result.accuracies.items():
        losses = result.histories[name].history["loss"]
        print(f"{name:<9} {RATES[name]:<7g} loss {losses[0]:.3f} to {losses[-1]:.3f}, test accuracy {accuracy:.2%}")
    print(f"The finder tried {result.found}")
    if options.plot:
        draw(result, options.plot)
        print(f"The losses, and the finder's curve: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
