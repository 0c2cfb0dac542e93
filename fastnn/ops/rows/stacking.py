"""Arrays put together along an axis or a new one, and taken apart again: each the other's gradient. Floor 2."""

from collections.abc import Sequence

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops.rows import data


def _concatenate_shape(xs: list[Shape], axis: int) -> Shape:
    first = xs[0]
    if not -len(first) <= axis < len(first):
        raise ShapeError(f"concatenate: axis is {axis} and xs[0] {first}; needs an axis from {-len(first)} to "
                         f"{len(first) - 1}.")
    axis, rest = axis % len(first), list(first)
    for i, x in enumerate(xs):
        if len(x) != len(first) or any(k != axis and m is not None and n is not None and m != n
                                       for k, (m, n) in enumerate(zip(rest, x))):
            raise ShapeError(f"concatenate: xs[0] is {first} and xs[{i}] is {x}; all axes but axis {axis} must be "
                             "equal; reshape one of them or choose another axis.")
        rest = [n if m is None else m for m, n in zip(rest, x)]
    sizes = [x[axis] for x in xs]
    return (*rest[:axis], None if None in sizes else sum(n or 0 for n in sizes), *rest[axis + 1:])


def _cut(dy: Tensor, xs: Sequence[Tensor], axis: int, wanted: set[str]) -> list[Tensor | None]:
    """The part of dy that came from each of the wanted arrays."""
    parts: list[Tensor | None] = []
    begin = 0
    for i, x in enumerate(xs):
        end = begin + x.shape[axis]
        parts.append(data.slice(dy, axis=axis, begin=begin, end=end) if f"xs[{i}]" in wanted else None)
        begin = end
    return parts


def _stack_shape(xs: list[Shape], axis: int) -> Shape:
    shape = same_shapes("stack", **{f"xs[{i}]": x for i, x in enumerate(xs)})
    if not -len(shape) - 1 <= axis <= len(shape):
        raise ShapeError(f"stack: axis is {axis} and the arrays {shape}; needs an axis from {-len(shape) - 1} to "
                         f"{len(shape)}.")
    at = axis % (len(shape) + 1)
    return (*shape[:at], len(xs), *shape[at:])


def _unstack_shape(x: Shape, axis: int) -> list[Shape]:
    if not -len(x) <= axis < len(x):
        raise ShapeError(f"unstack: axis is {axis} and the array {x}; needs an axis from {-len(x)} to {len(x) - 1}.")
    at = axis % len(x)
    size = x[at]
    if not size:
        raise ShapeError(f"unstack: x is {x}; axis {axis} must be known and not empty, as it says how many arrays "
                         "come out; give the shape in full.")
    return [(*x[:at], *x[at + 1:])] * size


def _restack(dys: Sequence[Tensor | None], ys: Sequence[Tensor], axis: int) -> Tensor:
    """The gradients put together; zeros for what nobody used."""
    zeros = None
    if any(dy is None for dy in dys):
        zeros = Tensor(np.zeros(ys[0].shape, ys[0].dtype), "zeros", constant=True)
    y: Tensor = stack(*(zeros if dy is None else dy for dy in dys), axis=axis)
    return y


concatenate = Op("concatenate", shape=_concatenate_shape, dtypes=dict(xs="alike"), result=lambda xs: xs[0],
                 vjp=dict(xs=lambda dy, xs, axis, wanted: _cut(dy, xs, axis, wanted)))

stack = Op("stack", shape=_stack_shape, dtypes=dict(xs="alike"), result=lambda xs: xs[0],
           vjp=dict(xs=lambda dy, axis: unstack(dy, axis=axis)))

unstack = Op("unstack", shape=_unstack_shape, outputs=("*ys",), dtypes=dict(x="any"), result="x",
             vjp=dict(x=lambda dys, ys, axis: _restack(dys, ys, axis)))
