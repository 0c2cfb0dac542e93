"""Constraints on weights: functions that move a weight back into a set after each step. Floor 3; imports ops.

`axis` names the axes over which a norm is taken: 0 for a Dense kernel (in, units) constrains each unit's weights.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastnn.arguments import axes, is_sequence, number
from fastnn.configuration import Configurable
from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import Watched
from fastnn.errors import ShapeError, shown
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import elementwise, reduce
from fastnn.ops.rows.activation import relu
from fastnn.registration import custom_object_scope
from fastnn.serialization import identified, serialize_keras_object, snake_names

EPSILON = 1e-7


class Constraint(Configurable, Watched):
    """Base: `__call__(w)` gives the allowed weight as a Tensor of w's shape, made with fastnn.ops."""

    def __call__(self, w: TensorLike) -> Tensor:
        """The nearest allowed weight: w, unless a subclass says otherwise."""
        return as_tensor(w)


class NonNeg(Constraint):
    """w = max(w, 0)."""

    def __call__(self, w: TensorLike) -> Tensor:
        """max(w, 0)."""
        return relu(w)


class MaxNorm(Constraint):
    """w = w·min(‖w‖, max_value)/(‖w‖ + 1e-7), norms over `axis`. Srivastava et al. 2014, section 5.1."""

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value, self.axis = number(max_value, "MaxNorm: max_value", 0), _checked(axis, "MaxNorm")

    def __call__(self, w: TensorLike) -> Tensor:
        """w, its norms cut to max_value."""
        w = as_tensor(w)
        axes = _axes("MaxNorm", w, self.axis)
        norms = reduce.length(w, axes=axes)
        return _rescaled(w, elementwise.clip(norms, low=0.0, high=self.max_value), norms, axes)


class UnitNorm(Constraint):
    """w = w/(‖w‖ + 1e-7), norms over `axis`."""

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = _checked(axis, "UnitNorm")

    def __call__(self, w: TensorLike) -> Tensor:
        """w, its norms 1."""
        w = as_tensor(w)
        axes = _axes("UnitNorm", w, self.axis)
        divisor = elementwise.add_constant(reduce.length(w, axes=axes), value=EPSILON)
        return elementwise.divide(w, reduce.expand(divisor, shape=w.shape, axes=axes))


class MinMaxNorm(Constraint):
    """w = w·d/(‖w‖ + 1e-7), d = rate·(‖w‖ kept within [min_value, max_value]) + (1 - rate)·‖w‖, norms over `axis`."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0,
                 axis: int | Sequence[int] = 0) -> None:
        self.max_value = number(max_value, "MinMaxNorm: max_value", 0)
        self.min_value = number(min_value, "MinMaxNorm: min_value", 0, self.max_value)
        self.rate, self.axis = number(rate, "MinMaxNorm: rate", 0, 1), _checked(axis, "MinMaxNorm")

    def __call__(self, w: TensorLike) -> Tensor:
        """w, its norms moved towards [min_value, max_value]."""
        w = as_tensor(w)
        axes = _axes("MinMaxNorm", w, self.axis)
        norms = reduce.length(w, axes=axes)
        wanted = elementwise.add(
            elementwise.scale(elementwise.clip(norms, low=self.min_value, high=self.max_value), factor=self.rate),
            elementwise.scale(norms, factor=1 - self.rate))
        return _rescaled(w, wanted, norms, axes)


max_norm = MaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
min_max_norm = MinMaxNorm

CLASSES = snake_names(MaxNorm, NonNeg, UnitNorm, MinMaxNorm)


def get(identifier: object) -> Any:
    """The constraint of a name, class, object, function or config dict; None for None. ValueError: nearest name."""
    return identified("Constraint", identifier, CLASSES)


def serialize(constraint: object) -> Any:
    """A constraint as plain data, from which `deserialize` makes it again."""
    return serialize_keras_object(constraint)


def deserialize(config: object, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint of a name or of what `serialize` gave. custom_objects: your own, by name."""
    with custom_object_scope(custom_objects or {}):
        return get(config)


def _checked(axis: Axes, where: str) -> int | list[int]:
    found = axes(axis, f"{where}: axis")
    return list(found) if is_sequence(axis) else found[0]


def _axes(where: str, w: Tensor, axis: int | list[int]) -> tuple[int, ...]:
    wanted = axis if isinstance(axis, list) else [axis]
    if any(not -w.ndim <= a < w.ndim for a in wanted):
        raise ShapeError(f"{where}: axis is {shown(axis)} and the weight has shape {w.shape}; needs axes from "
                         f"{-w.ndim} to {w.ndim - 1}.")
    return tuple(sorted({a % w.ndim for a in wanted}))


def _rescaled(w: Tensor, wanted: Tensor, norms: Tensor, axes: tuple[int, ...]) -> Tensor:
    factors = elementwise.divide(wanted, elementwise.add_constant(norms, value=EPSILON))
    return elementwise.multiply(w, reduce.expand(factors, shape=w.shape, axes=axes))
