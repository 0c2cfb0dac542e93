"""Lengths, inverses and decompositions of vectors and matrices: `keras.ops.linalg`. Floor 2."""

import builtins
import math
from typing import Any

import numpy as np

from fastnn.engine.context import is_recording
from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._arithmetic import absolute, divide, exp, multiply, power
from fastnn.ops._compare import greater, not_equal, where
from fastnn.ops._convert import axes_of, axis_of, floats, reshaped, tensor, widened
from fastnn.ops._indexing import tril, triu
from fastnn.ops._products import matmul
from fastnn.ops._reduction import count_nonzero, length, max, min, sum
from fastnn.ops._rules import differ
from fastnn.ops._shaping import expand_dims, moveaxis, squeeze
from fastnn.ops._sizes import by_rule, of_any_size, symbol
from fastnn.ops.rows import linalg as rows

__all__ = [
    "cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "logdet", "lstsq", "lu_factor", "matrix_rank", "norm",
    "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd",
]


@of_any_size
def norm(x: TensorLike, ord: Any = None, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The length of x along an axis: √Σx², or by ord: 1 Σ|x|, inf max |x|, -inf min |x|, 0 how many are not 0, p
    (Σ|x|ᵖ)^(1/p). Of matrices (two axes): "fro" √Σx², 1 the largest column sum, inf the largest row sum, 2 the largest
    singular value, "nuc" their sum; with -1, -inf, -2 the smallest."""
    x = floats(x)
    axes = axes_of(x, axis)
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return length(x, axis, keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        if ord in (math.inf, -math.inf):
            return (max if ord > 0 else min)(absolute(x), axis, keepdims)
        if ord == 0:
            return widened(sum(not_equal(x, 0.0), axis, keepdims), x.dtype)
        if ord == 1:
            return sum(absolute(x), axis, keepdims)
        return power(sum(power(absolute(x), float(ord)), axis, keepdims), 1.0 / ord)
    if len(axes) == 2 and ord in (1, -1, math.inf, -math.inf):
        first, second = axes if axis is None else (axis_of(x, a) for a in axis)  # type: ignore[union-attr]
        along, over = (first, second) if builtins.abs(ord) == 1 else (second, first)
        y = (max if ord > 0 else min)(sum(absolute(x), along, keepdims=True), over, keepdims=True)
        return y if keepdims else reshaped(y, [n for i, n in enumerate(x.shape) if i not in axes])
    if len(axes) == 2 and ord in (2, -2, "nuc"):
        s = singular_values(moveaxis(x, axes, (-2, -1)))
        y = {2: max, -2: min, "nuc": sum}[ord](s, -1)
        return reshaped(y, [1 if i in axes else n for i, n in enumerate(x.shape)]) if keepdims else y
    raise ValueError(f"norm: ord is {ord!r} for {len(axes)} axes; needs None, inf, or a number for one axis; None, "
                     "'fro', 'nuc', 1, 2 or inf for two.")


def singular_values(x: TensorLike) -> Tensor:
    """How long the axes of the ellipsoids are that the matrices make of a ball, from the longest on."""
    y: Tensor = rows.svd(floats(x), full=False)[1]
    return y


def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """The lower triangular y with y yᵀ = x, of symmetric positive definite matrices x. upper: yᵀ.

    ValueError for a matrix that is none; in a recorded step NaN."""
    y = _found("cholesky", rows.cholesky(floats(x)), "positive definite matrices")
    return rows.turned(y) if upper else y


def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
    """(y yᵀ)⁻¹ of what `cholesky` gave."""
    y = triu(x) if upper else tril(x)
    rows.square("cholesky_inverse", y.shape)
    lower = rows.turned(floats(y)) if upper else floats(y)
    return inv(matmul(lower, rows.turned(lower)))


def det(x: TensorLike) -> Tensor:
    """The determinant. A singular matrix has 0, and no gradient."""
    sign, logdet = rows.slogdet(floats(x))
    return multiply(sign, exp(logdet))


def slogdet(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The determinant's sign, and ln of its absolute value."""
    return rows.slogdet(floats(x))  # type: ignore[no-any-return]


def logdet(x: TensorLike) -> Tensor:
    """ln det x, of symmetric positive definite matrices."""
    y: Tensor = rows.slogdet(floats(x))[1]
    return y


def _as_eig(x: TensorLike) -> tuple[Tensor, Tensor]:
    x = floats(x)
    shape = rows.square("eig", x.shape)
    return symbol(shape[:-1], x.dtype), symbol(shape, x.dtype)


@by_rule(_as_eig)
def eig(x: TensorLike) -> tuple[Tensor, Tensor]:
    """x v = v diag(w): eigenvalues and eigenvectors, of matrices whose eigenvalues are real; no gradient.

    ValueError where they are complex. `eigh` for symmetric ones."""
    rows.square("eig", tensor(x).shape)
    w, v = np.linalg.eig(tensor(x).numpy())
    if np.iscomplexobj(w):
        raise ValueError("eig: the eigenvalues are complex; fastnn has real numbers only; use np.linalg.eig.")
    return Tensor(w), Tensor(np.ascontiguousarray(v))


def eigh(x: TensorLike) -> tuple[Tensor, Tensor]:
    """x = v diag(w) vᵀ of symmetric matrices: eigenvalues, rising, and eigenvectors, the columns of v."""
    return rows.eigh(floats(x))  # type: ignore[no-any-return]


@of_any_size
def inv(x: TensorLike) -> Tensor:
    """x⁻¹. ValueError for a matrix that has none; in a recorded step NaN."""
    x = floats(x)
    return _found("inv", rows.solve(x, rows.unit(x, x.shape[-1])), "matrices that have an inverse")


def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """The x with a x = b, vectors or matrices b. ValueError where a is singular; in a recorded step NaN."""
    a, b = floats(a), floats(b)
    if b.ndim == a.ndim - 1:
        return squeeze(solve(a, expand_dims(b, -1)), -1)
    return _found("solve", rows.solve(a, b), "matrices a that have an inverse")


def _found(name: str, y: Tensor, needs: str) -> Tensor:
    """y, unless it could not be found."""
    if y.data is not None and not is_recording() and np.isnan(y.data).any():
        raise ValueError(f"{name}: needs {needs}; got one that is none, or NaN.")
    return y


def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Tensor:
    """The x with a x = b, of a its upper triangle, or the lower one."""
    return solve(tril(a) if lower else triu(a), b)


def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Tensor:
    """The shortest of the x with the least ‖a x - b‖. a (m, n), b (m,) or (m, k). rcond: as in pinv."""
    a, b = floats(a), floats(b)
    if a.ndim != 2 or b.ndim not in (1, 2) or differ(a.shape[0], b.shape[0]):
        raise ShapeError(f"lstsq: a is {a.shape} and b is {b.shape}; needs (m, n), and (m,) or (m, k).")
    return matmul(pinv(a, rcond), b)


def pinv(x: TensorLike, rcond: float | None = None) -> Tensor:
    """The pseudoinverse, of the singular values above rcond times the largest (float accuracy · max(m, n))."""
    x = floats(x)
    u, s, vh = rows.svd(x, full=False)
    least = np.finfo(x.dtype).eps * builtins.max(x.shape[-2:]) if rcond is None else rcond
    kept = greater(s, multiply(max(s, -1, keepdims=True), float(least)))
    inverse = where(kept, divide(1.0, where(kept, s, 1.0)), 0.0)
    return matmul(multiply(rows.turned(vh), expand_dims(inverse, -2)), rows.turned(u))


def matrix_rank(x: TensorLike, tol: float | None = None) -> Tensor:
    """How many singular values are above tol: the largest times float accuracy · max(m, n) unless given. int32."""
    x = floats(x)
    s = singular_values(x)
    least: Any = multiply(max(s, -1, keepdims=True), float(np.finfo(x.dtype).eps * builtins.max(x.shape[-2:])))
    return count_nonzero(greater(s, least if tol is None else tol), -1)


def qr(x: TensorLike, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """x = q r, the columns of q orthonormal, r upper triangular; as few columns as can be, or, "complete", all."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode is {shown(mode)}; needs 'reduced' or 'complete'.")
    return rows.qr(floats(x), full=mode == "complete")  # type: ignore[no-any-return]


def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """x = u diag(s) vh: (u, s, vh), or s alone without compute_uv. The gradient of u and vh needs
    full_matrices=False where x is not square."""
    return rows.svd(floats(x), full=bool(full_matrices)) if compute_uv else singular_values(x)


def lu_factor(x: TensorLike) -> tuple[Tensor, Tensor]:
    """L below and U above in one matrix, and the rows that were swapped (int32); no gradient. L's diagonal is 1."""
    return rows.lu_factor(floats(x))  # type: ignore[no-any-return]
