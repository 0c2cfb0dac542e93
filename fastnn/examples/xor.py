"""Chapters 4 to 7: XOR, which no single neuron can learn.

No straight line parts {00, 11} from {01, 10}. A hidden layer bends the plane first. The guide's own script (2 hidden
neurons, no biases) ends stuck for most starting weights; 4 hidden neurons with biases learn it from any seed we tried.
"""

import sys
from collections.abc import Sequence
from typing import Any

import fastnn
from fastnn import datasets, initializers, layers, optimizers
from fastnn.examples._lesson import lesson, run
from fastnn.layers import Input
from fastnn.models import Sequential

X, y = datasets.xor()           # the table: 00, 01, 10, 11 and 0, 1, 1, 0


def train(epochs: int = 5000, seed: int = 42, verbose: Any = 0) -> Sequential:
    """A 2-4-1 network of sigmoids, trained by plain gradient descent on all four samples at once."""
    fastnn.random.set_seed(seed)
    start = initializers.RandomUniform(-1, 1)        # as the guide's script draws them
    model = Sequential([
        Input((2,)),
        layers.Dense(4, activation="sigmoid", kernel_initializer=start),
        layers.Dense(1, activation="sigmoid", kernel_initializer=start),
    ])
    # Full-batch descent wants large steps here: the sigmoids' slopes (at most 1/4) multiply up in the chain rule.
    model.compile(optimizer=optimizers.SGD(learning_rate=2.0), loss="mse", metrics=["accuracy"])
    model.fit(X, y, batch_size=4, epochs=epochs, verbose=verbose)
    return model


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("xor", __doc__, epochs=5000).parse_args(argv)
    # 5000 epochs print 5 lines: Every(k) reports each k-th epoch, and C runs the others without Python.
    model = train(options.epochs, options.seed, verbose=fastnn.Every(max(1, options.epochs // 5)))

    model.summary()
    answers = model.predict(X, verbose=0).ravel()
    for sample, target, answer in zip(X.astype(int), y, answers):
        print(f"Input: {sample} -> Prediction: {answer:.3f} (should be {target})")
    solved = bool(((answers > 0.5) == y).all())
    print("XOR is solved." if solved else "XOR is not solved yet: train longer, or start from another seed.")

    if options.plot:
        from fastnn import plotting
        plotting.decision_boundary(model, X, y, options.plot)
        print(f"How the hidden layer bends the plane: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
