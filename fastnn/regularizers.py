"""Penalties on weights: functions of a tensor that give a number to add to the loss. Floor 3; imports ops.

λ·Σ|w| and λ·Σw², as Keras: without a half, and not divided by the number of samples.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnn.arguments import choice, number
from fastnn.configuration import Configurable, arguments_of, brief_value
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import Watched
from fastnn.errors import ShapeError
from fastnn.ops._nn import normalize
from fastnn.ops._op import as_tensor
from fastnn.ops._products import matmul
from fastnn.ops.rows import data, elementwise, reduce
from fastnn.registration import custom_object_scope
from fastnn.serialization import identified, serialize_keras_object


class Regularizer(Configurable, Watched):
    """Base: `__call__(x)` gives a 0-d Tensor, made with fastnn.ops; `get_config()` the constructor's arguments."""

    def __call__(self, x: TensorLike) -> Tensor:
        """The penalty on x."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, x).")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={brief_value(v)}' for k, v in arguments_of(self).items())})"


class L1L2(Regularizer):
    """penalty = l1·Σ|x| + l2·Σx². Both 0 unless given. Raises TypeError/ValueError for what is no number >= 0."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = number(l1, "L1L2: l1", 0), number(l2, "L1L2: l2", 0)

    def __call__(self, x: TensorLike) -> Tensor:
        """l1·Σ|x| + l2·Σx²."""
        if not self.l1:
            return _l2(x, self.l2)
        return elementwise.add(_l1(x, self.l1), _l2(x, self.l2)) if self.l2 else _l1(x, self.l1)


class L1(Regularizer):
    """penalty = l1·Σ|x|, l1 = 0.01 unless given. Drives weights to 0."""

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = number(l1, "L1: l1", 0)

    def __call__(self, x: TensorLike) -> Tensor:
        """l1·Σ|x|."""
        return _l1(x, self.l1)


class L2(Regularizer):
    """penalty = l2·Σx², l2 = 0.01 unless given. Keeps weights small; its gradient is 2·l2·x."""

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = number(l2, "L2: l2", 0)

    def __call__(self, x: TensorLike) -> Tensor:
        """l2·Σx²."""
        return _l2(x, self.l2)


class OrthogonalRegularizer(Regularizer):
    """penalty = factor·the mean of |cos| of the angles between rows of x (or columns): 0 where all are at right angles.

    x has two axes. mode: 'rows' or 'columns'; factor 0.01 unless given. Source: keras.regularizers, which divides by
    the number of pairs too, and gives NaN for one row, here 0.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = number(factor, "OrthogonalRegularizer: factor", 0)
        self.mode = choice(mode, "OrthogonalRegularizer: mode", ("rows", "columns"))

    def __call__(self, x: TensorLike) -> Tensor:
        """factor·Σ|cos(xᵢ, xⱼ)|/pairs over i < j."""
        x = as_tensor(x)
        if x.ndim != 2:
            raise ShapeError(f"OrthogonalRegularizer: got shape {x.shape}; needs two axes, rows and columns.")
        rows = normalize(x if self.mode == "rows" else data.transpose(x, axes=(1, 0)))
        count: Any = rows.shape[0]
        others = Tensor(1 - np.eye(count, dtype=x.dtype), "others", constant=True)
        products = elementwise.multiply(matmul(rows, data.transpose(rows, axes=(1, 0))), others)
        return _l1(products, self.factor / max(count * (count - 1), 1))


l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

CLASSES: dict[str, type] = {"L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "l1_l2": L1L2,
                            "l1l2": L1L2,
                            "OrthogonalRegularizer": OrthogonalRegularizer,
                            "orthogonal_regularizer": OrthogonalRegularizer}


def get(identifier: object) -> Any:
    """The regularizer of a name, class, object, function or config dict; None for None. ValueError: nearest name."""
    return identified("Regularizer", identifier, CLASSES)


def serialize(regularizer: object) -> Any:
    """A regularizer as plain data, from which `deserialize` makes it again."""
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer of a name or of what `serialize` gave. custom_objects: your own, by name."""
    with custom_object_scope(custom_objects or {}):
        return get(config)


def _l1(x: TensorLike, factor: float) -> Tensor:
    x = as_tensor(x)
    return elementwise.scale(reduce.sum(elementwise.absolute(x), axes=tuple(range(x.ndim))), factor=factor)


def _l2(x: TensorLike, factor: float) -> Tensor:
    x = as_tensor(x)
    return elementwise.scale(reduce.sum(elementwise.square(x), axes=tuple(range(x.ndim))), factor=factor)
