"""Are the gradients right? Backward against finite differences and the complex step, weight by weight. Floor 5."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn import markup
from fastnn.arguments import number, whole
from fastnn.engine.context import keeping, recording, undo
from fastnn.engine.gradient import backward
from fastnn.engine.listing import aligned, room
from fastnn.engine.program import Program
from fastnn.engine.restored import restored
from fastnn.engine.schedule import whole_step
from fastnn.feeding import arguments
from fastnn.feeding.arrays import Arrays
from fastnn.feeding.model import TrainedModel
from fastnn.nest import distinct
from fastnn.teaching.wide import TINY, Wide

__all__ = ["GradientCheck", "check_gradients"]

STEP = 1e-5             # of finite differences, times the size of the weight or 1
FINER = 1e-2            # times the step, for a second look at what deviates
ROUNDED_AWAY = 1e-3     # a gradient so much smaller than the model's largest may be 0 but for rounding, as of biases
                        # before a batch normalization
NUMBERS = (1, 2, 4, 5)  # columns of the table
SMALL = 1e-4            # a gradient this much smaller than the array's largest counts as so large


@dataclass(frozen=True)
class Element:
    """One weight: where it is (empty: a random direction through all), its gradient by backward, by central
    differences, and by the complex step (None where that cannot be). deviation: relative, of the first two, less what
    subtracting two nearly equal losses costs. kink: the call that has a bend there, so that there is no one derivative.
    """
    index: tuple[int, ...]
    backward: float
    differences: float
    complex_step: float | None
    deviation: float
    kink: str = ""


@dataclass(frozen=True)
class Row:
    """One weight array: which elements were looked at, worst first; `deviation`: the largest, kinks left out;
    `rounding`: how far the gradient of the backend in use is from that of double precision."""
    weight: str
    shape: tuple[int, ...]
    elements: tuple[Element, ...]
    deviation: float
    rounding: float
    passed: bool

    @property
    def kinks(self) -> list[Element]:
        """The elements where the loss has a bend, as at relu's 0."""
        return [element for element in self.elements if element.kink]

    @property
    def checked(self) -> int:
        """How many elements were looked at one by one."""
        return sum(1 for element in self.elements if element.index)


@dataclass(frozen=True)
class GradientCheck:
    """What check_gradients has found: print it. `passed`: all of it; `rows`: a Row for each weight array;
    `not_complex`: the kernel for whose sake there is no complex step, or empty."""
    model: str
    rows: tuple[Row, ...]
    tolerance: float
    not_complex: str
    samples: int

    @property
    def passed(self) -> bool:
        """Whether every gradient is right."""
        return all(row.passed for row in self.rows)

    def __bool__(self) -> bool:
        return self.passed

    @property
    def worst(self) -> list[tuple[str, Element]]:
        """(weight, element) with the largest deviations, at most five, kinks left out."""
        found = [(row.weight, element) for row in self.rows for element in row.elements if not element.kink]
        return sorted(found, key=lambda pair: -pair[1].deviation)[:5]

    def _head(self) -> str:
        right = sum(row.passed for row in self.rows)
        return (f"gradients of {self.model} on {self.samples} samples: {right} of {len(self.rows)} weight arrays right "
                f"(within {self.tolerance:g})")

    def _foot(self) -> list[str]:
        found = []
        for row in self.rows:
            for element in row.elements:
                if not row.passed and element.deviation > self.tolerance and not element.kink:
                    where = f"{list(element.index)}" if element.index else "along a random direction"
                    found.append(f"{row.weight}{where}: backward says {element.backward:.7g}, differences say "
                                 f"{element.differences:.7g}")
                    break
        for row in self.rows:
            if row.kinks:
                where = ", ".join(str(list(e.index) or "a direction") for e in row.kinks[:3])
                more = ", …" * (len(row.kinks) > 3)
                found.append(f"{row.weight}: {where}{more}: a kink of {row.kinks[0].kink}, no one derivative there")
        if self.not_complex:
            found.append(f"no complex step: the reference of {self.not_complex} does not take complex numbers")
        return found

    def _table(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [("weight", "checked", "deviation", "at", "complex", "rounding", "")]
        for row in self.rows:
            looked = [element for element in row.elements if not element.kink]
            worst = max(looked, key=lambda e: e.deviation, default=None)
            exact = [abs(e.complex_step - e.backward) / _scale(e.complex_step, e.backward, row) for e in looked
                     if e.complex_step is not None]
            size = int(np.prod(row.shape))
            where = "" if worst is None else str(list(worst.index)) if worst.index else "direction"
            rows.append((row.weight, f"{row.checked} of {size}", f"{row.deviation:.1e}", where,
                         f"{max(exact):.1e}" if exact else "-", f"{row.rounding:.1e}",
                         "right" if row.passed else "WRONG"))
        return rows

    def __str__(self) -> str:
        table = self._table()
        spare = room() - max(
            sum(len(cell) for cell in row[1:]) + 2 * len(row[1:]) for row in table)
        table = [(_shortened(row[0], max(spare, 12)), *row[1:]) for row in table]
        return "\n".join([self._head(), *aligned(table, NUMBERS), *self._foot()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *rows = self._table()
        return markup.block(markup.title(self._head()), markup.table(head, rows, NUMBERS),
                            *(f"<div>{markup.escaped(line)}</div>" for line in self._foot()))


def _shortened(name: str, width: int) -> str:
    """The end of a name, which tells the weights of a layer apart."""
    return name if len(name) <= width else f"…{name[1 - width:]}"


def _scale(a: float, b: float, row: Row) -> float:
    largest = max((abs(e.backward) for e in row.elements), default=0.0)
    return max(abs(a), abs(b), SMALL * largest, 1e-12)


def check_gradients(model: TrainedModel, x: Any, y: Any = None, samples: int = 4, elements: int = 10,
                    tolerance: float = 1e-5, sample_weight: Any = None) -> GradientCheck:
    """Compare the gradients of a compiled model's loss, on the first `samples` of (x, y), with two that need no
    derivative rules: central differences (L(w + h) - L(w - h)) / 2h and the complex step Im L(w + ih) / h.

    All are computed in double precision by the reference, on the calls that training records; what the backend in use
    has made of the same gradients is given beside it, as `rounding`. Of each weight array `elements` are looked at one
    by one, drawn with a fixed seed, and all together along a random direction; elements=0 takes every one.
    The deviation is |backward - differences| over the larger of the two. Where the loss has a kink, as relu at 0, the
    element is named and counts as neither right nor wrong. Dropout keeps its mask. Nothing has changed afterwards.
    Raises as fit does for wrong data, ValueError for a model that writes its own train_step.

    >>> print(fastnn.check_gradients(model, x, y))
    """
    model._ready("check_gradients()")
    if model.writes("train"):
        raise ValueError(f"check_gradients(): {model.name} writes its own training step, whose loss nobody else knows; "
                         "compile a Model of the same layers with a loss.")
    count, most = whole(samples, "check_gradients(): samples"), whole(elements, "check_gradients(): elements", 0)
    limit = number(tolerance, "check_gradients(): tolerance", 0, above=True)
    with model._working("check_gradients()"):
        arrays = arguments.adapt(model, x, y, sample_weight, "check_gradients()")
        rows = min(count, len(arrays["x0"]))
        source = Arrays(model, "train", arrays, rows)
        try:
            feed, *_ = source.reading()
            program, loss, pairs = _recorded(model, feed, rows)
            found = _checked(program, loss, pairs, most, limit)
        finally:
            source.close()
    return GradientCheck(model.name, found[0], limit, found[1], rows)


def _recorded(model: TrainedModel, feed: Any, rows: int) -> tuple[Program, Any, list[tuple[Any, Any]]]:
    """(a program of the loss and its gradients, the loss in it, each weight with its gradient)."""
    before: dict[int, tuple[Any, np.ndarray]] = {}
    variables = distinct(model.trainable_weights)
    with whole_step():
        try:
            with restored(), keeping(before), recording() as calls:
                _, _, loss = model._steps.forward(feed, rows)
                gradients = backward(loss, variables)
        finally:
            undo(before)
    known = [(v, g) for v, g in zip(variables, gradients) if g is not None]
    program = Program(calls, "loss and gradients", (loss, *[g for _, g in known]))
    kept = program.results
    return program, kept[0], [(v, g) for (v, _), g in zip(known, kept[1:])]


def _checked(program: Program, loss: Any, pairs: list[tuple[Any, Any]], most: int,
             tolerance: float) -> tuple[tuple[Row, ...], str]:
    state = [(t, t.data.copy()) for t in program.updated()]
    program.step()
    narrow = [g.data.copy() for _, g in pairs]
    for tensor, copy in state:
        tensor.data[...] = copy
    reference = Wide(program, loss)
    why = reference.not_complex([v for v, _ in pairs])
    values = Wide(program, loss, *[g for _, g in pairs]).values
    wide = [values[id(g)] for _, g in pairs]
    largest = max((float(np.abs(g).max(initial=0.0)) for g in wide), default=0.0)
    return tuple(_row(reference, v, g, by_backend, largest, most, tolerance, not why)
                 for (v, _), g, by_backend in zip(pairs, wide, narrow)), why


def _row(reference: Wide, variable: Any, gradient: np.ndarray, by_backend: np.ndarray, most_of_all: float, most: int,
         tolerance: float, is_complex: bool) -> Row:
    """One weight array; most_of_all: the largest gradient of the model."""
    rng, start = np.random.default_rng(0), reference.start.get(id(variable))
    largest = float(np.abs(gradient).max(initial=0.0))
    rounding = float(np.abs(by_backend - gradient).max(initial=0.0)) / max(largest, ROUNDED_AWAY * most_of_all, 1e-12)
    if start is None:       # the loss reads it in the gradient only
        return Row(variable.name, variable.shape, (), 0.0, rounding, True)
    calls = reference.along(variable)
    places = np.arange(start.size)
    if most and start.size > most:
        places = np.sort(rng.choice(start.size, most, replace=False))
    ways: list[tuple[tuple[int, ...], np.ndarray]] = []
    for place in places:
        way = np.zeros(start.shape)
        way.flat[place] = 1.0
        ways.append((tuple(int(i) for i in np.unravel_index(place, start.shape)), way))
    ways.append(((), rng.standard_normal(start.shape) / np.sqrt(start.size)))
    found = [_element(reference, variable, calls, index, way, float((gradient * way).sum()), SMALL * largest, tolerance,
                      is_complex) for index, way in ways]
    found.sort(key=lambda element: (bool(element.kink), -element.deviation))
    worst = max((e.deviation for e in found if not e.kink), default=0.0)
    return Row(variable.name, variable.shape, tuple(found), worst, rounding, worst <= tolerance)


def _element(reference: Wide, variable: Any, calls: Any, index: tuple[int, ...], way: np.ndarray, gradient: float,
             least: float, tolerance: float, is_complex: bool) -> Element:
    """One direction; what deviates is looked at with a finer step too, and its sides one by one."""
    start = reference.start[id(variable)]
    here = float(reference.values[id(reference.target)])
    size = max(1.0, float(np.abs(start[way != 0]).max(initial=0.0)))
    kink, best = "", (np.inf, 0.0)
    for step in (STEP * size, STEP * size * FINER):
        up, down = (reference.moved(variable, start + sign * step * way, calls) for sign in (1, -1))
        differences = float(reference.of(up) - reference.of(down)) / (2 * step)
        deviation = _deviation(gradient, differences, least, 4e-15 * abs(here) / step, tolerance)
        best = min(best, (deviation, differences))
        if deviation <= tolerance:
            break
        kink = reference.kink(up, down, calls)
    exact = None
    if is_complex:
        exact = float(np.imag(reference.of(reference.moved(variable, start + 1j * TINY * way, calls))) / TINY)
    return Element(index, gradient, best[1], exact, best[0], kink if best[0] > tolerance else "")


def _deviation(a: float, b: float, least: float, noise: float, tolerance: float) -> float:
    """Relative; where that is too much, less what subtracting two nearly equal losses costs."""
    if not (np.isfinite(a) and np.isfinite(b)):
        return float("inf")
    scale = max(abs(a), abs(b), least, 1e-12)
    return abs(a - b) / scale if abs(a - b) <= tolerance * scale else max(0.0, abs(a - b) - noise) / scale
