"""Metrics as ops: scores per sample, and updates of float64 sums. They have no gradients. Floor 2; imports engine."""

from typing import Any

import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops.rows._per_sample import per_label, per_sample
from fastnn.ops.rows._work import by_rows
from fastnn.reference._types import Array


def _rows(x: Shape) -> Shape:
    if len(x) != 2:
        raise ShapeError(f"keep_top_k: x is {x}; needs (rows, columns); reshape it.")
    return x


binary_accuracy = Op("binary_accuracy", shape=lambda y_true, y_pred: per_sample("binary_accuracy", y_true, y_pred),
                     cost=0.25)
categorical_accuracy = Op(
    "categorical_accuracy", shape=lambda y_true, y_pred: per_sample("categorical_accuracy", y_true, y_pred),
    work=lambda y_pred: by_rows(y_pred, 0.4))
sparse_categorical_accuracy = Op(
    "sparse_categorical_accuracy", dtypes=dict(labels="int32"),
    shape=lambda labels, y_pred: per_label("sparse_categorical_accuracy", labels, y_pred),
    work=lambda y_pred: by_rows(y_pred, 0.2))
keep_top_k = Op("keep_top_k", shape=_rows, cost=3)
top_k_accuracy = Op("top_k_accuracy", shape=lambda y_true, y_pred: per_sample("top_k_accuracy", y_true, y_pred), cost=1)
sparse_top_k_accuracy = Op(
    "sparse_top_k_accuracy", dtypes=dict(labels="int32"),
    shape=lambda labels, y_pred: per_label("sparse_top_k_accuracy", labels, y_pred), cost=1)


def _check_sums(op: str, **sums: Shape) -> None:
    for name, shape in sums.items():
        if shape != ():
            raise ShapeError(f"{op}: {name} has shape {shape}; needs a single number, (); try np.zeros(()).")


def _check_columns(op: str, y_true: Shape, y_pred: Shape, weights: Shape, **states: Any) -> None:
    """Batches are (batch, columns), weights (batch,), and every state as its second item says."""
    if len(y_pred) != 2:
        raise ShapeError(f"{op}: y_pred is {y_pred}; needs (batch, columns); reshape y_pred and y_true.")
    same_shapes(op, y_true=y_true, y_pred=y_pred)
    if len(weights) != 1 or (None not in (weights[0], y_pred[0]) and weights[0] != y_pred[0]):
        raise ShapeError(f"{op}: weights is {weights} and y_pred is {y_pred}; needs one weight per row, "
                         f"({y_pred[0]},); try np.ones({y_pred[0]}).")
    for name, (shape, needed) in states.items():
        if shape != needed:
            raise ShapeError(f"{op}: {name} has shape {shape} and y_pred is {y_pred}; needs {needed}, a value for each "
                             f"of y_pred's columns; try np.zeros({needed}).")


def _check_mean(total: Shape, count: Shape) -> None:
    _check_sums("mean_step", total=total, count=count)


def _check_weighted_mean(total: Shape, count: Shape, values: Shape, weights: Shape) -> None:
    _check_sums("weighted_mean_step", total=total, count=count)
    same_shapes("weighted_mean_step", values=values, weights=weights)


def _check_add(total: Shape, values: Shape) -> None:
    same_shapes("add_step", total=total, values=values)


def _check_confusion(counts: Shape, y_true: Shape, y_pred: Shape, weights: Shape, thresholds: Shape) -> None:
    same_shapes("confusion_step", y_true=y_true, y_pred=y_pred, weights=weights)
    if len(y_pred) != 2 or len(thresholds) != 1:
        raise ShapeError(f"confusion_step: y_pred is {y_pred} and thresholds {thresholds}; needs (batch, columns) and "
                         "(levels,); reshape them.")
    needed = (2, thresholds[0] + 1, y_pred[1])  # type: ignore[operator]
    if counts != needed:
        raise ShapeError(f"confusion_step: counts has shape {counts}, y_pred {y_pred} and thresholds {thresholds}; "
                         f"needs {needed}; try np.zeros({needed}).")


def _check_count(counts: Shape, rows: Shape, columns: Shape, weights: Shape) -> None:
    same_shapes("count_step", rows=rows, columns=columns, weights=weights)
    if len(counts) != 2 or len(rows) != 1:
        raise ShapeError(f"count_step: counts is {counts} and rows {rows}; needs two axes and one; reshape them.")


def _check_r2(squared_sum: Shape, sum: Shape, residual: Shape, count: Shape, y_true: Shape, y_pred: Shape,
              weights: Shape) -> None:
    columns = y_pred[1:]
    _check_columns("r2_step", y_true, y_pred, weights, squared_sum=(squared_sum, columns), sum=(sum, columns),
                   residual=(residual, columns))
    _check_sums("r2_step", count=count)


# Error bounds: sizes of the sums with every term positive.

def _confusion_size(counts: Array, y_true: Array, weights: Array) -> Array:
    return np.abs(counts) + np.sum(np.abs(weights) * (np.abs(y_true) + 1), axis=0)


def _count_size(count: Array, weights: Array) -> Array:
    return np.abs(count) + np.sum(np.abs(weights))


mean_step = Op(
    "mean_step", updates=("total", "count"), dtypes=dict(total="float64", count="float64"), shape=_check_mean,
    magnitude=(lambda total, values: np.abs(total) + np.sum(np.abs(values)), None))
weighted_mean_step = Op(
    "weighted_mean_step", updates=("total", "count"), dtypes=dict(total="float64", count="float64"),
    shape=_check_weighted_mean,
    magnitude=(lambda total, values, weights: np.abs(total) + np.sum(np.abs(values * weights)), _count_size))
add_step = Op("add_step", updates=("total",), dtypes=dict(total="float64"), shape=_check_add,
              magnitude=lambda total, values: np.abs(total) + np.abs(values))
confusion_step = Op("confusion_step", updates=("counts",), dtypes=dict(counts="float64"), shape=_check_confusion,
                    magnitude=_confusion_size)
count_step = Op("count_step", updates=("counts",), dtypes=dict(counts="float64", rows="int32", columns="int32"),
                shape=_check_count, magnitude=lambda counts, weights: np.abs(counts) + np.sum(np.abs(weights)))
r2_step = Op(
    "r2_step", updates=("squared_sum", "sum", "residual", "count"),
    dtypes=dict(squared_sum="float64", sum="float64", residual="float64", count="float64"), shape=_check_r2,
    magnitude=(lambda squared_sum, y_true, weights: np.abs(squared_sum) + np.abs(weights) @ np.square(y_true),
               lambda sum, y_true, weights: np.abs(sum) + np.abs(weights) @ np.abs(y_true),
               lambda residual, y_true, y_pred, weights:
                   np.abs(residual) + np.abs(weights) @ np.square(np.abs(y_true) + np.abs(y_pred)),
               _count_size))
