"""Batches out of the rows of a data set, in an order that is shuffled, and results put back. Floor 2."""

from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops.rows._work import size
from fastnn.reference import batch as reference


def _gather_shape(name: str, x: Shape, order: Shape, cursor: Shape, batch: int) -> Shape:
    if not x or len(order) != 1 or cursor != ():
        raise ShapeError(f"{name}: x is {x}, order is {order}, cursor is {cursor}; needs x with rows, a vector of "
                         "row numbers and a 0-d cursor; check the data.")
    if order[0] is not None and batch > order[0]:
        raise ShapeError(f"{name}: batch is {batch} and order has {order[0]} rows; needs a batch within them; "
                         "use a smaller batch.")
    return (batch, *x[1:])


def _store_shape(result: Shape, rows: Shape, cursor: Shape) -> Shape:
    if not result or not rows or cursor != () or result[1:] != rows[1:]:
        raise ShapeError(f"store_step: result is {result}, rows are {rows}, cursor is {cursor}; needs rows of one "
                         "shape and a 0-d cursor; reshape the rows.")
    if None not in (rows[0], result[0]) and rows[0] > result[0]:  # type: ignore[operator]
        raise ShapeError(f"store_step: result is {result} and rows are {rows}; needs rows that fit into the result.")
    return result


def _shuffle_shape(order: Shape, keys: Shape, counter: Shape) -> list[Shape]:
    if len(order) != 1 or counter != ():
        raise ShapeError(f"shuffle_step: order is {order} and counter {counter}; needs a vector and a 0-d counter; "
                         "reshape them.")
    return [order, same_shapes("shuffle_step", order=order, keys=keys)]


def _gather(name: str, **more: Any) -> Op:
    """One of the ops that gather a batch, from x of any dtype."""
    return Op(name, shape=lambda x, order, cursor, batch: _gather_shape(name, x, order, cursor, batch),
              dtypes=dict(x="any", order="int32", cursor="int64"), **more)


gather_rows = _gather("gather_rows", result="x", work=lambda y: 0.2 * size(y))


def _rescaled_dtype(x: str) -> str:
    if x not in ("uint8", backend.floatx()):
        raise TypeError(f"gather_rows_rescaled: x has dtype {x}; needs {backend.floatx()} or uint8; convert the data.")
    return "float"


gather_rows_rescaled = _gather(
    "gather_rows_rescaled", result=_rescaled_dtype,
    magnitude=lambda x, order, cursor, batch, scale, offset: reference.gather_rows_rescaled(
        np.abs(x.astype(np.float64)), order, cursor, batch=batch, scale=abs(scale), offset=abs(offset)),
    work=lambda y: 0.25 * size(y))

store_step = Op("store_step", shape=_store_shape, updates=("result",),
                dtypes=dict(result="any", rows="result", cursor="int64"))

shuffle_step = Op("shuffle_step", shape=_shuffle_shape, updates=("order", "keys"),
                  dtypes=dict(order="int32", keys="int64", counter="int64"))
