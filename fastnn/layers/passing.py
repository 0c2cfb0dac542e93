"""Layers around functions and penalties: Identity, Lambda, ActivityRegularization. Floor 3."""

import inspect
from collections.abc import Callable
from typing import Any, Unpack

import numpy as np

from fastnn import activations, regularizers
from fastnn.arguments import function as checked_function
from fastnn.arguments import number, shape
from fastnn.errors import KindError, shown
from fastnn.layers._input_shapes import tuples
from fastnn.layers._options import CommonOptions, LayerOptions
from fastnn.layers.layer import Layer

__all__ = ["ActivityRegularization", "Identity", "Lambda"]


class Identity(Layer):
    """y = x, for a place where a layer may stand. keras.layers.Identity.

    >>> Identity()(np.ones((2, 3))).shape
    (2, 3)
    """
    supports_masking = stepwise = True

    def call(self, inputs: Any) -> Any:
        """What it got."""
        return inputs


class Lambda(Layer):
    """y = function(x), a function written with fastnn.ops. Weights that it uses are not its own: write a Layer then.

    arguments: more of them, by name. mask, training: passed on where the function has such parameters. output_shape: of
    a sample, or a function of the input's shape, where the function needs numbers. mask: of the output, or a function
    of inputs and their mask. A file keeps only a function that has a name fastnn knows (register_keras_serializable).
    keras.layers.Lambda. TypeError for what is no function.

    >>> Lambda(lambda x: x * 2)(np.ones((1, 2))).numpy()
    array([[2., 2.]], dtype=float32)
    """

    def __init__(self, function: Callable[..., Any], output_shape: Any = None, mask: Any = None,
                 arguments: dict[str, Any] | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.function = activations.get(function) if isinstance(function, str) else checked_function(
            function, "Lambda: function")
        if arguments is not None and not isinstance(arguments, dict):
            raise KindError(f"Lambda: arguments is {shown(arguments)}; needs a dict of arguments by name.")
        if not (mask is None or callable(mask) or getattr(mask, "dtype", None) in (np.bool_, "bool")):
            raise KindError(f"Lambda: mask is {shown(mask)}; needs a function of inputs and mask, or bools.")
        self.output_shape_of = output_shape if output_shape is None or callable(output_shape) else shape(
            output_shape, "Lambda: output_shape")
        self.mask, self.supports_masking = mask, mask is not None
        self.arguments: dict[str, Any] = {} if arguments is None else {**arguments}
        self._asked = {name for name in ("mask", "training") if name in _parameters(self.function)}

    def _argument(self, name: str) -> Any:
        return self.output_shape_of if name == "output_shape" else super()._argument(name)

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        """function(inputs)."""
        given: dict[str, Any] = {"mask": mask, "training": training}
        more: dict[str, Any] = {name: given[name] for name in self._asked}
        return self.function(inputs, **self.arguments, **more)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As output_shape says, or what the function makes of symbols."""
        if self.output_shape_of is None:
            return super().compute_output_shape(input_shape)
        if callable(self.output_shape_of):
            return self.output_shape_of(input_shape)
        return (tuples(input_shape, self.name)[0], *self.output_shape_of)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs, where output_shape was given."""
        if self.output_shape_of is None:
            return self.call(*args, **kwargs)
        return super().compute_output_spec(args[0])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask that was given, or what its function gives."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask


def _parameters(function: Any) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except ValueError:      # one of Python's own, which say nothing of themselves
        return ()


class ActivityRegularization(Layer):
    """y = x; l1·Σ|x| + l2·Σx², for each sample, is added to the loss. keras.layers.ActivityRegularization.

    >>> layer = ActivityRegularization(l2=0.1); y = layer(np.ones((2, 3))); float(layer.losses[0])
    0.30000001192092896
    """
    supports_masking = stepwise = True
    filled_in = frozenset({"activity_regularizer"})

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Unpack[CommonOptions]) -> None:
        self.l1, self.l2 = number(l1, "ActivityRegularization: l1", 0), number(l2, "ActivityRegularization: l2", 0)
        super().__init__(activity_regularizer=regularizers.L1L2(self.l1, self.l2), **kwargs)

    def call(self, inputs: Any) -> Any:
        """What it got."""
        return inputs
