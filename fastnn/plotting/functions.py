"""The functions a network is made of: activations with their derivatives, a step beside a sigmoid, and losses."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnn import losses as kinds
from fastnn import ops
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Tensor
from fastnn.plotting._figure import BLUE, COLOURS, GREEN, ORANGE, VERMILION, Path_, new_figure, saved, style
from fastnn.plotting._kinds import Figure

__all__ = ["activation_functions", "losses", "step_and_sigmoid"]

FUNCTIONS: Sequence[tuple[str, Callable[[Any], Tensor], bool]] = (
    ("Step (no derivative to learn from)", ops.step, False), ("Sigmoid", ops.sigmoid, True), ("Tanh", ops.tanh, True),
    ("ReLU", ops.relu, True), ("Leaky ReLU, slope 0.01", lambda x: ops.leaky_relu(x, 0.01), True),
    ("GELU", ops.gelu, True))


def activation_functions(path: Path_ | None = None) -> "Figure":
    """The functions of the study guide's chapters 5 and 29 to 33 with their derivatives, which fastnn's own backward
    computes. Returns the Figure."""
    figure = new_figure(10.5, 6.2)
    for place, (title, function, learns) in enumerate(FUNCTIONS):
        ax = figure.add_subplot(2, 3, place + 1)
        x = Tensor(np.linspace(-4, 4, 401).astype(np.float32), "x")
        with GradientTape() as tape:
            tape.watch(x)
            y = function(x)
            total = ops.sum(y) if learns else None
        ax.plot(x.numpy(), y.numpy(), color=BLUE, linewidth=2, label="y")
        if total is not None:
            slope = tape.gradient(total, x).numpy()
            ax.plot(x.numpy(), slope, "--", color=ORANGE, linewidth=1.8, label="dy / dx")
        style(ax, title, "x", "")
        ax.set_ylim(-1.25, 2.25)
        ax.legend(frameon=False, loc="upper left")
    return saved(figure, path)


def step_and_sigmoid(path: Path_ | None = None) -> "Figure":
    """A switch and a dimmer: the same neuron with a step and with sigmoids, and what each tells who wants to learn.

    Left the answers, right their derivatives. The steeper a sigmoid, the more it is a step, and the fewer inputs learn
    from it. Returns the Figure. Source: study guide, chapters 3, 29 and 30.
    """
    figure = new_figure(10.0, 4.0)
    left, right = figure.subplots(1, 2)
    x = np.linspace(-6, 6, 601).astype(np.float32)
    left.plot(x, ops.step(x).numpy(), color=VERMILION, linewidth=2, label="step")
    right.plot(x, np.zeros_like(x), color=VERMILION, linewidth=2, label="step: nothing to learn from")
    for slope, colour in ((1, BLUE), (4, GREEN)):
        t = Tensor(x, "x")
        with GradientTape() as tape:
            tape.watch(t)
            y = ops.sigmoid(t * slope)
            total = ops.sum(y)
        name = "sigmoid(x)" if slope == 1 else f"sigmoid({slope}x)"
        left.plot(x, y.numpy(), color=colour, linewidth=2, label=name)
        right.plot(x, tape.gradient(total, t).numpy(), color=colour, linewidth=2, label=name)
    style(left, "A step is a switch, a sigmoid a dimmer", "weighted sum", "answer")
    style(right, "Only the dimmer says which way is better", "weighted sum", "derivative")
    for ax in (left, right):
        ax.set_ylim(-0.05, 1.35)
        ax.legend(frameon=False, loc="upper left", ncols=2, fontsize=9)
    return saved(figure, path)


def losses(path: Path_ | None = None) -> "Figure":
    """What an error costs: by squares, by size and by Huber's loss; by probability; and where one outlier pulls a mean.

    Left: loss over the error. Middle: crossentropy over the probability given to the right class. Right: the loss of
    one guess for nine numbers near 0 and one at 10; squares are lowest at their mean, sizes at their median. Returns
    the Figure. Source: study guide, chapter 18.
    """
    figure = new_figure(13.0, 4.0)
    left, middle, right = figure.subplots(1, 3)
    three: list[tuple[str, Any]] = [("MSE", kinds.MeanSquaredError(reduction=None)),
                                    ("MAE", kinds.MeanAbsoluteError(reduction=None)),
                                    ("Huber", kinds.Huber(reduction=None))]
    error = np.linspace(-3, 3, 301, dtype=np.float32)[:, None]
    for colour, (name, loss) in zip(COLOURS, three):
        left.plot(error, loss(np.zeros_like(error), error).numpy(), color=colour, linewidth=2, label=name)
    style(left, "Squares make large errors dear", "error: predicted - true", "loss")
    p = np.linspace(0.005, 0.995, 300, dtype=np.float32)[:, None]
    for truth, colour, line in ((1, BLUE, "-"), (0, ORANGE, "--")):
        cost = kinds.BinaryCrossentropy(reduction=None)(np.full_like(p, truth), p).numpy()
        middle.plot(p, cost, line, color=colour, linewidth=2, label=f"true class {truth}")
    style(middle, "Sure and wrong is dearest: -ln p", "predicted probability of class 1", "crossentropy")
    numbers = np.array([-0.8, -0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8, 10], np.float32)
    guesses = np.linspace(-2, 4, 241, dtype=np.float32)
    for colour, (name, loss) in zip(COLOURS, three):
        cost = np.array([loss(numbers[:, None], np.full((10, 1), g, np.float32)).numpy().mean() for g in guesses])
        right.plot(guesses, cost / cost.min(), color=colour, linewidth=2, label=name)
        right.plot(guesses[cost.argmin()], 1, "*", color=colour, markersize=12, markeredgecolor="black")
    style(right, "One outlier at 10 pulls the MSE's best guess", "one guess for ten numbers", "loss / its lowest")
    right.set_ylim(0.95, 2.5)
    for ax in (left, middle, right):
        ax.legend(frameon=False)
    return saved(figure, path)
