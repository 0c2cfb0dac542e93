"""Elements by number, in order, and added up along an axis. Floor 2.

An index below 0 counts from the end; one beyond either end takes the element there, as a program cannot stop.
"""

from typing import Any

import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops.rows._work import size
from fastnn.reference import index as reference

SCANNED = ("float32", "float64", "int32", "int64")


def _axis(name: str, x: Shape, axis: int) -> int:
    if not 0 <= axis < len(x):
        raise ShapeError(f"{name}: axis is {axis} and the array {x}; needs an axis from 0 to {len(x) - 1}; count from "
                         "the front.")
    return axis


def _take_shape(x: Shape, indices: Shape, axis: int) -> Shape:
    axis = _axis("take", x, axis)
    if x[axis] == 0 and 0 not in indices:
        raise ShapeError(f"take: x is {x} and indices {indices}; needs elements along axis {axis} to take from.")
    return (*x[:axis], *indices, *x[axis + 1:])


def _take_grad_shape(dy: Shape, indices: Shape, axis: int, size: int) -> Shape:
    end = axis + len(indices)
    if axis < 0 or end > len(dy) or same_shapes("take_grad", dy=dy[axis:end], indices=indices) is None or (
            size < 1 and 0 not in indices):
        raise ShapeError(f"take_grad: dy is {dy}, indices {indices}, axis {axis} and size {size}; needs the indices' "
                         "axes in dy, and size >= 1; check the axis.")
    return (*dy[:axis], size, *dy[end:])


def _along_shape(name: str, x: Shape, indices: Shape, axis: int) -> Shape:
    axis = _axis(name, x, axis)
    rest = [tuple(n for i, n in enumerate(t) if i != axis) for t in (x, indices)]
    if len(x) != len(indices) or any(m != n and None not in (m, n) for m, n in zip(*rest)) or (
            x[axis] == 0 and indices[axis] != 0):
        raise ShapeError(f"{name}: x is {x} and indices {indices}; all axes but axis {axis} must be equal, and x not "
                         "empty there; reshape one of them.")
    return indices


def _along_grad_shape(dy: Shape, indices: Shape, axis: int, size: int) -> Shape:
    dy = _along_shape("take_along_grad", same_shapes("take_along_grad", dy=dy, indices=indices), indices, axis)
    return (*dy[:axis], size, *dy[axis + 1:])


def _sorted_shape(x: Shape) -> Shape:
    if not x:
        raise ShapeError("argsort: x is (); needs an axis to sort along; reshape x to (1,).")
    return x


def _scanned(name: str, x: str) -> str:
    if x not in SCANNED:
        raise TypeError(f"{name}: x has dtype {x}; needs floats, int32 or int64; cast it.")
    return x


take: Op = Op("take", shape=_take_shape, dtypes=dict(x="any", indices="int32"), result="x",
              vjp=dict(x=lambda dy, x, indices, axis: take_grad(dy, indices, axis=axis, size=x.shape[axis])),
              work=lambda y: 0.5 * size(y))

take_grad: Op = Op(
    "take_grad", shape=_take_grad_shape, dtypes=dict(dy="any", indices="int32"), outputs=("dx",),
    result=lambda dy: _scanned("take_grad", dy),
    vjp=dict(dy=lambda ddx, indices, axis: take(ddx, indices, axis=axis)),
    magnitude=lambda dy, indices, axis, size: reference.take_grad(np.abs(dy), indices, axis=axis, size=size),
    terms=lambda indices: indices.size, cost=0.5)

take_along: Op = Op(
    "take_along", shape=lambda x, indices, axis: _along_shape("take_along", x, indices, axis),
    dtypes=dict(x="any", indices="int32"), result="x",
    vjp=dict(x=lambda dy, x, indices, axis: take_along_grad(dy, indices, axis=axis, size=x.shape[axis])),
    work=lambda y: 1.0 * size(y))

take_along_grad: Op = Op(
    "take_along_grad", shape=_along_grad_shape, dtypes=dict(indices="int32"), outputs=("dx",),
    vjp=dict(dy=lambda ddx, indices, axis: take_along(ddx, indices, axis=axis)),
    magnitude=lambda dy, indices, axis, size: reference.take_along_grad(np.abs(dy), indices, axis=axis, size=size),
    terms=lambda indices, axis: indices.shape[axis], cost=1.5)

argsort = Op("argsort", shape=_sorted_shape, dtypes=dict(x="any"), result="int32", cost=40)


def _scan_shape(name: str) -> Any:
    return lambda x, axis: x[:0] + x if _axis(name, x, axis) >= 0 else x


cumsum: Op = Op("cumsum", shape=_scan_shape("cumsum"), dtypes=dict(x="any"), result=lambda x: _scanned("cumsum", x),
                vjp=dict(x=lambda dy, axis, reverse: cumsum(dy, axis=axis, reverse=not reverse)),
                magnitude=lambda x, axis, reverse: reference.cumsum(np.abs(x), axis=axis, reverse=reverse), cost=1)

cumprod = Op("cumprod", shape=_scan_shape("cumprod"), dtypes=dict(x="any"), result=lambda x: _scanned("cumprod", x),
             vjp=dict(x=lambda dy, x, axis: cumprod_grad(dy, x, axis=axis)), cost=1)

cumprod_grad = Op("cumprod_grad", outputs=("dx",), ulps=8,
                  shape=lambda dy, x, axis: _scan_shape("cumprod_grad")(same_shapes("cumprod_grad", dy=dy, x=x), axis),
                  magnitude=lambda dy, x, axis: reference.cumprod_grad(np.abs(dy), np.abs(x), axis=axis), cost=2)
