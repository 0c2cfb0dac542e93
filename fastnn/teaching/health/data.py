"""Checks of the data, as they came out of the adapters of fit: inputs, targets, validation. Floor 5."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastnn.feeding.checks import one_sided
from fastnn.reporting.finding import Finding
from fastnn.training import unusual

Arrays = Mapping[str, np.ndarray]
ROWS = 5000         # so many are looked at
FEW = 8             # of so few samples nothing is said
SPLIT = 0.2         # what a validation_split usually is
RARE = 0.2          # a class is rare that has less than such a part of its equal share,
MOST = 0.9          # or where another has more than that of all samples
FAR = 3.0           # standard deviations between the means of training and validation
WIDE = 10.0         # between their spreads, as a factor


def findings(model: Any, arrays: Arrays, validation: Arrays | None) -> Iterator[Finding]:
    """What is wrong with the data."""
    if len(arrays["x0"]) < FEW:
        return
    yield from unusual.findings(model, arrays)
    for name, x in arrays.items():
        if name.startswith("x") and x.ndim == 2 and x.dtype.kind == "f":
            yield from _columns("x" if "x1" not in arrays else f"x[{name[1:]}]", x[:ROWS])
    yield from _order(arrays)
    if not any(name.startswith("weight") for name in arrays):
        yield from _balance(model, arrays)
    if validation is not None and len(validation["x0"]) >= FEW:
        yield from _validation(arrays, validation)


def _columns(label: str, x: np.ndarray) -> Iterator[Finding]:
    """Columns that are always the same, or say what another one says. Pixels may: a border is black."""
    if x.shape[1] < 2 or x.shape[1] > 500 or not np.isfinite(x).all():
        return
    still = np.ptp(x, axis=0) == 0
    pixels = float(x.min()) >= 0
    constant = [i for i in np.flatnonzero(still).tolist() if x[0, i] != 0 or not pixels]
    if constant:
        yield Finding("constant inputs", f"{_listed(constant)} of {label} {'is' if len(constant) == 1 else 'are'} "
                      f"{x[0, constant[0]]:.3g} in all {len(x)} rows", "leave such columns out: they tell nothing.")
    varied = [i for i in np.flatnonzero(~still).tolist() if len(np.unique(x[:, i])) >= min(10, len(x) // 2)]
    if len(varied) < 2:
        return
    z = (x[:, varied].astype(np.float64) - x[:, varied].mean(axis=0)) / x[:, varied].std(axis=0)
    alike = np.triu(np.abs(z.T @ z) / len(x) > 1 - 1e-6, 1)
    pairs = np.argwhere(alike)
    if len(pairs):
        i, j = (varied[k] for k in pairs[0])
        more = f", and {len(pairs) - 1} more pairs" if len(pairs) > 1 else ""
        yield Finding("duplicate inputs", f"column {j} of {label} says what column {i} says, but for its scale{more}",
                      "leave one of them out; penalties and importances are then easier to read.")


def _listed(columns: list[int]) -> str:
    if len(columns) == 1:
        return f"column {columns[0]}"
    return f"columns {', '.join(map(str, columns[:4]))}{f' and {len(columns) - 4} more' * (len(columns) > 4)}"


def _order(arrays: Arrays) -> Iterator[Finding]:
    """Samples that lie in the order of their classes."""
    targets = {name: y for name, y in arrays.items() if name.startswith("y")}
    count = len(arrays["x0"])
    lonely = one_sided(targets, math.floor(count * (1 - SPLIT)), count)
    for name, y in targets.items():
        labels = class_numbers(name, y)
        if lonely is None or labels is None:
            continue
        changes = int((np.diff(labels) != 0).sum())
        if changes < 0.2 * (count - 1) * (1 - float((np.bincount(labels) / count) @ (np.bincount(labels) / count))):
            yield Finding("ordered samples", f"y lies in order: its class changes {changes} times in {count} rows, and "
                          f"validation_split={SPLIT} would leave class {lonely:g} on one side only",
                          "shuffle x and y together, or give validation_data of all classes.")


def class_numbers(name: str, y: np.ndarray) -> np.ndarray | None:
    """The class of each sample where a target says one, else None."""
    if name.endswith((".labels", ".ids")) and y.ndim == 1:
        return y.astype(np.int64) if y.size and y.min() >= 0 else None
    if y.ndim == 2 and y.shape[1] > 1 and y.size and ((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all():
        return y.argmax(axis=1)
    if y.ndim == 2 and y.shape[1] == 1 and y.size and ((y == 0) | (y == 1)).all():
        return y[:, 0].astype(np.int64)
    return None


def _balance(model: Any, arrays: Arrays) -> Iterator[Finding]:
    """A class that hardly occurs."""
    for name, y in arrays.items():
        labels = class_numbers(name, y) if name.startswith("y") else None
        if labels is None or len(labels) < 50:
            continue
        counts = np.bincount(labels)
        present = np.flatnonzero(counts)
        rare, common = int(present[counts[present].argmin()]), int(counts.argmax())
        share, most = counts[rare] / len(labels), counts[common] / len(labels)
        if len(present) > 1 and len(present) <= 100 and (share < RARE / len(present) or most > MOST):
            yield Finding("class imbalance", f"class {rare} has {counts[rare]} of {len(labels)} samples ({share:.1%}), "
                          f"class {common} {most:.1%}: always answering {common} is right {most:.1%} of the time",
                          "fit with class_weight='balanced', and watch Precision, Recall or F1Score.")


def _validation(arrays: Arrays, validation: Arrays) -> Iterator[Finding]:
    """Validation data of another kind than those of training."""
    for name, x in arrays.items():
        other = validation.get(name)
        if other is None:
            continue
        if name.startswith("x") and x.dtype.kind in "fu" and x.size and other.size:
            seen, held = x[:ROWS].astype(np.float64), other[:ROWS].astype(np.float64)
            spread, width = float(seen.std()), float(held.std())
            shift = abs(float(held.mean() - seen.mean())) / max(spread, 1e-12)
            if shift > FAR or width > WIDE * spread or width * WIDE < spread:
                yield Finding("other validation data", f"{'x' if name == 'x0' else name} of the validation data is "
                              f"{held.mean():.3g} ± {width:.3g}, that of training {seen.mean():.3g} ± {spread:.3g}",
                              "prepare both alike: scale the validation data with the numbers of the training data.")
        labels, others = (class_numbers(name, y) if name.startswith("y") else None for y in (x, other))
        if labels is not None and others is not None and len(np.unique(labels)) <= 100:
            absent = sorted(set(others.tolist()) - set(labels.tolist()))
            if absent:
                yield Finding("other validation data", f"class {absent[0]} is in the validation data and not in those "
                              "of training", "shuffle before you split, so that all classes are on both sides.")


def constant_loss(model: Any, arrays: Arrays) -> tuple[float, str]:
    """(the loss of the best answer that is the same for all samples; its name); NaN where that cannot be told."""
    losses: Any = model.compiled.losses
    if len(losses) != 1 or any(name.startswith("weight") for name in arrays):
        return math.nan, ""
    name = f"y0.{model.compiled.kind(0)}"
    y, kind = arrays.get(name), str(type(losses[0]).__name__)
    if y is None or not y.size or getattr(losses[0], "label_smoothing", False):
        return math.nan, ""
    if kind in ("CategoricalCrossentropy", "SparseCategoricalCrossentropy", "BinaryCrossentropy"):
        if y.dtype.kind == "f" and y.ndim == 2 and kind != "SparseCategoricalCrossentropy":
            p = y.mean(axis=0, dtype=np.float64)
        elif y.ndim == 1 and kind == "SparseCategoricalCrossentropy":
            p = np.bincount(y.astype(np.int64)) / len(y)
        else:
            return math.nan, ""
        if kind == "BinaryCrossentropy":
            p = np.stack([p, 1 - p])
            return float(-(p * np.log(np.maximum(p, 1e-300))).sum(axis=0).mean()), "the classes' shares"
        return float(-(p * np.log(np.maximum(p, 1e-300))).sum()), "the classes' shares"
    if kind == "MeanSquaredError":
        return float(y.var(axis=0, dtype=np.float64).mean()), "the mean of y"
    if kind == "MeanAbsoluteError":
        return float(np.abs(y - np.median(y, axis=0)).mean()), "the median of y"
    return math.nan, ""
