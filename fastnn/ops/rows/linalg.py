"""Decompositions of matrices: their shapes and their gradients. Floor 2.

The formulas of the gradients: Giles 2008, An extended collection of matrix derivative results; Townsend 2016,
Differentiating the singular value decomposition. Where two singular values or eigenvalues are equal, what belongs to
each alone has no derivative: 0 is taken for its share.
"""

from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._arithmetic import add, divide, multiply, negative, subtract
from fastnn.ops._compare import equal, where
from fastnn.ops._convert import broadcast_to
from fastnn.ops._indexing import tril
from fastnn.ops._op import Op, Shape
from fastnn.ops._products import matmul
from fastnn.ops._rules import unlike
from fastnn.ops._shaping import expand_dims, swapaxes


def square(name: str, x: Shape) -> Shape:
    """The shape of square matrices: of their sizes one tells the other."""
    if len(x) < 2 or (x[-1] != x[-2] and None not in x[-2:]):
        raise ShapeError(f"{name}: x is {x}; needs (…, n, n), square matrices.")
    n = x[-1] if x[-2] is None else x[-2]
    return (*x[:-2], n, n)


def _matrix(name: str, x: Shape) -> Shape:
    if len(x) < 2 or None in x[-2:]:
        raise ShapeError(f"{name}: x is {x}; needs (…, m, n), matrices of known size.")
    return x


def _solve_shape(a: Shape, b: Shape) -> Shape:
    a = square("solve", a)
    if unlike(a[:-1], b[:-1]):
        raise ShapeError(f"solve: a is {a} and b is {b}; needs (…, n, n) and (…, n, k), as many of both.")
    return (*(n if m is None else m for m, n in zip(a[:-1], b)), *b[-1:])


def _svd_shape(x: Shape, full: bool) -> list[Shape]:
    *stack, m, n = _matrix("svd", x)
    k = min(m, n)  # type: ignore[type-var]
    return [(*stack, m, m if full else k), (*stack, k), (*stack, n if full else k, n)]


def _qr_shape(x: Shape, full: bool) -> list[Shape]:
    *stack, m, n = _matrix("qr", x)
    k = m if full else min(m, n)  # type: ignore[type-var]
    return [(*stack, m, k), (*stack, k, n)]


def turned(x: Tensor) -> Tensor:
    """xᵀ, of each matrix."""
    return swapaxes(x, -1, -2)


def unit(x: Tensor, n: int) -> Tensor:
    """The n × n matrix with 1 on its diagonal, as often as x is stacked."""
    return broadcast_to(Tensor(np.eye(n, dtype=x.dtype), constant=True), (*x.shape[:-2], n, n))


def diagonal_of(s: Tensor) -> Tensor:
    """Vectors as diagonals of matrices."""
    n = s.shape[-1]
    return multiply(expand_dims(s, -1), Tensor(np.eye(n, dtype=s.dtype), constant=True))


def _gaps(s: Tensor) -> Tensor:
    """1/(s[j] - s[i]), 0 where they are equal."""
    gap = subtract(expand_dims(s, -2), expand_dims(s, -1))
    same = equal(gap, 0.0)
    return where(same, 0.0, divide(1.0, where(same, 1.0, gap)))  # type: ignore[return-value]


def _even(x: Tensor) -> Tensor:
    return multiply(add(x, turned(x)), 0.5)


def _cholesky_grad(dy: Tensor, y: Tensor) -> Tensor:
    n = y.shape[-1]
    half = Tensor(np.tril(np.ones((n, n))) - 0.5 * np.eye(n), constant=True)
    inner = multiply(tril(matmul(turned(y), dy)), Tensor(half.data.astype(y.dtype), constant=True))
    left = solve(turned(y), inner)
    return _even(turned(solve(turned(y), turned(left))))


def _eigh_grad(dw: Tensor | None, dv: Tensor | None, w: Tensor, v: Tensor) -> Tensor:
    inner: Any = 0.0 if dw is None else diagonal_of(dw)
    if dv is not None:
        inner = add(inner, multiply(_gaps(w), matmul(turned(v), dv)))
    return _even(matmul(matmul(v, inner), turned(v)))


def _svd_grad(du: Tensor | None, ds: Tensor | None, dvh: Tensor | None, x: Tensor, u: Tensor, s: Tensor, vh: Tensor,
              full: bool) -> Tensor:
    if full and x.shape[-1] != x.shape[-2] and (du is not None or dvh is not None):
        raise TypeError("svd: has no gradient of u and vh with full_matrices, as they are not determined; needs "
                        "full_matrices=False.")
    k = s.shape[-1]
    u, vh = u[..., :k], vh[..., :k, :]
    v, wide = turned(vh), expand_dims(s, -2)
    gaps = _gaps(multiply(s, s))
    inner: Any = 0.0 if ds is None else diagonal_of(ds)
    rest: Any = 0.0
    if du is not None:
        j = multiply(gaps, matmul(turned(u), du))
        inner = add(inner, multiply(add(j, turned(j)), wide))
        if x.shape[-2] > k:     # else u has all directions, and there is nothing outside
            outside = subtract(du, matmul(u, matmul(turned(u), du)))
            rest = add(rest, matmul(divide(outside, wide), vh))
    if dvh is not None:
        dv = turned(dvh)
        j = multiply(gaps, matmul(turned(v), dv))
        inner = add(inner, multiply(expand_dims(s, -1), add(j, turned(j))))
        if x.shape[-1] > k:
            outside = subtract(dv, matmul(v, matmul(turned(v), dv)))
            rest = add(rest, matmul(u, turned(divide(outside, wide))))
    return add(matmul(matmul(u, inner), vh), rest)


def _qr_grad(dq: Tensor | None, dr: Tensor | None, q: Tensor, r: Tensor) -> Tensor:
    if q.shape[-2] < r.shape[-1] or r.shape[-2] != r.shape[-1]:
        raise TypeError(f"qr: has no gradient for q {q.shape} and r {r.shape}; needs at least as many rows as columns, "
                        "and mode='reduced'.")
    inner: Any = 0.0
    if dr is not None:
        inner = add(inner, matmul(r, turned(dr)))
    if dq is not None:
        inner = subtract(inner, matmul(turned(dq), q))
    mirrored = add(tril(inner), turned(tril(inner, -1)))
    left = matmul(q, mirrored) if dq is None else add(dq, matmul(q, mirrored))
    return turned(solve(r, turned(left)))


cholesky = Op("cholesky", shape=lambda x: square("cholesky", x), vjp=dict(x=_cholesky_grad), cost=20)

solve: Op = Op("solve", shape=_solve_shape, cost=20, shared=dict(db=lambda dy, a: solve(turned(a), dy)),
               vjp=dict(b=lambda db: db, a=lambda db, y: negative(matmul(db, turned(y)))))

svd = Op("svd", shape=_svd_shape, outputs=("u", "s", "vh"), vjp=dict(x=_svd_grad), cost=100)

eigh = Op("eigh", shape=lambda x: [square("eigh", x)[:-1], square("eigh", x)], outputs=("w", "v"),
          vjp=dict(x=_eigh_grad), cost=100)

qr = Op("qr", shape=_qr_shape, outputs=("q", "r"), vjp=dict(x=_qr_grad), cost=50)

slogdet = Op("slogdet", shape=lambda x: [square("slogdet", x)[:-2]] * 2, outputs=("sign", "logdet"), cost=20,
             vjp=dict(x=lambda dlogdet, x: None if dlogdet is None else multiply(
                 expand_dims(dlogdet, (-1, -2)), solve(turned(x), unit(x, x.shape[-1])))))

lu_factor = Op("lu_factor", shape=lambda x: [_matrix("lu_factor", x), (*x[:-2], min(x[-2:]))],
               outputs=("y", "pivots"), result=("float", "int32"), cost=100,
               no_gradient="use solve, inv or det, which have one.")
