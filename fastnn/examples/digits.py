"""Chapters 13, 21 and 34: ten classes. Which digit does an image of 8 x 8 pixels show?

Ten outputs, one for each digit. Softmax makes them positive with sum 1: the probability of each class. The loss is
-log(probability of the right class); "sparse" means that y holds class numbers (3) and not one-hot rows (0001000000).
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import callbacks, datasets, layers
from fastnn.examples._lesson import lesson, run
from fastnn.layers import Input
from fastnn.models import Sequential


class Result(NamedTuple):
    """The model, its history, the test accuracy, and images, labels and predictions of the test part."""
    model: Sequential
    history: Any
    accuracy: float
    images: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray


def train(epochs: int = 40, seed: int = 42, verbose: Any = 0) -> Result:
    """64-48-10 with dropout; stops by itself when the validation loss no longer falls (chapter 25)."""
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
    fastnn.random.set_seed(seed)
    model = Sequential([
        Input((8, 8)),
        layers.Flatten(),                           # 8 rows of 8 pixels → 64 numbers
        layers.Dense(48, activation="relu"),
        layers.Dropout(0.2),                        # a fifth of the neurons is silent, others in every batch
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    stop = callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
    history = model.fit(x_train / 16.0, y_train, epochs=epochs, validation_split=0.1, callbacks=[stop], verbose=verbose)
    _, accuracy = model.evaluate(x_test / 16.0, y_test, verbose=0)
    predictions = model.predict(x_test / 16.0, verbose=0).argmax(axis=1)      # the most probable class
    return Result(model, history, accuracy, x_test, y_test, predictions)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("digits", __doc__, epochs=40).parse_args(argv)
    result = train(options.epochs, options.seed, verbose=fastnn.Every(5))
    result.model.summary()
    wrong = np.flatnonzero(result.predictions != result.labels)
    print(f"Test accuracy: {result.accuracy:.2%}; {len(wrong)} of {len(result.labels)} digits are taken for others:")
    for row in wrong[:8]:
        print(f"  image {row}: a {result.labels[row]}, taken for a {result.predictions[row]}")
    if options.plot:
        from fastnn import plotting
        rows = [*wrong[:16], *np.flatnonzero(result.predictions == result.labels)][:32]      # mistakes first
        plotting.digits_grid(result.images[rows], result.labels[rows], result.predictions[rows], options.plot)
        print(f"Mistakes first, then digits that were read rightly: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
