"""Matrix products and what surrounds them in a dense layer. Floor 2."""

import math

import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops._rules import differ
from fastnn.ops.rows._work import product, size
from fastnn.ops.rows.activation import before_activation
from fastnn.ops.rows.reduce import expand
from fastnn.reference._types import Array


def _product(name: str, a: Shape, b: Shape, rows: int, inner_a: int, inner_b: int, columns: int) -> Shape:
    """The shape of a product of two matrices whose axes inner_a and inner_b are summed over."""
    if len(a) != 2 or len(b) != 2:
        raise ShapeError(f"{name}: a is {a} and b is {b}; needs two matrices; use ops.reshape to make them 2-D.")
    if differ(a[inner_a], b[inner_b]):
        axis = ("rows", "columns")
        raise ShapeError(f"{name}: a is {a} and b is {b}; a's {axis[inner_a]} must equal b's {axis[inner_b]} "
                         f"({a[inner_a]} != {b[inner_b]}); transpose or reshape one of them.")
    return a[rows], b[columns]


def _products(name: str, a: Shape, b: Shape, rows: int, inner_a: int, inner_b: int, columns: int) -> Shape:
    """The same for two stacks of matrices."""
    if len(a) < 3 or len(a) != len(b) or any(map(differ, a[:-2], b[:-2])):
        raise ShapeError(f"{name}: a is {a} and b is {b}; needs two stacks of matrices, alike in all axes but the last "
                         "two; ops.matmul repeats axes of length 1.")
    lead = tuple(n if m is None else m for m, n in zip(a[:-2], b[:-2]))
    return (*lead, *_product(name, a[-2:], b[-2:], rows, inner_a, inner_b, columns))


def _dense_shape(x: Shape, w: Shape, b: Shape) -> Shape:
    if len(x) != 2 or len(w) != 2 or differ(x[1], w[0]):
        raise ShapeError(f"dense: x is {x} and w is {w}; needs (batch, in) and (in, out), x's columns equal to "
                         "w's rows; check the number of features.")
    if len(b) != 1 or differ(b[0], w[1]):
        raise ShapeError(f"dense: b is {b} and w is {w}; needs one bias per column of w, ({w[1]},); check b.")
    return x[0], w[1]


def _add_bias_shape(x: Shape, b: Shape) -> Shape:
    if not x or len(b) != 1 or differ(x[-1], b[0]):
        raise ShapeError(f"add_bias: x is {x} and b is {b}; b must have one value per place of x's last axis; "
                         f"try a b of shape {x[-1:]}.")
    return x


def _sum_rows_shape(x: Shape) -> Shape:
    if not x:
        raise ShapeError("sum_rows: x is (); needs at least one axis; a scalar has no rows.")
    return x[-1:]


def _weights_shape(name: str, x: Shape, dz: Shape) -> list[Shape]:
    if len(x) != 2 or len(dz) != 2 or differ(x[0], dz[0]):
        raise ShapeError(f"{name}: x is {x} and the gradient is {dz}; needs (batch, in) and (batch, out), as many rows "
                         "in both; check the batch.")
    return [(x[1], dz[1]), dz[1:]]


def _dense_grad_shape(x: Shape, dy: Shape, y: Shape) -> list[Shape]:
    dz = same_shapes("dense_grad", dy=dy, y=y)
    return [dz, *_weights_shape("dense_grad", x, dz)]


def _perceptron_shape(w: Shape, x: Shape, y: Shape) -> Shape:
    if len(w) != 1 or len(x) != 2 or len(y) != 1 or w[0] != (x[1] or 0) + 1 or y[0] != x[0]:
        raise ShapeError(f"perceptron_step: w is {w}, x is {x} and y is {y}; needs (features + 1,), (rows, features) "
                         "and (rows,); the first weight is the bias.")
    return w


def _dense_magnitude(x: Array, w: Array, b: Array, activation: str) -> Array:
    """No activation is steeper than 1; the sigmoid, which is not 0 at 0, has a rounding error of its own."""
    return np.abs(x) @ np.abs(w) + np.abs(b) + (activation == "sigmoid")


matmul: Op = Op("matmul", shape=lambda a, b: _product("matmul", a, b, 0, 1, 0, 1),
            vjp=dict(a=lambda dy, b: matmul_nt(dy, b), b=lambda dy, a: matmul_tn(a, dy)),
            magnitude=lambda a, b: np.abs(a) @ np.abs(b), terms=lambda a: a.shape[1],
            flops=lambda a, y: 2 * a[1] * y[0] * y[1], work=lambda a, y: product(y[0], a[1], y[1]))

matmul_nt: Op = Op("matmul_nt", shape=lambda a, b: _product("matmul_nt", a, b, 0, 1, 1, 0),
               vjp=dict(a=lambda dy, b: matmul(dy, b), b=lambda dy, a: matmul_tn(dy, a)),
               magnitude=lambda a, b: np.abs(a) @ np.abs(b).T, terms=lambda a: a.shape[1],
               flops=lambda a, y: 2 * a[1] * y[0] * y[1], work=lambda a, y: product(y[0], a[1], y[1]))

matmul_tn: Op = Op("matmul_tn", shape=lambda a, b: _product("matmul_tn", a, b, 1, 0, 0, 1),
               vjp=dict(a=lambda dy, b: matmul_nt(b, dy), b=lambda dy, a: matmul(a, dy)),
               magnitude=lambda a, b: np.abs(a).T @ np.abs(b), terms=lambda a: a.shape[0],
               flops=lambda a, y: 2 * a[0] * y[0] * y[1], work=lambda a, y: product(y[0], a[0], y[1]))

batch_matmul: Op = Op(
    "batch_matmul", shape=lambda a, b: _products("batch_matmul", a, b, 0, 1, 0, 1),
    vjp=dict(a=lambda dy, b: batch_matmul_nt(dy, b), b=lambda dy, a: batch_matmul_tn(a, dy)),
    magnitude=lambda a, b: np.abs(a) @ np.abs(b), terms=lambda a: a.shape[-1],
    flops=lambda a, y: 2 * a[-1] * math.prod(y),
    work=lambda a, y: size(y[:-2]) * product(y[-2], a[-1], y[-1]))

batch_matmul_nt: Op = Op(
    "batch_matmul_nt", shape=lambda a, b: _products("batch_matmul_nt", a, b, 0, 1, 1, 0),
    vjp=dict(a=lambda dy, b: batch_matmul(dy, b), b=lambda dy, a: batch_matmul_tn(dy, a)),
    magnitude=lambda a, b: np.abs(a) @ np.swapaxes(np.abs(b), -1, -2), terms=lambda a: a.shape[-1],
    flops=lambda a, y: 2 * a[-1] * math.prod(y),
    work=lambda a, y: size(y[:-2]) * product(y[-2], a[-1], y[-1]))

batch_matmul_tn: Op = Op(
    "batch_matmul_tn", shape=lambda a, b: _products("batch_matmul_tn", a, b, 1, 0, 0, 1),
    vjp=dict(a=lambda dy, b: batch_matmul_nt(b, dy), b=lambda dy, a: batch_matmul(a, dy)),
    magnitude=lambda a, b: np.swapaxes(np.abs(a), -1, -2) @ np.abs(b), terms=lambda a: a.shape[-2],
    flops=lambda a, y: 2 * a[-2] * math.prod(y),
    work=lambda a, y: size(y[:-2]) * product(y[-2], a[-2], y[-1]))

dense = Op("dense", shape=_dense_shape,
           shared=dict(dz=lambda dy, y, activation: before_activation(dy, y, activation)),
           vjp=dict(x=lambda dz, w: matmul_nt(dz, w), w=lambda dz, x: matmul_tn(x, dz), b=lambda dz: sum_rows(dz)),
           magnitude=_dense_magnitude, terms=lambda x: x.shape[1] + 1,
           flops=lambda x, y: 2 * x[1] * y[0] * y[1], work=lambda x, y: product(y[0], x[1], y[1]))

add_bias = Op("add_bias", shape=_add_bias_shape, vjp=dict(x=lambda dy: dy, b=lambda dy: sum_rows(dy)))

sum_rows: Op = Op("sum_rows", shape=_sum_rows_shape,
              vjp=dict(x=lambda dy, x: expand(dy, shape=x.shape, axes=tuple(range(len(x.shape) - 1)))),
              magnitude=lambda x: np.abs(x).sum(axis=tuple(range(x.ndim - 1))),
              terms=lambda x: x.size // x.shape[-1] if x.size else 0, cost=0.06)

weights_grad = Op("weights_grad", outputs=("dw", "db"), shape=lambda x, dz: _weights_shape("weights_grad", x, dz),
                  magnitude=(lambda x, dz: np.abs(x).T @ np.abs(dz), lambda dz: np.abs(dz).sum(axis=0)),
                  terms=lambda x: x.shape[0], flops=lambda x, dz: 2 * x[0] * x[1] * dz[1])

dense_grad = Op("dense_grad", outputs=("dz", "dw", "db"), shape=_dense_grad_shape,
                magnitude=(lambda dy: np.abs(dy), lambda x, dz: np.abs(x).T @ np.abs(dz),
                           lambda dz: np.abs(dz).sum(axis=0)),
                terms=lambda x: x.shape[0], flops=lambda x, dy: 2 * x[0] * x[1] * dy[1])

perceptron_step = Op("perceptron_step", shape=_perceptron_shape, updates=("w",),
                     dtypes=dict(w="float64", x="float64", y="float64"))
