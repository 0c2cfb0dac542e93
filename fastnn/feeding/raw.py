"""Data for steps that a model writes itself: the numbers in the form in which the user gave them. Floor 4."""

from typing import Any

import numpy as np

from fastnn.feeding import checks, weights
from fastnn.feeding.arguments import Named, adapt_x
from fastnn.feeding.model import TrainedModel
from fastnn.ops._arrays import kept_dtype


def adapt_raw(model: TrainedModel, x: Any, y: Any, sample_weight: Any, where: str, class_weight: Any = None,
              check_finite: bool = True, *, part: bool = False) -> Named:
    """x, y and weights as a step takes them that the model writes itself: numbers of one length, in the user's form."""
    named = Named()

    def adapt(leaf: Any, name: str) -> np.ndarray:
        array = checks.to_array(leaf, f"{where}: {name}")
        return checks.to_dtype(array, np.dtype(kept_dtype(array)).name, f"{where}: {name}", check_finite)

    if model.inputs:
        named.update(adapt_x(model, x, where, check_finite))
        names = list(named)
        x_names: Any = dict(zip(model._graph.input_names, names)) if isinstance(x, dict) else names
        x_names = x_names if isinstance(x_names, dict) or len(names) > 1 else names[0]
    else:
        x_names = named.take(x, "x", adapt)
    named.template = x_names, None if y is None else named.take(y, "y", adapt)
    n = checks.check_lengths(named, where)
    y = named.get("y0")
    classes = None if y is None or y.dtype.kind != "i" or not y.size else int(y.max()) + 1
    targets = {} if y is None else {"y0.labels" if classes else "y0.float": y}
    named.update(weights.adapt(sample_weight, class_weight, targets, [(n, classes or 2)], ["output"], n, where, part))
    return named
