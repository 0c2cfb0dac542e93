"""Tensor, Variable, backward and GradientTape: reverse-mode differentiation over calls.

Floor 1. Imports program; knows nothing of ops (their rules arrive with the calls, the operators' functions are
put into `operators` by fastnn.ops).
"""

import heapq
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastnn.engine import backend, program, reading
from fastnn.engine.call import NOWHERE, Call, Section
from fastnn.engine.nouns import Operation
from fastnn.engine.operators import Operators, operators
from fastnn.errors import ShapeError

Shape = tuple[int | None, ...]


class Tensor(Operators):
    """An array that knows the call which made it.

    `data`: the NumPy array, or None for a symbolic tensor, which has only shape and dtype. `source`: the call (or
    the layer's node) that made it, kept while a step is recorded or a GradientTape is open. `tracked`: whether
    gradients flow through it: True for variables and what a tape watches, the tape's number for what was made of them
    under it. `constant`: its numbers never change, so calls on constants alone are computed once, when a program is
    planned. `mask`: which steps of a sequence count, a tensor (batch, time), or None; layers hand it on.
    """
    __slots__ = ("__weakref__", "constant", "data", "dtype", "mask", "name", "shape", "source", "tracked")
    momentary = False       # whether it holds what somebody has read just now, so that no replay may go on with it
    __array_priority__ = 100      # NumPy arrays on the left leave the operator to us

    def __init__(self, data: np.ndarray | None, name: str = "", *, shape: Shape | None = None,
                 dtype: str | None = None, tracked: bool = False, constant: bool = False) -> None:
        self.data: Any = data
        self.shape: Any = data.shape if data is not None else shape
        self.dtype: str = data.dtype.name if data is not None else str(dtype)
        self.name = name
        self.source: Any = None
        self.tracked: int = tracked
        self.constant = constant
        self.mask: Tensor | None = None

    def at(self, data: np.ndarray | None) -> "Tensor":
        """The same tensor over other memory, or over none."""
        return Tensor(data, self.name, shape=self.shape, dtype=self.dtype)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def symbolic(self) -> bool:
        """Whether it has no data: a place in a model graph."""
        return self.data is None

    def numpy(self) -> np.ndarray:
        """A copy of the array. Raises ValueError for a symbolic tensor."""
        return self._read("numpy()").copy()

    def _read(self, way: str) -> np.ndarray:
        """The array, for Python; a step that is being recorded must know."""
        if self.data is None:
            raise ValueError(f"{self!r} is symbolic: it has a shape but no numbers. Call the model on data instead.")
        if program.is_recording():
            reading.notice(self, way)
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self._read("NumPy").copy()
        return array if dtype is None else array.astype(dtype)

    def __float__(self) -> float:
        return float(self._read("float()"))

    def __int__(self) -> int:
        return int(self._read("int()"))

    def __bool__(self) -> bool:
        return bool(self._read("bool()"))

    def __format__(self, spec: str) -> str:
        if self.data is None or not spec:
            return str(self)
        return format(self._read("format").item(), spec)

    def __str__(self) -> str:
        if self.data is not None and program.is_recording():
            reading.notice(self, "format")
        return repr(self)

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"a tensor of shape {self.shape} has no length" + (" yet" if self.shape else ""))
        return self.shape[0]

    def __repr__(self) -> str:
        name = f"{self.name!r}, " if self.name else ""
        data = "symbolic" if self.data is None else np.array2string(self.data, threshold=8, precision=4)
        return f"{type(self).__name__}({name}shape={self.shape}, dtype={self.dtype}, {data})"


def made_tensor(data: np.ndarray, shape: Shape, dtype: str) -> Tensor:
    """Tensor(data), where shape and dtype are known."""
    tensor = Tensor.__new__(Tensor)
    tensor.data, tensor.shape, tensor.dtype, tensor.name = data, shape, dtype, ""
    tensor.source, tensor.mask, tensor.tracked, tensor.constant = None, None, False, False
    return tensor


class Variable(Tensor):
    """A tensor that keeps its value from step to step: weights, slots, counters, metric sums.

    initializer: a number, list or array; or an initializer, by name or as a function of (shape, dtype), with a `shape`.
    Floats become floatx unless dtype says otherwise. assign() copies in; `data` may be a slice of a block that it
    shares with other variables. `path`: its name with its layer's.
    """
    __slots__ = ("_trainable", "_watchers", "constraint", "regularizer")

    def __init__(self, initializer: Any, name: str = "variable", *, shape: Sequence[int] | None = None,
                 trainable: bool = True, dtype: str | None = None, regularizer: Any = None,
                 constraint: Any = None) -> None:
        if isinstance(initializer, str) or callable(initializer):
            from fastnn import initializers
            if shape is None:
                raise ValueError(f"Variable {name!r}: got an initializer and no shape; needs shape=(...).")
            initializer = initializers.get(initializer)(tuple(shape), dtype or backend.floatx())
        array = np.array(initializer, dtype=dtype, order="C", copy=True)
        if shape is not None and array.shape != tuple(shape):
            raise ShapeError(f"Variable {name!r}: got an array of shape {array.shape}; needs {tuple(shape)}, as shape "
                             "says.")
        if dtype is None and array.dtype.kind == "f":
            array = array.astype(backend.floatx())
        super().__init__(array, name, tracked=trainable)
        self._trainable = bool(trainable)
        self._watchers: list[Any] = []
        self.regularizer, self.constraint = regularizer, constraint

    @property
    def trainable(self) -> bool:
        """Whether training changes it. Setting it makes the steps stale that were recorded with a layer that has it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if value != self._trainable:
            self._trainable = self.tracked = bool(value)
            for watcher in self._watchers:
                layer = watcher()
                if layer is not None:
                    layer.touch(f"{self.name}.trainable")

    def watch(self, layer: Any) -> None:
        """Tell the layer, through its `touch`, when `trainable` is set."""
        if not any(watcher() is layer for watcher in self._watchers):
            self._watchers.append(weakref.ref(layer))

    @property
    def path(self) -> str:
        """The name, with its layer's before it (Keras' name)."""
        return self.name

    def assign(self, value: Any) -> "Variable":
        """Copy a value of the same shape in. ShapeError naming both shapes, or TypeError, before anything changes.

        In a step that is recorded it is an op, so that it happens at every step; in a symbolic pass nothing happens.
        """
        if self._in_a_step(value):
            return operators["="](self, value)  # type: ignore[no-any-return]
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ShapeError(f"assign to {self.name!r}: got shape {array.shape}; needs {self.shape}.")
        if array.dtype.kind not in "fiub":
            raise TypeError(f"assign to {self.name!r}: got dtype {array.dtype}; needs numbers.")
        with np.errstate(over="ignore", invalid="ignore"):
            np.copyto(self.data, array, casting="unsafe")
        return self

    def assign_add(self, value: Any) -> "Variable":
        """Add a value of the same shape, or a number, to it; as `assign`."""
        if self._in_a_step(value):
            return operators["+="](self, value)  # type: ignore[no-any-return]
        return self.assign(self.data + np.asarray(value))

    def assign_sub(self, value: Any) -> "Variable":
        """Take a value of the same shape, or a number, from it; as `assign`."""
        return self.assign_add(-value if isinstance(value, Tensor) else np.negative(value))

    @staticmethod
    def _in_a_step(value: Any) -> bool:
        """Whether an assignment belongs to a step, or a symbolic pass, and is no matter of this moment alone."""
        return program.is_recording() or program.is_symbolic_pass() or getattr(value, "symbolic", False)

    @property
    def value(self) -> np.ndarray:
        """A copy of the array (Keras' name)."""
        return self.numpy()


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
        with program.section_scope("backward"), program.layer_scope(call.layer):
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
        program.open_tape()
        return self

    def __exit__(self, *exception: object) -> None:
        program.close_tape()

    def watch(self, tensors: Tensor | Iterable[Tensor]) -> None:
        """Let gradients flow to these tensors too."""
        for tensor in [tensors] if isinstance(tensors, Tensor) else tensors:
            tensor.tracked = True

    def gradient(self, target: Tensor, sources: Any) -> Any:
        """The gradient of `target` for one source, or a list for a list of sources."""
        if isinstance(sources, Tensor):
            return backward(target, [sources])[0]
        return backward(target, list(sources))
