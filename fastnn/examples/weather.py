"""Chapter 12: recurrent networks. Tomorrow's highest temperature in Seattle, from the two weeks before it.

A recurrent layer reads the days one by one and keeps in its state what matters for the next. It has to beat "tomorrow
will be as today", which is hard to beat; a dense network gets the same 14 days side by side. The year 2015 is kept
apart.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import datasets
from fastnn.examples._lesson import lesson, run
from fastnn.layers import LSTM, Dense, Flatten, Input, SimpleRNN
from fastnn.models import Sequential

DAYS = 14
TEMP_MAX = datasets.weather.FEATURE_NAMES.index("temp_max")


class Result(NamedTuple):
    """Mean absolute errors in °C by name on the test year, its temperatures, and what the best network said."""
    errors: dict[str, float]
    true: np.ndarray
    predicted: np.ndarray
    best: str


def windows(days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 14, 6) days in a row, and (n,) how much warmer the day after them is than the last."""
    x = np.stack([days[i:i + DAYS] for i in range(len(days) - DAYS)])
    return x, days[DAYS:, TEMP_MAX] - days[DAYS - 1:-1, TEMP_MAX]


def with_season(days: np.ndarray, first: int) -> np.ndarray:
    """The days with two more columns: where in the year they are, as a point on a circle."""
    angle = 2 * np.pi * (np.arange(len(days)) + first) / 365.25
    return np.column_stack([days, np.sin(angle), np.cos(angle)]).astype(np.float32)


def train(epochs: int = 30, seed: int = 42, verbose: Any = 0) -> Result:
    """Train three networks on 2012-2014, judge them on 2015."""
    past, year = datasets.weather.load_data(test_year=2015)
    past, year = with_season(past, 0), with_season(np.concatenate([past[-DAYS:], year]), len(past) - DAYS)
    mean, deviation = past.mean(axis=0), past.std(axis=0)
    x, y = windows((past - mean) / deviation)
    x_test, _ = windows((year - mean) / deviation)
    true, today = year[DAYS:, TEMP_MAX], year[DAYS - 1:-1, TEMP_MAX]

    fastnn.random.set_seed(seed)
    nets: dict[str, list[Any]] = {"dense": [Flatten(), Dense(32, activation="relu")], "SimpleRNN": [SimpleRNN(32)],
                                  "LSTM": [LSTM(32)]}
    errors, predictions = {"as today": float(np.abs(true - today).mean())}, {}
    for name, layers in nets.items():
        model = Sequential([Input((DAYS, x.shape[2])), *layers, Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        model.fit(x, y, epochs=epochs, batch_size=32, verbose=verbose)
        change = model.predict(x_test, verbose=0)[:, 0] * deviation[TEMP_MAX]
        predictions[name] = today + change
        errors[name] = float(np.abs(true - predictions[name]).mean())
    best = min(predictions, key=lambda name: errors[name])
    return Result(errors, true, predictions[best], best)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("weather", __doc__, epochs=30).parse_args(argv)
    result = train(options.epochs, options.seed)
    print("Mean error of tomorrow's highest temperature, 365 days of 2015 that no network has seen:")
    for name, error in result.errors.items():
        print(f"  {name:<10} {error:.2f} °C")
    if options.plot:
        draw(result, options.plot)
        print(f"The year, and what {result.best} said the day before: {options.plot}")
    return 0


def draw(result: Result, path: str) -> None:
    """The temperatures of the year and the predictions, and the errors beside each other."""
    from fastnn.plotting._figure import BLUE, ORANGE, new_figure, saved, style
    figure = new_figure(11.5, 4.2)
    year, bars = figure.subplots(1, 2, width_ratios=(2, 1))
    year.plot(result.true, color=BLUE, linewidth=1, label="the day itself")
    year.plot(result.predicted, color=ORANGE, linewidth=1, label=f"{result.best}, the day before")
    style(year, "It follows the year, a little late at every turn", "day of 2015", "highest temperature in °C")
    year.legend(frameon=False)
    colours = [ORANGE if name == result.best else BLUE for name in result.errors]
    bars.barh(list(result.errors), list(result.errors.values()), color=colours)
    style(bars, '"As today" is hard to beat', "mean error in °C", "")
    bars.invert_yaxis()
    saved(figure, path)


if __name__ == "__main__":
    sys.exit(run(main))
