"""Checks of the network: its weights, and what one training step shows of its layers. Floor 5."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastnn.layers import Dropout, Embedding
from fastnn.reporting.finding import Finding
from fastnn.teaching.health.report import number_text
from fastnn.teaching.health.walk import LIMITS, RELUS, Moving, Walk
from fastnn.training import mismatch, unusual

DEAD = 0.5          # of a layer's units
SATURATED = 0.5
DROPPED = 0.65      # a rate above it leaves a third
START = 2.0         # times ln K, for a network that has not learnt yet
VANISHED = 1e-4     # first kernel's gradient to the largest of those after it
STEEP = 100.0       # the whole gradient
LEAP = 2.0          # times the loss that a step made of it
STILL = 1e-6        # of a weight's length, and a step moves nothing
UNSETTLED = (1.0, 3.0)      # standard deviations; factor of the variance
SAME = 1e-3         # spread of the answers
LEARNT = 50         # steps after which something should have happened


def of_weights(model: Any) -> Iterator[Finding]:
    """What can be told from layers and weights alone."""
    yield from mismatch.findings(model, model.compiled)
    yield from _symmetry(model)
    for layer in model._with_sublayers():
        if isinstance(layer, Dropout) and layer.rate > DROPPED:
            yield Finding("dropout too high", f"{layer.name} drops {layer.rate:.0%} of what it is given in every step",
                          "rates of 0.1 to 0.5 are usual.")


def _symmetry(model: Any) -> Iterator[Finding]:
    """Units of a hidden layer that are alike: they get the same gradients, and stay alike."""
    kernels = [(layer, w) for layer in model._with_sublayers() if not isinstance(layer, Embedding)
               for w in layer._variables if w.trainable and w.ndim > 1 and w.name.endswith("/kernel")]
    if len(kernels) < 2 or not any(w.data.any() for _, w in kernels):
        return      # all zero: training/unusual.py says so
    alike = [layer.name for layer, w in kernels[:-1] if w.shape[-1] > 1
             and not np.ptp(w.data.reshape(-1, w.shape[-1]), axis=1).any()]
    if alike:
        yield Finding("symmetric units", f"all units of {_some(alike)} have the same weights, get the same gradients, "
                      "and so stay alike for ever", "begin with random weights, as the layers do by themselves.")


def of_walk(model: Any, walk: Walk, steps: int, constant: float) -> Iterator[Finding]:
    """What a training step shows; steps: how many the optimizer has made before. constant: the loss of the best answer
    that is the same for all."""
    if walk.bad:
        yield Finding("not a number", f"the first result that is not finite is that of {walk.bad}",
                      "try a smaller learning rate, look for NaN in the data, or set clipnorm=1.0.")
        return
    start = _at_the_start(model, walk) if not steps else None
    if start is not None:
        yield start
    yield from _units(walk)
    yield from _gradients(walk)
    leap = _leap(model, walk, constant)
    if leap is not None:
        yield leap
    elif 0 < max((w.ratio for w in walk.weights), default=1.0) < STILL and not steps:
        fastest = max(walk.weights, key=lambda w: w.ratio)
        yield Finding("learning rate too low", f"a step moves no weight by more than {fastest.ratio:.1g} of its length "
                      f"(learning_rate {float(model.optimizer.learning_rate):.3g})",
                      "try a hundred times as much, or ask model.find_lr(x, y).")
    if steps:
        yield from _unsettled(walk, steps)
    if steps >= LEARNT:
        yield from _same(walk)


def _at_the_start(model: Any, walk: Walk) -> Finding | None:
    classes = _classes(model)
    if not classes or walk.loss <= START * math.log(classes):
        return None
    return Finding("loss at the start", f"the loss begins at {walk.loss:.3g}; guessing among {classes} classes has "
                   f"ln {classes} = {math.log(classes):.3g}",
                   "scale the inputs, or begin with smaller weights: the first answers should be unsure.")


def _classes(model: Any) -> int:
    """How many classes the only output tells apart; 0 for none."""
    losses, outputs = model.compiled.losses, model.outputs
    if len(losses) != 1 or not outputs or "rossentropy" not in type(losses[0]).__name__:
        return 0
    return 2 if "Binary" in type(losses[0]).__name__ else int(outputs[0].shape[-1] or 0)


def _units(walk: Walk) -> Iterator[Finding]:
    dead = [u for u in walk.units if u.function in RELUS and u.share > DEAD]
    if dead:
        worst = max(dead, key=lambda u: u.share)
        yield Finding("dead units", f"{_share(worst.share, worst.size)} units of {worst.layer} give 0 for all "
                      f"{walk.rows} samples, and get no gradient{_more(dead)}",
                      "try a smaller learning rate, LeakyReLU, or weights by he_normal and biases of 0.")
    ends = [u for u in walk.units if u.function in LIMITS and u.share > SATURATED]
    if ends:
        worst = max(ends, key=lambda u: u.share)
        low, high = LIMITS[worst.function]
        yield Finding("saturated units", f"{_share(worst.share, worst.size)} units of {worst.layer} are at an end of "
                      f"{worst.function} (below {low:g} or above {high:g}) for nearly all {walk.rows} samples, where "
                      f"it is flat{_more(ends)}", "scale the inputs, begin with smaller weights, or use ReLU.")


def _share(share: float, count: int) -> str:
    return f"{round(share * count)} of {count}"


def _more(found: Sequence[Any]) -> str:
    return f"; so do {len(found) - 1} more layers" if len(found) > 2 else "; so does another layer" * (len(found) == 2)


def _gradients(walk: Walk) -> Iterator[Finding]:
    unreached = [f"{w.layer}/{w.weight}" for w in walk.weights if w.gradient is None]
    moving = {w.layer for w in walk.weights if w.gradient}       # a bias alone may be at its best, to the last bit
    still = [f"{w.layer}/{w.weight}" for w in walk.weights if w.gradient == 0 and w.layer not in moving]
    if unreached or still:
        count, what = len(unreached) + len(still), unreached or still
        why = "the loss does not depend on" if unreached else "the gradient is exactly 0 for"
        yield Finding("weights that never move", f"{why} {_some(what)} ({count} of {len(walk.weights)} weights, "
                      f"{walk.rows} samples)", "look whether the layer is used, dead or behind a function without "
                      "gradient; freeze it with trainable=False where that is meant.")
    largest_of: dict[str, Moving] = {}
    for w in walk.weights:
        if w.axes > 1 and w.weight.endswith("kernel") and w.gradient:
            largest_of[w.layer] = max(w, largest_of.get(w.layer, w), key=_size)
    kernels = list(largest_of.values())
    if len(kernels) > 2:
        first, largest = kernels[0], max(kernels[1:], key=_size)
        if _size(first) < VANISHED * _size(largest):
            yield Finding("vanishing gradient", f"the gradient of {first.layer} is {_size(first):.2g}, that of "
                          f"{largest.layer} {_size(largest):.2g}: {_size(largest) / _size(first):,.0f} times as large",
                          "use ReLU with he_normal, BatchNormalization, or fewer layers.")


def _size(weight: Moving) -> float:
    return weight.gradient or 0.0


def _leap(model: Any, walk: Walk, constant: float) -> Finding | None:
    """A step that makes the loss of its own samples much larger."""
    rate = float(model.optimizer.learning_rate)
    base = walk.loss if math.isnan(constant) else max(walk.loss, constant)
    if not math.isfinite(walk.loss) or (math.isfinite(walk.after) and walk.after <= LEAP * abs(base) + 1e-6):
        return None     # of steps that the model writes itself there may be no loss
    evidence = f"one step turns a loss of {number_text(walk.loss)} into {number_text(walk.after)} for its own samples"
    fastest = max(walk.weights, key=lambda w: w.ratio, default=None)
    if fastest is not None:
        evidence += f", and moves {fastest.layer} by {fastest.ratio:.2g} of its length"
    if walk.norm > STEEP:
        return Finding("exploding gradient", f"{evidence}; the gradient has a norm of {walk.norm:.3g}",
                       "scale x and y, or set clipnorm=1.0 in the optimizer.")
    return Finding("learning rate too high", f"{evidence} (learning_rate {rate:.3g})",
                   "try a tenth of it, or ask model.find_lr(x, y).")


def _unsettled(walk: Walk, steps: int) -> Iterator[Finding]:
    shift, factor = UNSETTLED
    for each in walk.normalized:
        if each.shift > shift or not 1 / factor < each.factor < factor:
            yield unusual.not_settled(
                f"after {steps} steps the moving averages of {each.layer}, which predict and evaluate use, are "
                f"{each.shift:.2g} standard deviations from the batch's mean, and its variance is {each.factor:.3g} "
                "times theirs", steps)
            return


def _same(walk: Walk) -> Iterator[Finding]:
    for answers in walk.answers:
        if len(answers) > 1 and np.ptp(answers, axis=0).max() < SAME * max(1e-3, float(np.abs(answers).max())):
            yield Finding("same answer for all", f"all {walk.rows} samples get the answer "
                          f"{', '.join(f'{v:.3g}' for v in answers[0, :4])}{', …' * (answers.shape[1] > 4)}",
                          "look for dead or saturated units before the output, and scale the inputs.")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + ", …" * (len(names) > 3)
