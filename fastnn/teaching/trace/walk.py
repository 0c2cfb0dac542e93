"""One training step, call by call, with the numbers that each call read and made. Floor 5."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.call import Call
from fastnn.engine.listing import call_text, names_of
from fastnn.engine.program import Program


@dataclass(frozen=True)
class Record:
    """A call with copies of its numbers: by the names of the kernel's inputs, of the op's outputs. after: of what it
    updates, the new values."""
    call: Call
    text: str
    results: tuple[str, ...]
    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]

    @property
    def name(self) -> str:
        """The kernel."""
        return self.call.op.name

    @property
    def constants(self) -> dict[str, Any]:
        """The kernel's constants."""
        return self.call.constants

    @property
    def result(self) -> np.ndarray:
        """The first output."""
        return next(iter(self.outputs.values()))


@dataclass
class Weight:
    """A trained variable: before the step, its gradient as backward made it, after the step. offset: where it begins
    in the optimizer's block of all weights; block: how many numbers that has."""
    name: str
    variable: Any
    before: np.ndarray
    offset: int = 0
    block: int = 0
    gradient: np.ndarray | None = None
    after: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def change(self) -> np.ndarray:
        """after - before, in the weight's own precision."""
        return self.after - self.before


def walk(program: Program, optimizer: Any, variables: Sequence[Any]) -> tuple[list[Record], list[Weight]]:
    """Run the program once, call by call: it leaves the state as any run of it does."""
    places = {id(v): place for v, place in zip(optimizer._trained, optimizer.block.offsets)} if optimizer.block else {}
    size = optimizer.block.flat.data.size if optimizer.block else 0
    weights = [Weight(v.name, v, v.data.copy(), places.get(id(v), 0), size) for v in variables]
    names, records, taken = names_of(program), [], False
    for call in program.calls:
        if not taken and call.section.name == "update" and not _takes(call, optimizer):
            taken = True
            _take(weights, optimizer)
        records.append(_run(call, names))
    if not taken:
        _take(weights, optimizer)
    for weight in weights:
        weight.after = weight.variable.data.copy()
    return records, weights


def _takes(call: Call, optimizer: Any) -> bool:
    """Whether a call puts a gradient into the optimizer's block of them."""
    return (optimizer.gradients is not None and call.op.name in ("copy", "fill")
            and np.may_share_memory(call.outputs[0].data, optimizer.gradients.flat.data))


def _take(weights: Sequence[Weight], optimizer: Any) -> None:
    """Copy the gradients that are in the optimizer's block now."""
    found = {id(v): g for v, g in zip(optimizer._trained, optimizer._parts.get("gradients", ()))}
    for weight in weights:
        if id(weight.variable) in found:
            weight.gradient = found[id(weight.variable)].data.copy()


def _run(call: Call, names: dict[int, str]) -> Record:
    """Run a call and keep its numbers; of the data that batches are gathered from, the batch only."""
    kernel = call.op.kernel
    keys = backend.numbered(kernel.inputs, len(call.inputs))
    inputs = {key: t.data.copy() for key, t in zip(keys, call.inputs) if not call.section.folded or t.data.size == 1}
    call.run()
    made = backend.numbered(call.op.output_names, len(call.outputs))
    outputs = {key: t.data.copy() for key, t in zip(made, call.outputs) if t.data is not None}
    return Record(call, call_text(call, names), tuple(names[id(t)] for t in call.outputs), inputs, outputs)


def by_layer(records: Sequence[Record]) -> Iterator[tuple[str, list[Record]]]:
    """(layer, its calls) of every run of calls of one layer."""
    group: list[Record] = []
    for record in records:
        if group and record.call.layer != group[0].call.layer:
            yield group[0].call.layer, group
            group = []
        group.append(record)
    if group:
        yield group[0].call.layer, group
