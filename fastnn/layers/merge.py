"""Layers that merge a list of tensors. Floor 3."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, ClassVar, Unpack

import numpy as np

from fastnn.arguments import whole
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, shown
from fastnn.layers._masks import as_mask
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer
from fastnn.ops import ones_like
from fastnn.ops._op import Shape
from fastnn.ops.rows import compare, data, elementwise
from fastnn.ops.rows.reduce import expand
from fastnn.ops.rows.stacking import concatenate as concatenate_row

__all__ = [
    "Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract", "add", "average", "concatenate",
    "maximum", "minimum", "multiply", "subtract",
]


class _Merge(Layer):
    """Combines its inputs from left to right with one op. Axes of length 1 are repeated to fit the others; an input
    with fewer axes gets more of length 1 after the batch."""
    supports_masking = stepwise = True
    op: ClassVar[Callable[..., Any]]
    exactly: ClassVar[int | None] = None

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Combine a list of at least two tensors whose shapes fit."""
        return self._merged(self._alike(inputs))

    def _merged(self, inputs: Sequence[Tensor]) -> Tensor:
        return reduce(type(self).op, inputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """A step counts where it counts in one of the inputs; None where one of them has no mask."""
        masks = _masks_of(self, inputs, previous_mask)
        known = [m for m in masks if m is not None]
        return None if len(known) < len(masks) else _either(known)

    def _alike(self, inputs: Any) -> list[Tensor]:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2 or self.exactly not in (None, len(inputs)):
            got = len(inputs) if isinstance(inputs, (list, tuple)) else 1
            raise ValueError(f"{self.name}: got {got} input(s); "
                             f"needs a list of {self.exactly or 'at least 2'} tensors.")
        rank = max(t.ndim for t in inputs)
        shapes = [(*t.shape[:1], *[1] * (rank - t.ndim), *t.shape[1:]) for t in inputs]
        common = [max((n for n in sizes if n not in (None, 1)), default=None if None in sizes else 1)
                  for sizes in zip(*shapes)]
        if any(n not in (None, 1 if axis else common[axis], common[axis])
               for shape in shapes for axis, n in enumerate(shape)):
            raise ShapeError(f"{self.name}: got inputs of shapes {[t.shape for t in inputs]}; they must be equal, but "
                             "for axes of length 1 after the batch, which are repeated.")
        return [_repeated(t, shape, tuple(common)) for t, shape in zip(inputs, shapes)]


def _repeated(x: Tensor, shape: Shape, common: Shape) -> Tensor:
    """x, seen as this shape, with its axes of length 1 as long as those of the common one."""
    axes = tuple(axis for axis, (n, m) in enumerate(zip(shape, common)) if axis and n == 1 != m)
    if not axes and tuple(x.shape) == shape:
        return x
    y = data.reshape(x, shape=tuple(-1 if n is None else n for i, n in enumerate(shape) if i not in axes))
    return expand(y, shape=(shape[0], *common[1:]), axes=axes) if axes else y


class Add(_Merge):
    """a + b + …"""
    op = elementwise.add


class Subtract(_Merge):
    """a - b, of exactly two."""
    op = elementwise.subtract
    exactly = 2


class Multiply(_Merge):
    """a · b · …, a masked step being 1, or 0 where it is masked in all of them (as Keras)."""
    op = elementwise.multiply

    def _merged(self, inputs: Sequence[Tensor]) -> Tensor:
        masks = [_spread(t) for t in inputs]
        kept = [t if m is None else compare.where(m, t, _filled(t, 1.0)) for t, m in zip(inputs, masks)]
        y = super()._merged(kept)
        given = [m for m in masks if m is not None]
        if len(given) < len(masks):
            return y
        return compare.where(reduce(elementwise.maximum, given), y, _filled(y, 0.0))


class _Choice(_Merge):
    """Of each number one input's; a masked step is not chosen while another input has one that counts (as Keras)."""

    def _merged(self, inputs: Sequence[Tensor]) -> Tensor:
        y, mask = inputs[0], _spread(inputs[0])
        for x in inputs[1:]:
            theirs = _spread(x)
            if theirs is not None:
                x = compare.where(theirs, x, y)
            if mask is not None:
                y = compare.where(mask, y, x)
            mask = None if mask is None or theirs is None else elementwise.maximum(mask, theirs)
            y = type(self).op(y, x)
        return y


class Maximum(_Choice):
    """The elementwise maximum."""
    op = elementwise.maximum


class Minimum(_Choice):
    """The elementwise minimum."""
    op = elementwise.minimum


class Average(_Merge):
    """(a + b + …) / count."""
    op = elementwise.add

    def _merged(self, inputs: Sequence[Tensor]) -> Tensor:
        return elementwise.scale(super()._merged(inputs), factor=1.0 / len(inputs))


class Concatenate(Layer):
    """Joins tensors along one axis; all other axes must agree."""
    supports_masking = True

    def __init__(self, axis: int = -1, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.axis = whole(axis, "Concatenate: axis", None)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Join from left to right."""
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise ValueError(f"{self.name}: got {shown(inputs)}; needs a list of tensors: "
                             f"{type(self).__name__}()([a, b]).")
        rank = inputs[0].ndim
        axis = self.axis + rank if self.axis < 0 else self.axis
        for t in inputs:
            others = [i for i in range(rank) if i != axis]
            if not 0 < axis < rank or t.ndim != rank or any(t.shape[i] != inputs[0].shape[i] for i in others):
                raise ShapeError(f"{self.name}: got inputs of shapes {[t.shape for t in inputs]}; needs all "
                                 f"axes but axis {self.axis} equal, and no axis 0.")
        return concatenate_row(*inputs, axis=axis)

    def goes_stepwise(self, call: dict[str, Any]) -> bool:
        """Along the last axis."""
        return self.axis == -1

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Joined along an axis that masks have; else a step counts where it counts in one of the inputs, and an input
        without a mask counts everywhere."""
        given = _masks_of(self, inputs, previous_mask)
        if all(m is None for m in given):
            return None
        masks = [_ones(x) if m is None else m for x, m in zip(inputs, given)]
        axis = self.axis % inputs[0].ndim
        return concatenate_row(*masks, axis=axis) if axis < masks[0].ndim else _either(masks)


def _masks_of(layer: Layer, inputs: Any, masks: Any) -> list[Tensor | None]:
    """One mask, or None, for each input. ValueError for anything else."""
    if masks is None and isinstance(inputs, (list, tuple)):
        return [None] * len(inputs)
    if not all(isinstance(each, (list, tuple)) for each in (inputs, masks)) or len(inputs) != len(masks):
        raise KindError(f"{layer.name}: compute_mask got the mask {shown(masks)}; needs a list of inputs and one of "
                        "their masks, as long.")
    return [None if m is None else as_mask(m, layer.name) for m in masks]


def _spread(x: Tensor) -> Tensor | None:
    """x's mask as floats of x's shape."""
    if x.mask is None:
        return None
    mask = elementwise.cast(x.mask, dtype=x.dtype)
    return expand(mask, shape=x.shape, axes=tuple(range(mask.ndim, x.ndim)))


def _filled(x: Tensor, value: float) -> Tensor:
    """An array like x, of one number."""
    return elementwise.add_constant(elementwise.scale(x, factor=0.0), value=value)


def _ones(x: Tensor) -> Tensor:
    """A mask in which every step of x counts."""
    if x.symbolic:
        return ones_like(x[..., 0], dtype="bool")       # an op of x, so that the mask may be an output of a model
    return Tensor(np.ones(x.shape[:-1], bool), "ones", constant=True)


def _either(masks: Sequence[Tensor]) -> Tensor:
    """1 where one of the masks, all of one shape, is."""
    return elementwise.cast(reduce(elementwise.maximum, masks), dtype="bool")


def _function(layer: type[Layer]) -> Callable[..., Any]:
    return lambda inputs, **kwargs: layer(**kwargs)(inputs)


add, subtract, multiply, average = _function(Add), _function(Subtract), _function(Multiply), _function(Average)
maximum, minimum, concatenate = _function(Maximum), _function(Minimum), _function(Concatenate)
