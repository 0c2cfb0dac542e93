"""Chapters 51 to 54: a neural network for classification, from data to predictions.

569 tumours, 30 measurements each. Which are malignant (0), which benign (1)? The network is the guide's, 30-16-8-1:
two hidden layers of ReLUs and one sigmoid, whose output is the probability of class 1.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import datasets, layers, plotting
from fastnn.examples._lesson import lesson, run
from fastnn.models import Sequential

SEED = 1        # one of the usual ones: tests/test_examples.py holds it beside others


class Result(NamedTuple):
    """What the lesson found: the model, its history, the test accuracy and counts[true class, predicted class]."""
    model: Sequential
    history: Any
    accuracy: float
    counts: np.ndarray


def train(epochs: int = 50, seed: int = SEED, verbose: Any = 0) -> Result:
    """Steps 2 to 7 of chapter 52."""
    (x_train, y_train), (x_test, y_test) = datasets.breast_cancer.load_data(seed=42)      # 80 % and 20 %
    # Standardise: every feature gets mean 0 and deviation 1. Both come from the training rows alone: the test
    # rows stand for patients whom nobody has seen yet.
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation

    fastnn.random.set_seed(seed)
    model = Sequential([
        layers.Dense(16, activation="relu", input_shape=(x_train.shape[1],)),
        layers.Dense(8, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ])
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x_train, y_train, epochs=epochs, batch_size=32, validation_data=(x_test, y_test),
                        verbose=verbose)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    probabilities = model.predict(x_test, verbose=0)               # cut at 0.5 they become classes
    return Result(model, history, accuracy, plotting.confusion_counts(y_test, probabilities > 0.5, classes=2))


def report(result: Result) -> None:
    """Accuracy and confusions; which kind of mistake it was matters more than how many."""
    print(f"Test accuracy: {result.accuracy:.2%} of {result.counts.sum()} tumours the network had not seen")
    print("                  taken for malignant   taken for benign")
    for name, row in zip(("is malignant", "is benign"), result.counts):
        print(f"  {name:<14}{row[0]:>14}{row[1]:>20}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("breast_cancer", __doc__, epochs=50, seed=SEED).parse_args(argv)
    result = train(options.epochs, options.seed, verbose=fastnn.Every(10))
    result.model.summary()
    report(result)
    if options.plot:
        plotting.loss_curves(result.history, options.plot)
        print(f"Loss and accuracy over the epochs (chapter 54): {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
