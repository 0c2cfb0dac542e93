"""One picture of the report: training steps beside the peers, and matrix products as a share of the better peer."""

import math
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.results import Section, fastest

COLORS = {"fastnn": "#D55E00", "torch": "#0072B2", "Keras": "#56B4E9", "JAX": "#009E73", "scikit-learn": "#CC79A7",
          "NumPy": "#999999"}         # Okabe and Ito's, which colour-blind people can tell apart


def draw(path: Path, sections: dict[str, Section], machine: str) -> bool:
    """Draw it; False where neither steps nor products were measured."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    found = [(name, panel) for name, panel in (("step", _steps), ("product", _products)) if sections.get(name)]
    if not found:
        return False
    figure = Figure(figsize=(6.2 * len(found), 5.6), layout="constrained", dpi=110)
    for axes, (name, panel) in zip(figure.subplots(1, len(found), squeeze=False)[0], found):
        panel(axes, sections[name])
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(handles=[Patch(color=color, label=library) for library, color in COLORS.items()],
                  loc="outside upper center", ncols=len(COLORS), fontsize=9, frameon=False)
    cpu, _, rest = machine.partition(", ")
    figure.supxlabel(f"{cpu}, {rest.partition(',')[0]}; python -m benchmarks.report --write docs/speed.md",
                     fontsize=8, color="#555555")
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path)
    return True


def _steps(axes: Any, found: Section) -> None:
    """A group of bars a workload, one bar a library."""
    height = 0.8 / len(COLORS)
    for i, (library, color) in enumerate(COLORS.items()):
        seconds = [fastest(row, library)[0] for row in found.values()]
        there = [(row, t) for row, t in enumerate(seconds) if math.isfinite(t)]
        places = [row + (i - (len(COLORS) - 1) / 2) * height for row, _ in there]
        axes.barh(places, [t * 1e6 for _, t in there], height * 0.9, color=color)
        for place, (_, t) in zip(places, there):
            axes.text(t * 1.12e6, place, tables.human(t), va="center", fontsize=7)
    axes.set_xscale("log")
    axes.set_xlim(right=axes.get_xlim()[1] * 5)
    titles = [str(next(iter(row.values())).info["title"]) for row in found.values()]
    labels = [title.replace(", ", "\n", 1).partition(" (")[0] for title in titles]
    axes.set_yticks(range(len(titles)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_title("one training step, microseconds (shorter is faster)", fontsize=10)


def _products(axes: Any, found: Section) -> None:
    """GFLOP/s of each product; the peak as a line."""
    who = {"fastnn": "C, 2 threads", "torch": "2 threads", "NumPy": "by hand"}
    for i, (library, setting) in enumerate(who.items()):
        rates = [tables.rate(row, library, setting, "GFLOP/s") for row in found.values()]
        axes.barh([row + (i - 1) * 0.27 for row in range(len(rates))], rates, 0.25, color=COLORS[library])
    if peak := next(iter(next(iter(found.values())).values())).info["peak"]:
        axes.axvline(peak, color="black", linewidth=1, linestyle=":")
        axes.text(peak, -0.9, "measured peak", ha="center", fontsize=8)
    axes.set_yticks(range(len(found)), found, fontsize=7)
    axes.invert_yaxis()
    axes.set_title("matrix products, GFLOP/s (longer is faster)", fontsize=10)
