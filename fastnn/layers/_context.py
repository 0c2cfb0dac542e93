"""What layers and models share while they are called: the forward pass under way, and the nodes of a model graph.
Floor 3."""

import contextlib
import math
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

from fastnn.engine.restored import shared
from fastnn.errors import ModelFileError


class CallContext(threading.local):
    """What a forward pass of a whole model hands down to the layers: that there is one, and training or not."""
    training = in_pass = False
    stream: Any = None      # of a model that reads step by step (layers/_stream.py)
    made: list[Any] | None = None       # layers that got their weights inside of the outermost call under way
    room: float = math.inf      # bytes of the weights that may still be made: a file says how many there are

    def __init__(self) -> None:
        self.lossy: weakref.WeakSet[Any] = weakref.WeakSet()        # the layers that hold losses of a call


    def spend(self, size: int) -> None:
        """Weights of so many bytes are made. ModelFileError before that, where a description asks for too many."""
        if size > self.room:
            raise ModelFileError(f"a weight of {size} bytes, and {self.room:.0f} in the file; it is damaged.")
        self.room -= size


context = shared(CallContext())


@contextlib.contextmanager
def weights_of(size: int) -> Iterator[None]:
    """In the `with` block layers are made for weights of so many bytes in a file: twice that is enough for them."""
    before, context.room = context.room, 2 * size + 2 ** 20
    try:
        yield
    finally:
        context.room = before


@contextlib.contextmanager
def forward_pass(training: bool) -> Iterator[None]:
    """A forward pass of a whole model. The losses that its layers add (`Layer.losses`) are gone when it ends: they are
    tensors of a step that may be replayed."""
    before = context.training, context.in_pass, context.lossy
    context.training, context.in_pass, context.lossy = training, True, weakref.WeakSet()
    try:
        yield
    finally:
        forget_losses(context.lossy)
        context.training, context.in_pass, context.lossy = before


def forget_losses(layers: Iterable[Any]) -> None:
    """Take from the layers what calls have added to the loss."""
    for layer in list(layers):
        object.__setattr__(layer, "_losses", [])
        context.lossy.discard(layer)


class Node:
    """One application of a layer to symbolic tensors: the edge of a model graph."""

    def __init__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.layer, self.args, self.kwargs, self.outputs = layer, args, kwargs, outputs
