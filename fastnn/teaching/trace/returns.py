"""The way back through pooling, normalization, recurrence and attention, written out. Floor 5."""

from typing import Any

import numpy as np

from fastnn.teaching.trace.backward import slope
from fastnn.teaching.trace.board import Fold, Line, added, multiplied, rest, short, total
from fastnn.teaching.trace.forms import Look, form, index_text
from fastnn.teaching.trace.layers import scores_of
from fastnn.teaching.trace.products import place_of
from fastnn.teaching.trace.walk import Record


@form("max_pool_grad")
def max_pool(record: Record, look: Look) -> list[Any]:
    """Of one window of each of the first channels: who gets what came back."""
    dy, argmax, dx = record.inputs["dy"], record.inputs["argmax"], record.result
    (_, kw), (sh, sw), pads = (record.constants[name] for name in ("pool", "strides", "pads"))
    i, j = place_of(dy)
    lines: list[Any] = []
    for n in look.of_rows(len(dy)):
        for c in range(min(dy.shape[3], look.limits.units)):
            cell = int(argmax[n, i, j, c])
            place = i * sh - pads[0] + cell // kw, j * sw - pads[2] + cell % kw, c
            lines.append(Line(f"dL/dx{index_text(place)}", (
                f"dL/dy{index_text((i, j, c))}, as this cell was the largest of its window",), dx[(n, *place)], n + 1))
    return [Fold(f"the largest cell of a window gets what comes back to it, here at row {i + 1}, column {j + 1}; the "
                 "others get 0", [*lines, *rest(dy.size - len(lines), "window")])]


@form("batch_norm_grad")
def batch_norm(record: Record, look: Look) -> list[Any]:
    """Of the first channels: the gradients of γ and β, and of the first number."""
    channels = record.inputs["x"].shape[-1]
    dy, x, dx = (a.reshape(-1, channels) for a in (record.inputs["dy"], record.inputs["x"], record.outputs.get(
        "dx", record.inputs["x"])))
    folds: list[Any] = []
    for c in range(min(channels, look.limits.units)):
        mean, variance = record.inputs["mean"][c], record.inputs["variance"][c]
        spread = np.sqrt(np.float64(variance) + record.constants["epsilon"])
        normal = (x[:, c].astype(np.float64) - mean) / spread
        lines = _scale_and_shift(record, look, dy[:, c], normal, c)
        if "dx" in record.outputs and {"dgamma", "dbeta"} <= set(record.outputs):
            dgamma, dbeta, count = record.outputs["dgamma"][c], record.outputs["dbeta"][c], len(x)
            inner = f"{short(dy[0, c])} - {short(dbeta)}/{count} - {short(normal[0])}·{short(dgamma)}/{count}"
            numbers = f"{short(record.inputs['gamma'][c])}/{short(spread)}·({inner})"
            lines.append(Line(f"dL/dx{index_text((0, c))}", ("γ/√(variance + ε)·(dL/dy - dβ/n - x̂·dγ/n)", numbers),
                              dx[0, c]))
        folds.append(Fold(f"channel {c + 1}, x̂ = (x - mean)/√(variance + ε)", lines))
    return [*folds, *rest(channels - len(folds), "channel")]


def _scale_and_shift(record: Record, look: Look, dy: np.ndarray, normal: np.ndarray, c: int) -> list[Any]:
    lines: list[Any] = []
    if "dgamma" in record.outputs:
        lines.append(Line("dL/dγ", ("Σ dL/dy·x̂", multiplied(dy, normal, look.limits.terms)),
                          record.outputs["dgamma"][c]))
    if "dbeta" in record.outputs:
        lines.append(Line("dL/dβ", ("Σ dL/dy", added(dy, look.limits.terms)), record.outputs["dbeta"][c]))
    return lines


@form("layer_norm_grad")
def layer_norm(record: Record, look: Look) -> list[Any]:
    """Of the first elements of a row: the gradients of γ and β; then of the first rows the first number."""
    dy, x, mean, rstd = (record.inputs[name] for name in ("dy", "x", "mean", "rstd"))
    normal = (x.astype(np.float64) - mean[:, None]) * rstd[:, None]
    folds: list[Any] = [Fold(f"element {c + 1} of all rows, x̂ = (x - mean)·rstd",
                             _scale_and_shift(record, look, dy[:, c], normal[:, c], c))
                        for c in range(min(x.shape[1], look.limits.units))]
    if "dx" in record.outputs:
        lines: list[Any] = []
        for i in look.of_rows(len(x)):
            scaled = dy[i].astype(np.float64) * record.inputs["gamma"]
            numbers = (f"{short(rstd[i])}·({short(scaled[0])} - {short(scaled.mean())} - {short(normal[i, 0])}·"
                       f"{short((scaled * normal[i]).mean())})")
            lines.append(Line(f"dL/dx{index_text((i, 0))}", (
                "rstd·(γ·dL/dy - mean(γ·dL/dy) - x̂·mean(γ·dL/dy·x̂))", numbers), record.outputs["dx"][i, 0],
                look.sample(i, len(x))))
        folds.append(Fold("back to the layer's inputs", [*lines, *rest(record.outputs["dx"].size - len(lines),
                                                                       "number")]))
    return folds


def _last_step(record: Record, time: int) -> int:
    return 0 if record.constants["reverse"] else time - 1


@form("rnn_steps_grad")
def simple(record: Record, look: Look) -> list[Any]:
    """Of the first unit, in the last step: there nothing comes back from later steps."""
    dz, h = record.outputs["dz"], record.inputs["h"]
    activation, t = record.constants["activation"], _last_step(record, dz.shape[1])
    said, value = slope(activation, h, "h")
    lines: list[Any] = []
    for n in look.of_rows(len(dz)):
        back = _arriving(record, n, t, 0)
        lines += [Line("dL/dh", ("what comes back to the step",), back, n + 1),
                  Line("dL/dz", (f"dL/dh·{said}", f"{short(back)}·{short(value[n, t, 0])}"), dz[n, t, 0], n + 1)]
    return [Fold(f"unit 1 in step {t + 1}, the last; from there back in time: dL/dh of the step before gets "
                 "Σ dL/dz·u on top", [*lines, *rest(dz.size - len(lines) // 2, "step of a unit", "steps of units")])]


def _arriving(record: Record, n: int, t: int, j: int) -> Any:
    """dL/dh of the last step: of its own output, and of the last state."""
    dh, last = record.inputs["dh"], record.inputs["dh_last"]
    return np.float32((dh[n, t, j] if dh.size else 0) + (last[n, j] if last.size else 0))


@form("lstm_steps_grad")
def lstm(record: Record, look: Look) -> list[Any]:
    """Of the first unit, in the last step: through the output gate to the cell, and from there to the other gates."""
    dz, c, gates = record.outputs["dz"], record.inputs["c"], record.inputs["gates"]
    units, t = c.shape[2], _last_step(record, c.shape[1])
    before = t + 1 if record.constants["reverse"] else t - 1
    folds: list[Any] = []
    for n in look.of_rows(len(dz)):
        i, f, g, o = (gates[n, t, k * units] for k in range(4))
        cell = c[n, before, 0] if 0 <= before < c.shape[1] else record.inputs["c0"][n, 0]
        back, s = _arriving(record, n, t, 0), np.tanh(c[n, t, 0])
        last = record.inputs["dc_last"]
        dc = np.float32(back * o * (1 - s * s) + (last[n, 0] if last.size else 0))
        d = [dz[n, t, k * units] for k in range(4)]
        folds.append(Fold(f"sample {n + 1}", [
            Line("dL/dh", ("what comes back to the step",), back, n + 1),
            Line("dL/dz_o", ("dL/dh·tanh(c)·o·(1 - o)", f"{short(back)}·{short(s)}·{short(o)}·(1 - {short(o)})"), d[3],
                 n + 1),
            Line("dL/dc", ("dL/dh·o·(1 - tanh²(c))", f"{short(back)}·{short(o)}·(1 - {short(s)}²)"), dc, n + 1),
            Line("dL/dz_i", ("dL/dc·g·i·(1 - i)", f"{short(dc)}·{short(g)}·{short(i)}·(1 - {short(i)})"), d[0], n + 1),
            Line("dL/dz_f", ("dL/dc·c_before·f·(1 - f)", f"{short(dc)}·{short(cell)}·{short(f)}·(1 - {short(f)})"),
                 d[1], n + 1),
            Line("dL/dz_g", ("dL/dc·i·(1 - g²)", f"{short(dc)}·{short(i)}·(1 - {short(g)}²)"), d[2], n + 1)]))
    return [Fold(f"unit 1 in step {t + 1}, the last; from there back in time: the step before gets Σ dL/dz·u on its "
                 "dL/dh and dL/dc·f on its dL/dc",
                 [*folds, *rest(c.size - len(folds), "step of a unit", "steps of units")])]


@form("attention_grad")
def attention(record: Record, look: Look) -> list[Any]:
    """One query of the first head: back through the weighted sum and the softmax to its scores, and to the query."""
    dy, q, k, v, y = (record.inputs[name] for name in ("dy", "q", "k", "v", "y"))
    heads, scale = record.constants["heads"], record.constants["scale"]
    width, at = v.shape[2] // heads, q.shape[1] - 1
    folds: list[Any] = []
    for n in look.of_rows(len(q)):
        scores, allowed = scores_of(record, n, at)
        if not allowed.any():
            continue
        p = np.exp(scores - record.inputs["log_sum"][n, 0, at]) * allowed
        back = v[n, :, :width].astype(np.float64) @ dy[n, at, :width]
        inner = float(dy[n, at, :width] @ y[n, at, :width])
        ds = p * (back - inner)
        lines: list[Any] = [Line("Σ dL/dy·y", ("of the query", multiplied(dy[n, at, :width], y[n, at, :width],
                                                                         look.limits.terms)), np.float32(inner), n + 1)]
        for j in range(min(len(p), look.limits.units)):
            lines += [Line(f"dL/dp{j + 1}", ("Σ dL/dy·v of the key", multiplied(
                dy[n, at, :width], v[n, j, :width], look.limits.terms)), np.float32(back[j]), n + 1),
                Line(f"dL/dscore{j + 1}", ("p·(dL/dp - Σ dL/dy·y)",
                                           f"{short(p[j])}·({short(back[j])} - {short(inner)})"),
                     np.float32(ds[j]), n + 1)]
        lines += rest(len(p) - look.limits.units, "key")
        if "dq" in record.outputs:
            numbers = multiplied(ds, k[n, :, 0], look.limits.terms)
            lines.append(Line("dL/dq1", ("scale·Σ dL/dscore·k over the keys", f"{scale:.4g}·({numbers})"),
                              record.outputs["dq"][n, at, 0], n + 1))
        folds.append(Fold(f"sample {n + 1}, head 1 of {heads}, query {at + 1} of {q.shape[1]}", lines))
    return [*folds, *rest(len(q) * q.shape[1] * heads - len(folds), "query", "queries")]


@form("expand")
def spread(record: Record, look: Look) -> list[Any]:
    """A sum's gradient goes to all that it was taken of."""
    x, y, axes = next(iter(record.inputs.values())), record.result, record.constants["axes"]
    if not x.ndim:
        return [Line("the same number everywhere", (), x)]
    lines: list[Any] = [Line(f"y{index_text(np.unravel_index(k, y.shape))}", (
        "what came to its sum" if record.call.section.name == "backward" else "x",), y.flat[k])
        for k in range(min(y.size, look.limits.units))]
    return [Fold(f"repeated along axis {total([str(a) for a in axes], 9, ', ')}",
                 [*lines, *rest(y.size - len(lines), "number")])]
