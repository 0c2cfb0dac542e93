"""The learning rate finder: train with rates that rise, and see where the loss falls fastest. Floor 5.

Smith 2017, section 3.3; the study guide's chapter 48.
"""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.arguments import number, whole
from fastnn.feeding import arguments
from fastnn.feeding.arrays import Arrays
from fastnn.feeding.model import TrainedModel
from fastnn.feeding.raw import adapt_raw
from fastnn.training.passes import Pass

__all__ = ["LearningRates", "find_lr"]

BLOWN_UP = 4.0      # times the lowest loss so far, or times the first: there is nothing more to see
FALL = 0.05         # of the first loss: what is less may be chance,
CHANCE = 4.0        # and what is less than so many standard errors of the smoothed losses
SAFE = 3.0          # the suggestion is at most the rate of the lowest loss over this: there it is about to rise


@dataclass(frozen=True)
class LearningRates:
    """What find_lr saw: the rates tried, the loss of each batch, the same smoothed; the rate that it suggests, None
    where the loss did not fall, and why that one. Print it, or `.plot(path)`."""
    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None
    reason: str

    def __str__(self) -> str:
        tried = f"{len(self.rates)} rates from {self.rates[0]:.2g} to {self.rates[-1]:.2g}"
        found = "no suggestion" if self.suggestion is None else f"learning_rate={self.suggestion:g}"
        return f"{tried}: {found}. {self.reason}"

    def plot(self, path: Any = None, ax: Any = None) -> Any:
        """The loss over the rates, the suggestion marked. Returns the figure; saves it to `path` where given."""
        from fastnn.plotting._figure import BLUE, SKY, VERMILION, axes_of, saved, style
        figure, ax = axes_of(ax, 6.4, 4.0)
        ax.plot(self.rates, self.losses, ".", color=SKY, markersize=4, label="each batch")
        ax.plot(self.rates, self.smoothed, color=BLUE, linewidth=1.8, label="smoothed")
        if self.suggestion is not None:
            ax.axvline(self.suggestion, color=VERMILION, linestyle="--", label=f"suggestion: {self.suggestion:g}")
        style(ax, "Loss while the learning rate rises", "learning rate", "loss")
        ax.set_xscale("log")
        seen = self.smoothed[np.isfinite(self.smoothed)]
        ax.set_ylim(0.95 * min(0, seen.min()) + 0.9 * max(0, seen.min()), 1.5 * max(seen[0], seen.min()))
        ax.legend(frameon=False)
        return saved(figure, path)


def find_lr(model: TrainedModel, x: Any, y: Any = None, batch_size: int = 32, lowest: float = 1e-6,
            highest: float = 10.0, steps: int = 100, sample_weight: Any = None) -> LearningRates:
    """Train a compiled model for a while with learning rates from `lowest` to `highest`, each step's the same factor
    above the one before, until the loss blows up; suggest the one where it falls fastest.

    All is afterwards what it was, to the bit: weights, slots, counters, learning rate, random numbers, metrics. x, y:
    arrays as for fit. Raises as fit does for wrong data, ValueError for a range that is none.

    >>> found = model.find_lr(x, y)
    >>> model.optimizer.learning_rate = found.suggestion
    """
    model._ready("find_lr()")
    low = number(lowest, "find_lr(): lowest", 0, above=True)
    high = number(highest, "find_lr(): highest", low, above=True)
    count = whole(steps, "find_lr(): steps", 10)
    batch = whole(batch_size, "find_lr(): batch_size")
    rates = low * (high / low) ** (np.arange(count) / (count - 1))
    with model._working("find_lr()"):
        adapt = adapt_raw if model.writes("train") else arguments.adapt
        source = Arrays(model, "train", adapt(model, x, y, sample_weight, "find_lr()"), batch, shuffle=True)
        try:
            with _unchanged(model):
                losses = _losses(model, source, rates)
        finally:
            source.close()
    width = max(1, count // 25)
    smoothed = _smoothed(losses, width)
    return LearningRates(rates[:len(losses)], losses, smoothed, *_suggestion(rates, losses, smoothed, width))


@contextlib.contextmanager
def _unchanged(model: TrainedModel) -> Iterator[None]:
    """What steps of training change is afterwards what it was; a schedule waits."""
    optimizer = model.optimizer
    schedule = optimizer.schedule
    try:
        with model._steps.put_back(), model.compiled.put_back():
            optimizer.schedule = None
            yield
    finally:
        optimizer.schedule = schedule


def _losses(model: TrainedModel, source: Any, rates: np.ndarray) -> np.ndarray:
    """The loss of a step with each rate, up to where it blows up."""
    passing, found = Pass(model, "train", source), [math.inf]
    for rate in rates:
        model.optimizer._rate.assign(rate)
        batches = []
        for _ in range(model.optimizer.gradient_accumulation_steps or 1):
            if passing.finished:
                passing = Pass(model, "train", source)
            model._steps.reset_metrics()
            passing.run(1)
            batches.append(next(iter(model.compiled.results().values())))
        found.append(float(np.mean(batches)))
        if not found[-1] <= BLOWN_UP * max(min(found), 0.0) and not found[-1] <= BLOWN_UP * abs(found[1]):
            break
    return np.array(found[1:])


def _smoothed(losses: np.ndarray, width: int) -> np.ndarray:
    """Means over `width` values to each side, less at the ends; what is not finite stays."""
    return np.array([np.mean(losses[max(0, i - width):i + width + 1]) if np.isfinite(loss) else loss
                     for i, loss in enumerate(losses)])


def _suggestion(rates: np.ndarray, losses: np.ndarray, smoothed: np.ndarray, width: int) -> tuple[float | None, str]:
    """(the rate where the loss falls fastest, or None; why)."""
    seen = smoothed[np.isfinite(smoothed)]
    bottom = int(np.argmin(seen)) if len(seen) else 0
    noise = np.std(losses[:bottom + 1] - smoothed[:bottom + 1]) / math.sqrt(2 * width + 1)
    if bottom < 2 or seen[0] - seen[bottom] < max(FALL * abs(seen[0]), CHANCE * noise):
        return None, ("The loss did not fall by more than chance. Try a wider range, more steps, or look at the data "
                      "and the loss.")
    steepest = int(np.argmin(np.gradient(seen[:bottom + 1])))
    fastest, limit = float(rates[steepest]), float(rates[bottom]) / SAFE
    text = f"The loss falls fastest at {fastest:.2g} and is lowest at {rates[bottom]:.2g}"
    text += f", where it blows up soon after, at {rates[len(smoothed) - 1]:.2g}." if len(smoothed) < len(rates) else "."
    if fastest > limit:
        text += f" A third of the latter leaves room, as the loss rises just above it: {limit:.2g}."
    return float(f"{min(fastest, limit):.2g}"), text
