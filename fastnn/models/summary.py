"""summary(): a model as a table of layers, output shapes and parameter counts with their arithmetic. Floor 4.

A layer is whatever has name, output_shape, count_params and weights.
"""

import math
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from fastnn import markup
from fastnn.configuration import brief_value
from fastnn.errors import NotBuiltError, shown
from fastnn.reporting.interactive import is_interactive_logging_enabled, log
from fastnn.reporting.terminal import in_notebook

_ASCII = str.maketrans({**dict.fromkeys("┏┳┓┡╇┩├┼┤└┴┘", "+"), **dict.fromkeys("┃│", "|"), "━": "=", "─": "-", "·": "*"})
_OPEN = 24       # rows that a table in a notebook shows unfolded
_LEAST = 4       # characters that a column needs
_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def summary(model: Any, line_length: int | None = None, positions: Sequence[float] | None = None,
            print_fn: Callable[[str], Any] | None = None, expand_nested: bool = False, show_trainable: bool = False,
            layer_range: Sequence[str] | None = None) -> None:
    """Print the model's layers as a table, then the totals.

    Columns are as wide as their text; line_length fixes the width of the table, positions where its columns end
    (fractions of it, or characters). print_fn(line) is called instead of print. expand_nested: show the layers of inner
    models too. show_trainable: a column with Y or N. layer_range: [first, last] layer names, or patterns of them.
    ValueError for a width that leaves a column no room and for a layer_range that matches nothing.
    Source: keras.Model.summary; unlike there, optimizer slots are a line of their own and not in the total.
    """
    unicode, limit = True, None
    if print_fn is None and not is_interactive_logging_enabled():
        print_fn = log
    if print_fn is None and in_notebook() and line_length is None and positions is None:
        from IPython.display import display
        shown_layers = (expand_nested, show_trainable, layer_range)
        text = "\n".join(lines(model, None, None, *shown_layers))
        display({"text/plain": text, "text/html": html(model, *shown_layers)}, raw=True)
        return
    if print_fn is None:
        unicode = _can_encode(sys.stdout)
        if sys.stdout is not None and sys.stdout.isatty():
            limit = shutil.get_terminal_size().columns
    for line in lines(model, line_length, positions, expand_nested, show_trainable, layer_range, limit):
        (print_fn or print)(line if unicode else line.translate(_ASCII).encode("ascii", "replace").decode())


def lines(model: Any, line_length: int | None = None, positions: Sequence[float] | None = None,
          expand_nested: bool = False, show_trainable: bool = False, layer_range: Sequence[str] | None = None,
          limit: int | None = None) -> list[str]:
    """The lines that summary prints; `limit`: wrap cells so that the table is no wider."""
    header, rows = _cells(model, expand_nested, show_trainable, layer_range)
    widths = _widths(header, rows, line_length, positions, limit)
    return [f'Model: "{_printable(model.name)}"', *_table(header, rows, widths), *_totals(model)]


def html(model: Any, expand_nested: bool = False, show_trainable: bool = False,
         layer_range: Sequence[str] | None = None) -> str:
    """The same as HTML; of inner models the layers are folded in, and long models are folded in the middle."""
    header, rows = _cells(model, expand_nested, show_trainable, layer_range)
    parts: list[str] = [markup.title(f"{type(model).__name__} {model.name}", f"{count(len(rows), 'layer')}")]
    if len(rows) <= _OPEN:
        parts.append(markup.table(header, rows))
    else:
        parts += [markup.table(header, rows[:_OPEN // 2]),
                  markup.folded(f"{len(rows) - _OPEN // 2} more layers", markup.table(header, rows[_OPEN // 2:]))]
    if not expand_nested:
        parts += [markup.folded(f"{inner.name}: its {count(len(inner.layers), 'layer')}",
                                markup.table(header[:3], [row[:3] for row in _cells(inner, False, False, None)[1]]))
                  for inner in model.layers if getattr(inner, "layers", ())]
    parts.append(f'<div>{"<br>".join(markup.escaped(line.strip()) for line in _totals(model))}</div>')
    compiled = getattr(model, "compiled", None)
    if compiled is not None:
        named = [("optimizer", model.optimizer), ("loss", compiled.loss), ("metrics", compiled.metrics)]
        parts.append(markup.folded("compiled with", markup.table(
            ("", ""), [(what, markup.code(brief_value(value))) for what, value in named if value])))
    return markup.block(*parts)


def count(number: int, noun: str) -> str:
    """1 layer, 2 layers."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _cells(model: Any, expand_nested: bool, show_trainable: bool,
           layer_range: Sequence[str] | None) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of the table."""
    layers = _in_range(list(model.layers), layer_range)
    connections = getattr(model, "connections", None)
    sources = {id(layer): list(connections(layer)) if connections else [] for layer in layers}
    header = ["Layer (type)", "Output Shape", "Param #"]
    header += ["Connected to"] * any(sources.values()) + ["Trainable"] * show_trainable
    rows = []
    for layer in layers:
        for depth, inner in _walk(layer, 0, expand_nested):
            row = [_name(inner, depth), _shape(inner), _params(inner)]
            if any(sources.values()):
                row.append(",\n".join(sources.get(id(inner), [])) or "-")
            if show_trainable:
                row.append("-" if not _weights(inner, "weights") else "Y" if inner.trainable else "N")
            rows.append([_printable(cell) for cell in row])
    return header, rows


def memory(size: float) -> str:
    """2564 → '2.50 KB'."""
    for unit in _UNITS[:-1]:
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} {_UNITS[-1]}"


def _walk(layer: Any, depth: int, expand: bool) -> Iterable[tuple[int, Any]]:
    """The layer, then, where wanted, the layers inside it."""
    yield depth, layer
    if expand:
        for inner in getattr(layer, "layers", ()):
            yield from _walk(inner, depth + 1, expand)


def _name(layer: Any, depth: int) -> str:
    note = getattr(layer, "summary_note", str)()
    return "   " * depth + "└ " * (depth > 0) + f"{layer.name} ({type(layer).__name__}{', ' * bool(note)}{note})"


def _shape(layer: Any) -> str:
    shape = getattr(layer, "output_shape", None)
    if isinstance(shape, list) and len(shape) == 1:
        shape = shape[0]
    return "?" if shape is None else str(shape)


def _params(layer: Any) -> str:
    try:
        count = layer.count_params()
    except NotBuiltError:
        return "0 (unbuilt)"
    arithmetic = getattr(layer, "count_arithmetic", str)()
    return f"{count:,} = {arithmetic}" if arithmetic and arithmetic != str(count) else f"{count:,}"


def _weights(layer: Any, which: str) -> list[Any]:
    try:
        return list({id(weight): weight for weight in getattr(layer, which, ())}.values())
    except NotBuiltError:
        return []


def _totals(model: Any) -> list[str]:
    trained, frozen = _weights(model, "trainable_weights"), _weights(model, "non_trainable_weights")
    optimizer = getattr(model, "optimizer", None)
    slots = _weights(optimizer, "variables") if getattr(optimizer, "built", True) else []
    parts = [("Total", trained + frozen), ("Trainable", trained), ("Non-trainable", frozen)]
    parts += [("Optimizer", slots)] if slots else []
    result = []
    for title, weights in parts:
        counts = [math.prod(weight.shape) for weight in weights]
        size = sum(count * np.dtype(weight.dtype).itemsize for count, weight in zip(counts, weights))
        result.append(f" {title} params: {sum(counts):,} ({memory(size)})")
    return result


def _in_range(layers: list[Any], names: Sequence[str] | None) -> list[Any]:
    if names is None:
        return layers
    if isinstance(names, str) or len(names) != 2 or not all(isinstance(name, str) for name in names):
        raise ValueError(f"summary: layer_range is {shown(names)}; needs the names of the first and the last layer.")
    found = [[i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in names]
    for name, places in zip(names, found):
        if not places:
            raise ValueError(f"summary: layer_range has {shown(name)}, which matches no layer; there are "
                             f"{', '.join(layer.name for layer in layers)}.")
    if found[0][0] <= found[1][-1]:
        return layers[found[0][0]:found[1][-1] + 1]
    return layers[found[1][0]:found[0][-1] + 1]       # given last layer first


def _widths(header: list[str], rows: list[list[str]], line_length: int | None, positions: Sequence[float] | None,
            limit: int | None) -> list[int]:
    """Characters of text per column. A column takes 3 more for its border and blanks, the table 1 more."""
    widths = [max(len(line) for row in [header, *rows] for line in row[i].split("\n")) for i in range(len(header))]
    if positions is not None:
        length = line_length or 88
        if len(positions) != len(widths):
            raise ValueError(f"summary: positions has {len(positions)} entries; needs {len(widths)}, one per column.")
        ends = [int(p * length) if positions[-1] <= 1 else int(p) for p in positions]
        widths = [end - begin - 3 for begin, end in zip([1, *ends], ends)]
    elif line_length is not None or (limit is not None and sum(widths) + 3 * len(widths) + 1 > limit):
        room = (line_length or limit or 0) - 3 * len(widths) - 1
        if line_length is not None and sum(widths) < room:
            widths[0] += room - sum(widths)
        while sum(widths) > room and max(widths) > _LEAST:
            widths[widths.index(max(widths))] -= 1
        if line_length is not None and sum(widths) > room:
            widths[0] = 0
    if min(widths) < _LEAST:
        raise ValueError(f"summary: line_length {line_length} and positions {positions} leave a column less than "
                         f"{_LEAST} characters; pass a larger line_length.")
    return widths


def _table(header: list[str], rows: list[list[str]], widths: list[int]) -> list[str]:
    def rule(left: str, line: str, middle: str, right: str) -> str:
        return left + middle.join(line * (width + 2) for width in widths) + right

    result = [rule("┏", "━", "┳", "┓"), *_row(header, widths, "┃", left=True), rule("┡", "━", "╇", "┩")]
    for number, row in enumerate(rows):
        if number:
            result.append(rule("├", "─", "┼", "┤"))
        result += _row(row, widths, "│")
    return [*result, rule("└", "─", "┴", "┘")]


def _row(cells: list[str], widths: list[int], border: str, left: bool = False) -> list[str]:
    """A row as one or more lines; parameter counts are set to the right."""
    wrapped = [[piece for line in cell.split("\n")
                for piece in ([line] if len(line) <= width else textwrap.wrap(line, width))]
               for cell, width in zip(cells, widths)]
    result = []
    for number in range(max(map(len, wrapped))):
        pieces = [cell[number] if number < len(cell) else "" for cell in wrapped]
        result.append(border + border.join(
            f" {piece:>{width}} " if i == 2 and not left else f" {piece:<{width}} "
            for i, (piece, width) in enumerate(zip(pieces, widths))) + border)
    return result


def _printable(text: str) -> str:
    """Control characters escaped: names may come from files."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def _can_encode(stream: Any) -> bool:
    try:
        "┏━┃·".encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
