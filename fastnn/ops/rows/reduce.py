"""Sums, means and maxima over axes, and their way back. Floor 2."""

import math
from typing import Any

import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops.rows._work import by_rows, size
from fastnn.ops.rows.elementwise import divide_no_nan, multiply, scale
from fastnn.reference._types import Array


def _without(name: str, x: Shape, axes: tuple[int, ...]) -> Shape:
    """The shape x without its axes."""
    if list(axes) != sorted(set(axes)) or any(not 0 <= axis < len(x) for axis in axes):
        raise ShapeError(f"{name}: x is {x} and axes are {axes}; needs increasing axis numbers from 0 to {len(x) - 1}; "
                         "count the axes from the front.")
    return tuple(n for axis, n in enumerate(x) if axis not in axes)


def _max_shape(x: Shape, axes: tuple[int, ...]) -> Shape:
    if any(x[axis] == 0 for axis in axes if 0 <= axis < len(x)):
        raise ShapeError(f"max: x is {x} and axes are {axes}; needs at least one value; there is no largest of none.")
    return _without("max", x, axes)


def _max_grad_shape(dy: Shape, x: Shape, y: Shape, axes: tuple[int, ...]) -> Shape:
    same_shapes("max_grad", maximum=_without("max_grad", x, axes), y=y, dy=dy)
    return x


def _expand_shape(x: Shape, shape: Shape, axes: tuple[int, ...]) -> Shape:
    kept = _without("expand", shape, axes)
    if len(kept) != len(x) or any(a != b and a is not None and b is not None for a, b in zip(x, kept)):
        raise ShapeError(f"expand: x is {x}; needs {kept}, which is shape {shape} without axes {axes}; check the axes.")
    return shape


def _argmax_shape(x: Shape) -> Shape:
    if not x or x[-1] == 0:
        raise ShapeError(f"argmax: x is {x}; needs a last axis with at least one value; check the model's output.")
    return x[:-1]


def _work(x: Shape, y: Shape) -> float:
    """Outputs are divided among workers; one number is one worker's."""
    return 0.1 * size(x) if y else 0.0


def _count(x: Array, axes: tuple[int, ...]) -> int:
    """How many terms a reduction of x over axes has; 1 for none, whose sum is 0."""
    return math.prod(x.shape[axis] for axis in axes) or 1


def _direction(dy: Any, x: Any, y: Any, axes: tuple[int, ...]) -> Any:
    """dy·x/y, 0 for the length 0. x/y first: dy/y of a very large y would be 0."""
    dy, y = (expand(t, shape=x.shape, axes=axes) for t in (dy, y))
    return multiply(dy, divide_no_nan(x, y))


sum = Op("sum", shape=lambda x, axes: _without("sum", x, axes),
         vjp=dict(x=lambda dy, x, axes: expand(dy, shape=x.shape, axes=axes)),
         magnitude=lambda x, axes: np.abs(x).sum(axis=axes), ulps=8, work=_work)

mean = Op("mean", shape=lambda x, axes: _without("mean", x, axes),
          vjp=dict(x=lambda dy, x, axes: expand(scale(dy, factor=1 / _count(x, axes)), shape=x.shape, axes=axes)),
          magnitude=lambda x, axes: np.abs(x).sum(axis=axes) / _count(x, axes), ulps=8, work=_work)

length = Op("length", shape=lambda x, axes: _without("length", x, axes),
            vjp=dict(x=lambda dy, x, y, axes: _direction(dy, x, y, axes)),
            work=_work)

root_mean_square = Op(
    "root_mean_square", shape=lambda x, axes: _without("root_mean_square", x, axes),
    vjp=dict(x=lambda dy, x, y, axes: _direction(scale(dy, factor=1 / _count(x, axes)), x, y, axes)),
    work=_work)

max = Op("max", shape=_max_shape, vjp=dict(x=lambda dy, x, y, axes: max_grad(dy, x, y, axes=axes)), work=_work)

max_grad = Op("max_grad", shape=_max_grad_shape, outputs=("dx",), cost=0.3)

expand = Op("expand", shape=_expand_shape, dtypes=dict(x="any"), result="x",
            vjp=dict(x=lambda dy, axes: sum(dy, axes=axes)), cost=0.3)

argmax = Op("argmax", shape=_argmax_shape, result="int32", work=lambda x: by_rows(x, 0.2))
