"""Pooling over windows of images (batch, height, width, channels), and the way back. Floor 2.

Padding is explicit, (top, bottom, left, right); layers turn "same" and "valid" into it.
"""


import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops.rows._work import size
from fastnn.reference import pool as reference
from fastnn.reference._types import Array

Pair = tuple[int, int]


def _windows(name: str, size: tuple[int | None, int | None], pool: Pair, strides: Pair,
             pads: tuple[int, ...]) -> tuple[int | None, int | None]:
    """How many windows there are along height and width; ShapeError where none fits."""
    if min(*pool, *strides) < 1 or min(pads) < 0 or max(pads[:2]) >= pool[0] or max(pads[2:]) >= pool[1]:
        raise ShapeError(f"{name}: pool is {pool}, strides are {strides} and pads {pads}; needs sizes and strides >= 1 "
                         "and pads smaller than the pool; change them.")
    counts = []
    for axis, (n, k, s) in enumerate(zip(size, pool, strides)):
        padded = None if n is None else n + pads[2 * axis] + pads[2 * axis + 1]
        if padded is not None and padded < k:
            raise ShapeError(f"{name}: images are {size} and the pool is {pool}; needs a pool within the image; "
                             "use a smaller pool or padding='same'.")
        counts.append(None if padded is None else (padded - k) // s + 1)
    return counts[0], counts[1]


def _pool_shape(name: str, x: Shape, pool: Pair, strides: Pair, pads: tuple[int, ...]) -> Shape:
    if len(x) != 4:
        raise ShapeError(f"{name}: x is {x}; needs images (batch, height, width, channels); reshape x.")
    return (x[0], *_windows(name, (x[1], x[2]), pool, strides, pads), x[3])


def _grad_shape(name: str, dy: Shape, shape: Pair, pool: Pair, strides: Pair, pads: tuple[int, ...]) -> Shape:
    windows = _windows(name, shape, pool, strides, pads)
    if len(dy) != 4 or any(m is not None and m != n for m, n in zip(dy[1:3], windows)):
        raise ShapeError(f"{name}: dy is {dy} and images of {shape} have {windows} windows; needs (batch, "
                         f"{windows[0]}, {windows[1]}, channels); check the shape.")
    return (dy[0], *shape, dy[3])


def _spread_magnitude(dy: Array, shape: Pair, pool: Pair, strides: Pair, pads: tuple[int, int, int, int]) -> Array:
    return reference.average_pool_grad(np.abs(dy), shape=shape, pool=pool, strides=strides, pads=pads)


max_pool = Op("max_pool", outputs=("y", "argmax"), may_omit=("argmax",),
              shape=lambda x, pool, strides, pads: [_pool_shape("max_pool", x, pool, strides, pads)] * 2,
              result=("float", lambda pool: "uint8" if pool[0] * pool[1] <= 256 else "int32"),
              vjp=dict(x=lambda dy, x, argmax, pool, strides, pads: max_pool_grad(
                  dy, argmax, shape=x.shape[1:3], pool=pool, strides=strides, pads=pads)),
              work=lambda y, pool: 0.2 * size(y) * pool[0] * pool[1])

max_pool_grad = Op(
    "max_pool_grad", outputs=("dx",), dtypes=dict(argmax="any"),
    shape=lambda dy, argmax, shape, pool, strides, pads: _grad_shape(
        "max_pool_grad", same_shapes("max_pool_grad", dy=dy, argmax=argmax), shape, pool, strides, pads),
    magnitude=lambda dy, argmax, shape, pool, strides, pads: reference.max_pool_grad(
        np.abs(dy), argmax, shape=shape, pool=pool, strides=strides, pads=pads),
    terms=lambda pool: pool[0] * pool[1], work=lambda dy, dx, pool: 0.1 * size(dx) + 0.1 * size(dy) * pool[0] * pool[1])

average_pool = Op(
    "average_pool", shape=lambda x, pool, strides, pads: _pool_shape("average_pool", x, pool, strides, pads),
    vjp=dict(x=lambda dy, x, pool, strides, pads: average_pool_grad(
        dy, shape=x.shape[1:3], pool=pool, strides=strides, pads=pads)),
    magnitude=lambda x, pool, strides, pads: reference.average_pool(
        np.abs(x), pool=pool, strides=strides, pads=pads),
    terms=lambda pool: pool[0] * pool[1], work=lambda y, pool: 0.15 * size(y) * pool[0] * pool[1])

average_pool_grad: Op = Op(
    "average_pool_grad", outputs=("dx",),
    shape=lambda dy, shape, pool, strides, pads: _grad_shape("average_pool_grad", dy, shape, pool, strides, pads),
    vjp=dict(dy=lambda ddx, pool, strides, pads: average_pool(ddx, pool=pool, strides=strides, pads=pads)),
    magnitude=_spread_magnitude, terms=lambda pool: pool[0] * pool[1],
    work=lambda dy, dx, pool: 0.1 * size(dx) + 0.1 * size(dy) * pool[0] * pool[1])
