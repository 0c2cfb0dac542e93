"""Attention of queries to keys, all heads in one call. Floor 2."""

from typing import Any

import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._memory import sizes_are_tried
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops._rules import differ
from fastnn.ops.rows._work import heads_product, scores
from fastnn.reference._types import Array

MOST_KEYS = 1 << 17      # a row of scores and its gradient fit into what a worker has


def _attention_shape(q: Shape, k: Shape, v: Shape, mask: Shape, heads: int) -> list[Shape]:
    if not len(q) == len(k) == len(v) == 3 or differ(q[0], k[0]) or differ(q[2], k[2]) or v[:2] != k[:2]:
        raise ShapeError(f"attention: q is {q}, k is {k} and v is {v}; needs (batch, queries, n), (batch, keys, n) and "
                         "(batch, keys, m); check the shapes.")
    if heads < 1 or (q[2] or 0) % heads or (v[2] or 0) % heads or not q[2]:
        raise ShapeError(f"attention: heads is {heads}, q is {q} and v is {v}; needs last axes that heads divide.")
    if k[1] is not None and not 0 < k[1] <= MOST_KEYS and not sizes_are_tried():
        raise ShapeError(f"attention: k is {k}; needs from 1 to {MOST_KEYS} keys; use another length.")
    if mask != (0,) and (len(mask) != 3 or any(map(differ, mask, (q[0], q[1], k[1])))):
        raise ShapeError(f"attention: mask is {mask}; needs {(q[0], q[1], k[1])}, or (0,) for none.")
    return [(*q[:2], v[2]), (q[0], heads, q[1])]


def _grad_shape(dy: Shape, q: Shape, k: Shape, v: Shape, mask: Shape, y: Shape, log_sum: Shape,
                heads: int) -> list[Shape]:
    result, sums = _attention_shape(q, k, v, mask, heads)
    same_shapes("attention_grad", result=result, y=y, dy=dy)
    same_shapes("attention_grad", sums=sums, log_sum=log_sum)
    return [q, k, v]


def _sums(q: Array, k: Array, v: Array, scale: float) -> tuple[float, float]:
    """Bounds of the rounding of a score, in units, and of a value."""
    scores = abs(scale) * float((np.abs(q).max(initial=0) * np.abs(k).max(initial=0)) * q.shape[2])
    return 1 + scores, float(np.abs(v).max(initial=0))


def _y(q: Array, k: Array, v: Array, scale: float) -> float:
    score, value = _sums(q, k, v, scale)
    return score * value


def _back(dy: Array, q: Array, k: Array, v: Array, scale: float, by: Array, terms: int) -> Array:
    """Of a product of ds, itself of differences of products of dy and v, with `by`, over `terms`."""
    score, value = _sums(q, k, v, scale)
    ds = abs(scale) * score * float(np.abs(dy).max(initial=0)) * value * v.shape[2]
    return terms * ds * float(np.abs(by).max(initial=0))


_MASK: Any = dict(optional=("mask",), dtypes=dict(mask="uint8"))

attention = Op(
    "attention", outputs=("y", "log_sum"), may_omit=("log_sum",), shape=_attention_shape, **_MASK, ulps=16,
    terms=lambda k: k.shape[1] + k.shape[2],
    shared=dict(grads=lambda dy, q, k, v, mask, y, log_sum, heads, scale, causal: attention_grad(
        dy, q, k, v, mask, y, log_sum, heads=heads, scale=scale, causal=causal)),
    vjp=dict(q=lambda grads: grads[0], k=lambda grads: grads[1], v=lambda grads: grads[2]),
    magnitude=(_y, lambda q, k, v, scale: _sums(q, k, v, scale)[0]),
    flops=lambda q, k, v, mask, causal: 2 * scores(q, k, mask, causal) * (q[2] + v[2]),
    work=lambda q, k, v, mask, heads, causal: heads_product(q, k, mask, causal, q[2] + v[2], heads))

attention_grad = Op(
    "attention_grad", outputs=("dq", "dk", "dv"), **_MASK, ulps=32, terms=lambda k: k.shape[1] + k.shape[2],
    shape=_grad_shape,
    magnitude=(lambda dy, q, k, v, scale: _back(dy, q, k, v, scale, k, k.shape[1]),
               lambda dy, q, k, v, scale: _back(dy, q, k, v, scale, q, q.shape[1]),
               lambda dy, q, k, v, scale: _sums(q, k, v, scale)[0] * q.shape[1] * float(np.abs(dy).max(initial=0))),
    flops=lambda q, k, v, mask, causal: 2 * scores(q, k, mask, causal) * (3 * q[2] + 2 * v[2]),
    work=lambda q, k, v, mask, heads, causal: heads_product(q, k, mask, causal, 3 * q[2] + 2 * v[2], heads))
