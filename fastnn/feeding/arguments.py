"""From the arguments of fit, evaluate and predict to named arrays that fit the model and its losses. Floor 4."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.context import recording
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import Watch, noting
from fastnn.errors import KindError, ShapeError
from fastnn.feeding import checks, targets, weights
from fastnn.feeding.model import TrainedModel
from fastnn.nest import flatten, map_structure
from fastnn.ops._arrays import kept_dtype

KEPT = 64       # kinds of inputs whose symbolic outputs are remembered


class Named(dict[str, np.ndarray]):
    """Named arrays that know what x and y looked like: `template`, (x, y) with names in the place of arrays."""
    template: tuple[Any, Any] = ("x0", None)

    def like(self, arrays: dict[str, np.ndarray]) -> "Named":
        """Others of the same form."""
        made = Named(arrays)
        made.template = self.template
        return made

    def take(self, value: Any, prefix: str, adapt: Callable[[Any, str], np.ndarray]) -> Any:
        """Adapt the arrays of nested lists and dicts and name them prefix0, prefix1, …; the names in their places."""
        leaves = [leaf for leaf in flatten(map_structure(lambda leaf: [_Leaf(leaf)], value, _is_array)) if leaf.given
                  is not None]
        named = iter(f"{prefix}{i}" for i in range(len(leaves)))

        def name_of(leaf: Any) -> Any:
            if leaf is None:
                return None
            name = next(named)
            self[name] = adapt(leaf, prefix if len(leaves) == 1 else f"{prefix}[{name.removeprefix(prefix)}]")
            return name
        return map_structure(name_of, value, _is_array)


class _Leaf:
    """What is no structure: an array, or a list of rows."""

    def __init__(self, given: Any) -> None:
        self.given = given


def _is_array(value: Any) -> bool:
    """Whether a list or tuple is rows of numbers, and no structure of arrays."""
    return isinstance(value, (list, tuple)) and not any(hasattr(item, "__array__") for item in flatten(value))


def adapt_x(model: TrainedModel, x: Any, where: str, check_finite: bool = True) -> Named:
    """{"x0": …, "x1": …}: one array per input of the model, checked against its shape. A subclassed model takes x in
    any form, nested lists and dicts."""
    arrays = Named()

    def adapt(part: Any, name: str, i: int, shape: Any) -> np.ndarray:
        if model.inputs and i in model._graph.texts:
            return np.asarray(model._graph.read(i, part, f"{where}: {name}").data)
        array = checks.to_array(part, f"{where}: {name}")
        if not model.takes(array.shape):
            array = checks.match_input(array, shape, f"{where}: {name}", model)
        return checks.to_dtype(array, input_dtype(model, i, array), f"{where}: {name}", check_finite)

    if not model.inputs:
        alone = hasattr(model, "_input") and not isinstance(x, dict)      # a Sequential: rows, whatever they are in
        form = arrays.take([checks.to_array(x, f"{where}: x")] if alone else x, "x",
                           lambda part, name: adapt(part, name, len(arrays), None))
        arrays.template = form[0] if alone else form, None
    else:
        shapes = [t.shape for t in model.inputs]
        one = len(shapes) == 1 and not isinstance(x, dict)
        parts = checks.only(x, len(shapes[0])) if one and not _is_nothing(x) else _ordered(model, x, where)
        for i, part in enumerate(parts):
            if part is None and not (model._graph.input_layers[i].optional and len(parts) > 1):
                raise KindError(f"{where}: x is None for the input {model._graph.input_names[i]!r}, which is not "
                                "optional; needs an array.")
            if part is not None:
                arrays[f"x{i}"] = adapt(part, "x" if len(parts) == 1 else f"x[{i}]", i, shapes[i])
        places = {id(t): f"x{i}" if f"x{i}" in arrays else None for i, t in enumerate(model.inputs)}
        arrays.template = map_structure(lambda t: places[id(t)], model._graph.inputs), None
    check_numbers(model, arrays, where)
    if not any(len(a) == 0 for a in arrays.values()) or where != "predict()":
        checks.check_lengths(arrays, where)
    return arrays


def _is_nothing(x: Any) -> bool:
    """[None]"""
    return isinstance(x, (list, tuple)) and len(x) == 1 and x[0] is None


def _ordered(model: TrainedModel, x: Any, where: str) -> list[Any]:
    """One item of x for each of several inputs."""
    try:
        return list(model._graph.ordered(x))
    except ValueError as error:
        names = model._graph.input_names
        got = f"an array of shape {np.shape(x)}" if hasattr(x, "shape") else f"a {type(x).__name__}"
        raise ValueError(f"{where}: x does not fit: it is {got}, and the model has {len(names)} inputs.\n{error}\n"
                         f"Pass a list of {len(names)} arrays, or a dict of them by these names.") from None


def of_form(form: Any, tensors: dict[str, Any]) -> Any:
    """Tensors by name in the places of their names."""
    return map_structure(lambda leaf: tensors.get(leaf, leaf), form)


def check_numbers(model: TrainedModel, arrays: dict[str, np.ndarray], where: str) -> None:
    """Ask the layers that read an input as it is whether they can take its numbers."""
    for i, layer in model._graph.readers if model.inputs else []:
        name = "x" if len(arrays) == 1 else f"x[{i}]"
        if f"x{i}" not in arrays:
            continue
        layer.check_input(arrays[f"x{i}"], f"{where}: {name}, layer {layer.name!r}")


def input_dtype(model: TrainedModel, number: int, array: np.ndarray) -> str:
    """What input `number` of the model takes: its Input says it, else the data, where the model takes whole numbers."""
    if model.inputs:
        return str(model._graph.fed[number].dtype)
    return np.dtype(kept_dtype(array)).name if model.takes_integers else backend.floatx()


def build(model: TrainedModel, arrays: dict[str, np.ndarray]) -> list[Tensor]:
    """Build the model on these inputs if need be; its outputs as symbolic tensors, kept until a layer is edited.

    Walking the layers anew took two thirds of a small predict(): 130 us instead of 50.
    """
    form = getattr(arrays, "template", ("x0", None))[0]
    dtypes = [input_dtype(model, int(name[1:]), a) for name, a in arrays.items()]
    key = backend.floatx(), repr(form), tuple((a.shape[1:], dtype) for a, dtype in zip(arrays.values(), dtypes))
    found = model._symbols.get(key)
    if found is not None and found[0].holds() and not model.run_eagerly:
        return list(found[1])
    symbols = {name: Tensor(None, shape=(None, *a.shape[1:]), dtype=dtype)
               for (name, a), dtype in zip(arrays.items(), dtypes)}
    with model._building, noting() as used, recording():    # nothing computes: what it would record is thrown away
        given = of_form(form, symbols)
        outputs = model.predict_step((given,)) if model.writes("predict") else model(given)
    if len(model._symbols) >= KEPT:
        model._symbols.clear()
    model._output_form = map_structure(lambda t: None, outputs)
    model._symbols[key] = Watch(used.values()), flatten(outputs, Tensor)
    return flatten(outputs, Tensor)


def adapt(model: TrainedModel, x: Any, y: Any, sample_weight: Any, where: str, class_weight: Any = None,
          check_finite: bool = True) -> dict[str, np.ndarray]:
    """x, y and weights as named arrays of one length. Builds the model where it has no weights yet."""
    try:
        arrays = adapt_x(model, x, where, check_finite)
    except ShapeError as error:
        wanted = model.inputs[0].shape if model.inputs else ()
        got = np.shape(y) if hasattr(y, "shape") else ()
        if len(got) == len(wanted) > 1 and got[1:] == wanted[1:]:
            raise ShapeError(f"{error}\ny has that shape: are x and y swapped?") from None
        raise
    if hasattr(y, "tocsr"):
        checks.to_array(y, f"{where}: y")       # says what to do
    if getattr(y, "shape", ()):
        checks.check_lengths({**arrays, "y0": y}, where)      # before a model without weights takes its shape from x
    shapes = [t.shape for t in build(model, arrays)]
    return adapt_targets(model, arrays, y, sample_weight, shapes, where, class_weight, check_finite)


def split(arrays: dict[str, np.ndarray], part: float, sample_weight: Any,
          class_weight: Any) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(training, validation): validation is the last part, without the class weights, which are for training only."""
    n = len(next(iter(arrays.values())))
    training, validation = checks.split_validation(arrays, part, n)
    checks.warn_ordered(arrays, part, n)
    if class_weight is not None:
        shape = validation.pop("weight").shape
        plain = weights.adapt(sample_weight, None, {}, [(*shape, None)], ["output"], n, "fit()")
        validation.update({name: array[-len(validation["x0"]):] for name, array in plain.items()})
    if isinstance(arrays, Named):
        return arrays.like(training), arrays.like(validation)
    return training, validation


def adapt_targets(model: TrainedModel, arrays: dict[str, np.ndarray], y: Any, sample_weight: Any,
                  shapes: list[tuple[Any, ...]], where: str, class_weight: Any = None, check_finite: bool = True, *,
                  part: bool = False) -> dict[str, np.ndarray]:
    """The adapted inputs with y and weights for outputs of these shapes. part: of the data, as one batch of a
    generator is; its weights may all be zero."""
    given = targets.adapt_y(model, y, shapes, where, check_finite)
    everything = {**arrays, **given}
    n = checks.check_lengths(everything, where)
    names = targets.output_names(model, len(shapes))
    if len(names) > 1 and isinstance(sample_weight, (list, tuple, dict)):
        nested = targets.beside(sample_weight, targets.output_form(model, len(names)))
        sample_weight = sample_weight if nested is None else nested
    everything |= weights.adapt(sample_weight, class_weight, given, shapes, names, n, where, part)
    return arrays.like(everything) if isinstance(arrays, Named) else everything
