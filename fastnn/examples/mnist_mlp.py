"""Chapters 12 and 21: a feedforward network for MNIST, 60,000 handwritten digits of 28 x 28 pixels.

784-128-10: 101,770 weights. Without --data the four files are looked for in the cache folder (~/.cache/fastnn) and
downloaded once if they are not there.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import datasets, layers
from fastnn.examples._lesson import lesson, run
from fastnn.layers import Input
from fastnn.models import Sequential


class Result(NamedTuple):
    """The model, its history, the test accuracy, seconds of training, and counts[true digit, predicted digit]."""
    model: Sequential
    history: Any
    accuracy: float
    seconds: float
    counts: np.ndarray


def train(data: str | None = None, epochs: int = 5, seed: int = 42, verbose: Any = 0,
          samples: int | None = None) -> Result:
    """Train on the first `samples` images (all unless given), test on the 10,000 others."""
    (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data(data)
    # Pixels 0 .. 255 → 0 .. 1: with inputs of that size the first steps are neither tiny nor wild.
    x, y = x_train[:samples].reshape(-1, 784).astype(np.float32) / 255, y_train[:samples]
    x_unseen = x_test.reshape(-1, 784).astype(np.float32) / 255

    fastnn.random.set_seed(seed)
    model = Sequential([
        Input((784,)),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    began = time.perf_counter()
    history = model.fit(x, y, epochs=epochs, batch_size=32, verbose=verbose)
    seconds = time.perf_counter() - began
    _, accuracy = model.evaluate(x_unseen, y_test, verbose=0)
    from fastnn.plotting import confusion_counts
    return Result(model, history, accuracy, seconds, confusion_counts(y_test, model.predict(x_unseen, verbose=0)))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    parser = lesson("mnist_mlp", __doc__, epochs=5)
    parser.add_argument("--data", metavar="FOLDER", help="the folder that holds the four IDX files, .gz or not")
    options = parser.parse_args(argv)
    result = train(options.data, options.epochs, options.seed, verbose="auto")
    print(f"Test accuracy: {result.accuracy:.2%} after {options.epochs} epochs in {result.seconds:.1f} s")
    mistakes = result.counts - np.diag(np.diag(result.counts))
    digit, taken_for = np.unravel_index(mistakes.argmax(), mistakes.shape)
    print(f"Most frequent mistake: {mistakes.max()} times a {digit} was taken for a {taken_for}")
    if options.plot:
        from fastnn import plotting
        plotting.confusion_matrix(result.counts, path=options.plot)
        print(f"Which digit is taken for which: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
