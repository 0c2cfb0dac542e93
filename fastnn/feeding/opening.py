"""The sources of fit, evaluate and predict, from their arguments; what is wrong with them is said here. Floor 4."""

import math
from typing import Any

from fastnn.arguments import whole
from fastnn.errors import shown, warn
from fastnn.feeding import arguments
from fastnn.feeding.arrays import Arrays
from fastnn.feeding.batches import Batches
from fastnn.feeding.items import Items, is_batches
from fastnn.feeding.model import TrainedModel
from fastnn.feeding.raw import adapt_raw
from fastnn.feeding.source import Source


def open_source(model: TrainedModel, mode: str, where: str, x: Any, y: Any = None, sample_weight: Any = None, *,
                batch_size: int | None = None, batch_name: str = "batch_size", steps: int | None = None,
                steps_name: str = "steps", validation_split: float = 0, shuffle: bool = False,
                class_weight: Any = None, check_finite: bool = True) -> Source:
    """Arrays where x is data, Batches where it gives batches, of which the first is made and looked at.

    mode: "train", "validation", "evaluate" or "predict". Nothing that a user sees has changed when it raises.
    """
    caller = where.partition(":")[0]
    limit = None if steps is None else _whole_executions(model, steps, f"{caller}: {steps_name}")
    if is_batches(x, where):
        _refuse_with_batches(caller, y=y, sample_weight=sample_weight, validation_split=validation_split,
                             **{batch_name: batch_size})
        items = Items(x, where, limit, model._feeds, steps_name=steps_name, shuffle=shuffle, goes_on=mode == "train")
        _warn_more(where, steps, items.length, steps_name)
        return Batches(model, mode, items, where, class_weight, check_finite).peek()
    batch = 32 if batch_size is None else whole(batch_size, f"{caller}: {batch_name}")
    if mode == "predict":
        source = Arrays(model, mode, arguments.adapt_x(model, x, where, check_finite), batch, limit)
    else:
        adapt = adapt_raw if model.writes("train" if mode == "train" else "test") else arguments.adapt
        arrays = adapt(model, x, y, sample_weight, where, class_weight, check_finite)
        source = Arrays(model, mode, arrays, batch, limit, shuffle)
    if validation_split:
        return source
    if limit is not None:
        _warn_more(where, steps, len(source), steps_name)
    return _checked(source, where)


def _whole_executions(model: TrainedModel, steps: int, name: str) -> int:
    """The steps of a pass, in whole executions, as Keras': 5 are 6 after compile(steps_per_execution=2)."""
    together = model.steps_per_execution
    return math.ceil(whole(steps, name) / together) * together


def _warn_more(where: str, steps: int | None, batches: int | None, name: str) -> None:
    """A warning where more steps are wanted than the data have batches."""
    if steps is not None and batches is not None and steps > batches:
        warn(f"{where}: {name} is {steps} and the data have {batches} batches: a pass ends after {batches}. Leave it "
             "out for all there are.")


def _checked(source: Arrays, where: str) -> Arrays:
    """The source, if every layer can take the sizes of its batches."""
    said = [t.shape[0] for t in source.model.inputs or () if t.shape[0] is not None]
    sizes = [*said, *(rows for rows, _ in source.sizes())]
    for layer in source.model._with_sublayers(look=False) if sizes else ():      # adapting has just looked
        layer.check_batches(sizes, f"{where}: layer {layer.name!r}")
    return source


def open_validation(model: TrainedModel, training: Source, given: Any, *, batch_size: int | None, steps: int | None,
                    check_finite: bool) -> Source:
    """The source of fit's validation_data: (x, y), (x, y, sample_weight) or batches; batches of training's size."""
    where = "fit(): validation_data"
    x, y, weight = given, None, None
    if not is_batches(given, where):
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            what = f"an array of shape {given.shape}" if hasattr(given, "shape") else (
                f"a {type(given).__name__} of {len(given)}" if isinstance(given, (tuple, list)) else shown(given))
            raise ValueError(f"{where} is {what}; needs (x, y), (x, y, sample_weight) or batches.")
        x, y, weight = given if len(given) == 3 else (*given, None)
        batch_size = training.batch if batch_size is None else batch_size
    return open_source(model, "validation", where, x, y, weight, batch_size=batch_size,
                       batch_name="validation_batch_size", steps=steps, steps_name="validation_steps",
                       check_finite=check_finite)


def split_off(training: Source, part: float, *, sample_weight: Any, class_weight: Any, batch_size: int | None,
              steps: int | None) -> tuple[Source, Source]:
    """(training, validation): fit's validation_split, the last part of the arrays."""
    assert isinstance(training, Arrays)     # open_source has refused it with batches
    rest, validation = arguments.split(training.arrays, part, sample_weight, class_weight)
    batch = training.batch if batch_size is None else whole(batch_size, "fit(): validation_batch_size")
    model = training.model
    limit = None if steps is None else _whole_executions(model, steps, "fit(): validation_steps")
    first = Arrays(model, "train", rest, training.batch, training.limit, training.shuffle)
    last = Arrays(model, "validation", validation, batch, limit)
    _warn_more("fit()", training.limit, len(first), "steps_per_epoch")
    _warn_more("fit(): validation_split", steps, len(last), "validation_steps")
    return _checked(first, "fit()"), _checked(last, "fit(): validation_split")


def _refuse_with_batches(where: str, **arguments: Any) -> None:
    """ValueError for the first argument that belongs to arrays only."""
    why = {"y": "the batches hold the targets", "sample_weight": "give (x, y, sample_weight) as a batch",
           "validation_split": "pass validation_data"}
    for name, value in arguments.items():
        if value is not None and not (name == "validation_split" and value == 0):
            raise ValueError(f"{where}: {name} does not go with batches from a generator or data set; "
                             f"{why.get(name, 'the batches have their sizes')}.")
