"""Decompositions of matrices, or of each of a stack of them: LAPACK's, by NumPy, in float64 whatever they
are of. There is no C of ours. NumPy only."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.reference._types import F64, Array

BY_NUMPY = True     # a well-kept library does it: C has none of these, and a program calls them from Python


def _even(x: Array) -> Array:
    return (x.astype(F64) + np.swapaxes(x, -1, -2)) / 2


def _each(decompose: Callable[..., tuple[Any, ...]], x: Array, *more: Array) -> tuple[Any, ...]:
    """decompose(x, …), NaN for those matrices of a stack for which LAPACK finds nothing."""
    try:
        return decompose(x, *more)
    except np.linalg.LinAlgError:
        if x.ndim == 2:
            return tuple(np.full_like(y, np.nan) for y in decompose(np.eye(*x.shape), *more))
        return tuple(map(np.stack, zip(*(_each(decompose, *one) for one in zip(x, *more)))))


def cholesky(x: Array) -> Array:
    """The lower triangular y with y yᵀ = (x + xᵀ)/2, NaN where there is none. x (…, n, n) → y alike."""
    y, = _each(lambda x: (np.linalg.cholesky(x),), _even(x))
    return y  # type: ignore[no-any-return]


def solve(a: Array, b: Array) -> Array:
    """The y with a y = b, NaN where a is singular. a (…, n, n), b (…, n, k) → y as b."""
    y, = _each(lambda a, b: (np.linalg.solve(a, b),), a.astype(F64), b.astype(F64))
    return y  # type: ignore[no-any-return]


def svd(x: Array, *, full: bool) -> tuple[Array, Array, Array]:
    """x = u diag(s) vh, the columns of u and the rows of vh orthonormal, s falling. x (…, m, n) → u (…, m, k),
    s (…, k), vh (…, k, n), k = min(m, n); with `full` u is (…, m, m) and vh (…, n, n). NaN where x has one."""
    u, s, vh = _each(lambda x: np.linalg.svd(x, full_matrices=full), x.astype(F64))
    return u, s, vh


def eigh(x: Array) -> tuple[Array, Array]:
    """(x + xᵀ)/2 = v diag(w) vᵀ, w rising, the columns of v orthonormal. x (…, n, n) → w (…, n), v (…, n, n)."""
    w, v = _each(np.linalg.eigh, _even(x))
    return w, v


def qr(x: Array, *, full: bool) -> tuple[Array, Array]:
    """x = q r, the columns of q orthonormal, r upper triangular. x (…, m, n) → q (…, m, k), r (…, k, n), k = min(m, n);
    k = m with `full`."""
    q, r = np.linalg.qr(x.astype(F64), mode="complete" if full else "reduced")
    return q, r


def slogdet(x: Array) -> tuple[Array, Array]:
    """The sign of det x, and ln |det x|. x (…, n, n) → (…), (…)."""
    sign, logdet = np.linalg.slogdet(x.astype(F64))
    return np.asarray(sign), np.asarray(logdet)


def lu_factor(x: Array) -> tuple[Array, Array]:
    """x with its rows swapped, i with pivots[i] one after the other, is L U: y has U on and above the diagonal, L
    below, whose diagonal is 1. x (…, m, n) → y alike, pivots (…, min(m, n))."""
    y = x.astype(F64)
    pivots = np.zeros((*x.shape[:-2], min(x.shape[-2:])), np.int32)
    for place in np.ndindex(*x.shape[:-2]):
        m = y[place]
        for i in range(pivots.shape[-1]):
            pivot = i + int(np.argmax(np.abs(m[i:, i])))
            pivots[(*place, i)] = pivot
            m[[i, pivot]] = m[[pivot, i]]
            if m[i, i] != 0:
                m[i + 1:, i] /= m[i, i]
                m[i + 1:, i + 1:] -= np.outer(m[i + 1:, i], m[i, i + 1:])
    return y, pivots
