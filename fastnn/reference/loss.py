"""Losses that are means of independent terms, and their gradients (guide chapters 7-9, 18, 41). NumPy only.

Per sample: the last axis is reduced.
"""

import numpy as np

from fastnn.reference._types import Array


def mean_squared_error(y_true: Array, y_pred: Array) -> Array:
    """loss = mean((y_pred - y_true)²). y_true, y_pred (…, c) → loss (…)."""
    return np.mean(np.square(y_pred - y_true), axis=-1)


def mean_squared_error_grad(dy: Array, y_true: Array, y_pred: Array) -> Array:
    """dx = dy·2(y_pred - y_true)/c. dy (…); y_true, y_pred (…, c) → dx (…, c)."""
    return dy[..., None] * 2 * (y_pred - y_true) / y_pred.shape[-1]


def mean_absolute_error(y_true: Array, y_pred: Array) -> Array:
    """loss = mean(|y_pred - y_true|). y_true, y_pred (…, c) → loss (…)."""
    return np.mean(np.abs(y_pred - y_true), axis=-1)


def mean_absolute_error_grad(dy: Array, y_true: Array, y_pred: Array) -> Array:
    """dx = dy·sign(y_pred - y_true)/c, with sign(0) = 0. dy (…); y_true, y_pred (…, c) → dx (…, c)."""
    return dy[..., None] * np.sign(y_pred - y_true) / y_pred.shape[-1]
