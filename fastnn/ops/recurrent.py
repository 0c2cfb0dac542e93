"""Recurrent layers over whole sequences: one call walks through time in C. Floor 2.

The weights' gradients are products over all steps at once: of the states before (`before`) with the slopes dz.
The magnitudes take one step not to enlarge an error in the state (weights of a trained net keep to that): it then grows
by one step's rounding a step.
"""

from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape
from fastnn.ops.data import concatenate, reshape, slice
from fastnn.ops.dense import matmul_tn, sum_rows


def _steps(name: str, gates: int, z: Shape, u: Shape, mask: Shape, **states: Shape) -> tuple[Shape, Shape, Shape]:
    """((batch, time, units), (batch, units), z), if the arrays go together."""
    if len(u) != 2 or u[1] != gates * (u[0] or 0):
        raise ShapeError(f"{name}: u is {u}; needs (units, {gates} units); check the recurrent weights.")
    if len(z) != 3 or (z[2] is not None and z[2] != u[1]):
        raise ShapeError(f"{name}: z is {z}; needs (batch, time, {u[1]}), as wide as u; check the input's weights.")
    if z[1] == 0:
        raise ShapeError(f"{name}: z is {z}: sequences of length 0; needs at least one step.")
    for state, shape in states.items():
        if len(shape) != 2 or any(a is not None and b is not None and a != b for a, b in zip(shape, (z[0], u[0]))):
            raise ShapeError(f"{name}: {state} is {shape}; needs {(z[0], u[0])}, one row a sequence; check the states.")
    if mask != (0,) and (len(mask) != 2 or any(a is not None and b is not None and a != b
                                               for a, b in zip(mask, z[:2]))):
        raise ShapeError(f"{name}: mask is {mask}; needs {z[:2]}, one value a step, or (0,) for none.")
    return (z[0], z[1], u[0]), (z[0], u[0]), z


def _rnn(z: Shape, u: Shape, h0: Shape, mask: Shape) -> list[Shape]:
    h, state, _ = _steps("rnn_steps", 1, z, u, mask, h0=h0)
    return [h, h, state]


def _lstm(z: Shape, u: Shape, h0: Shape, c0: Shape, mask: Shape) -> list[Shape]:
    h, state, _ = _steps("lstm_steps", 4, z, u, mask, h0=h0, c0=c0)
    return [h, h, h, z, state, state]


def _gru(name: str, z: Shape, u: Shape, h0: Shape, mask: Shape) -> list[Shape]:
    h, state, _ = _steps(name, 3, z, u, mask, h0=h0)
    return [h, h, (*h[:2], None if h[2] is None else 4 * h[2]), state]


def _gru_after(z: Shape, u: Shape, b: Shape, h0: Shape, mask: Shape) -> list[Shape]:
    if b != u[1:]:
        raise ShapeError(f"gru_after_steps: b is {b}; needs {u[1:]}, one value a column of u.")
    return _gru("gru_after_steps", z, u, h0, mask)


def _rows(x: Tensor) -> Tensor:
    """(batch, time, n) → (batch·time, n)."""
    return reshape(x, shape=(x.shape[0] * x.shape[1], x.shape[2]))


def _weights(before: Tensor, slopes: Tensor) -> Tensor:
    return matmul_tn(_rows(before), _rows(slopes))


def _before_weights(before: Tensor, gates: Tensor, dz: Tensor) -> Tensor:
    """Of the update and reset gates by the states, of the third part by the reset states, which `gates` ends with."""
    units = before.shape[2]
    slopes, reset = _rows(dz), slice(_rows(gates), axis=1, begin=3 * units, end=4 * units)
    both = matmul_tn(_rows(before), slice(slopes, axis=1, begin=0, end=2 * units))
    return concatenate(both, matmul_tn(reset, slice(slopes, axis=1, begin=2 * units, end=3 * units)), axis=1)


def _growth(like: Any, u: Any, time: int) -> Any:
    """One step's rounding, of sums of 1 + |z| + Σ|u|, once a step."""
    return time * (3 + np.abs(like).max(initial=0) + np.abs(u).sum(axis=0).max(initial=0))


def _forward(z: Any, u: Any) -> Any:
    return _growth(z, u, z.shape[1])


def _back(dh: Any, dh_last: Any, u: Any, gates: Any) -> Any:
    """The same for gradients, which add up on the way back and are scaled by the states."""
    time = gates.shape[1]
    return _growth(0, u, time) * time * (np.abs(dh).max(initial=0) + np.abs(dh_last).max(initial=0) + 1)


_MASK: Any = dict(optional=("mask",), dtypes=dict(mask="uint8"))
_GIVEN: Any = dict(optional=("dh", "dh_last", "mask"), dtypes=dict(mask="uint8"))

rnn_steps = Op(
    "rnn_steps", outputs=("h", "before", "h_last"), **_MASK, shape=_rnn, ulps=8, terms=lambda u: len(u),
    shared=dict(grads=lambda dh, dh_last, u, h, mask, activation, reverse: rnn_steps_grad(
        dh, dh_last, u, h, mask, activation=activation, reverse=reverse)),
    vjp=dict(z=lambda grads: grads[0], u=lambda grads, before: _weights(before, grads[0]), h0=lambda grads: grads[1]),
    magnitude=lambda z, u: _forward(z, u) * (1 + np.abs(z).max(initial=0)),
    flops=lambda z, u: 2 * z[0] * z[1] * u[0] * u[1])

rnn_steps_grad = Op(
    "rnn_steps_grad", outputs=("dz", "dh0"), **_GIVEN, ulps=8, terms=lambda u: len(u),
    shape=lambda u, h, mask: [_rnn(h, u, (h[0], u[0]), mask)[0], (h[0], u[0])],
    magnitude=lambda dh, dh_last, u, h: _back(dh, dh_last, u, h),
    flops=lambda h, u: 2 * h[0] * h[1] * u[0] * u[1])

lstm_steps = Op(
    "lstm_steps", outputs=("h", "before", "c", "gates", "h_last", "c_last"), **_MASK, shape=_lstm, ulps=8,
    terms=lambda u: len(u),
    shared=dict(grads=lambda dh, dh_last, dc_last, u, c0, c, gates, mask, reverse: lstm_steps_grad(
        dh, dh_last, dc_last, u, c0, c, gates, mask, reverse=reverse)),
    vjp=dict(z=lambda grads: grads[0], u=lambda grads, before: _weights(before, grads[0]), h0=lambda grads: grads[1],
             c0=lambda grads: grads[2]),
    magnitude=lambda z, u, c0: _forward(z, u) * (1 + np.abs(c0).max(initial=0)),
    flops=lambda z, u: 2 * z[0] * z[1] * u[0] * u[1])

lstm_steps_grad = Op(
    "lstm_steps_grad", outputs=("dz", "dh0", "dc0"), optional=("dh", "dh_last", "dc_last", "mask"),
    dtypes=dict(mask="uint8"), ulps=8, terms=lambda u: u.shape[1],
    shape=lambda u, c0, c, gates, mask: [_lstm(gates, u, c0, c0, mask)[3], c0, c0],
    magnitude=lambda dh, dh_last, dc_last, u, c, gates: (_back(dh, dh_last, u, gates) + np.abs(dc_last).max(initial=0))
    * (1 + np.abs(c).max(initial=0)),
    flops=lambda gates, u: 2 * gates[0] * gates[1] * u[0] * u[1])

gru_after_steps = Op(
    "gru_after_steps", outputs=("h", "before", "gates", "h_last"), **_MASK, shape=_gru_after, ulps=8,
    terms=lambda u: len(u),
    shared=dict(grads=lambda dh, dh_last, u, before, gates, mask, reverse: gru_after_steps_grad(
        dh, dh_last, u, before, gates, mask, reverse=reverse)),
    vjp=dict(z=lambda grads: grads[0], u=lambda grads, before: _weights(before, grads[1]),
             b=lambda grads: sum_rows(grads[1]), h0=lambda grads: grads[2]),
    magnitude=lambda z, u, b, h0: (_forward(z, u) + np.abs(b).max(initial=0)) * (1 + np.abs(h0).max(initial=0)),
    flops=lambda z, u: 2 * z[0] * z[1] * u[0] * u[1])

gru_after_steps_grad = Op(
    "gru_after_steps_grad", outputs=("dz", "da", "dh0"), **_GIVEN, ulps=8, terms=lambda u: u.shape[1],
    shape=lambda u, before, gates, mask: [(*before[:2], u[1]), (*before[:2], u[1]), (before[0], before[2])],
    magnitude=lambda dh, dh_last, u, before, gates: _back(dh, dh_last, u, gates)
    * (1 + np.abs(gates).max(initial=0) + np.abs(before).max(initial=0)),
    flops=lambda before, u: 2 * before[0] * before[1] * u[0] * u[1])

gru_before_steps = Op(
    "gru_before_steps", outputs=("h", "before", "gates", "h_last"), **_MASK, ulps=8, terms=lambda u: len(u),
    shape=lambda z, u, h0, mask: _gru("gru_before_steps", z, u, h0, mask),
    shared=dict(grads=lambda dh, dh_last, u, before, gates, mask, reverse: gru_before_steps_grad(
        dh, dh_last, u, before, gates, mask, reverse=reverse)),
    vjp=dict(z=lambda grads: grads[0], h0=lambda grads: grads[1],
             u=lambda grads, before, gates: _before_weights(before, gates, grads[0])),
    magnitude=lambda z, u, h0: _forward(z, u) * (1 + np.abs(h0).max(initial=0)),
    flops=lambda z, u: 2 * z[0] * z[1] * u[0] * u[1])

gru_before_steps_grad = Op(
    "gru_before_steps_grad", outputs=("dz", "dh0", "scratch"), **_GIVEN, ulps=8, terms=lambda u: u.shape[1],
    shape=lambda u, before, gates, mask: [(*before[:2], u[1]), (before[0], before[2]), (before[0], before[2])],
    magnitude=lambda dh, dh_last, u, before, gates: _back(dh, dh_last, u, gates)
    * (1 + np.abs(before).max(initial=0)),
    flops=lambda before, u: 2 * before[0] * before[1] * u[0] * u[1])
