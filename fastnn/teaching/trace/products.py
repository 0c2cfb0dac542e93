"""Products written out: dense layers, matrix products, convolutions, pooling. Floor 5."""

from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.teaching.trace.board import Fold, Line, few, rest, short, total
from fastnn.teaching.trace.forms import Look, applied, form, index_text
from fastnn.teaching.trace.walk import Record


def before_activation(record: Record) -> np.ndarray:
    """z of a kernel that makes f(z): the same kernel on the same numbers with the activation left out, which gives the
    bits that it has made on its way."""
    if record.constants.get("activation", "linear") == "linear":
        return record.result
    call, arrays = record.call, tuple(record.inputs.values())
    constants = {**record.constants, "activation": "linear"}
    outputs = tuple(np.empty_like(a) for a in record.outputs.values())
    if backend.backend() == "reference":
        backend.run_reference(call.op.kernel, arrays, outputs, constants)
    else:
        backend.run_c(call.op.kernel, arrays, outputs, constants, call.parts)
    return outputs[0]


def summed(factors: Any, others: Any, most: int, left: str = "w", right: str = "x", plus: Any = None,
           name: str = "b") -> tuple[str, str]:
    """(w1·x1 + w2·x2 + b, the same with numbers)."""
    ends = [] if plus is None else [(name, short(plus))]
    places = few(range(len(factors)), most)
    texts = ["" if i is None else f"{left}{i + 1}·{right}{i + 1}" for i in places]
    numbers = ["" if i is None else f"{short(factors[i])}·{short(others[i])}" for i in places]
    return (" + ".join([total(texts, most), *[n for n, _ in ends]]) if texts else name,
            " + ".join([total(numbers, most), *[v for _, v in ends]]) if texts else ends[0][1] if ends else "0")


@form("dense", "forward matmul")
def dense(record: Record, look: Look) -> list[Any] | None:
    """A neuron's sum of products, its bias, its activation."""
    x, w, *bias = record.inputs.values()
    if not bias and not record.call.inputs[1].name:
        return None     # a product of two results
    activation, z, y = record.constants.get("activation", "linear"), before_activation(record), record.result
    folds: list[Any] = []
    for j in range(min(w.shape[1], look.limits.units)):
        items: list[Any] = []
        for row in look.of_rows(len(x)):
            parts = summed(w[:, j], x[row], look.limits.terms, plus=bias[0][j] if bias else None)
            sample = look.sample(row, len(x))
            lines = [Line("z", parts, z[row, j], sample)]
            if activation != "linear":
                lines.append(applied(activation, z[row, j], y[row, j], sample))
            items.append(Fold(look.title(row, len(x)), lines))
        items += rest(len(x) - len(items), "row")
        folds.append(Fold(f"neuron {j + 1}", items))
    return [*folds, *rest(w.shape[1] - len(folds), "neuron")]


def _columns(record: Record) -> tuple[np.ndarray, np.ndarray]:
    """The two matrices, so that y = a·b."""
    a, b = record.inputs["a"], record.inputs["b"]
    return (np.swapaxes(a, -1, -2) if record.name.endswith("_tn") else a,
            np.swapaxes(b, -1, -2) if record.name.endswith("_nt") else b)


@form("matmul", "matmul_nt", "matmul_tn", "batch_matmul", "batch_matmul_nt", "batch_matmul_tn")
def matmul(record: Record, look: Look) -> list[Any]:
    """Rows times columns."""
    a, b = _columns(record)
    y, lines = record.result, []
    lead: Any = (0,) * (y.ndim - 2)
    for i in look.of_rows(y.shape[-2]):
        for j in range(min(y.shape[-1], look.limits.units)):
            index = (*lead, i, j)
            parts = summed(a[(*lead, i)], b[(*lead, slice(None), j)], look.limits.terms, "a", "b")
            lines.append(Line(f"y{index_text(index)}", parts, y[index]))
    return [Fold(f"{record.text}: row times column", [*lines, *rest(y.size - len(lines), "element")])]


# ---- windows over images ------------------------------------------------------------------------------------------

def window(x: np.ndarray, size: Any, constants: dict[str, Any], i: int, j: int) -> list[tuple[int, int, int, int]]:
    """(row in the window, column in the window, row of the image, column) of what place (i, j) sees inside of it."""
    (kh, kw), (sh, sw) = size, constants["strides"]
    (dh, dw), pads = constants.get("dilation", (1, 1)), constants.get("pads", (0, 0, 0, 0))
    cells = [(k, m, i * sh + k * dh - pads[0], j * sw + m * dw - pads[2]) for k in range(kh) for m in range(kw)]
    return [cell for cell in cells if 0 <= cell[2] < x.shape[1] and 0 <= cell[3] < x.shape[2]]


def place_of(y: np.ndarray) -> tuple[int, int]:
    """The place that is written out: the middle of the image, where a window sees no edge."""
    return y.shape[1] // 2, y.shape[2] // 2


@form("conv2d")
def convolution(record: Record, look: Look) -> list[Any]:
    """One place of a filter: the products of its weights with what lies under it."""
    return _filters(record, look, before_activation(record), record.result, record.constants["activation"])


def _filters(record: Record, look: Look, z: np.ndarray, y: np.ndarray, activation: str) -> list[Any]:
    x, w, b = record.inputs["x"], record.inputs["w"], record.inputs["b"]
    groups = record.constants.get("groups", 1)
    i, j = place_of(z)
    seen, channels = window(x, w.shape[:2], record.constants, i, j), w.shape[2]
    folds: list[Any] = []
    for f in range(min(w.shape[3], look.limits.units)):
        first = f // (w.shape[3] // groups) * channels
        taps = [(k, m, c, row, column) for k, m, row, column in seen for c in range(channels)]
        items: list[Any] = []
        for n in look.of_rows(len(x)):
            chosen = few(taps, look.limits.terms * 3)
            texts = ["" if t is None else f"w{index_text(t[:3])}·x{index_text((t[3], t[4], first + t[2]))}"
                     for t in chosen]
            numbers = ["" if t is None else f"{short(w[t[0], t[1], t[2], f])}·{short(x[n, t[3], t[4], first + t[2]])}"
                       for t in chosen]
            most = look.limits.terms * 3
            lines = [Line("z", (f"{total(texts, most)} + b", f"{total(numbers, most)} + {short(b[f])}"), z[n, i, j, f],
                          n + 1)]
            if activation != "linear":
                lines.append(applied(activation, z[n, i, j, f], y[n, i, j, f], n + 1))
            items.append(Fold(f"sample {n + 1}", lines))
        items += rest(len(x) - len(items), "sample")
        folds.append(Fold(f"filter {f + 1} at row {i + 1}, column {j + 1}: {len(taps)} products", items))
    places = z.shape[1] * z.shape[2]
    return [*folds, *rest(w.shape[3] - len(folds), "filter"), *rest(places - 1, "place")]


@form("conv2d_relu_pool")
def convolution_and_pool(record: Record, look: Look) -> list[Any]:
    """Three layers in one kernel: of one window the four places, then their largest, or 0."""
    x, w, b, y = (*(record.inputs[name] for name in ("x", "w", "b")), record.result)
    kernel = backend.kernels["conv2d"]
    constants = {**record.constants, "pads": (0, 0, 0, 0), "groups": 1, "activation": "linear"}
    z = kernel.reference(x, w, b, **constants)
    items = _filters(record, look, z, z, "linear")
    i, j = place_of(y)
    lines: list[Any] = []
    for n in look.of_rows(len(x)):
        for f in range(min(w.shape[3], look.limits.units)):
            four = z[n, 2 * i:2 * i + 2, 2 * j:2 * j + 2, f].ravel()
            lines.append(Line(f"a{index_text((i, j, f))}", ("max(0, z of the 2x2 window)", "max(0, " + ", ".join(
                short(value) for value in four) + ")"), y[n, i, j, f], n + 1))
    return [*items, Fold("relu and 2x2 pooling, in the same kernel", [*lines, *rest(y.size - len(lines), "window")])]


@form("max_pool", "average_pool")
def pool(record: Record, look: Look) -> list[Any]:
    """One window of each of the first channels."""
    x, y = record.inputs["x"], record.result
    i, j = place_of(y)
    word = "max" if record.name == "max_pool" else "mean"
    seen = window(x, record.constants["pool"], record.constants, i, j)
    lines: list[Any] = []
    for n in look.of_rows(len(x)):
        for c in range(min(x.shape[3], look.limits.units)):
            numbers = total([short(x[n, row, column, c]) for _, _, row, column in seen], 3 * look.limits.terms, ", ")
            lines.append(Line(f"y{index_text((i, j, c))}", (f"{word}(x in the window)", f"{word}({numbers})"),
                              y[n, i, j, c], n + 1))
    kh, kw = record.constants["pool"]
    return [Fold(f"window of {kh}x{kw} at row {i + 1}, column {j + 1}", lines), *rest(y.size - len(lines), "window")]
