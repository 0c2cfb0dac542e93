"""What became of an optimizer in a race, in words; why it diverged, where the curvature tells. Floor 5."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnn.optimizers import SGD, Optimizer
from fastnn.teaching.racing.surfaces import Formula

GROWN = 10.0        # times the first loss
NEAR = 0.01         # of what there was to lose
ALIKE = 1e-2        # curvatures at two points, relative: the surface is quadratic


def verdicts(surface: Any, racers: Mapping[str, Optimizer], losses: Mapping[str, np.ndarray],
             paths: Mapping[str, np.ndarray], unit: str) -> dict[str, str]:
    """{name: a sentence}. surface: None for whole models."""
    floor = min((float(np.nanmin(each)) for each in losses.values() if np.isfinite(each[-1])), default=math.nan)
    known = getattr(surface, "lowest", math.nan)
    floor = floor if math.isnan(known) else min(known, floor)
    return {name: _verdict(surface, racers[name], losses[name], paths[name], unit, floor) for name in losses}


def _verdict(surface: Any, optimizer: Optimizer, losses: np.ndarray, path: np.ndarray, unit: str, floor: float) -> str:
    first, last = float(losses[0]), float(losses[-1])
    lowest = float(np.nanmin(losses))
    grown = not math.isfinite(last) or last - lowest > GROWN * max(abs(first - lowest), abs(first), 1e-9)
    why, must = _why(surface, optimizer) if isinstance(surface, Formula) else ("", False)
    if (grown or must) and not last < first:
        to = f"{last:.3g}" if math.isfinite(last) else "no number"
        return f"diverges: {why or f'the loss goes from {first:.3g} to {to} in {len(losses) - 1} {unit}s'}"
    there = np.flatnonzero(losses <= floor + NEAR * (first - floor))
    zigzag = _turns(path)
    text = f"within 1% of the lowest loss after {there[0]} {unit}s" if len(there) and first > floor else (
        f"the loss is {last:.3g}, {(last - floor) / max(first - floor, 1e-12):.0%} of what there was to lose is left")
    if zigzag > 0.5:
        text += f", zigzagging: {zigzag:.0%} of its steps turn back"
    return text + (f"; {why}" if why else "")


def _turns(path: np.ndarray) -> float:
    """The share of steps that go back against the one before."""
    moves = np.diff(path, axis=0)
    if len(moves) < 4:
        return 0.0
    return float((np.sum(moves[1:] * moves[:-1], axis=1) < 0).mean())


def _why(surface: Formula, optimizer: Optimizer) -> tuple[str, bool]:
    """Of gradient descent on a quadratic: by what each step multiplies the distance from the minimum, or what the rate
    must stay below; and whether it must diverge."""
    if type(optimizer) is not SGD or optimizer.schedule is not None or optimizer.weight_decay or optimizer._limits():
        return "", False
    here, there = (surface.curvature(at) for at in (surface.start, [v + 1.0 for v in surface.start]))
    if not np.allclose(here, there, rtol=ALIKE, atol=ALIKE * float(np.abs(here).max())):
        return "", False       # no quadratic: the curvature changes on the way
    bends = np.linalg.eigvalsh((here + here.T) / 2)
    steepest, rate, momentum = float(bends[-1]), float(optimizer.learning_rate), float(optimizer.momentum)
    if bends[0] < 0 or steepest <= 0:
        return "", False
    limit = 2 * (1 + momentum) / steepest if not optimizer.nesterov else math.nan
    if momentum:
        return ("", False) if math.isnan(limit) or rate <= limit else (
            f"the curvature is λ = {steepest:.3g}, and with momentum {momentum:g} the rate must stay below "
            f"2·(1 + {momentum:g})/λ = {limit:.3g}", True)
    factors = [1 - rate * bend for bend in sorted(set(np.round(bends, 6)))]
    worst = max(factors, key=abs)
    shown = f"1 - {rate:g}·{(1 - worst) / rate:.3g} = {worst:.3g}"
    if abs(worst) > 1:
        return (f"each step multiplies the distance by {shown}, more than 1 in size; rates below 2/λ = {limit:.3g} "
                "converge", True)
    return f"each step multiplies the distance by {shown}" + (", so it changes sides" if worst < 0 else ""), False
