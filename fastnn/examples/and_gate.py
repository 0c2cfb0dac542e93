"""Chapters 1 and 2: a perceptron learns the AND gate.

One neuron: it fires (1) when bias + w1·x1 + w2·x2 >= 0. After each sample the weights move by
learning_rate · (target - output) · input, so nothing changes while the answers are right.
"""

import sys
from collections.abc import Sequence

import numpy as np

from fastnn.examples._lesson import lesson, run
from fastnn.models import Perceptron

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 0, 0, 1])      # AND is 1 only where both inputs are


def train(epochs: int = 10) -> Perceptron:
    """The guide's perceptron: learning rate 0.1, weights from zero, ten passes over the four samples in order."""
    perceptron = Perceptron(input_size=2, learning_rate=0.1, epochs=epochs)
    perceptron.train(X, y)
    return perceptron


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("and_gate", __doc__, epochs=10).parse_args(argv)
    perceptron = train(options.epochs)

    for sample in X:
        print(f"Input: {sample} -> Output: {perceptron.predict(sample)}")
    bias, w1, w2 = perceptron.weights
    print(f"\nThe neuron fires where {bias:+.1f} {w1:+.1f}·x1 {w2:+.1f}·x2 >= 0.")
    # By hand, [1 0] gives exactly 0 and would fire. In binary 0.1 is a little more than 0.1: that decides here.
    print(f"At [1 0] the sum is {bias + w1:.1e}: rounding puts it on the right side of the line.")
    # The perceptron rule stops by itself: once an epoch has no mistake, no later one changes anything.
    print(f"Wrong samples at the end of each epoch: {perceptron.errors_}")
    print("Nothing here is drawn at random: every run gives these weights.")

    if options.plot:
        from fastnn import plotting
        plotting.decision_boundary(perceptron, X, y, options.plot)
        print(f"The line that divides the plane: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
