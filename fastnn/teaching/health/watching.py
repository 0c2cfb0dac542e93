"""What callbacks.Diagnostics sees of a fit: its data, and a training step at the ends of epochs. Floor 5."""

import math
from typing import Any

from fastnn.feeding.arrays import Arrays
from fastnn.reporting.finding import Finding
from fastnn.teaching.health import network
from fastnn.teaching.health.doctor import examine
from fastnn.teaching.health.report import Diagnosis
from fastnn.teaching.health.walk import Walk, walk, walk_over

STAYS = {"loss at the start", "learning rate too low"}      # what can only be seen before the first step


def at_the_start(run: Any) -> list[Finding]:
    """What can be seen before the first step and not later."""
    model, arrays = run.model, _arrays(run.training)
    if arrays is None or int(model.optimizer.iterations.data):
        return []
    found = network.of_walk(model, walk_over(model, arrays), 0, math.nan)
    return [finding for finding in found if finding.name in STAYS]


def after_epoch(run: Any, before: list[Finding]) -> Diagnosis:
    """What is wrong by now; its walk is the training step that it was seen in."""
    model, arrays = run.model, _arrays(run.training)
    step = walk_over(model, arrays) if arrays is not None else _of_the_last_batch(run)
    return examine(model, arrays, _arrays(run.validation), step, before)


def _arrays(source: Any) -> Any:
    """The adapted arrays of a source that has them all."""
    return source.arrays if isinstance(source, Arrays) else None


def _of_the_last_batch(run: Any) -> Walk:
    """A step on a batch that a generator has given."""
    feed, rows = next(iter(run.training.again(1)))
    return walk(run.model, feed, rows)
