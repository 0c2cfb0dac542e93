"""Recurrent layers over whole sequences: one call walks through time in C. Floor 2.

The weights' gradients are products over all steps at once: of the states before (`before`) with the slopes dz.
The magnitudes take one step not to enlarge an error in the state (weights of a trained net keep to that): it then grows
by one step's rounding a step.
"""

from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops.rows._work import steps as price
from fastnn.ops.rows.data import reshape
from fastnn.ops.rows.dense import matmul_tn
from fastnn.reference._types import Array


def steps(name: str, gates: int, z: Shape, u: Shape, mask: Shape, **states: Shape) -> tuple[Shape, Shape, Shape]:
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
    h, state, _ = steps("rnn_steps", 1, z, u, mask, h0=h0)
    return [h, h, state]


def _lstm(z: Shape, u: Shape, h0: Shape, c0: Shape, mask: Shape) -> list[Shape]:
    h, state, _ = steps("lstm_steps", 4, z, u, mask, h0=h0, c0=c0)
    return [h, h, h, z, state, state]


def arriving(name: str, h: Shape, state: Shape, dh: Shape, **grads: Shape) -> None:
    """Check the gradients that a layer gets: of all states, dh, and of the last ones; (0,) is none."""
    for wanted, given in ((h, {"dh": dh}), (state, grads)):
        same_shapes(name, states=wanted, **{grad: shape for grad, shape in given.items() if shape != (0,)})


def _rnn_back(dh: Shape, dh_last: Shape, u: Shape, h: Shape, mask: Shape) -> list[Shape]:
    _, state, _ = steps("rnn_steps_grad", 1, h, u, mask)
    arriving("rnn_steps_grad", h, state, dh, dh_last=dh_last)
    return [h, state]


def _lstm_back(dh: Shape, dh_last: Shape, dc_last: Shape, u: Shape, c0: Shape, c: Shape, gates: Shape,
               mask: Shape) -> list[Shape]:
    h, state, _ = steps("lstm_steps_grad", 4, gates, u, mask, c0=c0)
    arriving("lstm_steps_grad", h, state, dh, dh_last=dh_last, dc_last=dc_last)
    same_shapes("lstm_steps_grad", states=h, c=c)
    return [gates, state, state]


def rows(x: Tensor) -> Tensor:
    """(batch, time, n) → (batch·time, n)."""
    return reshape(x, shape=(x.shape[0] * x.shape[1], x.shape[2]))


def weights(before: Tensor, slopes: Tensor) -> Tensor:
    return matmul_tn(rows(before), rows(slopes))


def growth(like: Array | int, u: Array, time: int) -> Array:
    """One step's rounding, of sums of 1 + |z| + Σ|u|, once a step."""
    return time * (3 + np.abs(like).max(initial=0) + np.abs(u).sum(axis=0).max(initial=0))


def forward(z: Array, u: Array) -> Array:
    return growth(z, u, z.shape[1])


def back(dh: Array, dh_last: Array, u: Array, gates: Array) -> Array:
    """The same for gradients, which add up on the way back and are scaled by the states."""
    time = gates.shape[1]
    return growth(0, u, time) * time * (np.abs(dh).max(initial=0) + np.abs(dh_last).max(initial=0) + 1)


MASK: Any = dict(optional=("mask",), dtypes=dict(mask="uint8"))
GIVEN: Any = dict(optional=("dh", "dh_last", "mask"), dtypes=dict(mask="uint8"))

rnn_steps = Op(
    "rnn_steps", outputs=("h", "before", "h_last"), may_omit=("h", "before"),
    **MASK, shape=_rnn, ulps=8, terms=lambda u: len(u),
    shared=dict(grads=lambda dh, dh_last, u, h, mask, activation, reverse: rnn_steps_grad(
        dh, dh_last, u, h, mask, activation=activation, reverse=reverse)),
    vjp=dict(z=lambda grads: grads[0], u=lambda grads, before: weights(before, grads[0]), h0=lambda grads: grads[1]),
    magnitude=lambda z, u: forward(z, u) * (1 + np.abs(z).max(initial=0)),
    flops=lambda z, u: 2 * z[0] * z[1] * u[0] * u[1], work=lambda z, u: price(z, u))

rnn_steps_grad = Op(
    "rnn_steps_grad", outputs=("dz", "dh0"), **GIVEN, ulps=8, terms=lambda u: len(u),
    shape=_rnn_back,
    magnitude=lambda dh, dh_last, u, h: back(dh, dh_last, u, h),
    flops=lambda h, u: 2 * h[0] * h[1] * u[0] * u[1], work=lambda dz, u: price(dz, u))

lstm_steps = Op(
    "lstm_steps", outputs=("h", "before", "c", "gates", "h_last", "c_last"), may_omit=("h", "before", "c", "gates"),
    **MASK, shape=_lstm, ulps=8,
    terms=lambda u: len(u),
    shared=dict(grads=lambda dh, dh_last, dc_last, u, c0, c, gates, mask, reverse: lstm_steps_grad(
        dh, dh_last, dc_last, u, c0, c, gates, mask, reverse=reverse)),
    vjp=dict(z=lambda grads: grads[0], u=lambda grads, before: weights(before, grads[0]), h0=lambda grads: grads[1],
             c0=lambda grads: grads[2]),
    magnitude=lambda z, u, c0: forward(z, u) * (1 + np.abs(c0).max(initial=0)),
    flops=lambda z, u: 2 * z[0] * z[1] * u[0] * u[1], work=lambda z, u: price(z, u))

lstm_steps_grad = Op(
    "lstm_steps_grad", outputs=("dz", "dh0", "dc0"), optional=("dh", "dh_last", "dc_last", "mask"),
    dtypes=dict(mask="uint8"), ulps=8, terms=lambda u: u.shape[1],
    shape=_lstm_back,
    magnitude=lambda dh, dh_last, dc_last, u, c, gates: (back(dh, dh_last, u, gates) + np.abs(dc_last).max(initial=0))
    * (1 + np.abs(c).max(initial=0)),
    flops=lambda gates, u: 2 * gates[0] * gates[1] * u[0] * u[1], work=lambda dz, u: price(dz, u))
