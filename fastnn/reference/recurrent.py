"""Recurrent layers over whole sequences (guide chapter 12), and their way back in time. NumPy only.

z holds x·w + b of every step (batch, time, gates·units), u the weights from state to gates. Steps run from first to
last, or from last to first with reverse. mask (batch, time) is 1 where a step counts; elsewhere the state stays. It may
be empty (size 0), as may every gradient `dh…` that nothing asks for. h (batch, time, units): the state after each step,
`before` the one before it, `h_last` the one after the last.
"""

from collections.abc import Iterator

import numpy as np

from fastnn.reference import _fused
from fastnn.reference._types import Array
from fastnn.reference.activation import sigmoid as _sigmoid


def _order(time: int, reverse: bool) -> Iterator[int]:
    return iter(range(time - 1, -1, -1) if reverse else range(time))


def _held(mask: Array, t: int, new: Array, old: Array) -> Array:
    """new where step t counts, else old."""
    return np.where(mask[:, t, None] != 0, new, old) if mask.size else new


def _counted(mask: Array, t: int, values: Array) -> Array:
    """values where step t counts, else 0."""
    return values * (mask[:, t, None] != 0) if mask.size else values


def _first(given: Array, like: Array) -> Array:
    return given if given.size else np.zeros_like(like)


def rnn_steps(z: Array, u: Array, h0: Array, mask: Array, *, activation: str,
              reverse: bool) -> tuple[Array, Array, Array]:
    """h_t = f(z_t + h_{t-1}·u), f being linear, relu, tanh or sigmoid. Elman 1990.

    z (batch, time, units), u (units, units), h0 (batch, units), mask (batch, time) uint8 or empty
    → h, before (batch, time, units), h_last (batch, units).
    """
    h, before, state = np.zeros_like(z), np.zeros_like(z), h0
    for t in _order(z.shape[1], reverse):
        before[:, t] = state
        state = _held(mask, t, _fused.apply(z[:, t] + state @ u, activation), state)
        h[:, t] = state
    return h, before, state


def rnn_steps_grad(dh: Array, dh_last: Array, u: Array, h: Array, mask: Array, *, activation: str,
                   reverse: bool) -> tuple[Array, Array]:
    """Back through time: dz_t = (dh_t + dz_{t+1}·uᵀ)·f'(z_t). Empty dh, dh_last: zeros.

    dh, h (batch, time, units), dh_last (batch, units) → dz (batch, time, units), dh0 (batch, units).
    """
    dz, carried = np.zeros_like(h), _first(dh_last, h[:, 0])
    for t in _order(h.shape[1], not reverse):
        whole = carried + dh[:, t] if dh.size else carried
        dz[:, t] = _counted(mask, t, _fused.gradient(whole, h[:, t], activation))
        carried = _held(mask, t, dz[:, t] @ u.T, whole)
    return dz, carried


def lstm_steps(z: Array, u: Array, h0: Array, c0: Array, mask: Array, *,
               reverse: bool) -> tuple[Array, Array, Array, Array, Array, Array]:
    """a = z_t + h_{t-1}·u in four parts; i, f, o = sigmoid, g = tanh; c_t = f·c_{t-1} + i·g; h_t = o·tanh(c_t).

    z (batch, time, 4·units) in Keras' order i, f, g, o; u (units, 4·units); h0, c0 (batch, units); mask (batch, time)
    uint8 or empty → h, before, c (batch, time, units), gates (batch, time, 4·units), h_last, c_last (batch, units).
    Hochreiter & Schmidhuber 1997; Gers et al. 2000.
    """
    batch, time, _ = z.shape
    h = np.zeros((batch, time, len(u)), z.dtype)
    before, c, gates, state, cell = np.zeros_like(h), np.zeros_like(h), np.zeros_like(z), h0, c0
    for t in _order(time, reverse):
        before[:, t] = state
        i, f, g, o = np.split(z[:, t] + state @ u, 4, axis=1)
        i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
        new = f * cell + i * g
        state, cell = _held(mask, t, o * np.tanh(new), state), _held(mask, t, new, cell)
        gates[:, t] = np.concatenate([i, f, g, o], axis=1)
        h[:, t], c[:, t] = state, cell
    return h, before, c, gates, state, cell


def lstm_steps_grad(dh: Array, dh_last: Array, dc_last: Array, u: Array, c0: Array, c: Array, gates: Array,
                    mask: Array, *, reverse: bool) -> tuple[Array, Array, Array]:
    """Back through time: with D = dh_t + dz_{t+1}·uᵀ and s = tanh(c_t), dc = dc_{t+1} + D·o·(1 - s²);
    dz = (dc·g·i', dc·c_{t-1}·f', dc·i·g', D·s·o'), and dc_t = dc·f. Empty dh, dh_last, dc_last: zeros.

    → dz (batch, time, 4·units), dh0, dc0 (batch, units).
    """
    dz, carried, dc = np.zeros_like(gates), _first(dh_last, c0), _first(dc_last, c0)
    time = gates.shape[1]
    for t in _order(time, not reverse):
        whole = carried + dh[:, t] if dh.size else carried
        previous = t + 1 if reverse else t - 1
        cell = c[:, previous] if 0 <= previous < time else c0
        i, f, g, o = np.split(gates[:, t], 4, axis=1)
        s = np.tanh(c[:, t])
        total = dc + whole * o * (1 - s * s)
        parts = [total * g * i * (1 - i), total * cell * f * (1 - f), total * i * (1 - g * g), whole * s * o * (1 - o)]
        dz[:, t] = _counted(mask, t, np.concatenate(parts, axis=1))
        carried, dc = _held(mask, t, dz[:, t] @ u.T, whole), _held(mask, t, total * f, dc)
    return dz, carried, dc
