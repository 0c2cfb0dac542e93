"""model.trace: one training step of a model, with all its numbers. Floor 5."""

import contextlib
import inspect
import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastnn.arguments import flag, whole
from fastnn.engine.listing import room
from fastnn.engine.program import Program
from fastnn.engine.tensor import Variable
from fastnn.feeding import arguments
from fastnn.feeding.arrays import Arrays
from fastnn.feeding.model import TrainedModel
from fastnn.feeding.raw import adapt_raw
from fastnn.nest import distinct
from fastnn.teaching.trace import backward, layers, losses, products, returns, sequences
from fastnn.teaching.trace.board import ALL, FEW, Fold, Limits, as_csv, text
from fastnn.teaching.trace.forms import FORMS, Look, written
from fastnn.teaching.trace.pages import as_html, as_latex
from fastnn.teaching.trace.update import updates
from fastnn.teaching.trace.walk import Record, Weight, by_layer, walk

__all__ = ["Trace", "trace"]

FAMILIES = (backward, layers, losses, products, returns, sequences)      # their forms are in FORMS by now
TITLES = {"batch": "the samples", "forward": "forward", "loss": "loss", "backward": "backward", "update": "update"}
INDICES = ("Indices in brackets count from 0, as in Python; samples, neurons and steps from 1. Results have 7 digits, "
           "the factors in formulas 4.")
OTHERS = "the rest: metrics, counters"


@dataclass(frozen=True)
class Trace:
    """A training step as on a board: print it; in a notebook it opens and closes; to_latex(), to_csv(), full().

    `layers`: their names. `rule`: the optimizer's formula. `records`: each call with the numbers it read and made.
    `weights`: each trained variable with `before`, `gradient` (the mean over the samples, as backward made it), `after`
    and `change`. `loss`: of the batch, before the update.
    """
    title: str
    samples: int
    layers: tuple[str, ...]
    rule: str
    records: tuple[Record, ...]
    weights: tuple[Weight, ...]
    _boards: dict[Any, list[Fold]] = field(default_factory=dict, repr=False)

    @property
    def loss(self) -> float:
        """What is trained: the loss of the batch with all penalties, before the update."""
        names = [record.call.section.name for record in self.records]
        end = names.index("backward") if "backward" in names else len(names)
        found = [r for r in self.records[:end] if r.call.section.name in ("loss", "") and r.result.shape == ()]
        return float(found[-1].result) if found else float("nan")

    def board(self, limits: Limits = FEW) -> list[Fold]:
        """The sections with their folds and lines, so much of each written out."""
        if limits not in self._boards:
            self._boards[limits] = _sections(self, self._look(limits))
        return self._boards[limits]

    def __str__(self) -> str:
        return self._text(FEW)

    def __repr__(self) -> str:
        return f"<Trace of {self.title}: {len(self.records)} calls, loss {self.loss:.7g}; print it>"

    def full(self) -> str:
        """As text, every neuron, sample, product and weight: long where the model is large."""
        return self._text(ALL)

    def _text(self, limits: Limits) -> str:
        width = room()
        found = [line for each in (self.title, INDICES) for line in textwrap.wrap(each, width)]
        for i, section in enumerate(self.board(limits), 1):
            found += ["", f"{i}. {section.title}", *text(section.items, width, 1)]
        return "\n".join(found)

    def _repr_html_(self) -> str:
        return as_html(self.title, self.board())

    def to_latex(self, path: "str | os.PathLike[str] | None" = None) -> str:
        """The same as LaTeX (amsmath, UTF-8), to put into a document; written to `path` where given."""
        return _kept(as_latex(self.title, self.board()), path)

    def to_csv(self, path: "str | os.PathLike[str] | None" = None, full: bool = False) -> str:
        """The same as a table: section, layer, place, sample, what, formula, numbers, value, update; and every weight
        with its new value: the column `update` is by how much each has changed. full: everything, as full() has it.
        Written to `path` where given."""
        limits = ALL if full else FEW
        return _kept(as_csv(_sections(self, self._look(limits), every=True)), path)

    def _look(self, limits: Limits) -> Look:
        return Look(limits, self.samples, _origins(self.records), self.layers)


def _kept(content: str, path: Any) -> str:
    if path is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
    return content


def _sections(trace: Trace, look: Look, every: bool = False) -> list[Fold]:
    """What is written, section by section, layer by layer."""
    parts: dict[str, list[Record]] = {name: [] for name in TITLES}
    others: list[Record] = []
    for record in trace.records:
        name = record.call.section.name
        if not name and not parts["backward"]:
            name = "forward"        # of a train_step that the user wrote: all before the gradients
        shown = name in parts and (name == "batch" or not record.call.section.folded)
        (parts[name] if shown else others).append(record)
    sections = [Fold(TITLES[name], _layers(name, records, look)) for name, records in parts.items()
                if name != "update" and records]
    if any(section.title == TITLES["backward"] for section in sections):
        sections[-1] = Fold(sections[-1].title, [*sections[-1].items,
                                                 backward.gradients(list(trace.weights), look, trace.samples)])
    sections.append(Fold(TITLES["update"], [trace.rule, *updates(trace.records, trace.weights, look, every)]))
    if look.limits == ALL:
        sections.append(Fold(OTHERS, [record.text for record in others]))
    return sections


def _origins(records: Sequence[Record]) -> dict[int, str]:
    """{id of a tensor: the name of what it shows in another shape}."""
    found: dict[int, str] = {}
    for record in records:
        if record.call.op.view or record.call.op.moves:
            source, made = record.call.inputs[-1], record.call.outputs[0]
            if record.call.op.moves:
                source, made = made, source
            name = found.get(id(source), source.name)
            if name:
                found[id(made)] = name
    for record in reversed(records):        # a gradient that is given another shape before it goes to its place
        source, made = record.call.inputs[0], record.call.outputs[0]
        if record.call.op.view and id(made) in found and not source.name:
            found.setdefault(id(source), found[id(made)])
    return found


def _layers(section: str, records: Sequence[Record], look: Look) -> list[Any]:
    """A fold for each layer; where it has several calls, one for each of them."""
    found: list[Any] = []
    names = set(look.layers)
    for layer, group in by_layer(records):
        shown = group if look.limits == ALL else [r for r in group if not r.call.op.view] or group
        folds: list[tuple[str, list[Any]]] = []
        for record in shown:
            own = FORMS.get(f"{section} {record.name}")
            items = (own(record, look) if own and not record.call.op.view else None) or written(record, look)
            folds.append((_origin(record, look), items))
        several = layer and sum(any(isinstance(item, Fold) for item in items) for _, items in folds) > 1
        inner = [each for title, items in folds for each in (
            [Fold(title, items)] if several and title and len(items) > 1 else items)]
        others = {id(t) for record in records if record.call.layer != layer for t in record.call.inputs}
        title = layer if section == "backward" else _heading(layer, group, others, names)
        found += [Fold(title, inner)] if layer else inner
    return found


def _origin(record: Record, look: Look) -> str:
    """The weights that a call reads or makes the gradients of: they tell one product of a layer from another."""
    prefix = record.call.layer + "/"
    tensors = (*record.call.inputs, *record.call.outputs)
    names = [look.origins.get(id(t), t.name).removeprefix("d ").removeprefix(prefix) for t in tensors]
    known = [name for name, t in zip(names, tensors) if prefix in look.origins.get(id(t), t.name)]
    return f"{record.name} with {', '.join(dict.fromkeys(known))}" if known else ""


def _heading(layer: str, group: Sequence[Record], others: set[int], layers: set[str]) -> str:
    """The layer's name, what goes in and what comes out: what others read, by the ids of the tensors."""
    made = [t.shape for record in group for t in record.call.made if id(t) in others] or [
        record.result.shape for record in group if not record.call.op.updates] or [()]
    read = [array.shape for record in group for t, array in zip(record.call.inputs, record.inputs.values())
            if array.ndim and not t.name.startswith(f"{layer}/")] or [()]
    first, last = read[0], made[-1]
    activation = next((f", {r.constants['activation']}" for r in group
                       if r.constants.get("activation", "linear") != "linear"), "")
    # One call may stand for several layers, as a convolution with its pooling: the weights say whose it is too.
    owners = [t.name.partition("/")[0] for record in group for t in record.call.inputs if isinstance(t, Variable)]
    named = " and ".join(dict.fromkeys([*(name for name in owners if name in layers), layer]))
    return f"{named}{activation}: {first} -> {last}"


def trace(model: TrainedModel, x: Any, y: Any = None, samples: int = 2, sample_weight: Any = None,
          update: bool = False) -> Trace:
    """One training step of a compiled model on the first `samples` of (x, y), written out with all its numbers.

    It is the step that fit would run on a batch of so many samples: the recorded program, run call by call, and the
    numbers are those that its calls have read and made. Nothing has changed then: weights, slots, counters, metrics and
    random draws are what they were, unless update=True, which keeps the step, as train_on_batch does.
    Raises as fit does for wrong data, RuntimeError for a step that Python runs every time, and so has no program.

    >>> print(model.trace(x, y, samples=2))
    """
    model._ready("trace()")
    keep, wanted = flag(update, "trace(): update"), whole(samples, "trace(): samples")
    with model._working("trace()"):
        adapt = adapt_raw if model.writes("train") else arguments.adapt
        arrays = adapt(model, x, y, sample_weight, "trace()")
        rows = min(wanted, len(arrays["x0"]))
        source = Arrays(model, "train", arrays, rows)
        feed, *_ = source.reading()
        try:
            with model._steps.put_back():
                program = _recorded(model, feed, rows)
            feed.cursor.assign(0)
            with contextlib.nullcontext() if keep else model._steps.put_back():
                records, weights = walk(program, model.optimizer, distinct(model.trainable_weights))
        finally:
            source.close()
    title = f"one training step of {model.name} on {rows} sample{'s' * (rows > 1)}"
    kept = "kept" if keep else "written out, then put back"
    return Trace(f"{title}, {kept}", rows, tuple(layer.name for layer in model.layers),
                 _rule(model.optimizer), tuple(records), tuple(weights))


def _rule(optimizer: Any) -> str:
    """What its class says of it, in one sentence."""
    said = " ".join((inspect.getdoc(type(optimizer)) or "").split("\n\n")[0].split())
    return f"{type(optimizer).__name__}: {said}" if said else type(optimizer).__name__


def _recorded(model: TrainedModel, feed: Any, rows: int) -> Program:
    """The program of the step, recorded now where it is not there."""
    steps, eagerly = model._steps, model.run_eagerly
    key = steps.key("train", feed, rows)
    model.run_eagerly = False
    try:
        for _ in range(2):      # what Python sets up in a first run may make a second one necessary
            if steps.recorded(key) is None:
                feed.cursor.assign(0)
                steps.run("train", feed, rows)
    finally:
        model.run_eagerly = eagerly
    program: Program | None = steps.recorded(key)
    if program is None:
        raise RuntimeError(f"trace(): the training step of {model.name} is not recorded, as its Python has to run "
                           "every time; the warning that came with it names the line.\nWrite it with fastnn.ops.")
    return program


