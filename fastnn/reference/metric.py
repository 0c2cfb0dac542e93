"""Metrics: per-sample scores, and steps that add a batch to float64 sums (guide chapters 9, 54, 58). NumPy only.

The sums are float64 whatever the data is; a step returns the new value of each sum that it updates.
"""

import numpy as np

from fastnn.reference._types import F64, Array


def binary_accuracy(y_true: Array, y_pred: Array, *, threshold: float) -> Array:
    """y = mean((y_pred > threshold) = y_true). y_true, y_pred (…, c) → y (…). Keras: metrics.binary_accuracy."""
    return np.mean(_above(y_pred, threshold) == y_true, axis=-1, dtype=y_pred.dtype)


def categorical_accuracy(y_true: Array, y_pred: Array) -> Array:
    """y = 1 where argmax(y_true) = argmax(y_pred), the first maximum of each, else 0. y_true, y_pred (…, c) → y (…)."""
    return (np.argmax(y_true, axis=-1) == np.argmax(y_pred, axis=-1)).astype(y_pred.dtype)


def sparse_categorical_accuracy(labels: Array, y_pred: Array) -> Array:
    """y = 1 where label = argmax(y_pred), the first maximum, else 0. labels (…) int32; y_pred (…, c) → y (…)."""
    return (labels == np.argmax(y_pred, axis=-1)).astype(y_pred.dtype)


def top_k_accuracy(y_true: Array, y_pred: Array, *, k: int) -> Array:
    """y = 1 where argmax(y_true) is among the k highest of y_pred. y_true, y_pred (…, c) → y (…). Ties: see sparse_…"""
    return sparse_top_k_accuracy(np.argmax(y_true, axis=-1), y_pred, k=k)


def sparse_top_k_accuracy(labels: Array, y_pred: Array, *, k: int) -> Array:
    """y = 1 where fewer than k values of the row exceed y_pred[label], else 0. labels (…) int32; y_pred (…, c) → y (…).

    So all that tie with the k-th count as in; a row with an infinity or NaN, or a label that is no class, scores 0
    (TensorFlow: in_top_k).
    """
    classes = y_pred.shape[-1]
    score = np.take_along_axis(y_pred, np.clip(labels, 0, classes - 1)[..., None], axis=-1)
    valid = (labels >= 0) & (labels < classes) & np.all(np.isfinite(y_pred), axis=-1)
    return (valid & (np.sum(y_pred > score, axis=-1) < k)).astype(y_pred.dtype)


def mean_step(total: Array, count: Array, values: Array) -> tuple[Array, Array]:
    """total + sum(values), count + size(values). total, count () float64; values any shape → total, count."""
    return np.asarray(total + np.sum(values, dtype=F64)), np.asarray(count + values.size)


def weighted_mean_step(total: Array, count: Array, values: Array, weights: Array) -> tuple[Array, Array]:
    """total + sum(values·weights), count + sum(weights). total, count () float64; values, weights same shape."""
    return np.asarray(total + np.sum(values.astype(F64) * weights)), np.asarray(count + np.sum(weights, dtype=F64))


def add_step(total: Array, values: Array) -> Array:
    """total + values, element by element. total float64 and values of one shape → total."""
    return total + values.astype(F64)


def confusion_step(counts: Array, y_true: Array, y_pred: Array, weights: Array, thresholds: Array) -> Array:
    """counts[1] + weights·y_true and counts[0] + weights·(1 - y_true), by how many thresholds y_pred exceeds.

    What exceeds more than i of them is predicted positive at thresholds[i]. A y_true of 0.3 is 0.3 of a positive and
    0.7 of a negative. counts (2, t + 1, c) float64; y_true, y_pred, weights (b, c); thresholds (t,), rising → counts.
    """
    level = np.sum(y_pred[..., None] > thresholds, axis=-1)
    place = level, np.broadcast_to(np.arange(y_pred.shape[1]), level.shape)
    new, w, t = counts.copy(), weights.astype(F64), y_true.astype(F64)
    np.add.at(new[1], place, w * t)
    np.add.at(new[0], place, w * (1 - t))
    return new


def count_step(counts: Array, rows: Array, columns: Array, weights: Array) -> Array:
    """counts[r, c] + w for each r of rows, c of columns, w of weights; what lies outside of counts is left out.

    counts (m, n) float64; rows, columns (k,) int32; weights (k,) → counts.
    """
    inside = (rows >= 0) & (rows < counts.shape[0]) & (columns >= 0) & (columns < counts.shape[1])
    new = counts.copy()
    np.add.at(new, (rows[inside], columns[inside]), weights[inside])
    return new


def keep_top_k(x: Array, *, k: int) -> Array:
    """y = x where it is among the k highest of its row, the first of those that tie, else -inf. x (b, c) → y (b, c)."""
    order = np.argsort(-x, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1, kind="stable")
    return np.where((rank < k) & ~np.isnan(x), x, x.dtype.type(-np.inf))


def r2_step(squared_sum: Array, sum: Array, residual: Array, count: Array, y_true: Array, y_pred: Array,
            weights: Array) -> tuple[Array, Array, Array, Array]:
    """squared_sum + Σ w·t², sum + Σ w·t, residual + Σ w·(t - p)² of each column, and count + Σ w.

    squared_sum, sum, residual (c,) and count () float64; t = y_true, p = y_pred (b, c); w = weights
    (b,). Keras: R2Score.
    """
    t, p, w = y_true.astype(F64), y_pred.astype(F64), weights.astype(F64)
    return squared_sum + w @ np.square(t), sum + w @ t, residual + w @ np.square(t - p), np.asarray(count + np.sum(w))


def _above(y_pred: Array, threshold: float) -> Array:
    return y_pred > np.float32(threshold)     # in float64 the very same samples must count
