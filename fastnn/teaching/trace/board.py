"""What is written on the board: lines with a value, in folds; as text within a width, and as CSV. Floor 5."""

import csv
import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastnn.engine.listing import FEWEST, GLUE

INDENT = "  "


class Limits(NamedTuple):
    """How much is written out: samples (rows), neurons (units, filters, elements of a weight), terms of a sum. The rest
    is counted."""
    samples: int = 2
    units: int = 2
    terms: int = 4


FEW = Limits()
ALL = Limits(*(1 << 62,) * 3)


@dataclass(frozen=True)
class Line:
    """left = parts[0] = parts[1] … = value. A value of None: the last part says it. sample: its number, from 1, if it
    belongs to one. update: by how much a weight changes, in the line that gives its new value."""
    left: str
    parts: tuple[str, ...] = ()
    value: Any = None
    sample: int = 0
    update: Any = None

    @property
    def steps(self) -> list[str]:
        """What stands between the signs of equality."""
        found = list(dict.fromkeys(part for part in self.parts if part))
        if self.value is not None:
            result = number(self.value)
            if not found or found[-1] != result:
                found.append(result)
        return found


@dataclass(frozen=True)
class Fold:
    """A heading with what is under it: lines, further folds, remarks (text)."""
    title: str
    items: Sequence[Any]


def number(value: Any) -> str:
    """A result: 7 digits, as many as float32 has. Whole numbers as they are."""
    value = np.asarray(value)
    if value.dtype.kind in "iub":
        return str(value.item())
    return f"{value.item():.7g}"


def short(value: Any) -> str:
    """A factor inside of a formula: 4 digits, in parentheses below 0."""
    value = np.asarray(value)
    text = str(value.item()) if value.dtype.kind in "iub" else f"{value.item():.4g}"
    return f"({text})" if text.startswith("-") else text


def total(terms: Sequence[str], most: int, joint: str = " + ") -> str:
    """The terms of a sum; of many, the first ones, how many follow, and the last."""
    if len(terms) <= most + 1:
        return joint.join(terms)
    return joint.join([*terms[:most - 1], f"…{GLUE}{len(terms) - most:,}{GLUE}more{GLUE}…", terms[-1]])


def few(items: Any, most: int) -> Sequence[Any]:
    """Those of a sum's items that `total` writes out: for sums so long that making all the texts would take a while.
    The rest is None."""
    if len(items) <= most + 1:
        return list(items)
    return [*items[:most - 1], *[None] * (len(items) - most), items[-1]]


def added(values: Any, most: int) -> str:
    """0.1 + 0.2 + … of the numbers."""
    return total(["" if v is None else short(v) for v in few(values, most)], most)


def multiplied(a: Any, b: Any, most: int) -> str:
    """0.1·0.2 + 0.3·0.4 + … of the pairs of numbers."""
    return total(["" if i is None else f"{short(a[i])}·{short(b[i])}" for i in few(range(len(a)), most)], most)


def rest(left: int, what: str, many: str = "") -> list[str]:
    """A remark that so many more are not written out, if there are any. many: the plural, where it is not what + s."""
    return [f"… {left:,} more {what if left == 1 else many or what + 's'}"] if left > 0 else []


# ---- as text ------------------------------------------------------------------------------------------------------

def text(items: Sequence[Any], width: int, depth: int = 0) -> list[str]:
    """The lines, each at most `width` wide."""
    found: list[str] = []
    for item in items:
        indent = INDENT * depth
        if isinstance(item, Fold):
            found += textwrap.wrap(item.title, width, initial_indent=indent, subsequent_indent=indent + "    ")
            found += text(item.items, width, depth + 1)
        elif isinstance(item, Line):
            found += _line(item, max(width, len(indent) + FEWEST // 2), indent)
        else:
            found += textwrap.wrap(item, width, initial_indent=indent, subsequent_indent=indent + INDENT)
    return found


def _line(line: Line, width: int, indent: str) -> list[str]:
    """On one line where it fits, else a line for each sign of equality."""
    whole = indent + " = ".join([line.left, *line.steps])
    if len(whole) <= width:
        return [whole.replace(GLUE, " ")]
    left = indent + line.left
    hang = " " * min(len(left) + 1, len(indent) + 16)
    found = []
    for i, step in enumerate(line.steps):
        head = f"{left} = " if not i and len(left) < len(hang) + 12 else f"{hang}= "
        if not i and not head.startswith(left):
            found.append(left)
        found += textwrap.wrap(step, width, initial_indent=head, subsequent_indent=hang + "    ",
                               break_long_words=False, break_on_hyphens=False)
    return [each.replace(GLUE, " ") for each in found]


# ---- as a table ---------------------------------------------------------------------------------------------------

COLUMNS = ("section", "layer", "place", "sample", "what", "formula", "numbers", "value", "update")


def rows(sections: Sequence[Fold]) -> Iterator[tuple[str, ...]]:
    """A row for each line; values with all their digits."""
    for section in sections:
        for path, line in _lines(section.items, ()):
            layer, place = (path[0] if path else ""), " / ".join(path[1:])
            formula = line.parts[0] if line.parts else ""
            numbers = line.parts[1].replace(GLUE, " ") if len(line.parts) > 1 else ""
            yield (section.title, layer, place, str(line.sample or ""), line.left, formula, numbers,
                   _exact(line.value), _exact(line.update))


def _lines(items: Sequence[Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Line]]:
    for item in items:
        if isinstance(item, Fold):
            yield from _lines(item.items, (*path, item.title))
        elif isinstance(item, Line):
            yield path, item


def _exact(value: Any) -> str:
    return "" if value is None else str(np.asarray(value).item()) if np.asarray(value).dtype.kind != "f" else str(
        np.asarray(value)[()])


def as_csv(sections: Sequence[Fold]) -> str:
    """The table as CSV, with a header."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows(sections))
    return stream.getvalue()


# ---- formulas -----------------------------------------------------------------------------------------------------

GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "epsilon": "ε"}


def substituted(formula: str, values: dict[str, str]) -> str:
    """The formula with the names' values in the place of the names."""
    if not values:
        return formula
    names = {**values, **{GREEK[name]: value for name, value in values.items() if name in GREEK}}
    pattern = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.sub(rf"(?<![A-Za-z_α-ω]){'(?:'}({pattern}))(?![A-Za-z_0-9α-ω])", lambda found: names[found[1]], formula)
