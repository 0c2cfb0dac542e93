"""Weights of samples, of steps and of classes: from what users pass to arrays by name. Floor 4."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.arguments import number
from fastnn.engine import backend
from fastnn.errors import ShapeError, shown, warn
from fastnn.feeding.checks import to_array, to_float

Shape = tuple[int | None, ...]


def adapt(sample_weight: Any, class_weight: Any, targets: dict[str, np.ndarray], shapes: Sequence[Shape],
          names: Sequence[str], n: int, where: str, part: bool = False) -> dict[str, np.ndarray]:
    """{"weight": …} for all outputs, or {"weight0": …, "weight1": …} for each its own, or {} without weights.

    part: of the data, as one batch of a generator is; its weights may all be zero.
    """
    given_for = _by_output(sample_weight, names, where)
    found = {key: sample_weights(value, n, shapes[output or 0], where, part or len(given_for) > 1)
             for key, output, value in given_for}
    if found and not part and not any(weight.any() for weight in found.values()):
        raise ValueError(f"{where}: sample_weight is all zero; needs weights, some of them above 0.")
    if class_weight is not None:
        if len(shapes) != 1:
            raise ValueError(f"{where}: class_weight works with one output; the model has {len(shapes)}.")
        weights = _of_classes(class_weight, targets, shapes[0], n, where, part)
        given = next(iter(found.values()), None)
        if given is not None and given.ndim < weights.ndim:
            given = given.reshape(given.shape + (1,) * (weights.ndim - given.ndim))
        found = {"weight": weights if given is None else np.ascontiguousarray(weights * given)}
    return found


def _by_output(given: Any, names: Sequence[str], where: str) -> list[tuple[str, int | None, Any]]:
    """(key, number of the output, weights) for each output that has weights."""
    if given is None:
        return []
    if isinstance(given, dict):
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise ValueError(f"{where}: sample_weight names the outputs {shown(unknown)}; the outputs are "
                             f"{list(names)}.")
        given = [given.get(name) for name in names]
    elif not (isinstance(given, (list, tuple)) and any(np.ndim(item) > 0 for item in given)
              and (len(names) > 1 or len(given) == 1)):
        return [("weight", None, given)]
    if len(given) != len(names):
        raise ValueError(f"{where}: sample_weight has {len(given)} arrays; the model has {len(names)} outputs, "
                         f"{list(names)}; give one for each, None for those without, or one array for all.")
    if len(names) == 1:
        return [("weight", None, given[0])] if given[0] is not None else []
    return [(f"weight{i}", i, item) for i, item in enumerate(given) if item is not None]


def sample_weights(weight: Any, n: int, shape: Shape, where: str, part: bool = False) -> np.ndarray:
    """Weights of samples (n,), or of the steps of an output of this shape (n, time), as floatx; finite, and not all
    zero unless for a part of the data. A warning where some are negative: those losses are made larger."""
    array = to_array(weight, f"{where}: sample_weight")
    if not array.ndim:
        raise ShapeError(f"{where}: sample_weight is the number {shown(weight)}; needs an array of {n}, one weight per "
                         "sample.")
    array = to_float(array, f"{where}: sample_weight", True).astype(backend.floatx())
    while array.ndim > 1 and array.shape[-1] == 1:
        array = array.reshape(array.shape[:-1])
    fits = array.shape == (n, *shape[1:array.ndim]) and array.ndim < max(2, len(shape))
    if not fits:
        steps = f", or one per step, {(n, *shape[1:-1])}" if len(shape) > 2 else ""
        raise ShapeError(f"{where}: sample_weight has shape {array.shape}; needs ({n},), one weight per sample{steps}.")
    if not (part or array.any()):
        raise ValueError(f"{where}: sample_weight is all zero; needs weights, some of them above 0.")
    if (array < 0).any():
        warn(f"{where.partition(',')[0]}: sample_weight is negative somewhere; such a sample's loss is made larger, as "
             "a policy gradient wants.")     # always in the same words, so that a loop over batches says it once
    return array


def _of_classes(class_weight: Any, targets: dict[str, np.ndarray], shape: Shape, n: int, where: str,
                part: bool) -> np.ndarray:
    name, target = next(iter(targets.items()))
    labels = name.endswith("labels")
    one_hot = not labels and target.ndim > 1 and target.shape[-1] > 1
    if not (labels or one_hot) and target.size != n:
        raise ValueError(f"{where}: class_weight needs one label per sample; y has shape {target.shape}.")
    if one_hot:
        sums = target.sum(axis=-1, dtype=np.float64)
        several = np.argwhere(np.abs(sums - 1) > 1e-3)
        if len(several):
            first = tuple(several[0])
            raise ValueError(f"{where}: class_weight needs one class per sample, but the classes of y's row {first[0]} "
                             f"sum to {sums[first]:g}; weigh samples that may have several with sample_weight.")
    numbers = target if labels else target.argmax(-1) if one_hot else target.reshape(n)
    return class_weights(class_weight, numbers, where, (shape[-1] or 0) if one_hot or labels else 2, part)


def class_weights(weight: Any, labels: np.ndarray, where: str, count: int, part: bool = False) -> np.ndarray:
    """One weight per label from {class: weight} or 'balanced' (n / (classes · count)). 1 for classes that the dict
    lacks; ValueError for keys that are not among the `count` classes, and for weights that are no weights."""
    shape, labels = labels.shape, labels.ravel()
    broken = labels[labels != np.floor(labels)]
    if broken.size:
        raise ValueError(f"{where}: class_weight needs labels of classes, but y has {broken[0]:g}.")
    classes, index = np.unique(labels.astype(np.int64), return_inverse=True)
    if isinstance(weight, str) and weight == "balanced":
        counts = np.bincount(index)
        return (len(labels) / (len(classes) * counts))[index].astype(backend.floatx()).reshape(shape)
    if not isinstance(weight, dict):
        raise TypeError(f"{where}: class_weight is {shown(weight)}; needs a dict {{class: weight}} or 'balanced'.")
    unknown = [key for key in weight if key not in range(count) and key not in classes]
    if unknown:
        raise ValueError(f"{where}: class_weight names the classes {shown(unknown)}; there are 0..{count - 1}.\n"
                         "Name them as y does after encoding, such as {0: 1.0, 1: 5.0}.")
    for value in weight.values():
        number(value, f"{where}: a class_weight", 0)
    table = np.array([weight.get(int(c), 1.0) for c in classes], backend.floatx())
    if not (part or table.any()):
        raise ValueError(f"{where}: class_weight is 0 for all classes of y; needs some weights above 0.")
    return table[index].reshape(shape)
