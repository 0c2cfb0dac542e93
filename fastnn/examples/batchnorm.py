"""Chapters 10 and 16: depth. Ten layers of sigmoids do not learn; with batch normalization between them they do.

A sigmoid is nowhere steeper than 1/4, so each layer leaves at most a quarter of the gradient to the one before it, and
after ten nothing arrives. Batch normalization gives every neuron mean 0 and deviation 1 over the batch, where sigmoids
are steepest, and what comes in at the front is felt at the end.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import fastnn
from fastnn import datasets
from fastnn.examples._lesson import lesson, run
from fastnn.layers import Activation, BatchNormalization, Dense, Flatten, Input
from fastnn.models import Sequential


class Result(NamedTuple):
    """The histories and test accuracies of both networks, and the one with normalization."""
    without: Any
    history: Any
    accuracies: tuple[float, float]
    model: Sequential


def network(depth: int, normalized: bool, seed: int) -> Sequential:
    """64-32-...-32-10 with `depth` hidden layers of sigmoids."""
    fastnn.random.set_seed(seed)
    model = Sequential([Input((8, 8)), Flatten()])
    for _ in range(depth):
        model.add(Dense(32, use_bias=not normalized))       # the normalization brings a shift of its own
        if normalized:
            model.add(BatchNormalization())
        model.add(Activation("sigmoid"))
    model.add(Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(epochs: int = 40, depth: int = 10, seed: int = 42, verbose: Any = 0) -> Result:
    """Train both on the same digits."""
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
    histories, accuracies = [], []
    for normalized in (False, True):
        model = network(depth, normalized, seed)
        histories.append(model.fit(x_train / 16.0, y_train, epochs=epochs, batch_size=32, validation_split=0.1,
                                   verbose=verbose))
        accuracies.append(model.evaluate(x_test / 16.0, y_test, verbose=0)[1])
    return Result(histories[0], histories[1], (accuracies[0], accuracies[1]), model)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("batchnorm", __doc__, epochs=40).parse_args(argv)
    result = train(options.epochs, seed=options.seed)
    for name, accuracy in zip(("without", "with   "), result.accuracies):
        print(f"Ten hidden layers of sigmoids {name} batch normalization: test accuracy {accuracy:.2%}")
    if options.plot:
        from fastnn import plotting
        plotting.loss_curves(result.history, options.plot)
        print(f"The loss with batch normalization: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
