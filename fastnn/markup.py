"""Pieces of HTML for notebooks: tables, folded parts, bars, curves. Ground floor; imports nothing of fastnn.

Colours are the page's own, or half transparent, so that all of it can be read on light pages and on dark ones.
"""

import html
import math
from collections.abc import Collection, Iterable, Sequence

_LINE = "border-bottom:1px solid rgba(128,128,128,.35)"
_CELL = ("padding:2px 10px 2px 0;text-align:{side};vertical-align:top;background:none;border:0;"
         "white-space:{wrap};{line}")
_COLOUR = "#3B8EC9"
MOST = 100      # rows that a table of many shows


def escaped(text: object) -> str:
    """Text as HTML, control characters written out: names may come from files."""
    return html.escape("".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in str(text)))


class Piece(str):
    """Text that is HTML already."""


def block(*parts: str) -> Piece:
    """Several parts, one below the other: what a _repr_html_ gives."""
    return Piece(f'<div style="font-size:13px;line-height:1.4;color:inherit">{"".join(parts)}</div>')


def title(text: object, more: object = "") -> Piece:
    """A line of its own: the text bold, more of it plain."""
    rest = f' <span style="opacity:.75">{escaped(more)}</span>' if more else ""
    return Piece(f'<div style="margin:2px 0 4px"><b>{escaped(text)}</b>{rest}</div>')


def folded(text: object, body: str, opened: bool = False) -> Piece:
    """A part that a click on its text opens and closes."""
    return Piece(f'<details{" open" * opened} style="margin:2px 0"><summary style="cursor:pointer">{escaped(text)}'
                 f'</summary><div style="margin:2px 0 4px 14px">{body}</div></details>')


def code(text: object) -> Piece:
    """Text in letters of one width, which may take several lines."""
    return Piece(f'<code style="background:none;color:inherit;padding:0;white-space:normal">{escaped(text)}</code>')


def table(header: Sequence[object], rows: Iterable[Sequence[object]], right: Collection[int] = ()) -> Piece:
    """A table; the columns of the numbers in `right` are set to the right. Cells are text, or pieces."""
    def cells(row: Sequence[object], tag: str, line: str) -> str:
        return "".join(f'<{tag} style="' + _CELL.format(side="right" if i in right else "left", line=line,
                                                        wrap="normal" if "<code" in str(cell) else "nowrap") + '">'
                       f'{cell if isinstance(cell, Piece) else escaped(cell).replace(chr(10), "<br>")}</{tag}>'
                       for i, cell in enumerate(row))

    body = "".join(f'<tr style="background:none">{cells(row, "td", "")}</tr>' for row in rows)
    return Piece('<div style="overflow-x:auto"><table style="border-collapse:collapse;border:0;margin:0 0 4px;'
                 f'font-size:13px;color:inherit"><thead><tr>{cells(header, "th", _LINE)}</tr></thead>'
                 f"<tbody>{body}</tbody></table></div>")


def bar(share: float, text: str = "") -> Piece:
    """A bar as long as the share, from 0 to 1, then its text."""
    width = max(0.0, min(share, 1.0)) * 120
    return Piece(f'<span style="display:inline-block;height:9px;width:{width:.0f}px;background:{_COLOUR};opacity:.75;'
                 f'margin-right:6px"></span>{escaped(text)}')


def curve(values: Sequence[float | None], width: int = 120, height: int = 24) -> Piece:
    """A small line through the numbers, thinned to two a pixel; nothing where there are less than two."""
    thin = values[::max(1, len(values) // (2 * width))]
    points = [(i, v) for i, v in enumerate(thin) if isinstance(v, (int, float)) and math.isfinite(v)]
    if len(points) < 2:
        return Piece("")
    low, high = min(v for _, v in points), max(v for _, v in points)
    spread, last = (high - low) or 1.0, max(len(thin) - 1, 1)
    path = " ".join(f"{1 + i / last * (width - 2):.1f},{1 + (high - v) / spread * (height - 2):.1f}" for i, v in points)
    return Piece(f'<svg width="{width}" height="{height}" style="vertical-align:middle"><polyline points="{path}" '
                 f'fill="none" stroke="{_COLOUR}" stroke-width="1.5"/></svg>')


def some(count: int) -> range:
    """Which of so many rows a table shows: all, or about a hundred, evenly spaced."""
    return range(0, count, max(1, -(-count // MOST)))
