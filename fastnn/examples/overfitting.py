"""Chapters 10 and 23 to 26: overfitting and its cures, side by side. Few digits, some with a wrong label, and a network
much too large.

Without a cure the training loss goes to nothing and the validation loss turns upwards: the network learns the digits by
heart, wrong labels and all. Fewer weights, dropout, a penalty on large weights, stopping in time: each holds that up
(the loss with L2 has the penalty in it). More data is the best of them.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import callbacks, datasets
from fastnn.examples._lesson import lesson, run
from fastnn.layers import Dense, Dropout, Flatten, Input
from fastnn.models import Sequential
from fastnn.regularizers import L2

FEW, VALIDATION = 120, 300      # digits to learn from, and to look at
WRONG = 5       # every fifth label is another class


class Result(NamedTuple):
    """The histories and the accuracies on the test digits, by cure."""
    histories: dict[str, Any]
    accuracies: dict[str, float]


def network(units: int, dropout: float, penalty: float, seed: int) -> Sequential:
    """64-units-units-10."""
    fastnn.random.set_seed(seed)
    model = Sequential([Input((8, 8)), Flatten()])
    for _ in range(2):
        model.add(Dense(units, activation="relu", kernel_regularizer=L2(penalty) if penalty else None))
        if dropout:
            model.add(Dropout(dropout))
    model.add(Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(epochs: int = 100, seed: int = 42, verbose: Any = 0) -> Result:
    """Train the network without a cure and with each of five."""
    (x, y), (x_test, y_test) = datasets.digits.load_data(seed=42)
    x, x_test = x / 16.0, x_test / 16.0
    validation = x[-VALIDATION:], y[-VALIDATION:]
    y = np.where(np.arange(len(y)) % WRONG == 0, (y + 1 + np.arange(len(y)) // WRONG % 9) % 10, y)
    stop = callbacks.EarlyStopping(patience=10, restore_best_weights=True)
    cures: dict[str, tuple[Sequential, int, list[Any]]] = {
        "no cure": (network(256, 0, 0, seed), FEW, []), "fewer weights": (network(24, 0, 0, seed), FEW, []),
        "dropout": (network(256, 0.5, 0, seed), FEW, []), "L2 penalty": (network(256, 0, 3e-3, seed), FEW, []),
        "early stopping": (network(256, 0, 0, seed), FEW, [stop]),
        "nine times the data": (network(256, 0, 0, seed), 9 * FEW, [])}
    histories, accuracies = {}, {}
    for name, (model, count, heard) in cures.items():
        histories[name] = model.fit(x[:count], y[:count], epochs=epochs, batch_size=32, validation_data=validation,
                                    verbose=verbose, callbacks=heard)
        accuracies[name] = model.evaluate(x_test, y_test, verbose=0)[1]
    return Result(histories, accuracies)


def figure(result: Result) -> Any:
    """A panel for each cure, all with the same axes."""
    from fastnn.plotting import loss_curves
    from fastnn.plotting._figure import new_figure
    drawn = new_figure(13, 7.4)
    for place, (name, history) in enumerate(result.histories.items()):
        ax = drawn.add_subplot(2, 3, place + 1)
        loss_curves(history, ax=ax)
        ax.set_title(f"{name}: test accuracy {result.accuracies[name]:.1%}")
        ax.set_ylim(0, 2.5)
        ax.set_xlim(0, max(map(len, result.histories.values())) + 1)
    return drawn


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("overfitting", __doc__, epochs=100).parse_args(argv)
    result = train(options.epochs, seed=options.seed)
    print("                     training loss   validation loss: lowest, in the end   test accuracy")
    for name, history in result.histories.items():
        lowest = min(history["val_loss"])
        print(f"  {name:<18} {history['loss'][-1]:13.3f} {lowest:24.3f} {history['val_loss'][-1]:12.3f} "
              f"{result.accuracies[name]:15.1%}")
    if options.plot:
        from fastnn.plotting._figure import saved
        saved(figure(result), options.plot)
        print(f"The losses, cure by cure: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
