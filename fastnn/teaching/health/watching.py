"""What callbacks.Diagnostics sees of a fit: its data, and a training step at the ends of epochs. Floor 5."""

from typing import Any

from fastnn.feeding.arrays import Arrays
from fastnn.reporting.finding import Finding
from fastnn.teaching.health import data, network
from fastnn.teaching.health.doctor import examine
from fastnn.teaching.health.report import Diagnosis
from fastnn.teaching.health.walk import Walk, walk, walk_over

STAYS = {"loss at the start", "learning rate too low"}      # what can only be seen before the first step


def at_the_start(run: Any) -> list[Finding]:
    """What can be seen before the first step and not later."""
    model, arrays = run.model, _arrays(run.training)
    if arrays is None or int(model.optimizer.iterations.data):
        return []
    constant = data.constant_loss(model, arrays)
    scaled = not any(f.name == "inputs not scaled" for f in data.findings(model, arrays, None))
    found = [*network.of_weights(model), *network.of_walk(model, walk_over(model, arrays), 0, constant[0])]
    return [finding for finding in found if finding.name in STAYS and scaled]


def after_epoch(run: Any, before: list[Finding]) -> tuple[Diagnosis, Walk | None]:
    """(what is wrong by now, the training step it was seen in)."""
    model, arrays = run.model, _arrays(run.training)
    found: list[Walk] = []

    def step() -> Walk:
        found.append(walk_over(model, arrays) if arrays is not None else _of_the_last_batch(run))
        return found[0]

    diagnosis = examine(model, arrays, _arrays(run.validation), step, model.history, before)
    return diagnosis, found[0] if found else None


def _arrays(source: Any) -> Any:
    """The adapted arrays of a source that has them all."""
    return source.arrays if isinstance(source, Arrays) else None


def _of_the_last_batch(run: Any) -> Walk:
    """A step on a batch that a generator has given."""
    feed, rows = next(iter(run.training.again(1)))
    return walk(run.model, feed, rows)
