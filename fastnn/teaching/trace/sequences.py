"""Recurrent layers written out: one unit over time. Floor 5."""

from typing import Any

import numpy as np

from fastnn.teaching.trace.board import Fold, Line, multiplied, rest, short
from fastnn.teaching.trace.forms import Look, form
from fastnn.teaching.trace.walk import Record

STEPS = 3       # of time; the rest is counted


def _units(record: Record, look: Look, what: str, lines_of: Any) -> list[Any]:
    """A fold for the first sample and unit with the first steps: lines_of(n, t, j) gives the lines of one."""
    z, count = record.inputs["z"], len(record.inputs["u"])
    time = list(range(z.shape[1]))
    if record.constants["reverse"]:
        time.reverse()
    most = max(STEPS, look.limits.units if look.limits.units > 99 else 0)
    folds: list[Any] = []
    for n in range(min(len(z), look.limits.samples)):
        for j in range(1 if look.limits.units <= 99 else count):
            steps: list[Any] = [Fold(f"step {t + 1}", _held(record, n, t) or lines_of(n, t, j)) for t in time[:most]]
            folds.append(Fold(f"sample {n + 1}, unit 1 of {count} over time: {what}" if j == 0 else
                              f"sample {n + 1}, unit {j + 1}", [*steps, *rest(len(time) - most, "step")]))
    return [*folds, *rest(len(z) * count - len(folds), "unit")]


def _held(record: Record, n: int, t: int) -> list[Any]:
    mask = record.inputs["mask"]
    return ["masked: the state stays as it is"] if mask.size and not mask[n, t] else []


@form("rnn_steps")
def simple(record: Record, look: Look) -> list[Any]:
    """h_t = f(z_t + h·u)."""
    z, u = record.inputs["z"], record.inputs["u"]
    activation = record.constants["activation"]

    def lines(n: int, t: int, j: int) -> list[Any]:
        old = _before(record, n, t)
        sum_ = np.float64(z[n, t, j]) + old.astype(np.float64) @ u[:, j]
        return [Line("s", ("z + h_before·u", f"{short(z[n, t, j])} + {multiplied(old, u[:, j], look.limits.terms)}"),
                     sum_.astype(z.dtype), n + 1),
                Line("h", (f"{activation}(s)", f"{activation}({short(sum_)})"), _after(record, n, t)[j], n + 1)]

    return _units(record, look, "z is x·w + b of the step, from the call before", lines)


def _before(record: Record, n: int, t: int) -> np.ndarray:
    """The state before step t. What nobody reads is not there: the states after the steps, or those before them."""
    if "before" in record.outputs:
        return record.outputs["before"][n, t]       # type: ignore[no-any-return]
    earlier = t + 1 if record.constants["reverse"] else t - 1
    return _after(record, n, earlier) if 0 <= earlier < record.inputs["z"].shape[1] else record.inputs["h0"][n]


def _after(record: Record, n: int, t: int) -> np.ndarray:
    """The state after step t."""
    if "h" in record.outputs:
        return record.outputs["h"][n, t]        # type: ignore[no-any-return]
    later = t - 1 if record.constants["reverse"] else t + 1
    return _before(record, n, later) if 0 <= later < record.inputs["z"].shape[1] else record.outputs["h_last"][n]


@form("lstm_steps")
def lstm(record: Record, look: Look) -> list[Any] | None:
    """Four gates, the cell, the state."""
    z, u = record.inputs["z"], record.inputs["u"]
    c, gates = record.outputs.get("c"), record.outputs.get("gates")
    if c is None or gates is None:
        return None
    units = len(u)

    def lines(n: int, t: int, j: int) -> list[Any]:
        old = _before(record, n, t)
        earlier = t + 1 if record.constants["reverse"] else t - 1
        cell = c[n, earlier, j] if 0 <= earlier < c.shape[1] else record.inputs["c0"][n, j]
        found: list[Any] = []
        for k, (gate, word) in enumerate((("i", "sigmoid"), ("f", "sigmoid"), ("g", "tanh"), ("o", "sigmoid"))):
            at = k * units + j
            found.append(Line(gate, (f"{word}(z_{gate} + h_before·u_{gate})", f"{word}({short(z[n, t, at])} + "
                              f"{multiplied(old, u[:, at], look.limits.terms)})"), gates[n, t, at], n + 1))
        i, f, g, o = (gates[n, t, k * units + j] for k in range(4))
        found.append(Line("c", ("f·c_before + i·g", f"{short(f)}·{short(cell)} + {short(i)}·{short(g)}"), c[n, t, j],
                          n + 1))
        found.append(Line("h", ("o·tanh(c)", f"{short(o)}·tanh({short(c[n, t, j])})"), _after(record, n, t)[j], n + 1))
        return found

    return _units(record, look, "gates i (input), f (forget), g (candidate), o (output)", lines)


@form("gru_after_steps", "gru_before_steps")
def gru(record: Record, look: Look) -> list[Any] | None:
    """Update gate, reset gate, candidate, the state."""
    z, u, gates = record.inputs["z"], record.inputs["u"], record.outputs.get("gates")
    if gates is None:
        return None
    units, after = len(u), record.name == "gru_after_steps"

    def lines(n: int, t: int, j: int) -> list[Any]:
        old = _before(record, n, t)
        found: list[Any] = []
        for k, gate in enumerate(("k", "r")):
            at = k * units + j
            bias = f" + {short(record.inputs['b'][at])}" if after else ""
            products = multiplied(old, u[:, at], look.limits.terms)
            found.append(Line(gate, (f"sigmoid(z_{gate} + h_before·u_{gate}{' + b' if after else ''})",
                                     f"sigmoid({short(z[n, t, at])} + {products}{bias})"), gates[n, t, at], n + 1))
        k, r, g, last = (gates[n, t, i * units + j] for i in range(4))
        inside = "z_g + r·(h_before·u_g + b)" if after else "z_g + (r·h_before)·u_g"
        part = f"{short(r)}·{short(last)}" if after else multiplied(
            gates[n, t, 3 * units:], u[:, 2 * units + j], look.limits.terms)
        found.append(Line("g", (f"tanh({inside})", f"tanh({short(z[n, t, 2 * units + j])} + {part})"), g, n + 1))
        found.append(Line("h", ("k·h_before + (1 - k)·g", f"{short(k)}·{short(old[j])} + (1 - {short(k)})·{short(g)}"),
                          _after(record, n, t)[j], n + 1))
        return found

    return _units(record, look, "gates k (update), r (reset), g (candidate)", lines)
