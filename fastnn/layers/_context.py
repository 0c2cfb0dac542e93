"""What layers and models share while they are called: the forward pass under way, and the nodes of a model graph.
Floor 3."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from fastnn.engine.tensor import Tensor


class CallContext(threading.local):
    """What a forward pass hands down to the layers: training or not, the step counter of random layers, and where
    penalties go. `applications` counts how often each layer was applied in this pass."""
    training: bool = False
    counter: Tensor | None = None
    losses: list[Tensor] | None = None
    applications: dict[int, int] | None = None
    made: list[Any] | None = None       # layers that got their weights inside of the outermost call under way


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
