"""Matrix products and what surrounds them in a dense layer (guide chapters 1, 2, 4, 7). NumPy only."""

import numpy as np

from fastnn.reference import _fused
from fastnn.reference._types import Array


def matmul(a: Array, b: Array) -> Array:
    """y = a·b. a (m, k), b (k, n) → y (m, n)."""
    return a @ b


def matmul_nt(a: Array, b: Array) -> Array:
    """y = a·bᵀ. a (m, k), b (n, k) → y (m, n)."""
    return a @ b.T


def matmul_tn(a: Array, b: Array) -> Array:
    """y = aᵀ·b. a (k, m), b (k, n) → y (m, n)."""
    return a.T @ b


def batch_matmul(a: Array, b: Array) -> Array:
    """y[i] = a[i]·b[i] for every i of the leading axes. a (…, m, k), b (…, k, n), … the same → y (…, m, n)."""
    return a @ b


def batch_matmul_nt(a: Array, b: Array) -> Array:
    """y[i] = a[i]·b[i]ᵀ for every i of the leading axes. a (…, m, k), b (…, n, k), … the same → y (…, m, n)."""
    return a @ np.swapaxes(b, -1, -2)


def batch_matmul_tn(a: Array, b: Array) -> Array:
    """y[i] = a[i]ᵀ·b[i] for every i of the leading axes. a (…, k, m), b (…, k, n), … the same → y (…, m, n)."""
    return np.swapaxes(a, -1, -2) @ b


def dense(x: Array, w: Array, b: Array, *, activation: str) -> Array:
    """y = f(x·w + b), f being linear, relu, tanh or sigmoid. x (batch, in), w (in, out), b (out,) → y (batch, out)."""
    return _fused.apply(x @ w + b, activation)


def add_bias(x: Array, b: Array) -> Array:
    """y[..., j] = x[..., j] + b[j]. x (..., n), b (n,) → y (..., n)."""
    return x + b


def sum_rows(x: Array) -> Array:
    """y[j] = Σ x[..., j] over all axes but the last: the gradient of a bias. x (..., n) → y (n,)."""
    y: Array = x.sum(axis=tuple(range(x.ndim - 1)))
    return y


def weights_grad(x: Array, dz: Array) -> tuple[Array, Array]:
    """dw = xᵀ·dz, db[j] = Σ_i dz[i, j]: of x·w + b. x (batch, in), dz (batch, out) → dw (in, out), db (out,)."""
    return matmul_tn(x, dz), sum_rows(dz)


def dense_grad(x: Array, dy: Array, y: Array, *, activation: str) -> tuple[Array, Array, Array]:
    """dz = dy·f'(z) from y = f(z), dw = xᵀ·dz, db[j] = Σ_i dz[i, j], for f linear, relu, tanh or sigmoid.

    x (batch, in), dy, y (batch, out) → dz (batch, out), dw (in, out), db (out,).
    """
    dz = _fused.gradient(dy, y, activation)
    return dz, *weights_grad(x, dz)


def perceptron_step(w: Array, x: Array, y: Array, *, learning_rate: float) -> Array:
    """For each row in order: w += learning_rate·(y - step(w·[1, x]))·[1, x], where step(z) is 1 for z >= 0, else 0.

    One epoch; w[0] is the bias. w (n + 1,), x (rows, n), y (rows,), float64 → w (n + 1,).
    Rosenblatt 1958; guide chapter 2.
    """
    w = w.copy()
    for row, target in zip(x, y):
        inputs = np.insert(row, 0, 1)
        prediction = 1 if np.dot(w, inputs) >= 0 else 0
        w += learning_rate * (target - prediction) * inputs
    return w
