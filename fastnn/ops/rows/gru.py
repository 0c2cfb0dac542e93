"""Gated recurrent units over whole sequences; see recurrent.py. Floor 2."""

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes
from fastnn.ops.rows._work import steps as price
from fastnn.ops.rows.data import slice
from fastnn.ops.rows.dense import matmul_tn, sum_rows
from fastnn.ops.rows.recurrent import GIVEN, MASK, arriving, back, forward, rows, steps, weights
from fastnn.ops.rows.stacking import concatenate


def _gru(name: str, z: Shape, u: Shape, h0: Shape, mask: Shape) -> list[Shape]:
    h, state, _ = steps(name, 3, z, u, mask, h0=h0)
    return [h, h, (*h[:2], None if h[2] is None else 4 * h[2]), state]


def _gru_after(z: Shape, u: Shape, b: Shape, h0: Shape, mask: Shape) -> list[Shape]:
    if b != u[1:]:
        raise ShapeError(f"gru_after_steps: b is {b}; needs {u[1:]}, one value a column of u.")
    return _gru("gru_after_steps", z, u, h0, mask)


def _gru_back(name: str, dh: Shape, dh_last: Shape, u: Shape, before: Shape, gates: Shape, mask: Shape) -> list[Shape]:
    h, state, z = steps(name, 3, (*before[:2], u[-1]), u, mask)
    arriving(name, h, state, dh, dh_last=dh_last)
    same_shapes(name, states=h, before=before)
    same_shapes(name, gates=gates, states=(*h[:2], 4 * u[0]))  # type: ignore[operator]
    return [z, state]


def _before_weights(before: Tensor, gates: Tensor, dz: Tensor) -> Tensor:
    """Of the update and reset gates by the states, of the third part by the reset states, which `gates` ends with."""
    units = before.shape[2]
    slopes, reset = rows(dz), slice(rows(gates), axis=1, begin=3 * units, end=4 * units)
    both = matmul_tn(rows(before), slice(slopes, axis=1, begin=0, end=2 * units))
    return concatenate(both, matmul_tn(reset, slice(slopes, axis=1, begin=2 * units, end=3 * units)), axis=1)


gru_after_steps = Op(
    "gru_after_steps", outputs=("h", "before", "gates", "h_last"), may_omit=("h", "before", "gates"),
    **MASK, shape=_gru_after, ulps=8,
    terms=lambda u: len(u),
    shared=dict(grads=lambda dh, dh_last, u, before, gates, mask, reverse: gru_after_steps_grad(
        dh, dh_last, u, before, gates, mask, reverse=reverse)),
    vjp=dict(z=lambda grads: grads[0], u=lambda grads, before: weights(before, grads[1]),
             b=lambda grads: sum_rows(grads[1]), h0=lambda grads: grads[2]),
    magnitude=lambda z, u, b, h0: (forward(z, u) + np.abs(b).max(initial=0)) * (1 + np.abs(h0).max(initial=0)),
    flops=lambda z, u: 2 * z[0] * z[1] * u[0] * u[1], work=lambda z, u: price(z, u))

gru_after_steps_grad = Op(
    "gru_after_steps_grad", outputs=("dz", "da", "dh0"), **GIVEN, ulps=8, terms=lambda u: u.shape[1],
    shape=lambda dh, dh_last, u, before, gates, mask:
    [*_gru_back("gru_after_steps_grad", dh, dh_last, u, before, gates, mask)[:1] * 2, (before[0], before[2])],
    magnitude=lambda dh, dh_last, u, before, gates: back(dh, dh_last, u, gates)
    * (1 + np.abs(gates).max(initial=0) + np.abs(before).max(initial=0)),
    flops=lambda before, u: 2 * before[0] * before[1] * u[0] * u[1], work=lambda dz, u: price(dz, u))

gru_before_steps = Op(
    "gru_before_steps", outputs=("h", "before", "gates", "h_last"), may_omit=("h", "before", "gates"),
    **MASK, ulps=8, terms=lambda u: len(u),
    shape=lambda z, u, h0, mask: _gru("gru_before_steps", z, u, h0, mask),
    shared=dict(grads=lambda dh, dh_last, u, before, gates, mask, reverse: gru_before_steps_grad(
        dh, dh_last, u, before, gates, mask, reverse=reverse)),
    vjp=dict(z=lambda grads: grads[0], h0=lambda grads: grads[1],
             u=lambda grads, before, gates: _before_weights(before, gates, grads[0])),
    magnitude=lambda z, u, h0: forward(z, u) * (1 + np.abs(h0).max(initial=0)),
    flops=lambda z, u: 2 * z[0] * z[1] * u[0] * u[1], work=lambda z, u: price(z, u))

gru_before_steps_grad = Op(
    "gru_before_steps_grad", outputs=("dz", "dh0"), **GIVEN, ulps=8, terms=lambda u: u.shape[1],
    shape=lambda dh, dh_last, u, before, gates, mask:
    _gru_back("gru_before_steps_grad", dh, dh_last, u, before, gates, mask),
    magnitude=lambda dh, dh_last, u, before, gates: back(dh, dh_last, u, gates)
    * (1 + np.abs(before).max(initial=0)),
    flops=lambda before, u: 2 * before[0] * before[1] * u[0] * u[1], work=lambda dz, u: price(dz, u))
