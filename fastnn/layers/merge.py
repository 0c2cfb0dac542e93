"""Layers that merge a list of tensors of one shape. Floor 3."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, ClassVar

from fastnn.arguments import whole
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.layers.layer import Layer
from fastnn.ops.rows import elementwise
from fastnn.ops.rows.stacking import concatenate as concatenate_row


class _Merge(Layer):
    """Combines its inputs from left to right with one op."""
    op: ClassVar[Callable[..., Any]]
    exactly: ClassVar[int | None] = None

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Combine a list of at least two tensors of one shape."""
        self._check(inputs)
        return reduce(type(self).op, inputs)

    def _check(self, inputs: Any) -> None:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2 or self.exactly not in (None, len(inputs)):
            got = len(inputs) if isinstance(inputs, (list, tuple)) else 1
            raise ValueError(f"{self.name}: got {got} input(s); "
                             f"needs a list of {self.exactly or 'at least 2'} tensors.")
        shapes = [t.shape[1:] for t in inputs]
        if any(s != shapes[0] for s in shapes):
            raise ShapeError(f"{self.name}: got inputs of shapes {[t.shape for t in inputs]}; they must be equal.")


class Add(_Merge):
    """a + b + …"""
    op = elementwise.add


class Subtract(_Merge):
    """a - b, of exactly two."""
    op = elementwise.subtract
    exactly = 2


class Multiply(_Merge):
    """a · b · …"""
    op = elementwise.multiply


class Maximum(_Merge):
    """The elementwise maximum."""
    op = elementwise.maximum


class Minimum(_Merge):
    """The elementwise minimum."""
    op = elementwise.minimum


class Average(_Merge):
    """(a + b + …) / count."""
    op = elementwise.add

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """The elementwise mean."""
        return elementwise.scale(super().call(inputs), factor=1.0 / len(inputs))


class Concatenate(Layer):
    """Joins tensors along one axis; all other axes must agree."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = whole(axis, "Concatenate: axis", None)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Join from left to right."""
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise ValueError(f"{self.name}: got {shown(inputs)}; needs a list of tensors.")
        rank = inputs[0].ndim
        axis = self.axis + rank if self.axis < 0 else self.axis
        for t in inputs:
            others = [i for i in range(rank) if i != axis]
            if not 0 < axis < rank or t.ndim != rank or any(t.shape[i] != inputs[0].shape[i] for i in others):
                raise ShapeError(f"{self.name}: got inputs of shapes {[t.shape for t in inputs]}; needs all "
                                 f"axes but axis {self.axis} equal, and no axis 0.")
        return concatenate_row(*inputs, axis=axis)


def _function(layer: type[Layer]) -> Callable[..., Any]:
    return lambda inputs, **kwargs: layer(**kwargs)(inputs)


add, subtract, multiply, average = _function(Add), _function(Subtract), _function(Multiply), _function(Average)
maximum, minimum, concatenate = _function(Maximum), _function(Minimum), _function(Concatenate)
