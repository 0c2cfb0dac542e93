"""Normalization, dropout, embedding, softmax, attention, written out. Floor 5."""

from typing import Any

import numpy as np

from fastnn.teaching.trace.board import Fold, Line, added, multiplied, number, rest, short, total
from fastnn.teaching.trace.forms import Look, first_numbers, form, index_text
from fastnn.teaching.trace.walk import Record


@form("batch_norm")
def batch_norm(record: Record, look: Look) -> list[Any]:
    """Of the first channels: mean and variance over the batch, and what becomes of the first numbers."""
    x, y = record.inputs["x"], record.result
    mean, variance = record.outputs["mean"], record.outputs["variance"]
    moving = bool(record.inputs["moving_mean"].size)
    folds: list[Any] = []
    for c in range(min(x.shape[-1], look.limits.units)):
        column = x[..., c].ravel()
        terms = added(column, look.limits.terms)
        lines: list[Any] = [
            Line("mean", ("the moving mean" if moving else f"Σ x / {column.size:,}",
                          "" if moving else f"({terms}) / {column.size:,}"),
                 mean[c]),
            Line("variance", ("the moving variance" if moving else f"Σ (x - mean)² / {column.size:,}",), variance[c])]
        lines += _normalized(record, look, x.reshape(-1, x.shape[-1]), y.reshape(-1, x.shape[-1]), c, mean[c],
                             variance[c])
        folds.append(Fold(f"channel {c + 1}", lines))
    return [*folds, *rest(x.shape[-1] - len(folds), "channel")]


def _normalized(record: Record, look: Look, x: Any, y: Any, c: int, mean: Any, variance: Any) -> list[Any]:
    gamma, beta, epsilon = record.inputs["gamma"][c], record.inputs["beta"][c], record.constants["epsilon"]
    lines: list[Any] = []
    for i in look.of_rows(len(x)):
        spread = f"√({short(variance)} + {epsilon:g})"
        numbers = f"{short(gamma)}·({short(x[i, c])} - {short(mean)})/{spread} + {short(beta)}"
        lines.append(Line(f"y{index_text((i, c))}", ("γ·(x - mean)/√(variance + ε) + β", numbers), y[i, c]))
    return [*lines, *rest(len(x) - len(lines), "number")]


@form("layer_norm")
def layer_norm(record: Record, look: Look) -> list[Any]:
    """Of the first rows: their mean and spread, and the first numbers."""
    x, y, gamma, beta = record.inputs["x"], record.result, record.inputs["gamma"], record.inputs["beta"]
    folds: list[Any] = []
    for i in look.of_rows(len(x)):
        mean, rstd, n = record.outputs["mean"][i], record.outputs["rstd"][i], x.shape[1]
        terms = added(x[i], look.limits.terms)
        lines: list[Any] = [Line("mean", (f"Σ x / {n}", f"({terms}) / {n}"), mean),
                            Line("rstd", ("1/√(Σ (x - mean)² / n + ε)",), rstd)]
        for j in range(min(n, look.limits.units)):
            numbers = f"{short(gamma[j])}·({short(x[i, j])} - {short(mean)})·{short(rstd)} + {short(beta[j])}"
            lines.append(Line(f"y{index_text((i, j))}", ("γ·(x - mean)·rstd + β", numbers), y[i, j]))
        folds.append(Fold(look.title(i, len(x)), [*lines, *rest(n - look.limits.units, "number")]))
    return [*folds, *rest(len(x) - len(folds), "row")]


@form("dropout", "dropout_grad")
def dropout(record: Record, look: Look) -> list[Any]:
    """Which of the first numbers are kept, and by how much they grow."""
    x, y, rate = next(iter(record.inputs.values())), record.result, record.constants["rate"]
    what, back = ("dL/dx", "dL/dy") if record.name == "dropout_grad" else ("y", "x")
    lines: list[Any] = []
    for i in look.of_rows(len(x)):
        for j in range(min(x[i].size, 2 * look.limits.units)):
            value, made = x[i].flat[j], y[i].flat[j]
            how = f"{back} / (1 - {rate:g})", f"{short(value)} / {1 - rate:g}"
            if made == 0 and value != 0:
                how = "dropped", f"0·{short(value)}"
            lines.append(Line(f"{what}{index_text((i, j))}", how, made, look.sample(i, len(x))))
    dropped = int(np.sum((y == 0) & (x != 0)))
    return [Fold(f"{record.name}: each number is dropped with probability {rate:g}; here {dropped:,} of {x.size:,}",
                 [*lines, *rest(x.size - len(lines), "number")])]


@form("embedding")
def embedding(record: Record, look: Look) -> list[Any]:
    """Rows looked up."""
    ids, y = record.inputs["ids"], record.result
    items: list[Any] = []
    for n in range(min(len(ids), look.limits.samples)):
        for t in range(min(ids[n].size, look.limits.units)):
            index = np.unravel_index(t, ids[n].shape)
            row = y[(n, *index)]
            vector = ", ".join(number(v) for v in row[:look.limits.terms]) + (", …" if len(row) > look.limits.terms
                                                                              else "")
            items.append(Line(f"y{index_text((n, *index))}", (f"row {ids[(n, *index)]} of the table", f"({vector})"),
                              None, look.sample(n, len(ids))))
    return [Fold(f"look-up in a table of {len(record.inputs['table']):,} rows of {y.shape[-1]} numbers",
                 [*items, *rest(ids.size - len(items), "row")])]


def softmax_lines(x: np.ndarray, p: Any, look: Look, sample: int = 0, left: str = "p", of: str = "z") -> list[Any]:
    """e^z / Σ e^z of a row, for its first elements."""
    powers = total([f"e^{short(v)}" for v in x], look.limits.terms)
    lines: list[Any] = [Line(f"{left}{j + 1}", (f"e^{of}{j + 1} / Σ e^{of}", f"e^{short(x[j])} / ({powers})"), p[j],
                             sample) for j in range(min(len(x), look.limits.terms))]
    return [*lines, *rest(len(x) - len(lines), "class", "classes")]


@form("softmax")
def softmax(record: Record, look: Look) -> list[Any]:
    """Powers of e over their sum."""
    x, y = record.inputs["x"].reshape(-1, record.result.shape[-1]), record.result.reshape(-1, record.result.shape[-1])
    folds = [Fold(look.title(i, len(x)), softmax_lines(x[i], y[i], look, look.sample(i, len(x))))
             for i in look.of_rows(len(x))]
    return [*folds, *rest(len(x) - len(folds), "row")]


def scores_of(record: Record, n: int, at: int) -> tuple[np.ndarray, np.ndarray]:
    """(the scores of a query of sample n in the first head, which the kernel makes on its way; which of them count)."""
    q, k, mask = (record.inputs[name] for name in ("q", "k", "mask"))
    depth = q.shape[2] // record.constants["heads"]
    scores = record.constants["scale"] * k[n, :, :depth].astype(np.float64) @ q[n, at, :depth]
    allowed = mask[n, at] != 0 if mask.size else np.ones(len(scores), bool)
    if record.constants["causal"]:
        allowed &= np.arange(len(scores)) <= at
    return scores, allowed


@form("attention")
def attention(record: Record, look: Look) -> list[Any]:
    """One query of the first head: its scores against all keys, softmax, the weighted sum of values."""
    q, k, v = (record.inputs[name] for name in ("q", "k", "v"))
    heads, scale = record.constants["heads"], record.constants["scale"]
    depth, width = q.shape[2] // heads, v.shape[2] // heads
    at = q.shape[1] - 1         # the last query: a causal one looks at all keys
    folds: list[Any] = []
    for n in range(min(len(q), look.limits.samples)):
        scores, allowed = scores_of(record, n, at)
        p = np.exp(scores - record.outputs["log_sum"][n, 0, at]) * allowed if allowed.any() else np.full(
            len(scores), 1 / len(scores))
        lines: list[Any] = []
        for j in range(min(len(scores), look.limits.terms)):
            if not allowed[j]:
                lines.append(f"score of key {j + 1}: not to be seen")
                continue
            products = multiplied(q[n, at, :depth], k[n, j, :depth], look.limits.terms)
            lines.append(Line(f"score{j + 1}", ("scale·(q·k)", f"{scale:.4g}·({products})"),
                              scores[j].astype(q.dtype), n + 1))
        lines += rest(len(scores) - look.limits.terms, "score")
        lines += softmax_lines(scores[allowed], p[allowed], look, n + 1, of="score")
        numbers = multiplied(p, v[n, :, 0], look.limits.terms)
        lines.append(Line("y1", ("Σ p·v", numbers), record.result[n, at, 0], n + 1))
        lines += rest(width - 1, "number of y", "numbers of y")
        folds.append(Fold(f"sample {n + 1}, head 1 of {heads}, query {at + 1} of {q.shape[1]} (depth {depth}, scale "
                          f"{scale:.4g})", lines))
    return [*folds, *rest(len(q) * q.shape[1] * heads - len(folds), "row of scores", "rows of scores")]


@form("gather_rows", "gather_rows_rescaled")
def batch(record: Record, look: Look) -> list[Any]:
    """The rows of the batch."""
    y, kind = record.result, record.call.inputs[0].name.partition(".")[0]
    name = {"x0": "x", "y0": "y"}.get(kind, kind)
    items: list[Any] = []
    for i in look.of_rows(len(y)):
        items.append(Fold(f"{name} of sample {i + 1}", first_numbers(name, y[i], look.limits.terms)))
    return [*items, *rest(len(y) - len(items), "sample")]
