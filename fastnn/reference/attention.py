"""Attention of queries to keys, head by head, and its way back. NumPy only.

q (batch, queries, heads·depth), k (batch, keys, heads·depth), v (batch, keys, heads·width): head h has the columns from
h·depth on. mask (batch, queries, keys) is 1 where a query may look at a key; empty (size 0): everywhere. causal: a
query looks at no later key. A query that may look nowhere looks at all keys alike, and its gradient is that of a
softmax over all of them, as Keras has it.
"""

import numpy as np

from fastnn.reference._types import Array


def _split(x: Array, heads: int) -> Array:
    """(batch, n, heads·width) → (batch, heads, n, width)."""
    return x.reshape(*x.shape[:2], heads, x.shape[2] // heads).transpose(0, 2, 1, 3)


def _joined(x: Array) -> Array:
    """(batch, heads, n, width) → (batch, n, heads·width)."""
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], x.shape[1] * x.shape[3])


def _scores(q: Array, k: Array, mask: Array, heads: int, scale: float, causal: bool) -> Array:
    """scale·q·kᵀ, -inf where a query may not look; 0 in a row where it may look nowhere."""
    s = scale * (_split(q, heads) @ _split(k, heads).transpose(0, 1, 3, 2))
    allowed = np.ones(s.shape, bool)
    if mask.size:
        allowed &= mask[:, None] != 0
    if causal:
        allowed &= np.tri(s.shape[2], s.shape[3], dtype=bool)
    s = np.where(allowed, s, -np.inf)
    return np.where(allowed.any(axis=3, keepdims=True), s, np.zeros((), s.dtype)).astype(q.dtype)


def attention(q: Array, k: Array, v: Array, mask: Array, *, heads: int, scale: float,
              causal: bool) -> tuple[Array, Array]:
    """y = softmax(scale·q·kᵀ)·v for every head. Vaswani et al. 2017.

    → y (batch, queries, heads·width), log_sum (batch, heads, queries): the logarithm of each row's sum of exponentials.
    """
    s = _scores(q, k, mask, heads, scale, causal)
    high = s.max(axis=3, keepdims=True)
    log_sum = high + np.log(np.exp(s - high).sum(axis=3, keepdims=True))
    return _joined(np.exp(s - log_sum) @ _split(v, heads)), log_sum[..., 0]


def attention_grad(dy: Array, q: Array, k: Array, v: Array, mask: Array, y: Array, log_sum: Array, *, heads: int,
                   scale: float, causal: bool) -> tuple[Array, Array, Array]:
    """With p the probabilities, computed anew: dv = pᵀ·dy, ds = scale·p·(dy·vᵀ - Σ dy·y), dq = ds·k, dk = dsᵀ·q.

    dy, y as attention's y → dq, dk, dv as q, k, v.
    """
    p = np.exp(_scores(q, k, mask, heads, scale, causal) - log_sum[..., None])
    heads_dy = _split(dy, heads)
    inner = (heads_dy * _split(y, heads)).sum(axis=3, keepdims=True)
    ds = scale * p * (heads_dy @ _split(v, heads).transpose(0, 1, 3, 2) - inner)
    dq, dk = ds @ _split(k, heads), ds.transpose(0, 1, 3, 2) @ _split(q, heads)
    return _joined(dq), _joined(dk), _joined(p.transpose(0, 1, 3, 2) @ heads_dy)
