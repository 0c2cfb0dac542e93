"""A program as text: one line a call, in sections, as wide as the terminal. Floor 1; NumPy only."""

import itertools
import shutil
import textwrap
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fastnn import markup

if TYPE_CHECKING:
    from fastnn.engine.call import Call
    from fastnn.engine.program import Program
    from fastnn.engine.tensor import Tensor

NOTEBOOK = 100      # columns where there is no terminal to ask
FEWEST = 40         # columns, however narrow the terminal is
SHAPES = 16         # columns for shapes; longer ones take some of the call's
HANG = 6            # columns by which the further lines of a call are indented
GLUE = "\N{NO-BREAK SPACE}"     # where no line is broken: in a name, in a tuple


def names_of(program: "Program") -> dict[int, str]:
    """{id of tensor: name}: a tensor's own name, %3 for the output of call 3, the number that a constant is full of,
    _ for an output that is left out."""
    names: dict[int, str] = {}
    unnamed = itertools.count(1)
    for number, call in enumerate(program.calls):
        for tensor in call.inputs:
            if id(tensor) not in names:
                kind = "const" if tensor.constant else "buffer"
                names[id(tensor)] = tensor.name or _value(tensor) or f"{kind}{next(unnamed)}"
        for i, tensor in enumerate(call.outputs):
            if tensor.data is None:
                names[id(tensor)] = "_"
            elif id(tensor) not in names or not call.op.updates:
                names[id(tensor)] = tensor.name or (f"%{number}" if len(call.outputs) == 1 else f"%{number}.{i}")
    return names


def room() -> int:
    """How many columns a text may take."""
    return max(FEWEST, shutil.get_terminal_size((NOTEBOOK, 24)).columns)


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """The lines of a table; the columns of the numbers in `right` are set to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(f"{cell:>{width}}" if i in right else f"{cell:<{width}}"
                      for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]


def call_text(call: "Call", names: dict[int, str]) -> str:
    """kernel(a, b, constant=…) of one call."""
    constants = [f"{key}={_short(value)}" for key, value in call.constants.items()]
    return f"{call.op.name}({', '.join([names[id(t)] for t in call.inputs] + constants)})"


def full(program: "Program") -> str:
    """Number, result, kernel with its arguments, shape and layer of every call, in columns as wide as need be."""
    rows = _rows(program)
    widths = [max([len(row[i]) for row in rows], default=0) for i in range(4)]
    lines = [_title(program)]
    for index, result, text, shapes, layer in rows:
        lines.append(f"{index:>{widths[0]}}  {result:<{widths[1]}} = {text:<{widths[2]}}  "
                     f"{shapes:<{widths[3]}}  {layer}".rstrip())
    return "\n".join(lines)


def listing(program: "Program") -> str:
    """The same by section and within the terminal's width; sections of bookkeeping take a line each."""
    width = room()
    rows, names = _rows(program), names_of(program)
    digits = len(str(len(rows) - 1))
    layers = max((len(call.layer) for call in program.calls if not call.section.folded), default=0)
    lines, before = textwrap.wrap(_title(program), width), ""
    for section, first, last in _sections(program.calls):
        if section.folded:
            lines += _folded(program, first, last, names, width, digits)
            continue
        if section.name not in ("", before):
            lines.append(section.name)
        before = section.name
        for row in rows[first:last]:
            lines += _wrapped(row, width, digits, layers)
    if any(call.section.folded for call in program.calls):
        lines += textwrap.wrap("What is in brackets is folded; full() lists every call.", width)
    return "\n".join(line.replace(GLUE, " ") for line in lines)


def html(program: "Program") -> str:
    """The same as HTML, each section a part that opens and closes."""
    rows, parts = _rows(program), [markup.title(program.name, _size(program))]
    for section, first, last in _sections(program.calls):
        calls = markup.table(("", "result", "call", "shape", "layer"), [
            (number, markup.code(result), markup.code(text), shapes, layer)
            for number, result, text, shapes, layer in rows[first:last]], (0,))
        number = f"{last - first} call{'s' * (last - first != 1)}"
        parts.append(markup.folded(f"{section.name or 'calls'}: {number}", calls, opened=not section.folded))
    return markup.block(*parts)


def _size(program: "Program") -> str:
    return f"{len(program.calls)} calls, arena {program.arena_bytes:,} bytes"


def _title(program: "Program") -> str:
    return f"{program.name}: {_size(program)}"


def _rows(program: "Program") -> list[tuple[str, str, str, str, str]]:
    """Number, result, kernel with its arguments, shapes and layer of each call."""
    names = names_of(program)
    return [(str(number), ", ".join(names[id(t)] for t in call.outputs), call_text(call, names),
             " ".join(_shape(t) for t in call.made), call.layer) for number, call in enumerate(program.calls)]


def _sections(calls: Sequence[Any]) -> Iterator[tuple[Any, int, int]]:
    """(section, number of its first call, one past its last) of every run of calls of one section."""
    begin = 0
    for section, run in itertools.groupby(call.section for call in calls):
        end = begin + len(list(run))
        yield section, begin, end
        begin = end


def _wrapped(row: tuple[str, str, str, str, str], width: int, digits: int, layers: int) -> list[str]:
    """The lines of a call: what is computed on the left, shapes and layer on the right where there is room for both."""
    number, result, text, shapes, layer = row
    left = f"{number:>{digits + 2}}  {result.replace(' ', GLUE):<{digits + 1}} = {_glued(text)}"
    indent = " " * (digits + 2 + HANG)
    right = f"{shapes:<{SHAPES}}  {layer:<{layers}}"
    room = width - len(right) - 2
    if room < width / 2 or max(map(len, left.split(" "))) + len(indent) > room:       # then they follow in the text
        left, right, room = f"{left}  {shapes.replace(' ', GLUE)}  {layer}".rstrip(), "", width
    first, *rest = textwrap.wrap(left, room, subsequent_indent=indent, break_on_hyphens=False)
    return [f"{first:<{room}}  {right}".rstrip(), *rest]


def _folded(program: "Program", first: int, last: int, names: dict[int, str], width: int, digits: int) -> list[str]:
    """One line for several calls: their numbers, what they make or update, and their kernels, as far as there is room;
    in any case what calls of other sections read."""
    calls = program.calls[first:last]
    read = {id(t) for call in (*program.calls[:first], *program.calls[last:]) for t in call.inputs}
    made = {names[id(t)]: id(t) in read and not call.op.updates
            for call in calls for t in call.outputs if call.op.updates or id(t) in read}
    kernels = [f"{kernel}{f' x{count}' if count > 1 else ''}"
               for kernel, count in Counter(call.op.name for call in calls).items()]
    numbers = str(first) if len(calls) == 1 else f"{first}-{last - 1}"
    few, number = [name for name, needed in made.items() if needed], f"{len(calls)} calls"
    text = ""
    for results, how in ((list(made), ", ".join(kernels)), (list(made), number), (few, number)):
        given = f"{', '.join(results)} = " if results else ""
        text = f"{numbers:>{digits + 2}}  [{calls[0].section.name}] {given}{how}"
        if len(text) <= width:
            return [text]
    return textwrap.wrap(text, width, subsequent_indent=" " * (digits + 2 + HANG))


def _glued(text: str) -> str:
    """A call's text with spaces that break a line between its arguments only, not inside of names and tuples."""
    result, depth = [], 0
    for i, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        result.append(GLUE if char == " " and (text[i - 1] != "," or depth > 1) else char)
    return "".join(result)


def _value(tensor: "Tensor") -> str:
    """The number that all elements of a constant are, None for one that stands for an input that is not there, or an
    empty string."""
    if not tensor.constant:
        return ""
    if not tensor.data.size:
        return "None"
    first = tensor.data.flat[0]
    return _short(first.item()) if (tensor.data == first).all() else ""


def _shape(tensor: "Tensor") -> str:
    return "(" + ", ".join(map(str, tensor.shape)) + ("," if len(tensor.shape) == 1 else "") + ")"


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(value)
