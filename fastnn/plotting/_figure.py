"""What all pictures share: colours, a figure without pyplot, saving."""

import os
from pathlib import Path
from typing import Any

from fastnn.arguments import whole
from fastnn.plotting._kinds import Figure

__all__ = ["subplots"]

Path_ = str | os.PathLike[str]

# Okabe and Ito's colours, told apart by colour-blind readers too; markers differ as well where classes do.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, YELLOW = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442")
COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, YELLOW, "#555555", "#8C564B", "#000000")
MARKERS = "osD^vP*Xhd"
ENDINGS = ("png", "svg", "pdf")


def new_figure(width: float, height: float) -> Any:
    """An empty Figure of so many inches, which no window and no global list knows."""
    from fastnn.plotting._picture import Picture
    return Picture(figsize=(width, height), dpi=120, layout="constrained")


def subplots(rows: int = 1, columns: int = 1, size: tuple[float, float] | None = None) -> tuple["Figure", Any]:
    """(a Figure, its axes), as pyplot's, but no window and no global list knows of it: a notebook shows it once.

    size: in inches. axes: one, or an array of them where rows or columns are more than 1. For `ax=` of other pictures.

    figure, (left, right) = plotting.subplots(1, 2, size=(10, 4))
    """
    rows, columns = whole(rows, "subplots: rows"), whole(columns, "subplots: columns")
    figure = new_figure(*(size or (4.8 * columns, 4.0 * rows)))
    axes = figure.subplots(rows, columns)
    for ax in figure.axes:
        ax.set_prop_cycle(color=COLOURS)
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def axes_of(ax: Any, width: float, height: float) -> tuple[Any, Any]:
    """(figure, axes): those given, or new ones."""
    if ax is not None:
        return ax.figure, ax
    figure = new_figure(width, height)
    return figure, figure.add_subplot()


def style(ax: Any, title: str, x: str, y: str) -> None:
    """Title, axis labels and a faint grid behind the data."""
    ax.set_title(title)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.grid(True, color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def tint(colour: str) -> str:
    """A light version of a colour, for areas behind points."""
    parts = (int(colour[i:i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - 0.55 * (255 - part)):02x}" for part in parts)


def ending(path: Path_) -> str:
    """The format that a file's ending asks for; png where it has none. ValueError for others."""
    found = Path(path).suffix.lower().lstrip(".") or "png"
    if found not in ENDINGS:
        raise ValueError(f"plotting: got a file ending in {Path(path).suffix!r}; needs .png, .svg or .pdf.")
    return found


def saved(figure: Any, path: Path_ | None) -> Any:
    """The figure, written to `path` if there is one. OSError from the system where it cannot be written."""
    if path is not None:
        figure.savefig(os.fspath(path), format=ending(path))
    return figure
