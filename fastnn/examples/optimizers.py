"""Chapter 8: optimizers race down two slopes, the guide's parabola and a ravine, from the same start.

On a parabola one rate suits all, and plain gradient descent is the fastest. In a ravine, 100 times steeper across than
along, the rate that its walls allow is too small for its floor: gradient descent goes from wall to wall and hardly on.
Momentum adds up what points the same way each time; RMSprop and Adam give each weight a step size of its own.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import fastnn
from fastnn import ops
from fastnn.examples._lesson import lesson, run
from fastnn.optimizers import SGD, Adam, Optimizer, RMSprop

STEPS = 80
RACERS: dict[str, Callable[[float], Optimizer]] = {
    "SGD": SGD, "Momentum": lambda rate: SGD(rate, momentum=0.8), "RMSprop": RMSprop,
    "Adam": lambda rate: Adam(rate, beta_1=0.8)}


def parabola(w: Any) -> Any:
    """The guide's x² + 2x + 1, lowest at -1."""
    return ops.square(w[0]) + 2 * w[0] + 1


def ravine(w: Any) -> Any:
    """x²/2 + 100·y²/2, lowest at (0, 0)."""
    return (ops.square(w[0]) + 100 * ops.square(w[1])) / 2


# Where the race begins, and the rates of the four: on the ravine's walls, gradient descent diverges from 0.02 on.
SLOPES = {"parabola": (parabola, [3.0], (0.2, 0.2, 0.2, 0.3)),
          "ravine": (ravine, [-4.0, 1.0], (0.018, 0.018, 0.08, 0.3))}


def race(slope: Any, start: Sequence[float], optimizer: Optimizer, steps: int = STEPS) -> np.ndarray:
    """Where the weights are before each step, and in the last row after it."""
    w = fastnn.Variable(start, "w")

    @fastnn.function
    def step() -> None:
        with fastnn.GradientTape() as tape:
            loss = slope(w)
        optimizer.apply([tape.gradient(loss, w)], [w])

    path = [w.numpy()]
    for _ in range(steps):
        step()
        path.append(w.numpy())
    return np.array(path)


def train(steps: int = STEPS) -> dict[str, dict[str, np.ndarray]]:
    """{slope: {optimizer: its path}}."""
    return {name: {racer: race(slope, start, make(rate), steps) for (racer, make), rate in zip(RACERS.items(), rates)}
            for name, (slope, start, rates) in SLOPES.items()}


def arrival(slope: Any, path: np.ndarray) -> int | None:
    """After how many steps the loss is below 0.01 for good; None: not yet."""
    high = np.flatnonzero(slope(path.T).numpy() >= 0.01)
    return 0 if not len(high) else None if high[-1] == len(path) - 1 else int(high[-1]) + 1


def draw(paths: dict[str, dict[str, np.ndarray]], path: str) -> None:
    """The steps on the parabola's curve, and the paths over the ravine's contours."""
    from fastnn.plotting._figure import COLOURS, MARKERS, new_figure, saved, style
    figure = new_figure(11, 4.6)
    left, right = figure.subplots(1, 2)
    x = np.linspace(-5, 3.2, 200)
    left.plot(x, parabola([x]).numpy(), color="#888888")
    grid = np.meshgrid(np.linspace(-4.5, 1.5, 200), np.linspace(-1.1, 1.1, 200))
    right.contour(*grid, ravine(grid).numpy(), levels=[0.1, 0.5, 2, 5, 10, 20, 40], colors="#bbbbbb", linewidths=0.8)
    for colour, marker, name in zip(COLOURS, MARKERS, RACERS):
        line = paths["parabola"][name][:15, 0]
        left.plot(line, parabola([line]).numpy(), marker, color=colour, markersize=6, markerfacecolor="none")
        right.plot(*paths["ravine"][name].T, marker=marker, color=colour, markersize=3, linewidth=1.2, label=name)
    style(left, "Parabola: the first 15 steps", "x", "loss")
    style(right, f"Ravine: {len(paths['ravine']['SGD']) - 1} steps", "x, along", "y, across")
    right.legend(frameon=False, loc="lower right")
    saved(figure, path)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("optimizers", __doc__, epochs=STEPS).parse_args(argv)
    paths = train(options.epochs)       # an epoch is a step here
    print(f"Steps until the loss stays below 0.01, of {options.epochs}:")
    for racer in RACERS:
        found = [arrival(slope, paths[name][racer]) for name, (slope, *_) in SLOPES.items()]
        texts = ["not yet" if steps is None else str(steps) for steps in found]
        print(f"  {racer:<9} parabola {texts[0]:>7}   ravine {texts[1]:>7}")
    print("Nothing here is drawn at random.")
    if options.plot:
        draw(paths, options.plot)
        print(f"The paths: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
