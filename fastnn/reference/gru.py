"""Gated recurrent units over whole sequences, and their way back in time; see recurrent.py. NumPy only."""

import numpy as np

from fastnn.reference._types import Array
from fastnn.reference.activation import sigmoid as _sigmoid
from fastnn.reference.recurrent import _counted, _first, _held, _order


def gru_after_steps(z: Array, u: Array, b: Array, h0: Array, mask: Array, *,
                    reverse: bool) -> tuple[Array, Array, Array, Array]:
    """a = h_{t-1}·u + b; k = sigmoid(z_k + a_k), r = sigmoid(z_r + a_r), g = tanh(z_g + r·a_g); h_t = k·h_{t-1} + (1 -
    k)·g.

    The reset gate acts after the product (Keras' default). z (batch, time, 3·units) in Keras' order k (update), r
    (reset), g; u (units, 3·units), b (3·units,), h0 (batch, units), mask (batch, time) uint8 or empty → h, before
    (batch, time, units), gates (batch, time, 4·units): k, r, g, a_g; h_last (batch, units). Cho et al. 2014.
    """
    batch, time, _ = z.shape
    h = np.zeros((batch, time, len(u)), z.dtype)
    before, gates, state = np.zeros_like(h), np.zeros((batch, time, 4 * len(u)), z.dtype), h0
    for t in _order(time, reverse):
        before[:, t] = state
        (z_k, z_r, z_g), (a_k, a_r, a_g) = np.split(z[:, t], 3, axis=1), np.split(state @ u + b, 3, axis=1)
        k, r = _sigmoid(z_k + a_k), _sigmoid(z_r + a_r)
        g = np.tanh(z_g + r * a_g)
        gates[:, t] = np.concatenate([k, r, g, a_g], axis=1)
        state = _held(mask, t, g + k * (state - g), state)
        h[:, t] = state
    return h, before, gates, state


def gru_after_steps_grad(dh: Array, dh_last: Array, u: Array, before: Array, gates: Array, mask: Array, *,
                         reverse: bool) -> tuple[Array, Array, Array]:
    """Back through time, with D = dh_t + D_{t+1}·k + da_{t+1}·uᵀ: dz = (D·(h_{t-1} - g)·k', dz_g·a_g·r', D·(1 - k)·g'),
    and da is dz with dz_g·r in the place of dz_g. Empty dh, dh_last: zeros.

    → dz, da (batch, time, 3·units), dh0 (batch, units).
    """
    batch, time, units = before.shape
    dz = np.zeros((batch, time, 3 * units), gates.dtype)
    da, carried = np.zeros_like(dz), _first(dh_last, before[:, 0])
    for t in _order(time, not reverse):
        whole = carried + dh[:, t] if dh.size else carried
        k, r, g, a_g = np.split(gates[:, t], 4, axis=1)
        dz_k = whole * (before[:, t] - g) * k * (1 - k)
        dz_g = whole * (1 - k) * (1 - g * g)
        dz_r = dz_g * a_g * r * (1 - r)
        dz[:, t] = _counted(mask, t, np.concatenate([dz_k, dz_r, dz_g], axis=1))
        da[:, t] = _counted(mask, t, np.concatenate([dz_k, dz_r, dz_g * r], axis=1))
        carried = _held(mask, t, whole * k + da[:, t] @ u.T, whole)
    return dz, da, carried


def gru_before_steps(z: Array, u: Array, h0: Array, mask: Array, *, reverse: bool) -> tuple[Array, Array, Array, Array]:
    """k = sigmoid(z_k + h_{t-1}·u_k), r = sigmoid(z_r + h_{t-1}·u_r), g = tanh(z_g + (r·h_{t-1})·u_g);
    h_t = k·h_{t-1} + (1 - k)·g. The reset gate acts before the product.

    Shapes as gru_after_steps, without b → h, before, gates: k, r, g, r·h_{t-1}; h_last. Cho et al. 2014.
    """
    batch, time, _ = z.shape
    units = len(u)
    h = np.zeros((batch, time, units), z.dtype)
    before, gates, state = np.zeros_like(h), np.zeros((batch, time, 4 * units), z.dtype), h0
    for t in _order(time, reverse):
        before[:, t] = state
        k, r = np.split(_sigmoid(z[:, t, :2 * units] + state @ u[:, :2 * units]), 2, axis=1)
        g = np.tanh(z[:, t, 2 * units:] + (r * state) @ u[:, 2 * units:])
        gates[:, t] = np.concatenate([k, r, g, r * state], axis=1)
        state = _held(mask, t, g + k * (state - g), state)
        h[:, t] = state
    return h, before, gates, state


def gru_before_steps_grad(dh: Array, dh_last: Array, u: Array, before: Array, gates: Array, mask: Array, *,
                          reverse: bool) -> tuple[Array, Array]:
    """Back through time, with D as in gru_after_steps_grad and e = dz_g·u_gᵀ: dz = (D·(h_{t-1} - g)·k', e·h_{t-1}·r',
    D·(1 - k)·g'). Empty dh, dh_last: zeros.

    → dz (batch, time, 3·units), dh0 (batch, units).
    """
    batch, time, units = before.shape
    dz = np.zeros((batch, time, 3 * units), gates.dtype)
    carried = _first(dh_last, before[:, 0])
    for t in _order(time, not reverse):
        whole = carried + dh[:, t] if dh.size else carried
        k, r, g, _ = np.split(gates[:, t], 4, axis=1)
        dz_k = _counted(mask, t, whole * (before[:, t] - g) * k * (1 - k))
        dz_g = _counted(mask, t, whole * (1 - k) * (1 - g * g))
        e = dz_g @ u[:, 2 * units:].T
        dz_r = e * before[:, t] * r * (1 - r)
        dz[:, t] = np.concatenate([dz_k, dz_r, dz_g], axis=1)
        carried = _held(mask, t, whole * k + e * r + dz[:, t, :2 * units] @ u[:, :2 * units].T, whole)
    return dz, carried
