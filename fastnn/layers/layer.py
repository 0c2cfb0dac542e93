"""Layer: weights plus a `call` written with ops. Floor 3; imports ops, initializers, regularizers, constraints.

A layer is its attributes: weights and sublayers assigned to `self` are found by themselves.
"""

import inspect
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from fastnn import constraints, initializers, regularizers
from fastnn.arguments import dtype_of, flag, refuse_unknown, shape, whole
from fastnn.engine import backend
from fastnn.engine.plan import machine_memory
from fastnn.engine.program import layer_scope, not_recording
from fastnn.engine.tensor import Tensor, Variable
from fastnn.engine.watch import Watched, note
from fastnn.errors import NotBuiltError, ShapeError
from fastnn.layers._context import Node, context, forward_pass
from fastnn.layers.call import apply
from fastnn.names import checked_name, snake_case, unique_name
from fastnn.nest import distinct, map_structure

__all__ = ["Layer", "Node", "context", "forward_pass"]


class Layer(Watched):
    """Base of all layers (Keras' Layer): `build(input_shape)` makes the weights, `call(x)` computes with ops.

    name: snake-case class name with a counter unless given. trainable: False freezes the weights. dtype: float32.
    input_shape / input_dim: the shape of one sample, where the layer is the first of a Sequential.
    """

    unwatched: ClassVar[frozenset[str]] = frozenset({"built", "output_shape", "_variables", "_sublayers"})
    takes_integers: ClassVar[bool] = False      # at the beginning of a model without Input: whole numbers stay that
    supports_masking: bool = False      # the mask of the input is that of the output; compute_mask says otherwise

    def __init__(self, *, name: str | None = None, dtype: str | None = None, trainable: bool = True,
                 activity_regularizer: Any = None, **kwargs: Any) -> None:
        self.built = False
        self._variables: list[Variable] = []
        self._sublayers: list[Layer] = []
        self.output_shape: Any = None
        self.input_shape_hint = _input_shape(kwargs, type(self).__name__)
        if kwargs:
            known = {p for cls in type(self).__mro__
                     for p in inspect.signature(cls.__init__).parameters}  # type: ignore[misc]
            refuse_unknown(kwargs, type(self).__name__,
                           known | {"input_shape", "input_dim"} - {"self", "kwargs", "args"})
        self.name = checked_name(name, type(self).__name__) or unique_name(snake_case(type(self).__name__))
        dtype_of(dtype, f"{self.name}: dtype", (backend.floatx(),))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = flag(trainable, f"{type(self).__name__}: trainable")
        self.supports_masking = type(self).supports_masking or type(self).compute_mask is not Layer.compute_mask

    def __setattr__(self, name: str, value: Any) -> None:
        public = not name.startswith("_") and name not in self.unwatched
        before = self.__dict__.get(name) if public else None
        super().__setattr__(name, value)
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
                if isinstance(item, (Layer, Variable, list, tuple)):
                    self._track(item)
        elif isinstance(value, dict):
            self._track(list(value.values()))

    # ---- what a subclass writes -------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape (batch axis first, None). Layers without weights need none."""

    def call(self, *inputs: Any) -> Any:
        """The layer's computation, written with fastnn.ops. May take `training`."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, inputs).")

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output (batch, time), or None: that of the input. Called where `supports_masking` is True,
        as it is for a class that writes this."""
        return previous_mask

    def add_weight(self, shape: Sequence[int] | None = None, initializer: Any = None, dtype: str | None = None,
                   trainable: bool = True, regularizer: Any = None, constraint: Any = None,
                   name: str | None = None) -> Variable:
        """A new weight. initializer: 'glorot_uniform' unless given, 'zeros' for rank 1 (as Keras).

        Raises ValueError for a shape that no machine could hold.
        """
        what = f"{self.name}: the weight {name!r}"
        sides = tuple(shape or ()) if not hasattr(shape, "__index__") else (shape,)
        if any(n is None for n in sides):
            raise NotBuiltError(f"{what} has shape {sides}; every axis must be known. Give the input shape in full, "
                                "but for the batch axis.")
        sides = tuple(whole(n, f"{what}: an axis of its shape", 0) for n in sides)
        size = math.prod(sides) * 4
        if size >= machine_memory():
            raise ValueError(f"{what} of shape {sides} needs {size / 2**30:,.0f} GiB; use fewer units.")
        if initializer is None:
            initializer = "zeros" if len(sides) < 2 else "glorot_uniform"
        value = np.asarray(initializers.get(initializer)(sides, dtype or backend.floatx()))
        variable = Variable(value, f"{self.name}/{name or f'variable_{len(self._variables)}'}", trainable=trainable,
                            dtype=dtype or backend.floatx(), regularizer=regularizers.get(regularizer),
                            constraint=constraints.get(constraint))
        self._variables.append(variable)
        self.touch(f"weight {variable.name}")
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
        return apply(self, args, kwargs)

    def _build_for(self, inputs: Any) -> None:
        self._build(map_structure(lambda t: t.shape, inputs))

    def _build(self, input_shape: Any) -> None:
        with layer_scope(self.name), not_recording():
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
        self._trainable = flag(value, f"{self.name}: trainable")
        for layer in self._sublayers:
            layer.trainable = value

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
        note(self)
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


def _input_shape(kwargs: dict[str, Any], kind: str) -> tuple[int | None, ...] | None:
    """The shape of a sample among a layer's arguments, under one of the names that Keras has had for it."""
    found = kwargs.pop("input_shape", None)
    if "input_dim" in kwargs:
        found = (whole(kwargs.pop("input_dim"), f"{kind}: input_dim"),)
    if "batch_input_shape" in kwargs:
        found = shape(kwargs.pop("batch_input_shape"), f"{kind}: batch_input_shape")[1:]
    return None if found is None else shape(found, f"{kind}: input_shape")
