"""backward and GradientTape: reverse-mode differentiation over calls.

Floor 1. Knows nothing of ops: their rules arrive with the calls.
"""

import heapq
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastnn.engine import backend, context
from fastnn.engine.call import NOWHERE, Call, Section
from fastnn.engine.nouns import Operation
from fastnn.engine.operators import operators
from fastnn.engine.tensor import Tensor
from fastnn.errors import shown


class TapedCall(Call):
    """A call that is kept for its gradient only. Its outputs hold it, so it must not hold them: a graph goes when the
    last tensor that somebody has of it goes, and no sooner. An output that is gone, and that a rule reads, is made anew
    over its array."""
    __slots__ = ("_made",)

    def __init__(self, op: Operation, inputs: tuple[Any, ...], outputs: tuple[Any, ...], constants: dict[str, Any],
                 layer: str, section: Section = NOWHERE) -> None:
        self.op, self.inputs, self.constants = op, inputs, constants
        self.layer, self.section, self._parts = layer, section, 0
        self.index = next(Call._count)
        self._made = [(weakref.ref(t), t.data) for t in outputs]

    @property
    def outputs(self) -> tuple[Tensor, ...]:  # type: ignore[override]
        """The output tensors, each the user's where it is still there."""
        return tuple(self._output(i) if (tensor := ref()) is None else tensor for i, (ref, _) in enumerate(self._made))

    def _output(self, i: int) -> Tensor:
        data = self._made[i][1]
        tensor = Tensor(data, tracked=True)
        tensor.source = self
        self._made[i] = weakref.ref(tensor), data
        return tensor


def backward(target: Tensor, sources: Sequence[Tensor], seed: Tensor | None = None) -> list[Tensor | None]:
    """d target / d source for each source, None where target does not depend on it.

    Walks the calls behind `target` from the last to the first and adds up what their rules give. Only the gradients
    on a path to a source are computed; they are calls too, so a recorded backward is part of the program.
    """
    path, outputs = _path(target, {id(s) for s in sources})
    gradients: dict[int, Tensor] = {}
    if id(target) in path:
        ones = Tensor(np.ones(target.shape, target.dtype), "one", constant=True) if seed is None else seed
        gradients[id(target)] = ones
    queue: list[tuple[int, Any]] = []
    queued: set[int] = set()

    def push(tensor: Tensor) -> None:
        call = tensor.source
        if call is not None and call.index not in queued and id(tensor) in path:
            queued.add(call.index)
            heapq.heappush(queue, (-call.index, call))

    push(target)
    while queue:
        call = heapq.heappop(queue)[1]
        d_outputs = [gradients.get(id(t)) for t in outputs[call.index]]
        names = backend.numbered(call.op.kernel.inputs, len(call.inputs))
        wanted = {name for name, t in zip(names, call.inputs) if id(t) in path}
        with context.section_scope("backward"), context.layer_scope(call.layer):
            found = call.op.backward(call, outputs[call.index], d_outputs, wanted)
            for name, tensor in zip(names, call.inputs):
                if found.get(name) is not None:     # None: the derivative is 0 wherever there is one
                    before = gradients.get(id(tensor))
                    gradients[id(tensor)] = found[name] if before is None else operators["+"](before, found[name])
                    push(tensor)
    return [gradients.get(id(s)) for s in sources]


def _path(target: Tensor, sources: set[int]) -> tuple[set[int], dict[int, tuple[Tensor, ...]]]:
    """(ids of the tensors behind `target` that depend on a source, the outputs of each call behind it)."""
    calls: dict[int, Any] = {}
    stack = [target]
    while stack:
        call = stack.pop().source
        if call is not None and call.index not in calls:
            calls[call.index] = call
            stack.extend(call.inputs)
    path = set(sources)
    outputs = {}
    for index in sorted(calls):
        call = calls[index]
        outputs[index] = call.outputs
        if any(id(t) in path for t in call.inputs):        # whole numbers and bools stay where they are
            path.update(id(t) for t in outputs[index] if t.dtype.startswith("float"))
    return path, outputs


class GradientTape:
    """`with GradientTape() as tape: loss = …` then `tape.gradient(loss, variables)` (TensorFlow's shape).

    Trainable variables are watched by themselves, other tensors by `watch`. Only what is computed inside the `with`
    block has gradients: outside, nothing is kept, so a loop may add up losses for as long as it likes.
    """

    def __init__(self, persistent: bool = False) -> None:
        self.persistent = persistent

    def __enter__(self) -> "GradientTape":
        context.open_tape()
        return self

    def __exit__(self, *exception: object) -> None:
        context.close_tape()

    def watch(self, tensors: Tensor | Iterable[Tensor]) -> None:
        """Let gradients flow to these tensors too."""
        for tensor in [tensors] if isinstance(tensors, Tensor) else tensors:
            tensor.tracked = True

    def gradient(self, target: Tensor, sources: Any) -> Any:
        """The gradient of `target` for one source, or a list for a list of sources."""
        if isinstance(sources, Tensor):
            return backward(target, [sources])[0]
        if isinstance(sources, (np.ndarray, int, float)):
            raise TypeError(f"gradient(): got {shown(sources)} as a source; needs a Tensor or a Variable.\nMake one: "
                            "x = ops.convert_to_tensor(x), and in the tape tape.watch(x).")
        return backward(target, list(sources))
