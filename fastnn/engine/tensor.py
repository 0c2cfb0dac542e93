"""Tensor and Variable: arrays that know the call which made them.

Floor 1. Knows nothing of ops (the operators' functions are put into `operators` by fastnn.ops).
"""

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine import backend, context, reading
from fastnn.engine.operators import Operators, operators
from fastnn.errors import ShapeError

Shape = tuple[int | None, ...]
FEW = 8     # numbers that a variable's repr shows


class _Names(dict[Any, str]):
    """The names of NumPy's dtypes, which are slow to ask for."""

    def __missing__(self, dtype: Any) -> str:
        self[dtype] = dtype.name
        return self[dtype]


_names = _Names()


class Tensor(Operators):
    """An array that knows the call which made it.

    `data`: the NumPy array, or None for a symbolic tensor, which has only shape and dtype. `source`: the call (or
    the layer's node) that made it, kept while a step is recorded or a GradientTape is open. `tracked`: whether
    gradients flow through it: True for variables and what a tape watches, the tape's number for what was made of them
    under it. `constant`: its numbers never change, so calls on constants alone are computed once, when a program is
    planned. `mask`: which steps of a sequence count, a tensor (batch, time), or None; layers hand it on.
    """
    __slots__ = ("__weakref__", "constant", "data", "dtype", "mask", "name", "shape", "source", "tracked")
    sparse = ragged = False     # Keras' names: every tensor is dense
    momentary = False       # whether it holds what somebody has read just now, so that no replay may go on with it
    __array_priority__ = 100      # NumPy arrays on the left leave the operator to us

    def __init__(self, data: np.ndarray | None, name: str = "", *, shape: Shape | None = None,
                 dtype: str | None = None, tracked: bool = False, constant: bool = False) -> None:
        self.data: Any = data
        self.shape: Any = data.shape if data is not None else shape
        self.dtype: str = _names[data.dtype] if data is not None else str(dtype)
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
            raise ValueError(f"{self!r} is symbolic: it has a shape but no numbers.\nCompute with fastnn.ops, "
                             "such as ops.tanh(x) for np.tanh(x); or call the model on data.")
        if context.is_recording():
            reading.notice(self, way)
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self._read("NumPy").copy()
        return array if dtype is None else array.astype(dtype)

    def _one(self, way: str) -> Any:
        """The only number, for Python."""
        array = self._read(way)
        if array.size != 1:
            raise ValueError(f"{way} of a tensor of shape {self.shape}: needs one number; "
                             + ("use ops.any or ops.all." if way == "bool()" else "take one, or use numpy()."))
        return array.item()

    def __float__(self) -> float:
        return float(self._one("float()"))

    def __int__(self) -> int:
        return int(self._one("int()"))

    def __index__(self) -> int:
        if self.shape or not self.dtype.startswith(("int", "uint")):
            raise TypeError(f"a tensor of shape {self.shape} and dtype {self.dtype} is no index; needs one whole "
                            "number.")
        return int(self._one("int()"))

    def __bool__(self) -> bool:
        return bool(self._one("bool()"))

    def __contains__(self, value: Any) -> bool:
        return bool((self._read("in") == np.asarray(value)).any())

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError("a tensor does not change; use ops.slice_update, ops.scatter_update or ops.where for another "
                        "one, or the assign() of a Variable.")

    def __format__(self, spec: str) -> str:
        if self.data is None or not spec:
            return str(self)
        return format(self._one("format"), spec)

    def __str__(self) -> str:
        if self.data is not None and context.is_recording():
            reading.notice(self, "format")
        return Tensor.__repr__(self)

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"a tensor of shape {self.shape} has no length" + (" yet" if self.shape else ""))
        return self.shape[0]

    def __repr__(self) -> str:
        name = f"{self.name!r}, " if self.name else ""
        data = "symbolic" if self.data is None else np.array2string(self.data, threshold=8, precision=4)
        return f"{type(self).__name__}({name}shape={self.shape}, dtype={self.dtype}, {data})"


class Variable(Tensor):
    """A tensor that keeps its value from step to step: weights, slots, counters, metric sums.

    initializer: a number, list or array; or an initializer, by name or as a function of (shape, dtype), with a `shape`.
    Floats become floatx unless dtype says otherwise. assign() copies in; `data` may be a slice of a block that it
    shares with other variables. `path`: its name after those of the layers within which it was made (Keras' name).
    """
    __slots__ = ("_frozen", "_trainable", "_watchers", "constraint", "path", "regularizer")

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
        outer = context.current_layers()
        self.path = "/".join([*(outer[:-1] if outer[-1:] == [name.partition("/")[0]] else outer), name])
        self._trainable, self._frozen = bool(trainable), False      # the latter by its layer
        self._watchers: list[Any] = []
        self.regularizer, self.constraint = regularizer, constraint

    @property
    def trainable(self) -> bool:
        """Whether training changes it. Setting it makes the steps stale that were recorded with a layer that has it."""
        return self._trainable and not self._frozen

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._frozen = False
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

    def __repr__(self) -> str:
        """Its numbers where they are few, else how they lie: print() shows more of them."""
        if self.data is None or self.data.size <= FEW or self.data.dtype.kind not in "fiu":
            return super().__repr__()
        low, high = self.data.min(), self.data.max()
        return (f"{type(self).__name__}({self.name!r}, shape={self.shape}, dtype={self.dtype}, from {low:.4g} to "
                f"{high:.4g}, mean {self.data.mean():.4g})")

    @staticmethod
    def _in_a_step(value: Any) -> bool:
        """Whether an assignment belongs to a step, or a symbolic pass, and is no matter of this moment alone."""
        return context.is_recording() or context.is_symbolic_pass() or getattr(value, "symbolic", False)

    @property
    def value(self) -> Tensor:
        """The numbers of now as a tensor, through which gradients flow (Keras' name)."""
        return operators["value"](self)  # type: ignore[no-any-return]
