"""Twins: copies of a compiled model that train on their own, with its losses, metrics and random numbers. Floor 5."""

from collections.abc import Sequence
from typing import Any

from fastnn import metrics, seeds
from fastnn.metrics import Metric
from fastnn.models.copies import clone_model
from fastnn.nest import map_structure
from fastnn.optimizers import Optimizer
from fastnn.saving.state import put_random_state, put_undecayed, random_state, undecayed


def twin_of(model: Any, optimizer: Any = None) -> Any:
    """A compiled copy with the weights and random numbers of now, and a new optimizer like the model's or like
    `optimizer`. The model and the global seed stay as they are."""
    compiled, given = model.compiled, model.optimizer if optimizer is None else optimizer
    before = seeds.get_state()      # a clone draws weights, which are then replaced
    try:
        twin = clone_model(model)
        if not twin.built or len(twin.weights) != len(model.weights):
            twin.build(model._build_shape)
        measured = [map_structure(_own, each, lambda value: isinstance(value, Metric))
                    for each in (compiled.metrics, compiled.weighted_metrics)]
        twin.compile(like(given, model.weights, twin.weights), compiled.loss, compiled.loss_weights, *measured,
                     run_eagerly=model.run_eagerly)
    finally:
        seeds.set_state(before)
    twin.set_weights(model.get_weights())
    put_random_state(twin, random_state(model))
    return twin


def like(optimizer: Optimizer, weights: Sequence[Any] = (), others: Sequence[Any] = ()) -> Any:
    """A new optimizer of the same arguments, which leaves out of weight decay what that does: of its `weights`, the
    `others` in the same places."""
    made = optimizer._copied()
    put_undecayed(made, others, undecayed(optimizer, weights))
    return made


def _own(value: Any) -> Any:
    """A metric of one's own for a copy of a model."""
    return metrics.deserialize(metrics.serialize(value)) if isinstance(value, Metric) else value
