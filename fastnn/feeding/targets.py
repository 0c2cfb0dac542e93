"""y: one target for each output, as its loss and metrics take it. Floor 4."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.feeding import checks
from fastnn.feeding.model import TrainedModel
from fastnn.nest import flatten, map_structure


def adapt_y(model: TrainedModel, y: Any, output_shapes: list[tuple[Any, ...]], where: str,
            check_finite: bool = True) -> dict[str, np.ndarray]:
    """{"y0.float": …}, {"y0.labels": …}, {"y0.ids": …} per output, as its loss and metrics take them."""
    compiled = model.compiled
    names = output_names(model, len(output_shapes))
    compiled.resolve_losses(model, names, [shape[-1] if shape else 1 for shape in output_shapes])
    needed = compiled.needs_targets()
    if y is None and not any(needed):     # the model's losses are all in add_loss
        compiled.resolve_metrics(model, output_shapes, output_shapes)
        return {}
    parts = _parts(model, checks.only(y, len(output_shapes[0]))[0] if len(names) == 1 else y, names, where, needed)
    dense: Any = None
    if any(len(shape) > 2 for shape in output_shapes):
        dense = next((layer for layer in model.layers if hasattr(layer, "units")), None)
    raw: list[np.ndarray | None] = []
    for i, part in enumerate(parts):
        label = "y" if len(parts) == 1 else f"y[{i}]"
        if part is None or not needed[i]:
            raw.append(None)
            continue
        array = checks.to_array(part, f"{where}: {label}")
        if array.ndim == 0:
            raise ValueError(f"{where}: {label} is a single number; needs one target per sample.")
        raw.append(checks.match_target(array, output_shapes[i], compiled.kind(i), f"{where}: {label}", dense,
                                       compiled.is_own(i)))
    y_shapes = [output_shapes[i] if a is None else (None, *a.shape[1:]) for i, a in enumerate(raw)]
    compiled.resolve_metrics(model, y_shapes, output_shapes)
    arrays: dict[str, np.ndarray] = {}
    for i, y_raw in enumerate(raw):
        if y_raw is None:
            continue
        label = f"{where}: " + ("y" if len(parts) == 1 else f"y[{i}]")
        loss = compiled.losses[i]
        for kind in sorted(compiled.kinds(i)):
            array = checks.match_target(y_raw, output_shapes[i], kind, label) if kind != compiled.kind(i) else y_raw
            if kind != "float":
                classes = output_shapes[i][-1] if kind == "labels" else None
                array = checks.to_labels(array, classes, label, getattr(loss, "ignore_class", None))
            else:
                array = checks.to_float(array, label, check_finite)
                array = array.astype(backend.floatx()) if array.dtype == np.uint8 else array
                if "Crossentropy" in type(loss).__name__ and kind == compiled.kind(i):
                    rows = type(loss).__name__.startswith("Categorical") and getattr(loss, "axis", -1) == -1
                    checks.check_probabilities(array, label, rows)
            arrays[f"y{i}.{kind}"] = array
        for output, _, metric, _ in compiled.resolved:
            if output == i:
                metric.check_targets(arrays[f"y{i}.{metric.label_kind}"], label)
    return arrays


def output_names(model: TrainedModel, count: int) -> list[str]:
    """The names of the outputs, output_0, output_1, … where the model is no graph."""
    if model.outputs and len(model.outputs) == count:
        return list(model._graph.output_names)
    if isinstance(model._output_form, dict) and len(model._output_form) == count:
        return list(model._output_form)
    return [f"output_{i}" for i in range(count)]


def output_form(model: TrainedModel, count: int) -> Any:
    """The structure of so many outputs, with the names of the layers that make them in their places; a list of None
    where a step splits or joins the outputs of its model."""
    graph = model.outputs and len(model.outputs) == count
    names = iter(model._graph.makers if graph else output_names(model, count))
    form = model._graph.outputs if graph else model._output_form
    return map_structure(lambda _: next(names), form) if len(flatten(form)) == count else [None] * count


def targets_of(y: Any, names: Sequence[str], form: Any, needed: Sequence[bool] = ()) -> list[Any]:
    """One target for each output, None where it has none: from a list, a dict by the names of the outputs, their
    structure `form`, or one for each that is `needed`. [] where y is None; ValueError where it is nothing of that."""
    if y is None:
        return []
    if isinstance(y, dict) and set(y) <= set(names):
        return [y.get(name) for name in names]
    found = beside(y, form)
    if found is not None:
        return found
    several = isinstance(y, (list, tuple))
    if several and len(y) == len(names):
        return list(y)
    if len(names) == 1:
        return [y]
    given = list(y) if several else [y]
    if not isinstance(y, dict) and len(given) == sum(needed):
        each = iter(given)
        return [next(each) if needs else None for needs in needed]
    raise ValueError


def beside(y: Any, form: Any) -> list[Any] | None:
    """What of y stands where the form has its leaves; None where y is of another form."""
    if isinstance(form, dict):
        if not isinstance(y, dict) or set(y) != set(form):
            return None
        pairs = [(y[key], item) for key, item in form.items()]
    elif isinstance(form, (list, tuple)):
        if not isinstance(y, (list, tuple)) or len(y) != len(form):
            return None
        pairs = list(zip(y, form))
    else:
        return [y]
    parts = [beside(*pair) for pair in pairs]
    return None if None in parts else [leaf for part in parts for leaf in part or ()]


def _parts(model: TrainedModel, y: Any, names: list[str], where: str, needed: Sequence[bool]) -> list[Any]:
    if y is None:
        raise ValueError(f"{where}: got no y; the loss needs targets: {where.removesuffix('()')}(x, y).")
    if len(names) == 1 and not isinstance(y, dict):
        return [y]
    if isinstance(y, dict) and set(y) <= set(names) and not {
            name for name, needs in zip(names, needed) if needs} <= set(y):
        raise ValueError(f"{where}: y is a dict with {sorted(y)}; the outputs are {names}.")
    try:
        return targets_of(y, names, output_form(model, len(names)), needed)
    except ValueError:
        if isinstance(y, dict):
            raise ValueError(f"{where}: y is a dict with {sorted(y)}; the outputs are {names}.") from None
        got = len(y) if isinstance(y, (list, tuple)) else 1
        raise ValueError(f"{where}: y has {got} arrays; the model has {len(names)} outputs, {names}.") from None
