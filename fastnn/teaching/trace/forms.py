"""How a call is written out: by the form of its kernel, or by the general rule, which works for all. Floor 5.

The general rule takes the formula from the first line of the reference's docstring, and puts the numbers of one element
in the place of the names where the kernel goes element by element.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from fastnn.teaching.trace.board import Fold, Limits, Line, number, rest, short, substituted
from fastnn.teaching.trace.walk import Record

FIRST = 4           # numbers of an output that is only shown


class Look(NamedTuple):
    """How much to write out, and of how many samples the batch is. origins: the names of the weights that tensors show,
    as views or copies of them, by the tensors' ids. layers: the names of the model's."""
    limits: Limits
    batch: int
    origins: Mapping[int, str] = MappingProxyType({})
    layers: tuple[str, ...] = ()

    def of_rows(self, rows: int) -> list[int]:
        """The rows to write out: of (samples x steps) the first of a sample, of samples the first ones."""
        return list(range(min(rows, self.limits.samples)))

    def sample(self, row: int, rows: int) -> int:
        """The number of the sample that a row belongs to; 0 where rows are no samples."""
        return row // (rows // self.batch) + 1 if self.batch and rows % self.batch == 0 and rows else 0

    def title(self, row: int, rows: int) -> str:
        """A row's name."""
        if self.sample(row, rows) and rows > self.batch:
            return f"sample {self.sample(row, rows)}, step {row % (rows // self.batch) + 1}"
        return f"sample {row + 1}" if rows == self.batch else f"row {row + 1}"


Form = Callable[[Record, Look], list[Any] | None]       # None: by the general rule
FORMS: dict[str, Form] = {}         # by kernel


def form(*kernels: str) -> Callable[[Form], Form]:
    """Decorator: how calls of these kernels are written out."""
    def keep(function: Form) -> Form:
        FORMS.update(dict.fromkeys(kernels, function))
        return function
    return keep


def written(record: Record, look: Look) -> list[Any]:
    """The lines of a call."""
    if record.call.op.view:
        return moved(record)
    found = FORMS[record.name](record, look) if record.name in FORMS else None
    return general(record, look) if found is None else found


def moved(record: Record) -> list[Any]:
    """A view: other shape, same numbers."""
    before, after = (next(iter(each.values())).shape for each in (record.inputs, record.outputs))
    return [f"{record.name}: {_shape(before)} -> {_shape(after)}, the same numbers"]


@form("cast")
def cast(record: Record, look: Look) -> list[Any]:
    """Other dtype, same numbers."""
    return [f"cast: from {record.inputs['x'].dtype} to {record.result.dtype}"]


def formula(record: Record) -> str:
    """The first sentence of the reference's docstring: y = a + b."""
    first = (record.call.op.kernel.reference.__doc__ or "").strip().split("\n\n")[0]
    return re.split(r"\.(?:\s|$)|;\s(?=[A-Z])", " ".join(first.split()), maxsplit=1)[0]


def general(record: Record, look: Look) -> list[Any]:
    """Any call."""
    said = formula(record)
    if _by_element(record):
        return elements(record, look, said)
    items: list[Any] = [f"{', '.join(record.results)} = {record.text}", said]
    for name, array in record.outputs.items():
        items += first_numbers(name, array)
    return [Fold(f"{record.name}", items)]


def first_numbers(name: str, array: np.ndarray, most: int = FIRST) -> list[Any]:
    """The first numbers of an array, and how many more there are."""
    shown = [Line(f"{name}{index_text(np.unravel_index(i, array.shape))}", (), array.flat[i])
             for i in range(min(most, array.size))]
    return [*shown, *rest(array.size - len(shown), f"number of {name}", f"numbers of {name}")]


def elements(record: Record, look: Look, said: str, rename: dict[str, str] | None = None) -> list[Any]:
    """A call that goes element by element: for the first units of the first samples, the formula with numbers."""
    result = record.result
    left, _, right = re.split(r": |, element|, exact", said)[0].partition(" = ")
    if not right:
        left, right = f"new {record.call.op.output_names[0]}", left
    names = {} if rename is None else rename
    what, right = names.get(left, left), substituted(right, names)
    items: list[Any] = []
    for index in _first(result, look):
        values = {names.get(k, k): v for k, v in at(record, index).items()}
        sample = look.sample(index[0], len(result)) if result.ndim else 0
        items.append(Line(f"{what}{index_text(index)}", (right, substituted(right, values)), result[index], sample))
    shown = len(items)
    return [Fold(f"{record.name}: {what} = {right}", [*items, *rest(result.size - shown, "element")])]


def _first(array: np.ndarray, look: Look) -> list[Any]:
    """The indices of the first units of the first samples."""
    if not array.ndim:
        return [()]
    count = min(array[:1].size, look.limits.units)
    return [(row, *np.unravel_index(place, array.shape[1:])) for row in look.of_rows(len(array))
            for place in range(count)]


def at(record: Record, index: tuple[Any, ...]) -> dict[str, str]:
    """{name: number, as it stands in a formula} of what the call reads for one element, and its constants."""
    result = record.result
    found = {name: short(value) for name, value in record.constants.items() if isinstance(value, (int, float))}
    for name, array in record.inputs.items():
        if array.shape == result.shape:
            found[name] = short(array[index])
        elif not array.ndim:
            found[name] = short(array)
        elif result.ndim and array.shape == result.shape[-1:]:
            found[name] = short(array[index[-1]])
        elif array.shape == result.shape[:-1]:
            found[name] = short(array[index[:-1]])
    return found


def _by_element(record: Record) -> bool:
    """Whether every array that the call reads has the shape of what it makes, or is one number."""
    shape = record.result.shape
    shapes = [array.shape for array in record.inputs.values()]
    return len(record.outputs) == 1 and shape in shapes and all(each in (shape, ()) for each in shapes)


def index_text(index: Any) -> str:
    """[0,2]: as in Python, counted from 0."""
    return f"[{','.join(str(int(i)) for i in index)}]" if len(index) else ""


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def applied(activation: str, z: Any, y: Any, sample: int = 0, left: str = "a", of: str = "z") -> Line:
    """The line a = f(z)."""
    return Line(left, (f"{activation}({of})", f"{activation}({number(z)})"), y, sample)
