"""Softmax and its logarithm over the last axis, and their gradients (guide chapter 34). NumPy only."""

import numpy as np

from fastnn.reference._types import Array


def softmax(x: Array) -> Array:
    """y_i = e^x_i / Σ_j e^x_j over the last axis, which is safe against large x. x (..., n) → y (..., n)."""
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def softmax_grad(dy: Array, y: Array) -> Array:
    """dx_i = y_i(dy_i - Σ_j dy_j·y_j). dy, y (..., n) → dx (..., n)."""
    return y * (dy - np.sum(dy * y, axis=-1, keepdims=True))


def log_softmax(x: Array) -> Array:
    """y_i = x_i - ln Σ_j e^x_j over the last axis. x (..., n) → y (..., n)."""
    shifted = x - np.max(x, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def log_softmax_grad(dy: Array, y: Array) -> Array:
    """dx_i = dy_i - e^y_i·Σ_j dy_j. dy, y (..., n) → dx (..., n)."""
    return dy - np.exp(y) * np.sum(dy, axis=-1, keepdims=True)
