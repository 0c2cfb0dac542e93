"""Rows of a table by number. Floor 2. Ids that are no row give NaN; who feeds ids checks them before."""

import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape
from fastnn.ops.rows._work import size


def _table(name: str, table: Shape) -> Shape:
    if len(table) != 2:
        raise ShapeError(f"{name}: table is {table}; needs (rows, width), one row for each id.")
    return table


def _grad_shape(dy: Shape, ids: Shape, rows: int) -> Shape:
    if not dy or len(dy) != len(ids) + 1 or any(a is not None and b is not None and a != b for a, b in zip(dy, ids)):
        raise ShapeError(f"embedding_grad: dy is {dy} and ids are {ids}; needs {(*ids, 'width')}, a row for each id.")
    return rows, dy[-1]


embedding: Op = Op("embedding", shape=lambda ids, table: (*ids, _table("embedding", table)[1]),
                   dtypes=dict(ids="int32"), work=lambda y: 0.1 * size(y),
                   vjp=dict(table=lambda dy, ids, table: embedding_grad(dy, ids, rows=table.shape[0])))

embedding_grad: Op = Op("embedding_grad", outputs=("dtable",), shape=_grad_shape, dtypes=dict(ids="int32"),
                    vjp=dict(dy=lambda ddtable, ids: embedding(ids, ddtable)),
                    magnitude=lambda dy, ids, rows: np.full((rows, dy.shape[-1]), np.abs(dy).sum()),
                    terms=lambda ids: ids.size)
