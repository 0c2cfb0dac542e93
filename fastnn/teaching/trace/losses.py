"""Losses written out, and the first factor of the chain: their gradients. Floor 5."""

from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.teaching.trace.board import Fold, Line, added, rest, short, total
from fastnn.teaching.trace.forms import Look, applied, form, index_text
from fastnn.teaching.trace.layers import softmax_lines
from fastnn.teaching.trace.walk import Record


def sigmoid(z: np.ndarray) -> np.ndarray:
    """The reference's."""
    found: np.ndarray = backend.kernels["sigmoid"].reference(z)
    return found


def _rows(record: Record, look: Look, title: str, lines_of: Any) -> list[Any]:
    """A fold for each of the first samples."""
    loss = record.result.reshape(-1)
    folds = [Fold(look.title(i, len(loss)), lines_of(i, loss[i], look.sample(i, len(loss))))
             for i in look.of_rows(len(loss))]
    return [Fold(title, [*folds, *rest(len(loss) - len(folds), "sample")])]


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, array.shape[-1])


def _mean(texts: list[str], most: int) -> str:
    return texts[0] if len(texts) == 1 else f"({total(texts, most)}) / {len(texts)}"


@form("mean_squared_error", "mean_absolute_error")
def error(record: Record, look: Look) -> list[Any]:
    """The mean of squared or absolute differences over the outputs."""
    y, p = _flat(record.inputs["y_true"]), _flat(record.inputs["y_pred"])
    square = record.name == "mean_squared_error"
    what = "mean((ŷ - y)²) over the outputs" if square else "mean(|ŷ - y|) over the outputs"

    def lines(i: int, loss: Any, sample: int) -> list[Any]:
        texts = [f"({short(a)} - {short(b)})²" if square else f"|{short(a)} - {short(b)}|" for a, b in zip(p[i], y[i])]
        return [Line("L", ("(ŷ - y)²" if square and len(texts) == 1 else what, _mean(texts, look.limits.terms)), loss,
                     sample)]

    return _rows(record, look, f"L = {what}", lines)


@form("sigmoid_crossentropy", "binary_crossentropy")
def binary(record: Record, look: Look) -> list[Any]:
    """-(y·ln ŷ + (1 - y)·ln(1 - ŷ)); from logits, ŷ first."""
    t, smoothing = _flat(record.inputs["y_true"]), record.constants["smoothing"]
    t = t * (1 - smoothing) + smoothing / 2 if smoothing else t
    logits = record.inputs.get("logits")
    z = None if logits is None else _flat(logits)
    p = _flat(record.inputs["y_pred"]) if z is None else sigmoid(z)

    def lines(i: int, loss: Any, sample: int) -> list[Any]:
        found: list[Any] = [applied("sigmoid", z[i, j], p[i, j], sample, "ŷ") for j in range(
            min(p.shape[1], look.limits.units))] if z is not None else []
        texts = [f"-({short(a)}·ln {short(b)} + {short(1 - a)}·ln {short(1 - b)})" for a, b in zip(t[i], p[i])]
        return [*found, Line("L", ("-(y·ln ŷ + (1 - y)·ln(1 - ŷ))", _mean(texts, look.limits.terms)), loss, sample)]

    how = "" if z is None else "; sigmoid and logarithm in one kernel, so that no large z overflows"
    return _rows(record, look, f"L = -(y·ln ŷ + (1 - y)·ln(1 - ŷ)){how}", lines)


@form("sparse_softmax_crossentropy", "softmax_crossentropy")
def from_logits(record: Record, look: Look) -> list[Any]:
    """Softmax, then the logarithm of what the right class got."""
    z, p = _flat(record.inputs["logits"]), _flat(_probabilities(record))
    sparse = record.name.startswith("sparse")

    def lines(i: int, loss: Any, sample: int) -> list[Any]:
        found = softmax_lines(z[i], p[i], look, sample)
        return [*found, _log(record, i, p[i], loss, sample, look, sparse)]

    return _rows(record, look, "softmax and cross-entropy in one kernel: L = -ln p[right class]" if sparse else
                 "softmax and cross-entropy in one kernel: L = -Σ y·ln p", lines)


def _probabilities(record: Record) -> np.ndarray:
    found = record.outputs.get("probabilities", record.outputs.get("p"))
    return backend.kernels["softmax"].reference(record.inputs["logits"]) if found is None else found


def _log(record: Record, i: int, p: np.ndarray, loss: Any, sample: int, look: Look, sparse: bool) -> Line:
    if sparse:
        label = int(record.inputs["labels"].reshape(-1)[i])
        inside = 0 <= label < len(p)
        return Line("L", (f"-ln p{label + 1}" if inside else "0, this label does not count",
                          f"-ln {short(p[label])}" if inside else ""), loss, sample)
    y = _flat(record.inputs["y_true"])[i]
    terms = [f"{short(a)}·ln {short(b)}" for a, b in zip(y, p) if a]
    return Line("L", ("-Σ y·ln p", f"-({total(terms, look.limits.terms)})" if terms else "0"), loss, sample)


@form("sparse_categorical_crossentropy", "categorical_crossentropy")
def from_probabilities(record: Record, look: Look) -> list[Any]:
    """The logarithm of what the right class got."""
    p = _flat(record.inputs["y_pred"])
    sparse = record.name.startswith("sparse")
    return _rows(record, look, "L = -ln p[right class]" if sparse else "L = -Σ y·ln p", lambda i, loss, sample: [
        _log(record, i, p[i] / p[i].sum(), loss, sample, look, sparse)])


@form("mean", "sum")
def reduced(record: Record, look: Look) -> list[Any] | None:
    """The mean over all samples; over some axes of more, the general rule."""
    x, y = record.inputs["x"], record.result
    if y.ndim:
        return _along(record, look)
    flat = x.reshape(-1)
    texts = added(flat, look.limits.terms)
    if flat.size == 1:
        return [Line("L of the batch" if record.call.section.name == "loss" else record.name, (), y)]
    many = f" / {flat.size:,}" if record.name == "mean" else ""
    return [Line(f"{record.name} over {flat.size:,}" if record.call.section.name != "loss" else "L of the batch",
                 (f"Σ L{many}" if record.call.section.name == "loss" else f"Σ x{many}", f"({texts}){many}"), y)]


def _along(record: Record, look: Look) -> list[Any] | None:
    """The first element of a sum along some axes."""
    x, axes = record.inputs["x"], record.constants["axes"]
    kept = [a for a in range(x.ndim) if a not in axes]
    moved = np.transpose(x, [*kept, *axes]).reshape(*record.result.shape, -1)
    many = f" / {moved.shape[-1]:,}" if record.name == "mean" else ""
    lines: list[Any] = []
    for i in look.of_rows(len(moved)):
        for j in range(min(record.result[i].size, look.limits.units)):
            index: Any = (i, *np.unravel_index(j, record.result.shape[1:]))
            texts = added(moved[index], look.limits.terms)
            lines.append(Line(f"y{index_text(index)}", (f"Σ x{many}", f"({texts}){many}"),
                              record.result[index], look.sample(i, len(moved))))
    return [Fold(f"{record.name} along axis {', '.join(map(str, axes))}",
                 [*lines, *rest(record.result.size - len(lines), "element")])]
