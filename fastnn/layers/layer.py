"""Layer: weights plus a `call` written with ops. Floor 3; imports ops, initializers, regularizers, constraints.

A layer is its attributes: weights and sublayers assigned to `self` are found by themselves.
"""

import contextlib
import inspect
import math
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from fastnn import constraints, initializers, regularizers
from fastnn.engine import backend
from fastnn.engine.plan import machine_memory
from fastnn.engine.program import is_recording, layer_scope
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import NotBuiltError, ShapeError, nearest, shown
from fastnn.ops._op import as_tensor
from fastnn.ops.elementwise import scale

_counters: dict[str, int] = {}
_structure = 0


def structure_version() -> int:
    """Grows whenever a built layer anywhere is edited; programs recorded before are stale then."""
    return _structure


def structure_changed() -> None:
    """Say that a layer was edited. What a layer's own Python does while it is recorded is no edit."""
    global _structure
    if not is_recording():
        _structure += 1


def snake_case(name: str) -> str:
    """MultiHeadAttention → multi_head_attention."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def unique_name(base: str) -> str:
    """dense, dense_1, dense_2, … as they are asked for."""
    count = _counters.get(base, 0)
    _counters[base] = count + 1
    return base if count == 0 else f"{base}_{count}"


def reset_names() -> None:
    """Count names from the start again."""
    _counters.clear()


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

    def __init__(self, layer: "Layer", args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.layer, self.args, self.kwargs, self.outputs = layer, args, kwargs, outputs


class Layer:
    """Base of all layers (Keras' Layer): `build(input_shape)` makes the weights, `call(x)` computes with ops.

    name: snake-case class name with a counter unless given. trainable: False freezes the weights. dtype: float32.
    input_shape / input_dim: the shape of one sample, where the layer is the first of a Sequential.
    """

    unstructured: ClassVar[frozenset[str]] = frozenset({"built", "output_shape"})   # attributes no program depends on

    def __init__(self, *, name: str | None = None, dtype: str | None = None, trainable: bool = True,
                 activity_regularizer: Any = None, **kwargs: Any) -> None:
        self.built = False
        self._variables: list[Variable] = []
        self._sublayers: list[Layer] = []
        self._penalties: list[Callable[[], Tensor]] = []
        self.output_shape: Any = None
        shape = kwargs.pop("input_shape", None)
        if "input_dim" in kwargs:
            shape = (kwargs.pop("input_dim"),)
        if "batch_input_shape" in kwargs:
            shape = kwargs.pop("batch_input_shape")[1:]
        self.input_shape_hint = None if shape is None else checked_shape(shape, type(self).__name__)
        for unknown in kwargs:
            known = [p for cls in type(self).__mro__ for p in inspect.signature(cls.__init__).parameters]
            raise TypeError(f"{type(self).__name__}: got an unknown argument {shown(unknown)}; "
                            + nearest(unknown, {*known, "input_shape", "input_dim"} - {"self", "kwargs", "args"}))
        self.name = checked_name(name, type(self).__name__) or unique_name(snake_case(type(self).__name__))
        if dtype not in (None, backend.floatx()):
            raise ValueError(f"{self.name}: got dtype {shown(dtype)}; layers compute in floatx, {backend.floatx()}; "
                             "use fastnn.config.set_floatx.")
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = bool(trainable)

    def __setattr__(self, name: str, value: Any) -> None:
        public = not name.startswith("_") and name not in self.unstructured
        if public and getattr(self, "built", False):
            structure_changed()
        before = self.__dict__.get(name) if public else None
        object.__setattr__(self, name, value)
        if public:
            if before is not value and isinstance(before, (Variable, Layer)):
                self._replace(before, value)
            self._track(value)

    def _replace(self, before: Any, value: Any) -> None:
        """Forget a weight or sublayer whose attribute got another value; a value of its kind takes its place."""
        if any(other is before for key, other in self.__dict__.items() if not key.startswith("_")):
            return
        found: list[Any] = self._variables if isinstance(before, Variable) else self._sublayers
        for i, item in enumerate(found):
            if item is before:
                same = isinstance(value, Variable if isinstance(before, Variable) else Layer)
                found[i:i + 1] = [value] if same and not any(v is value for v in found) else []
                return

    def _track(self, value: Any) -> None:
        if isinstance(value, Variable) and not any(v is value for v in self._variables):
            self._variables.append(value)
        elif isinstance(value, Layer) and not any(v is value for v in self._sublayers):
            self._sublayers.append(value)
        elif isinstance(value, (list, tuple)):
            for item in value:
                if isinstance(item, (Layer, list, tuple)):
                    self._track(item)
        elif isinstance(value, dict):
            self._track(list(value.values()))

    # ---- what a subclass writes -------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape (batch axis first, None). Layers without weights need none."""

    def call(self, *inputs: Any) -> Any:
        """The layer's computation, written with fastnn.ops. May take `training`."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, inputs).")

    def add_weight(self, shape: Sequence[int] | None = None, initializer: Any = None, dtype: str | None = None,
                   trainable: bool = True, regularizer: Any = None, constraint: Any = None,
                   name: str | None = None) -> Variable:
        """A new weight. initializer: 'glorot_uniform' unless given, 'zeros' for rank 1 (as Keras).

        Raises ValueError for a shape that no machine could hold.
        """
        shape = tuple(shape or ())
        if any(n is None for n in shape):
            raise NotBuiltError(f"{self.name}: the weight {name!r} has shape {shape}; every axis must be known. "
                                "Give the input shape in full, but for the batch axis.")
        size = math.prod(int(n) for n in shape) * 4
        if size >= machine_memory():
            raise ValueError(f"{self.name}: the weight {name!r} of shape {shape} needs {size / 2**30:,.0f} GiB; "
                             "use fewer units.")
        if initializer is None:
            initializer = "zeros" if len(shape) < 2 else "glorot_uniform"
        value = np.asarray(initializers.get(initializer)(shape, dtype or backend.floatx()))
        variable = Variable(value, f"{self.name}/{name or f'variable_{len(self._variables)}'}", trainable=trainable,
                            dtype=dtype or backend.floatx(), regularizer=regularizers.get(regularizer),
                            constraint=constraints.get(constraint))
        self._variables.append(variable)
        return variable

    def add_loss(self, loss: Any) -> None:
        """Add a penalty to the loss of the forward pass under way (call it inside `call`)."""
        if context.losses is not None:
            context.losses.extend(loss if isinstance(loss, (list, tuple)) else [loss])

    def get_config(self) -> dict[str, Any]:
        """The constructor arguments that make this layer again."""
        return {"name": self.name, "trainable": self.trainable}

    # ---- calling ----------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to tensors, arrays or symbolic tensors."""
        args = tuple(map_structure(_to_tensor, a) for a in args)
        tensors = flatten(args)
        if not tensors:
            raise TypeError(f"{self.name}: called without inputs.")
        if not self.built:
            self._build(map_structure(lambda t: t.shape, args[0]))
        training = kwargs.pop("training", None)
        symbolic = any(t.symbolic for t in tensors)
        before = context.training
        context.training = before if training is None else bool(training)
        try:
            if _takes_training(type(self)):
                kwargs["training"] = context.training
            with layer_scope(self.name):
                outputs = self.call(*args, **kwargs)
                if self.activity_regularizer is not None:
                    for output in flatten(outputs):
                        self.add_loss(_per_sample(self.activity_regularizer(output), output))
        finally:
            context.training = before
        if not flatten(outputs):
            raise TypeError(f"{self.name}: call() returned {shown(outputs)}; needs a tensor or a list of tensors.")
        if self.output_shape is None:
            self.output_shape = map_structure(lambda t: (None, *t.shape[1:]), outputs)
        if symbolic:
            kwargs.pop("training", None)
            outputs = map_structure(lambda t: Tensor(None, t.name, shape=t.shape, dtype=t.dtype), outputs)
            node = Node(self, args, kwargs, outputs)
            for output in flatten(outputs):
                output.source = node
        return outputs

    def _build(self, input_shape: Any) -> None:
        with layer_scope(self.name):
            self.build(input_shape)
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output shape for an input shape (batch axis None), from the ops' shape rules."""
        shapes = [input_shape] if not input_shape or not isinstance(input_shape[0], (tuple, list)) else input_shape
        inputs = [Tensor(None, shape=tuple(s), dtype=backend.floatx()) for s in shapes]
        return map_structure(lambda t: t.shape, self(inputs[0] if len(inputs) == 1 else inputs))

    # ---- weights ----------------------------------------------------------------------------------------------

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets the sublayers too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self._sublayers:
            layer.trainable = value
        structure_changed()

    @property
    def weights(self) -> list[Variable]:
        """The layer's own, trainable ones first, then each sublayer's (Keras' order, frozen or not)."""
        own = [*self._own(True), *self._own(False)]
        return distinct([*own, *(v for layer in self._sublayers for v in layer.weights)])

    def _own(self, trainable: bool) -> list[Variable]:
        return [v for v in self._variables if v.trainable == trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        if not self._trainable:
            return []
        return distinct([*self._own(True), *(v for layer in self._sublayers for v in layer.trainable_weights)])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Frozen weights and state."""
        own = self._own(False) if self._trainable else self._variables
        return distinct([*own, *(v for layer in self._sublayers for v in layer.non_trainable_weights)])

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights, in the order of `weights`; the list moves to and from Keras."""
        self._require_built("get_weights")
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Copy arrays in. ShapeError, naming the first that does not fit, before anything changes."""
        self._require_built("set_weights")
        own = self.weights
        arrays = [np.asarray(w) for w in weights]
        for array in arrays:
            if array.dtype.kind not in "fiub":
                raise TypeError(f"{self.name}: set_weights got an array of dtype {array.dtype}; needs numbers.")
        if len(arrays) != len(own):
            raise ShapeError(f"{self.name}: set_weights got {len(arrays)} arrays; needs {len(own)}, of shapes "
                             f"{[v.shape for v in own]}.")
        for variable, array in zip(own, arrays):
            if variable.shape != array.shape:
                raise ShapeError(f"{self.name}: set_weights got shape {array.shape} for {variable.name!r}; needs "
                                 f"{variable.shape}.")
        for variable, array in zip(own, arrays):
            variable.assign(array)

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise NotBuiltError(f"{what}: {self.name!r} has no weights yet, because its input shape is not known. "
                                "Add an Input, call it on data, or fit it first.")

    def count_params(self) -> int:
        """How many numbers the weights hold. NotBuiltError before the input shape is known."""
        if not self.built and (self._sublayers or type(self).build is not Layer.build):
            self._require_built("count_params")
        return sum(math.prod(v.shape) for v in self.weights)

    def count_arithmetic(self) -> str:
        """How count_params comes about: '30·16 + 16'."""
        return " + ".join("·".join(map(str, v.shape)) for v in self.weights)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def _per_sample(penalty: Any, output: Tensor) -> Any:
    """An activity penalty divided by the batch size, so that it does not depend on it (as Keras)."""
    rows = output.shape[0] if output.ndim else None
    return penalty if not rows else scale(penalty, factor=1.0 / rows)


def _to_tensor(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value
    array = np.asarray(value)
    return as_tensor(array, "any" if array.dtype == np.uint8 or array.dtype == np.int32 else "float")


_TRAINING: dict[type, bool] = {}


def _takes_training(cls: type) -> bool:
    if cls not in _TRAINING:
        _TRAINING[cls] = "training" in inspect.signature(cls.call).parameters  # type: ignore[attr-defined]
    return _TRAINING[cls]


def map_structure(function: Callable[[Any], Any], value: Any) -> Any:
    """Apply a function to every leaf of nested lists, tuples of tensors and dicts."""
    if isinstance(value, list) or (isinstance(value, tuple) and value and not isinstance(value[0], (int, float))):
        if any(isinstance(item, (Tensor, np.ndarray)) for item in value) or isinstance(value, tuple):
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


def checked_name(name: str | None, where: str) -> str | None:
    """A usable layer name, or TypeError/ValueError."""
    if name is None:
        return None
    if not isinstance(name, str):
        raise TypeError(f"{where}: got the name {shown(name, 40)}; needs text.")
    if not 0 < len(name) <= 255 or not name.isprintable() or "/" in name or ".." in name:
        raise ValueError(f"{where}: got the name {shown(name, 40)}; needs 1 to 255 printable characters without '/' or "
                         "'..'.")
    return name


def checked_shape(shape: Any, where: str) -> tuple[int | None, ...]:
    """A sample's shape as a tuple: ints >= 1 or None."""
    items = (shape,) if hasattr(shape, "__index__") else shape
    if not isinstance(items, (tuple, list, np.ndarray)):
        raise TypeError(f"{where}: got the input shape {shown(shape)}; needs a tuple such as (30,).")
    for n in items:
        if n is not None and (isinstance(n, bool) or not hasattr(n, "__index__") or int(n) < 1):
            raise ValueError(f"{where}: got the input shape {shown(shape)}; every axis must be a whole number >= 1 "
                             "(or None).")
    return tuple(None if n is None else int(n) for n in items)


def positive_int(value: Any, what: str) -> int:
    """A whole number >= 1. TypeError for other kinds (bool too), ValueError for smaller ones."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{what} is {shown(value)}; needs a whole number >= 1.")
    if int(value) < 1:
        raise ValueError(f"{what} is {shown(value)}; needs a whole number >= 1.")
    return int(value)
