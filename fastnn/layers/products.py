"""Layers that are products summed over axes of choice: EinsumDense, Dot. Floor 3."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Unpack

import numpy as np

from fastnn import activations, constraints, initializers, ops, regularizers
from fastnn.arguments import flag, is_sequence, shape, whole
from fastnn.engine.kinds import ActivationLike, ConstraintLike, Dims, InitializerLike, RegularizerLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.layers._options import CommonOptions, LayerOptions
from fastnn.layers.layer import Layer

__all__ = ["Dot", "EinsumDense", "dot"]

_FORM = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


def spread_by(initializer: Any, inputs: int, order: Sequence[int] | None = None) -> Callable[..., np.ndarray]:
    """An initializer of kernels that are no matrices: a VarianceScaling counts as inputs the first so many axes, as
    outputs the others. order: the kernel's axes, those of its inputs first, where they lie otherwise."""
    if not isinstance(initializer, initializers.VarianceScaling):
        return initializer  # type: ignore[no-any-return]

    def drawn(sides: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        axes = list(range(len(sides))) if order is None else list(order)
        turned = [sides[axis] for axis in axes]
        values = initializer((math.prod(turned[:inputs]), math.prod(turned[inputs:])), dtype)
        return np.ascontiguousarray(np.transpose(np.reshape(np.asarray(values), turned), np.argsort(axes)))
    return drawn


class EinsumDense(Layer):
    """y = activation(einsum(equation, x, W) + b), such as "abc,cd->abd", which is Dense.

    equation: labels of x, of W → of y; "…" for further axes of x, at its front or end. output_shape: of y without the
    batch (and without what "…" stands for); None for an axis as long as x's. bias_axes: the labels of y that b has, or
    None for no b. keras.layers.EinsumDense.

    >>> EinsumDense("abc,cde->abde", (None, 2, 4))(np.ones((1, 3, 8), "float32")).shape
    (1, 3, 2, 4)
    """
    def __init__(self, equation: str, output_shape: Any, activation: ActivationLike = None,
                 bias_axes: str | None = None, kernel_initializer: InitializerLike = "glorot_uniform",
                 bias_initializer: InitializerLike = "zeros", kernel_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, activity_regularizer: RegularizerLike = None,
                 kernel_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None,
                 **kwargs: Unpack[CommonOptions]) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        found = _FORM.fullmatch(equation.replace(" ", "")) if isinstance(equation, str) else None
        if found is None or (found[1], found[3]) != (found[5], found[7]) or (found[1] and found[3]):
            raise ValueError(f"EinsumDense: equation is {shown(equation)}; needs a text such as 'abc,cd->abd', "
                             "'...b,bc->...c' or 'ab...,bc->ac...'.")
        self.equation, self._front = equation, bool(found[1])
        self._labels = x, w, y = found[2], found[4], found[6]
        lost = [c for c in w if c not in x + y] + [c for c in y if c not in x + w]
        if lost:
            raise ValueError(f"EinsumDense: equation is {shown(equation)}, {lost[0]!r} in one operand only; needs it "
                             "in two.\nThe kernel's labels are in the input or the output, those of the output in one "
                             "of the others.")
        self._partial = shape(output_shape, "EinsumDense: output_shape")
        if bias_axes is not None and (not isinstance(bias_axes, str) or any(c not in y for c in bias_axes)):
            raise ValueError(f"EinsumDense: bias_axes is {shown(bias_axes)}; needs labels of the output, {y!r}.")
        self.bias_axes, self.activation = bias_axes, activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def _argument(self, name: str) -> Any:
        return self._partial if name == "output_shape" else super()._argument(name)

    def _sizes(self, input_shape: Dims) -> tuple[dict[str, int | None], Dims, int]:
        """(the length of each label, that of the axes "…" stands for, where those begin in y)."""
        x, _, y = self._labels
        more = len(input_shape) - len(x)
        if more < 0 or (more and "..." not in self.equation) or (self._front and more < 1):
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(input_shape)}; needs axes {self.equation}.")
        first = more if self._front else 0
        sizes = dict(zip(x, input_shape[first:first + len(x)]))
        # what output_shape says is y without its batch, which is its first axis, or the first that "…" stands for
        given = self._partial if self._front else (sizes.get(y[0]), *self._partial)
        if len(given) != len(y):
            raise ShapeError(f"{self.name}: output_shape is {self._partial}; needs {len(y) - (not self._front)} axes, "
                             f"as {self.equation} has without the batch.")
        for label, size in zip(y, given):
            known = sizes.get(label)
            if None not in (known, size) and known != size:
                raise ShapeError(f"{self.name}: got inputs of shape {tuple(input_shape)}, so that axis {label!r} is "
                                 f"{known} long; output_shape says {size}.")
            sizes[label] = size if known is None else known
        return sizes, tuple(input_shape[:more] if self._front else input_shape[len(x):]), 0 if self._front else len(y)

    def build(self, input_shape: Dims) -> None:
        """Make the kernel and the bias."""
        _, w, y = self._labels
        sizes, rest, place = self._sizes(input_shape)
        unknown = [c for c in w if sizes.get(c) is None]
        if unknown:
            raise ShapeError(f"{self.name}: axis {unknown[0]!r} of the kernel of {self.equation} is not known; give it "
                             "in the input shape or in output_shape.")
        order = sorted(range(len(w)), key=lambda i: w[i] in y)
        self.kernel = self.add_weight(
            tuple(sizes[c] for c in w), spread_by(self.kernel_initializer, sum(c not in y for c in w), order),  # type: ignore[misc]
            name="kernel", regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.bias: Any = None
        if self.bias_axes:
            lengths = [sizes[c] if c in self.bias_axes else 1 for c in y]
            first = min(y.index(c) for c in self.bias_axes)
            after = [1] * (len(rest) if place else 0)       # y's axes behind its labels, along which b is repeated
            self.bias = self.add_weight((*lengths[first:], *after), self.bias_initializer, name="bias",  # type: ignore[arg-type]
                                        regularizer=self.bias_regularizer, constraint=self.bias_constraint)

    def call(self, inputs: Tensor) -> Tensor:
        """activation(einsum + b)."""
        y = ops.einsum(self.equation, inputs, self.kernel)
        return self.activation(y if self.bias is None else ops.add(y, self.bias))


class Dot(Layer):
    """Σ over one axis of a and one of b, row by row: a (batch, …, n, …), b (batch, …, n, …) → (batch, a's other axes,
    b's other axes), or (batch, 1) where none is left.

    axes: of both, or a pair; not 0, the batch. normalize: divide both by their length along it first, so that the
    result is a cosine. Called on [a, b]. keras.layers.Dot.
    """
    supports_masking = True

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        if is_sequence(axes) and len(axes) != 2:  # type: ignore[arg-type]
            raise ValueError(f"Dot: axes is {shown(axes)}; needs a whole number, or two.")
        pair = axes if is_sequence(axes) else (axes, axes)
        self._axes = tuple(whole(axis, "Dot: axes", None) for axis in pair)  # type: ignore[union-attr]
        self.axes, self.normalize = axes, flag(normalize, "Dot: normalize")

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """The products, summed. ShapeError where the axes are not of one length."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            raise ValueError(f"{self.name}: got {shown(inputs)}; needs a list of 2 tensors.")
        places = [axis + t.ndim if axis < 0 else axis for axis, t in zip(self._axes, inputs)]
        if any(not 0 < place < t.ndim for place, t in zip(places, inputs)) or (
                inputs[0].shape[places[0]] != inputs[1].shape[places[1]]):
            raise ShapeError(f"{self.name}: got inputs of shapes {[t.shape for t in inputs]} and axes is {self.axes}; "
                             "needs axes of one length, neither of them 0, the batch.")
        kept = [ops.normalize(t, axis=place) if self.normalize else t for t, place in zip(inputs, places)]
        labels = [["z", *(chr(first + i) for i in range(1, t.ndim))] for t, first in zip(kept, (ord("a"), ord("A")))]
        labels[1][places[1]] = summed = labels[0][places[0]]
        left = [c for c in (*labels[0], *labels[1][1:]) if c != summed]
        y = ops.einsum(f"{''.join(labels[0])},{''.join(labels[1])}->{''.join(left)}", *kept)
        return y if y.ndim > 1 else ops.expand_dims(y, 1)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: what the masks were about is summed."""
        return None


def dot(inputs: Any, axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """Dot(axes)(inputs)."""
    return Dot(axes, **kwargs)(inputs)
