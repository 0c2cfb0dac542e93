"""The doctor: looks at a compiled model, its data and its training, and says what is wrong with them. Floor 5."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fastnn.errors import KindError, LabelError, ShapeError
from fastnn.feeding import arguments
from fastnn.feeding.model import TrainedModel
from fastnn.feeding.raw import adapt_raw
from fastnn.reporting.finding import Finding
from fastnn.teaching.health import course, data, network
from fastnn.teaching.health.report import Diagnosis, number_text, worst_first
from fastnn.teaching.health.walk import Walk, optimizers_of, walk_over

__all__ = ["doctor"]

Arrays = Mapping[str, np.ndarray]


def doctor(model: TrainedModel, x: Any, y: Any = None, validation_data: Any = None) -> Diagnosis:
    """Look at a compiled model and its data, before or after a fit, and say what is wrong with them.

    The data (scaling, constant and duplicate columns, order, classes, range of the targets, validation data), output
    against loss, and one training step on up to 256 samples: loss at the start against ln K, dead and saturated units,
    gradients and how far the step moves each weight, batch norm, NaN. After a fit also its history: overfitting,
    underfitting, learning rate. What fit would refuse is a finding too. All is afterwards what it was, to the bit.

    x, y: arrays as for fit; validation_data: (x, y). → Diagnosis: print it, or go through its findings, each with
    `.name`, `.evidence`, `.chapter` of the study guide and `.remedy`. RuntimeError for a model that is not compiled.

    >>> print(fastnn.doctor(model, x, y))
    """
    model._ready("doctor()")
    with model._working("doctor()"):
        adapt = adapt_raw if model.writes("train") else arguments.adapt
        try:
            arrays = adapt(model, x, y, None, "doctor()")
            held = None if validation_data is None else adapt(
                model, *_pair(validation_data), None, "doctor(): validation_data")
        except (LabelError, ShapeError, KindError, ValueError) as error:
            return Diagnosis(model.name, [refused(error)], ["the data, which fit refuses"])
        return examine(model, arrays, held, walk_over(model, arrays))


def _pair(given: Any) -> tuple[Any, Any]:
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise ValueError("doctor(): validation_data needs (x, y).")
    return given[0], given[1]


def refused(error: Exception) -> Finding:
    """What fit says to wrong data: what was got and is needed, then what to do."""
    evidence, _, remedy = str(error).removeprefix("doctor(): ").partition("\n")
    if not remedy:
        evidence, stop, remedy = evidence.rpartition(". ")
        evidence, remedy = (evidence, remedy) if stop else (remedy, "prepare the data as it says.")
    return Finding("refused", evidence, remedy)


def examine(model: TrainedModel, arrays: Arrays | None, held: Arrays | None, walk: Walk,
            before: Sequence[Finding] = ()) -> Diagnosis:
    """All checks on adapted data, where there are any, and on a training step; before: findings from before the
    training."""
    steps = max(int(each.iterations.data) for each in optimizers_of(model))
    found: list[Finding] = [*before]
    constant = (math.nan, "")
    if arrays is not None:
        found += data.findings(model, arrays, held)
        constant = data.constant_loss(model, arrays)
    found += network.of_weights(model)
    found += network.of_walk(model, walk, steps, constant[0])
    if steps and model.history is not None and model.history.epoch:
        fastest = max((w.ratio for w in walk.weights), default=math.nan)
        found += course.findings(model, model.history, constant, fastest)
    return Diagnosis(model.name, _told_once(worst_first(found)), list(_seen(model, arrays, walk, constant, steps)),
                     walk)


def _told_once(found: list[Finding]) -> list[Finding]:
    """One finding of a name; and not what follows from another."""
    first = {finding.name: finding for finding in reversed(found)}
    follows = {"weights that never move": ("symmetric units", "dead units"),
               "same answer for all": ("dead units", "symmetric units", "not a number"),
               "underfitting": ("symmetric units", "not a number", "dead units"),
               "loss at the start": ("inputs not scaled",), "saturated units": ("inputs not scaled",)}
    return [f for f in found if first[f.name] is f and not any(cause in first for cause in follows.get(f.name, ()))]


def _seen(model: TrainedModel, arrays: Arrays | None, walk: Walk, constant: tuple[float, str],
          steps: int) -> Iterator[str]:
    """What was looked at, in words with numbers."""
    if arrays is not None:
        x = arrays["x0"]
        if x.dtype.kind in "fu" and x.size:
            part = x[:data.ROWS]
            yield (f"data: {len(x)} samples, x from {float(part.min()):.3g} to {float(part.max()):.3g}, "
                   f"mean {float(part.mean()):.3g}")
        else:
            yield f"data: {len(x)} samples"
    classes = network._classes(model)
    text = f"loss of {walk.rows} samples after {steps} steps: {number_text(walk.loss)}, one more: "
    text += number_text(walk.after)
    if classes and not steps:
        text += f"; guessing among {classes} classes: ln {classes} = {math.log(classes):.3g}"
    elif not math.isnan(constant[0]):
        text += f"; always answering {constant[1]}: {constant[0]:.3g}"
    yield text
    yield f"gradient: norm {walk.norm:.3g}; layer by layer in the table"
