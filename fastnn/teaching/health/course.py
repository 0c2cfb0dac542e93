"""Checks of a history: what the losses of the epochs tell. Floor 5."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastnn.reporting.finding import Finding
from fastnn.teaching.health.report import number_text
from fastnn.training import unusual

FEW = 5             # epochs, below which a history tells nothing
RISEN = 1.15        # times its lowest, and the validation loss has risen
JUMPS = 0.25        # of the epochs
JUMP = 1.25         # times the loss of the epoch before
FALL = 0.02         # of the loss
UNMOVED = 1e-4      # of a weight's length in a step
FAST = 0.02         # the same, and it is no fine tuning
LEARNT = 0.95       # of the loss of a constant answer


def findings(model: Any, history: Any, constant: tuple[float, str], fastest: float) -> Iterator[Finding]:
    """What is wrong with a training that has been. constant: (loss of the best answer that is the same for all, what
    it is); fastest: the most that a step moves a weight now, as a part of its length."""
    losses, held = ([v for v in history.column(name) if v is not None] if name in history else []
                    for name in ("loss", "val_loss"))
    broken = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), None)
    if broken is not None:
        yield Finding("not a number", f"the loss is {losses[broken]} from epoch {broken + 1} on"
                      + (f", {number_text(losses[broken - 1])} before" if broken else ""),
                      "try a smaller learning rate, scale the inputs, or set clipnorm=1.0; TerminateOnNaN stops such "
                      "a fit.")
        return
    if len(losses) < FEW:
        return
    fast = _too_fast(model, losses)
    yield from fast
    if not fast:
        yield from _too_near(model, losses, constant, fastest)
    if len(held) == len(losses):
        yield from _apart(losses, held)


def _too_fast(model: Any, losses: Sequence[float]) -> list[Finding]:
    low = min(losses)
    if losses[-1] > 2 * max(losses[0], 1e-12):
        return [unusual.too_high(model, list(losses))]
    jumps = [i for i in range(1, len(losses)) if losses[i] > JUMP * losses[i - 1]]
    if len(jumps) > JUMPS * len(losses) and losses[0] > 0 and max(losses[len(losses) // 2:]) > 0.5 * losses[0]:
        return [Finding("learning rate too high", f"the loss jumps up by a quarter or more after {len(jumps)} of "
                        f"{len(losses)} epochs, between {low:.3g} and {max(losses[1:]):.3g}",
                        f"try a tenth of learning_rate {float(model.optimizer.learning_rate):.3g}, or larger batches.")]
    return []


def _too_near(model: Any, losses: Sequence[float], constant: tuple[float, str], fastest: float) -> Iterator[Finding]:
    fall = (losses[0] - losses[-1]) / max(abs(losses[0]), 1e-12)
    level, what = constant
    near = not math.isnan(level) and level > 1e-6 and losses[-1] > LEARNT * level
    if fall < FALL and fastest < UNMOVED and (near or math.isnan(level)):
        yield Finding("learning rate too low", f"in {len(losses)} epochs the loss fell from {losses[0]:.4g} to "
                      f"{losses[-1]:.4g} only, and a step moves no weight by more than {fastest:.1g} of its length",
                      f"try ten times learning_rate {float(model.optimizer.learning_rate):.3g}, or ask "
                      "model.find_lr(x, y).")
    elif near and losses[-1] > level and fastest > FAST:
        yield Finding("learning rate too high", f"after {len(losses)} epochs the loss is {losses[-1]:.4g}, worse than "
                      f"always answering {what} ({level:.4g}), and a step still moves a weight by {fastest:.1%} of its "
                      "length", f"try a tenth of learning_rate {float(model.optimizer.learning_rate):.3g}, or ask "
                      "model.find_lr(x, y).")
    elif near:
        yield Finding("underfitting", f"after {len(losses)} epochs the loss is {losses[-1]:.4g}; always answering "
                      f"{what} has {level:.4g}", "use more units or layers, train longer, weaken dropout and "
                      "penalties, or look whether x tells y at all.")


def _apart(losses: Sequence[float], held: Sequence[float]) -> Iterator[Finding]:
    """The validation loss rises while the loss falls."""
    values = np.asarray(held, np.float64)
    if not np.isfinite(values).all():
        return
    best, last = int(values.argmin()), float(np.median(values[-3:]))
    risen = last > RISEN * values[best] + 1e-3 and len(values) - best > 3
    if risen and losses[-1] < 0.9 * losses[best] and last > 1.5 * losses[-1]:
        yield Finding("overfitting", f"val_loss was lowest in epoch {best + 1}, {values[best]:.3g}, and is {last:.3g} "
                      f"now, while loss fell from {losses[best]:.3g} to {losses[-1]:.3g}",
                      "stop there (EarlyStopping, restore_best_weights=True), gather more data, or add Dropout, L2, "
                      "or fewer units.")
