"""Activation functions by their Keras names: functions of a tensor or array that return a Tensor. Floor 3; imports ops.

They are the functions of `fastnn.ops`, but for those that have other arguments, defaults or errors here.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from fastnn.arguments import flag, number, whole
from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, nearest, shown
from fastnn.ops import nn
from fastnn.ops._activation import (
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh,
    tanh_shrink,
    threshold,
)
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import activation as rows
from fastnn.ops.rows import elementwise
from fastnn.registration import custom_object_scope, get_registered_object
from fastnn.serialization import object_of, plain

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid",
    "sparsemax", "squareplus", "step", "swish", "tanh", "tanh_shrink", "threshold",
]


def step(x: TensorLike) -> Tensor:
    """y = 1 where x >= 0, else 0 (guide chapters 1 and 2). It has no gradient: training through it is an error."""
    return rows.step(x)


def linear(x: TensorLike) -> Tensor:
    """y = x."""
    return as_tensor(x)


_ZERO = 0.0


def relu(x: TensorLike, negative_slope: float = _ZERO, max_value: float | None = None,
         threshold: float = _ZERO) -> Tensor:
    """y = min(x, max_value) where x > threshold, else negative_slope·(x - threshold). Plain max(x, 0) unless told.

    Raises TypeError for a setting that is not a number and ValueError for NaN or a max_value below 0. Source: Keras.
    """
    if negative_slope is _ZERO and max_value is None and threshold is _ZERO:      # as nearly always
        return rows.relu(x)
    slope, threshold = number(negative_slope, "relu: negative_slope"), number(threshold, "relu: threshold")
    if max_value is None and threshold == 0:
        return rows.leaky_relu(x, slope=slope) if slope else rows.relu(x)
    maximum = math.inf if max_value is None else number(max_value, "relu: max_value", 0)
    if maximum == 6 and slope == threshold == 0:
        return rows.relu6(x)
    return rows.clipped_relu(x, slope=slope, threshold=threshold, maximum=maximum)


def gelu(x: TensorLike, approximate: bool = False) -> Tensor:
    """y = x·Φ(x), Φ the normal distribution function; `approximate`: by tanh. Hendrycks and Gimpel 2016."""
    return rows.gelu_tanh(x) if flag(approximate, "gelu: approximate") else rows.gelu(x)


def exponential(x: TensorLike) -> Tensor:
    """y = e^x."""
    return elementwise.exp(x)


def softmax(x: TensorLike, axis: Axes = -1) -> Tensor:
    """y_i = e^x_i / Σ_j e^x_j along `axis`, or several together: positive, sum 1. Raises ShapeError for an axis that x
    does not have."""
    return nn.softmax(_with_axes("softmax", x, axis), axis)


def log_softmax(x: TensorLike, axis: Axes = -1) -> Tensor:
    """y_i = x_i - log Σ_j e^x_j along `axis`, or several together. Raises ShapeError for an axis that x does not
    have."""
    return nn.log_softmax(_with_axes("log_softmax", x, axis), axis)


def get(identifier: object) -> Callable[..., Any]:
    """The activation of a name, a function, a dict of `serialize` or None (linear).

    Raises ValueError with the nearest name, or TypeError.
    """
    if isinstance(identifier, dict):
        identifier = object_of(identifier)
    if identifier is None:
        return linear
    if callable(identifier):
        return identifier  # type: ignore[no-any-return]
    if not isinstance(identifier, str):
        raise KindError(f"Activation: got {shown(identifier)}; needs a name, a function or None.")
    own = get_registered_object(identifier) or get_registered_object(f"Custom>{identifier}")
    if identifier not in FUNCTIONS and own is None:
        raise ValueError(f"Activation: got {shown(identifier)}; {nearest(identifier, FUNCTIONS)}")
    return FUNCTIONS.get(identifier, own)  # type: ignore[arg-type, return-value]


def serialize(activation: Callable[..., Any]) -> Any:
    """The name, or for a registered function the dict, of which `deserialize` makes it again.

    Raises ValueError for a function of your own that is not registered.
    """
    return plain(activation, "Activation", by_name=True)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """The function of what `serialize` gave. custom_objects: functions of your own, by name."""
    with custom_object_scope(custom_objects or {}):
        return get(config)


def _with_axes(name: str, x: TensorLike, axis: Axes) -> Tensor:
    """x as a tensor, checked to have the axis or axes."""
    x = as_tensor(x)
    for each in axis if isinstance(axis, (tuple, list)) else () if axis is None else (axis,):
        if not -x.ndim <= whole(each, f"{name}: axis", None) < x.ndim:
            raise ShapeError(f"{name}: x has shape {x.shape} and axis is {axis}; needs one of its {x.ndim} axes; "
                             "a single row needs no batch axis but one axis at least.")
    return x


FUNCTIONS: dict[str, Callable[..., Tensor]] = {name: globals()[name] for name in __all__
                                               if name not in ("deserialize", "get", "serialize")}
