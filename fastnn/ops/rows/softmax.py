"""Softmax and its logarithm over the last axis, and their gradients. Floor 2."""

import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops.rows._work import by_rows


def _row(name: str, shape: Shape) -> Shape:
    """The shape of an array whose last axis holds rows."""
    if not shape or shape[-1] == 0:
        raise ShapeError(f"{name}: got shape {shape}; needs a last axis with at least one element; "
                         "try reshaping to (rows, classes).")
    return shape


# Rounding x - max(x) moves the exponential by as many units as that difference is large.
softmax = Op("softmax", shape=lambda x: _row("softmax", x), vjp=dict(x=lambda dy, y: softmax_grad(dy, y)), ulps=8,
             probabilities="softmax", terms=lambda x: x.shape[-1],
             magnitude=lambda x, y: y * (1 + np.max(x, -1, keepdims=True) - x), work=lambda x: by_rows(x, 0.3))
softmax_grad = Op("softmax_grad", shape=lambda dy, y: _row("softmax_grad", same_shapes("softmax_grad", dy=dy, y=y)),
                  outputs=("dx",), terms=lambda y: y.shape[-1],
                  magnitude=lambda dy, y: np.abs(y) * (np.abs(dy) + np.sum(np.abs(dy * y), -1, keepdims=True)),
                  work=lambda y: by_rows(y, 0.2))

log_softmax = Op("log_softmax", shape=lambda x: _row("log_softmax", x),
                 vjp=dict(x=lambda dy, y: log_softmax_grad(dy, y)), terms=lambda x: x.shape[-1],
                 magnitude=lambda x, y: 1 + np.abs(y) + np.max(x, -1, keepdims=True) - x,
                 work=lambda x: by_rows(x, 0.3))
log_softmax_grad = Op("log_softmax_grad", outputs=("dx",), terms=lambda y: y.shape[-1],
                      shape=lambda dy, y: _row("log_softmax_grad", same_shapes("log_softmax_grad", dy=dy, y=y)),
                      magnitude=lambda dy, y: np.abs(dy) + np.exp(y) * np.sum(np.abs(dy), -1, keepdims=True),
                      work=lambda y: by_rows(y, 0.3))
