"""What layers and models share while they are called: the forward pass under way, the nodes of a model graph, nested
structures of tensors, and the version by which programs know that a layer was edited. Floor 3."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastnn.engine.program import is_recording
from fastnn.engine.tensor import Tensor

_structure = 0


def structure_version() -> int:
    """Grows whenever a built layer anywhere is edited; programs recorded before are stale then."""
    return _structure


def structure_changed() -> None:
    """Say that a layer was edited. What a layer's own Python does while it is recorded is no edit."""
    global _structure
    if not is_recording():
        _structure += 1


class CallContext(threading.local):
    """What a forward pass hands down to the layers: training or not, the step counter of random layers, and where
    penalties go. `applications` counts how often each layer was applied in this pass."""
    training: bool = False
    counter: Tensor | None = None
    losses: list[Tensor] | None = None
    applications: dict[int, int] | None = None


context = CallContext()


@contextlib.contextmanager
def forward_pass(training: bool, counter: Tensor | None = None) -> Iterator[list[Tensor]]:
    """A forward pass of a whole model; gives the list in which layers put their penalties."""
    before = context.training, context.counter, context.losses, context.applications
    losses: list[Tensor] = []
    context.training, context.counter, context.losses, context.applications = training, counter, losses, {}
    try:
        yield losses
    finally:
        context.training, context.counter, context.losses, context.applications = before


class Node:
    """One application of a layer to symbolic tensors: the edge of a model graph."""

    def __init__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.layer, self.args, self.kwargs, self.outputs = layer, args, kwargs, outputs


def map_structure(function: Callable[[Any], Any], value: Any) -> Any:
    """Apply a function to every leaf of nested lists, tuples of tensors and dicts."""
    tensors = isinstance(value, list) and (flatten(value) or any(isinstance(item, np.ndarray) for item in value))
    if tensors or (isinstance(value, tuple) and value and not isinstance(value[0], (int, float))):
        return type(value)(map_structure(function, item) for item in value)
    if isinstance(value, dict):
        return {key: map_structure(function, item) for key, item in value.items()}
    return function(value)


def flatten(value: Any) -> list[Tensor]:
    """The tensors of a structure, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [t for item in value for t in flatten(item)]


def distinct(items: list[Any]) -> list[Any]:
    """The items, each once, first occurrence first (by identity)."""
    return list({id(item): item for item in items}.values())
