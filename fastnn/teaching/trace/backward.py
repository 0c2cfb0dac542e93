"""The chain rule written out: dL/da, da/dz, dz/dw, and what they come to for a weight. Floor 5."""

import re
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.teaching.trace.board import Fold, Line, added, few, multiplied, number, rest, short, total
from fastnn.teaching.trace.forms import FORMS, Look, elements, form, formula, index_text
from fastnn.teaching.trace.losses import sigmoid
from fastnn.teaching.trace.walk import Record, Weight

CHAIN = {"dx": "dL/dz", "dy": "dL/da", "y": "a", "x": "z"}      # names of the reference, as a board has them


# ---- losses -------------------------------------------------------------------------------------------------------

def _loss_rows(record: Record, look: Look, title: str, lines_of: Any) -> list[Any]:
    """For the first samples and outputs; lines_of(i, j, share, value, sample), share being what the mean counts it."""
    result = record.result.reshape(-1, record.result.shape[-1])
    shares = np.broadcast_to(record.inputs["dy"], record.result.shape[:-1]).reshape(-1)
    folds: list[Any] = []
    for i in look.of_rows(len(result)):
        lines = [line for j in range(min(result.shape[1], look.limits.units))
                 for line in lines_of(i, j, shares[i], result[i, j], look.sample(i, len(result)))]
        folds.append(Fold(look.title(i, len(result)), [*lines, *rest(result.shape[1] - look.limits.units, "output")]))
    return [Fold(title, [*folds, *rest(len(result) - len(folds), "sample")])]


def _per(share: Any, count: int) -> str:
    """·share / outputs, as far as these are not 1: an output's part in the loss of the batch."""
    return ("" if share == 1 else f"·{short(share)}") + ("" if count == 1 else f" / {count}")


@form("mean_squared_error_grad", "mean_absolute_error_grad")
def error(record: Record, look: Look) -> list[Any]:
    """2·(ŷ - y) or the sign."""
    y, p = (record.inputs[name].reshape(-1, record.result.shape[-1]) for name in ("y_true", "y_pred"))
    square, c = record.name.startswith("mean_squared"), record.result.shape[-1]

    def lines(i: int, j: int, share: Any, value: Any, sample: int) -> list[Any]:
        what, part = f"dL/dŷ{j + 1 if c > 1 else ''}", _per(share, c)
        inner = f"({short(p[i, j])} - {short(y[i, j])})"
        return [Line(what, (f"2·(ŷ - y){part}" if square else f"sign(ŷ - y){part}",
                            f"2·{inner}{part}" if square else f"sign{inner}{part}"), value, sample)]

    return _loss_rows(record, look, "from the loss back to the output", lines)


@form("sigmoid_crossentropy_grad")
def binary(record: Record, look: Look) -> list[Any]:
    """dL/dŷ·dŷ/dz = ŷ - y."""
    z, t = (record.inputs[name].reshape(-1, record.result.shape[-1]) for name in ("logits", "y_true"))
    smoothing, c = record.constants["smoothing"], record.result.shape[-1]
    t = t * (1 - smoothing) + smoothing / 2 if smoothing else t
    p = sigmoid(z)

    def lines(i: int, j: int, share: Any, value: Any, sample: int) -> list[Any]:
        part, slope = _per(share, c), p[i, j] * (1 - p[i, j])
        found: list[Any] = [Line("dL/dŷ", (
            f"(ŷ - y)/(ŷ·(1 - ŷ)){part}", f"({short(p[i, j])} - {short(t[i, j])})/({short(p[i, j])}·"
            f"(1 - {short(p[i, j])})){part}"), value / slope, sample),
                            Line("dŷ/dz", ("ŷ·(1 - ŷ)", f"{short(p[i, j])}·(1 - {short(p[i, j])})"), slope, sample)
                            ] if slope else []
        return [*found, Line("dL/dz", (f"dL/dŷ·dŷ/dz = (ŷ - y){part}", f"({short(p[i, j])} - {short(t[i, j])}){part}"),
                             value, sample)]

    return _loss_rows(record, look, "from the loss back through the sigmoid: the factors ŷ·(1 - ŷ) cancel", lines)


@form("sparse_softmax_crossentropy_grad", "softmax_crossentropy_grad")
def classes(record: Record, look: Look) -> list[Any]:
    """p - y of every class."""
    p = record.inputs["probabilities"].reshape(-1, record.result.shape[-1])
    if "labels" in record.inputs:
        y = np.arange(p.shape[1]) == record.inputs["labels"].reshape(-1, 1)
    else:
        y = record.inputs["y_true"].reshape(p.shape)

    def lines(i: int, j: int, share: Any, value: Any, sample: int) -> list[Any]:
        part = _per(share, 1)
        return [Line(f"dL/dz{j + 1}", (f"(p{j + 1} - y{j + 1}){part}",
                                       f"({short(p[i, j])} - {short(np.float32(y[i, j]))}){part}"), value, sample)]

    return _loss_rows(record, look, "from the loss back through the softmax", lines)


# ---- layers -------------------------------------------------------------------------------------------------------

def slope(activation: str, y: Any, name: str = "a") -> tuple[str, Any]:
    """(f'(z) as a formula of f(z), which has this name; its value)."""
    if activation == "linear":
        return "1", np.ones_like(y)
    kernel = backend.kernels[f"{activation}_grad"]
    said = (kernel.reference.__doc__ or "").split(" = ", 1)[1]
    said = re.split(r"\.\s", said.replace("dy·", "").replace("dy", "1"))[0]
    with np.errstate(all="ignore"):
        return re.sub(r"(?<![a-z])y(?![a-z])", name, said), kernel.reference(np.ones_like(y), y)


@form("dense_grad", "weights_grad", "backward matmul_tn")
def weights(record: Record, look: Look) -> list[Any] | None:
    """Of the first neurons: the factors of each sample, then the sum over samples for the first weights."""
    x = record.inputs["x"] if "x" in record.inputs else record.inputs["a"]
    activation = record.constants.get("activation", "linear")
    dz = record.outputs.get("dz", record.inputs.get("dz", record.inputs.get("b", record.inputs.get("dy"))))
    dw = record.outputs.get("dw", record.result)
    if dz is None or dw.ndim != 2:
        return FORMS["matmul_tn"](record, look)
    folds: list[Any] = []
    for j in range(min(dw.shape[1], look.limits.units)):
        items: list[Any] = []
        for i in look.of_rows(len(x)):
            sample, lines = look.sample(i, len(x)), []
            if activation != "linear":
                said, value = slope(activation, record.inputs["y"][i, j])
                lines += [Line("dL/da", (), record.inputs["dy"][i, j], sample), Line("da/dz", (said,), value, sample),
                          Line("dL/dz", ("dL/da·da/dz", f"{short(record.inputs['dy'][i, j])}·{short(value)}"),
                               dz[i, j], sample)]
            else:
                lines.append(Line("dL/dz", (), dz[i, j], sample))
            lines += [Line(f"dz/dw{k + 1}", (f"x{k + 1}",), x[i, k], sample)
                      for k in range(min(x.shape[1], look.limits.units))]
            items.append(Fold(look.title(i, len(x)), lines))
        items += rest(len(x) - len(items), "row")
        for k in range(min(x.shape[1], look.limits.units)):
            parts = _over(len(x), "dL/dz", f"·x{k + 1}"), multiplied(dz[:, j], x[:, k], look.limits.terms)
            items.append(Line(f"dL/dw{k + 1}", parts, dw[k, j]))
        items += rest(x.shape[1] - look.limits.units, "weight")
        if "db" in record.outputs:
            items.append(_bias(dz[:, j], record.outputs["db"][j], look))
        folds.append(Fold(f"neuron {j + 1}", items))
    return [*folds, *rest(dw.shape[1] - len(folds), "neuron")]


def _over(rows: int, what: str, then: str = "") -> str:
    return f"{what}{then}" if rows == 1 else f"Σ {what}{then} over {rows} rows"


def _bias(dz: np.ndarray, db: Any, look: Look) -> Line:
    return Line("dL/db", (_over(len(dz), "dL/dz"), added(dz, look.limits.terms)), db)


@form("backward sum_rows")
def biases(record: Record, look: Look) -> list[Any]:
    """Sums over all rows."""
    x = record.inputs["x"].reshape(-1, record.result.size)
    lines: list[Any] = []
    for j in range(min(x.shape[1], look.limits.units)):
        line = _bias(x[:, j], record.result[j], look)
        lines.append(Line(f"dL/db{j + 1}", line.parts, line.value))
    return [Fold("biases: the sum of what comes back", [*lines, *rest(x.shape[1] - len(lines), "bias", "biases")])]


@form("backward matmul_nt")
def inputs(record: Record, look: Look) -> list[Any]:
    """dL/dx of a layer: every neuron's dL/dz times the weight that leads to it."""
    dz, w, dx = record.inputs["a"], record.inputs["b"], record.result
    what = "Σ dL/dz·w over the neurons" if dz.shape[1] > 1 else "dL/dz·w"
    folds: list[Any] = []
    for i in look.of_rows(len(dx)):
        lines = [Line(f"dL/dx{k + 1}", (what, multiplied(dz[i], w[k], look.limits.terms)), dx[i, k],
                      look.sample(i, len(dx))) for k in range(min(dx.shape[1], look.limits.units))]
        folds.append(Fold(look.title(i, len(dx)), [*lines, *rest(dx.shape[1] - len(lines), "input")]))
    return [Fold("back to the layer's inputs", [*folds, *rest(len(dx) - len(folds), "row")])]


@form("conv2d_weights_grad")
def filters(record: Record, look: Look) -> list[Any]:
    """Of the first filters' first weight: the sum over all places of all images."""
    x, dy, dw = record.inputs["x"], record.inputs["dy"], record.result
    (sh, sw), pads = record.constants["strides"], record.constants["pads"]
    lines: list[Any] = []
    for f in range(min(dw.shape[3], look.limits.units)):
        k = m = 1 if min(dw.shape[:2]) > 2 else 0
        (dh, dw_), c = record.constants["dilation"], f // (dw.shape[3] // record.constants["groups"]) * dw.shape[2]
        places = [(n, i, j, i * sh + k * dh - pads[0], j * sw + m * dw_ - pads[2]) for n in range(len(x))
                  for i in range(dy.shape[1]) for j in range(dy.shape[2])]
        places = [p for p in places if 0 <= p[3] < x.shape[1] and 0 <= p[4] < x.shape[2]]
        chosen = few(places, look.limits.terms)
        numbers = total(["" if p is None else f"{short(x[p[0], p[3], p[4], c])}·{short(dy[p[0], p[1], p[2], f])}"
                         for p in chosen], look.limits.terms)
        lines.append(Line(f"dL/dw{index_text((k, m, 0, f))}", (f"Σ x·dL/dz over {len(places):,} places of all images",
                                                               numbers), dw[k, m, 0, f]))
    return [Fold("filters: what lay under a weight, times what comes back", [*lines, *rest(dw.size - len(lines),
                                                                                            "weight")])]


@form("embedding_grad")
def table(record: Record, look: Look) -> list[Any]:
    """Of the first rows that were looked up."""
    ids, dtable = record.inputs["ids"], record.result
    lines: list[Any] = []
    for r in np.unique(ids)[:look.limits.units]:
        found = record.inputs["dy"][ids == r][:, 0]
        lines.append(Line(f"dL/dtable[{r},1]", (f"Σ dL/dy over the {len(found)} places of {r}",
                                                added(found, look.limits.terms)), dtable[r, 0]))
    return [Fold("the table: a row gets what comes back to its places", [*lines, *rest(dtable.size - len(lines),
                                                                                        "number")])]


def through(record: Record, look: Look) -> list[Any]:
    """a = f(z) of an activation by itself."""
    return elements(record, look, formula(record), {"y": "a", "x": "z"})


def back_through(record: Record, look: Look) -> list[Any]:
    """dL/dz = dL/da·f'(z) of an activation by itself."""
    return elements(record, look, formula(record), CHAIN)


for _name, _kernel in backend.kernels.items():
    _back = backend.kernels.get(f"{_name}_grad")
    if _back and _kernel.inputs == ("x",) and _back.inputs in (("dy", "y"), ("dy", "x")) and "any shape" in str(
            _kernel.reference.__doc__):       # an activation
        form(_name)(through)
        form(_back.name)(back_through)


def gradients(found: list[Weight], look: Look, batch: int) -> Fold:
    """What backward has made, weight by weight."""
    folds: list[Any] = []
    for weight in found:
        if weight.gradient is None:
            continue
        lines = [Line(f"dL/d {weight.name}{index_text(np.unravel_index(k, weight.before.shape))}", (),
                      weight.gradient.flat[k]) for k in range(min(weight.gradient.size, look.limits.units))]
        size = float(np.sqrt(np.square(weight.gradient, dtype=np.float64).sum()))
        folds.append(Fold(f"{weight.name} {weight.before.shape}: length of the gradient {number(size)}",
                          [*lines, *rest(weight.gradient.size - len(lines), "element")]))
    return Fold(f"the gradients, averaged over {batch} sample{'s' * (batch > 1)}", folds)
