"""Chapters 18 and 22: a regression. What does a house cost?

546 houses in Windsor, Canada, 1987: 11 features and the price. The output is any number, so the last layer is linear
and the loss the mean squared error. R² says how much of the prices' variance is explained: 0 is guessing the mean.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import fastnn
from fastnn import datasets, layers, metrics, regularizers
from fastnn.examples._lesson import lesson, run
from fastnn.models import Sequential


class Result(NamedTuple):
    """The model, its history, R² on the test rows, the mean error in dollars, and that of guessing the mean price."""
    model: Sequential
    history: Any
    r2: float
    error: float
    guess: float


def train(epochs: int = 60, seed: int = 42, verbose: Any = 0) -> Result:
    """11-16-1 with an L2 penalty (chapter 25): 436 houses are few, and large weights would learn them by heart."""
    (x_train, y_train), (x_test, y_test) = datasets.housing.load_data(seed=42)
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation
    # The price is standardised too: an output near 0 with errors near 1 is where the default step sizes fit.
    price, spread = y_train.mean(), y_train.std()

    fastnn.random.set_seed(seed)
    model = Sequential([
        layers.Dense(16, activation="relu", kernel_regularizer=regularizers.L2(0.01), input_shape=(11,)),
        layers.Dense(1),
    ])
    model.compile(optimizer="adam", loss="mse", metrics=["mae", metrics.R2Score()])
    history = model.fit(x_train, (y_train - price) / spread, epochs=epochs, batch_size=16, verbose=verbose,
                        validation_data=(x_test, (y_test - price) / spread))
    scores = model.evaluate(x_test, (y_test - price) / spread, verbose=0, return_dict=True)
    guess = float(abs(y_test - price).mean())
    return Result(model, history, scores["r2_score"], scores["mae"] * float(spread), guess)      # back to dollars


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("housing", __doc__, epochs=60).parse_args(argv)
    result = train(options.epochs, options.seed, verbose=fastnn.Every(10))
    result.model.summary()
    print(f"R² on 110 houses the network had not seen: {result.r2:.3f}")
    print(f"Mean error: {result.error:,.0f} dollars; guessing the mean price errs by {result.guess:,.0f}")
    if options.plot:
        from fastnn import plotting
        plotting.loss_curves(result.history, options.plot)
        print(f"Loss, mean absolute error and R² over the epochs: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
