"""Layer: weights plus a `call` written with ops. Floor 3; imports ops, initializers, regularizers, constraints.

A layer is its attributes: weights and sublayers assigned to `self` are found by themselves.
"""

import inspect
import math
from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from fastnn import constraints, frames, initializers, regularizers
from fastnn.arguments import boolean, dtype_of, flag, of_weight, refuse_unknown, shape, whole
from fastnn.configuration import brief
from fastnn.engine import backend
from fastnn.engine.context import is_symbolic_pass, layer_scope, not_recording
from fastnn.engine.kinds import RegularizerLike
from fastnn.engine.plan import machine_memory
from fastnn.engine.tensor import Tensor, Variable
from fastnn.engine.watch import note
from fastnn.errors import KindError, NotBuiltError, shown
from fastnn.layers import _input_shapes as shapes
from fastnn.layers._context import Node, context, forward_pass
from fastnn.layers._options import InputOptions
from fastnn.layers.call import apply
from fastnn.layers.weighted import Weighted
from fastnn.metrics.metric import Metric
from fastnn.names import checked_name, snake_case, unique_name
from fastnn.nest import distinct, flatten
from fastnn.ops._arrays import as_tensor
from fastnn.ops.rows import reduce

__all__ = ["Layer", "Node", "context", "forward_pass"]


class Layer(Weighted):
    """Base of all layers (Keras' Layer): `build(input_shape)` makes the weights, `call(x)` computes with ops.

    name: snake-case class name with a counter unless given. trainable: False freezes the weights. dtype: float32.
    input_shape / input_dim: the shape of one sample, where the layer is the first of a Sequential.
    """

    trains_alone: ClassVar[bool] = False        # called by itself, not in a model, it is in training
    _first_use: Any = None      # the node of the first call on symbolic tensors
    takes_integers: ClassVar[bool] = False      # at the beginning of a model without Input: whole numbers stay that
    reads_text: ClassVar[bool] = False      # it takes an Input of dtype "string", before the model runs
    stepwise: bool = False      # of a sequence each step is for itself: y[:, t] depends on x[:, t] alone
    gone: ClassVar[dict[str, str]] = {}         # names that Keras had, and what takes their place
    input_spec: Any = None      # an InputSpec, or several: what it may be called on; of a subclass, or set by it
    supports_masking: bool = False      # the mask of the input is that of the output; compute_mask says otherwise

    def __init__(self, *, name: str | None = None, dtype: str | None = None, trainable: bool = True,
                 activity_regularizer: RegularizerLike = None, **kwargs: Unpack[InputOptions]) -> None:
        self.built = self._begins_built()
        self._variables, self._sublayers, self._held, self._losses = [], [], {}, []
        self.output_shape: Any = None
        self._build_shape: Any = None
        others: dict[str, Any] = {**kwargs}
        self.input_shape_hint = _input_shape(others, type(self).__name__)
        if others:
            known = {p for cls in type(self).__mro__
                     for p in inspect.signature(cls.__init__).parameters}  # type: ignore[misc]
            refuse_unknown(others, type(self).__name__,
                           (known | {"input_shape", "input_dim"}) - {"self", "kwargs", "args", *self.filled_in})
        self.name = checked_name(name, type(self).__name__) or unique_name(snake_case(type(self).__name__))
        self.dtype = dtype_of(dtype, f"{self.name}: dtype", (backend.floatx(),))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = boolean(trainable, f"{type(self).__name__}: trainable")
        self.supports_masking = type(self).supports_masking or type(self).compute_mask is not Layer.compute_mask

    # ---- what a subclass writes -------------------------------------------------------------------------------

    def call(self, *inputs: Any) -> Any:
        """The layer's computation, written with fastnn.ops. May take `training`."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, inputs).")

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the output (batch, time), or None: that of the input. Called where `supports_masking` is True,
        as it is for a class that writes this."""
        return previous_mask

    compute_mask.hands_on = True  # type: ignore[attr-defined]     # where there is none it has nothing to say

    def check_input(self, array: np.ndarray, where: str) -> None:
        """Raise an error where the numbers of an input that this layer reads first are none it can take, such as words
        that an embedding has no row for. fit, evaluate and predict ask before anything runs."""

    def check_batches(self, sizes: Sequence[int], where: str) -> None:
        """Raise an error where batches of these sizes cannot follow each other, as those of a stateful layer cannot
        that differ. fit, evaluate and predict ask before anything runs."""

    def goes_stepwise(self, call: dict[str, Any]) -> bool:
        """Whether it can say one step's output from that step and what it remembers, called with these
        arguments, as Model.generate wants it: what takes each step for itself can (`stepwise`)."""
        return self.stepwise

    def add_weight(self, first: Any = None, second: Any = None, /, dtype: str | None = None, trainable: bool = True,
                   regularizer: Any = None, constraint: Any = None, name: str | None = None, *,
                   shape: Sequence[int] | None = None, initializer: Any = None, autocast: bool = True,
                   aggregation: str = "none") -> Variable:
        """A new weight. initializer: 'glorot_uniform' unless given, 'zeros' for whole numbers (as Keras).

        first, second: shape and initializer, or name and shape, as in Keras 2: add_weight("kernel", shape=(3, 2)).
        autocast and aggregation change nothing: a weight has one dtype, on one machine. Raises ValueError for a shape
        that no machine could hold.
        """
        shape, initializer, name = of_weight(self.name, first, second, name, shape, initializer)
        if isinstance(first, str) and shape is None:
            raise KindError(f"{self.name}: add_weight got the name {shown(name)} and no shape; needs one: "
                            f"add_weight(shape=(…), name={name!r}); shape=() for a single number.")
        trainable = flag(trainable, f"{self.name}: add_weight: trainable")
        if self.built and context.made is not None and not self.__dict__.get("_building"):
            raise ValueError(f"{self.name}: add_weight in call() would make another weight at every call; needs to be "
                             "in __init__ or build().")
        what = f"{self.name}: the weight {name!r}"
        sides = tuple(shape or ()) if not hasattr(shape, "__index__") else (shape,)
        if any(n is None for n in sides):
            raise NotBuiltError(f"{what} has shape {sides}; every axis must be known. Give the input shape in full, "
                                "but for the batch axis.")
        sides = tuple(whole(n, f"{what}: an axis of its shape", 0) for n in sides)
        size = math.prod(sides) * 4
        if size >= machine_memory():
            raise ValueError(f"{what} of shape {sides} needs {size / 2**30:,.0f} GiB; use fewer units.")
        context.spend(size)
        if initializer is None:
            initializer = "glorot_uniform" if (dtype or backend.floatx()).startswith("float") else "zeros"
        value = np.asarray(initializers.get(initializer)(sides, dtype or backend.floatx()))
        variable = Variable(value, f"{self.name}/{name or f'variable_{len(self._variables)}'}", trainable=trainable,
                            dtype=dtype or backend.floatx(), regularizer=regularizers.get(regularizer),
                            constraint=constraints.get(constraint))
        variable._frozen = not self._trainable
        self._variables.append(variable)
        variable.watch(self)
        self.touch(f"weight {variable.name}")
        return variable

    def add_variable(self, shape: Sequence[int], initializer: Any, **kwargs: Any) -> Variable:
        """As add_weight, under another name of Keras."""
        return self.add_weight(shape, initializer, **kwargs)

    def add_loss(self, loss: Any) -> None:
        """Add a penalty, or several, to the loss of the forward pass under way (call it inside `call`); the numbers of
        one with axes are added up. They are in `losses` until the next call."""
        if is_symbolic_pass() or any(getattr(each, "symbolic", False) for each in flatten(loss)):
            return      # nothing is computed: there is nothing to add up
        penalties = [as_tensor(each) for each in flatten(loss)]
        object.__setattr__(self, "_losses", [*self._losses, *(_summed(t) for t in penalties)])
        context.lossy.add(self)

    @property
    def compute_dtype(self) -> str:
        """The dtype that it computes with (Keras' name): that of its weights."""
        return self.dtype

    variable_dtype = compute_dtype

    @property
    def losses(self) -> list[Tensor]:
        """What add_loss and activity regularizers gave in the last call, of the layer and its sublayers; then the
        penalties of the weights that are trained. Their sum is what training adds to the loss."""
        added = [loss for layer in self._with_sublayers() for loss in layer._losses]
        return [*added, *(_penalty(v) for v in distinct(self.trainable_weights) if v.regularizer is not None)]

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that the layer and its sublayers hold as attributes, in lists and dicts too."""
        return self._holds(Metric)

    @property
    def metrics_variables(self) -> list[Variable]:
        """The states of `metrics`."""
        return [v for metric in self.metrics for v in metric.variables]

    def get_build_config(self) -> dict[str, Any] | None:
        """{"input_shape": …} of a built layer, from which `build_from_config` builds another; else None."""
        if not self.built or self._build_shape is None:
            return None
        several = isinstance(self._build_shape, shapes.Named)
        return {"shapes_dict": dict(self._build_shape)} if several else {"input_shape": self._build_shape}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Make the weights, where there are none yet, for the shapes of a get_build_config()."""
        given, several = config.get("input_shape"), config.get("shapes_dict")
        if not self.built and several is not None:
            self._build(**{name: shapes.tuples(each, "build_from_config:") for name, each in several.items()})
        elif not self.built and given is not None:
            self._build(shapes.tuples(given, "build_from_config:"))

    def _begins_built(self) -> bool:
        """Whether it is a layer of fastnn's that has nothing to build."""
        return type(self).build is Weighted.build and any(
            cls.__module__.startswith("fastnn.") and issubclass(cls, Layer) and cls is not Layer
            for cls in type(self).__mro__)

    # ---- calling ----------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to tensors, arrays or symbolic tensors."""
        try:
            return apply(self, args, kwargs)
        except Exception as error:
            if isinstance(error, TypeError) and "argument" in str(error):
                named = [key for key in kwargs if key not in ("mask", "inputs")]
                if unknown := frames.unknown(self.call, named, "training"):
                    error.args = (f"{self.name}: {unknown}",)
            frames.clear(error)
            raise

    def __getattr__(self, name: str) -> Any:
        """Only for what is not there: a subclass that forgot its base, or a name that Keras had once."""
        if "_sublayers" not in self.__dict__ and not name.startswith("__"):
            raise AttributeError(f"{type(self).__name__}: {name!r} is not there yet; call super().__init__() in "
                                 "__init__, before all else.")
        known = getattr(type(self), name, None)
        if isinstance(known, property):
            return known.__get__(self)      # it is not there yet, and says so itself
        why = f"; {self.gone[name]}" if name in self.gone else ""
        if not why and not self.__dict__.get("built", True) and not name.startswith("_"):
            why = "; its weights are made when it sees an input: call it, or build((None, 4))"
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{why}", name=name, obj=self)

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        named = shapes.for_method(self, self.build, args, kwargs)
        if named is None:
            self._build(shapes.of(args[0]))
        else:
            self._build(**named)

    def _build(self, *given: Any, **named: Any) -> None:
        with layer_scope(self.name), not_recording():
            self.build(*given, **named)
        self.built, self._build_shape = True, shapes.kept(given, named)

    def compute_output_shape(self, *input_shapes: Any, **named: Any) -> Any:
        """The output shape for input shapes (batch axis None), in the order of call's arguments or by their names with
        _shape, from the ops' shape rules."""
        if type(self).call is Layer.call:
            raise NotImplementedError(f"{type(self).__name__} must define call(self, inputs), or compute_output_shape.")
        first = named.pop("input_shape", None)      # Keras' name for it, whatever call's is
        where, dtype = f"{self.name}: compute_output_shape()", "string" if self.reads_text else ""
        inputs = [shapes.symbols(each, where, dtype) for each in (*input_shapes, *[first] * (first is not None))]
        more = {name.removesuffix("_shape"): shapes.symbols(each, where) for name, each in named.items()}
        return shapes.of(self(*inputs, **more))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs for symbolic inputs, from compute_output_shape where a class writes that. A layer whose
        call needs numbers writes one of the two."""
        if type(self).compute_output_shape is Layer.compute_output_shape:
            return self(*args, **kwargs)
        found = shapes.for_method(self, self.compute_output_shape, args, kwargs)
        given = self.compute_output_shape(shapes.of(args[0])) if found is None else self.compute_output_shape(**found)
        return shapes.symbols(given, f"{self.name}: its compute_output_shape()")

    @property
    def input(self) -> Any:
        """What the layer was called on first in a model: symbolic tensors. AttributeError before that."""
        args = self._used("input").args
        return args[0] if len(args) == 1 else list(args)

    @property
    def output(self) -> Any:
        """What it made of that. `Model(model.inputs, model.get_layer(name).output)` ends there."""
        return self._used("output").outputs

    def _used(self, what: str) -> Any:
        if self._first_use is None:
            raise AttributeError(f"{self.name}: has no {what} yet; needs to be in a model with an Input, or called on "
                                 "one.")
        return self._first_use

    def __repr__(self) -> str:
        """<Dense dense: units=16, activation='relu', output (None, 16)>"""
        shape = self.__dict__.get("output_shape")
        about = ", ".join(part for part in (brief(self, hidden="name"), f"output {shape}" if shape else "") if part)
        return f"<{type(self).__name__} {self.__dict__.get('name')}{': ' * bool(about)}{about}>"


def _summed(penalty: Tensor) -> Tensor:
    return penalty if not penalty.ndim else reduce.sum(penalty, axes=tuple(range(penalty.ndim)))


def _penalty(weight: Variable) -> Tensor:
    note(weight.regularizer)
    return weight.regularizer(weight)  # type: ignore[no-any-return]


def _input_shape(kwargs: dict[str, Any], kind: str) -> tuple[int | None, ...] | None:
    """The shape of a sample among a layer's arguments, under one of the names that Keras has had for it."""
    found = kwargs.pop("input_shape", None)
    if "input_dim" in kwargs:
        found = (whole(kwargs.pop("input_dim"), f"{kind}: input_dim"),)
    if "batch_input_shape" in kwargs:
        found = shape(kwargs.pop("batch_input_shape"), f"{kind}: batch_input_shape")[1:]
    return None if found is None else shape(found, f"{kind}: input_shape")
