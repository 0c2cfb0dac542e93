"""A profile as a bar chart. Floor 5."""

from typing import Any

from fastnn.plotting._figure import COLOURS, new_figure, saved, style

MOST = 20           # bars; what is left is summed up in one more
LONGEST = 56        # characters of a call


def bars(profile: Any, path: Any) -> Any:
    """A bar per call, longest at the top, coloured by layer; the figure, saved where a path is given."""
    rows = sorted(profile.rows, key=lambda row: row.seconds, reverse=True)
    shown, rest = (rows, []) if len(rows) <= MOST + 1 else (rows[:MOST], rows[MOST:])
    total = sum(row.seconds for row in rows) or 1.0
    texts = [row.text if len(row.text) <= LONGEST else row.text[:LONGEST - 1] + "…" for row in shown]
    times = [row.seconds for row in shown]
    layers = list(dict.fromkeys(row.layer for row in profile.rows))       # in the order of the network
    colours = [COLOURS[layers.index(row.layer) % len(COLOURS)] for row in shown]
    notes = [f", at {row.share_of_peak:.0%} of peak" if row.bound and row.seconds >= total / 100 else ""
             for row in shown]
    if rest:
        texts.append(f"{len(rest)} others")
        times.append(sum(row.seconds for row in rest))
        colours.append("#bbbbbb")
        notes.append("")
    unit, size = next((u, s) for u, s in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)) if max(times) >= s or u == "µs")
    figure = new_figure(10, 0.27 * len(texts) + 1.5)
    axes = figure.add_subplot()
    drawn = axes.barh(range(len(texts)), [time / size for time in times], color=colours, height=0.75)
    axes.bar_label(drawn, [f"{time / total:.0%}{note}" for time, note in zip(times, notes)], padding=4, fontsize=8,
                   color="#333333")
    axes.set_yticks(range(len(texts)), texts, fontsize=8, family="monospace")
    axes.invert_yaxis()
    axes.margins(x=0.25, y=0.02)
    step, step_unit = (profile.step_seconds * 1e3, "ms") if profile.step_seconds >= 1e-3 else (
        profile.step_seconds * 1e6, "µs")
    style(axes, f"{profile.name}: {step:.4g} {step_unit} a step", f"time in the step ({unit})", "")
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    present = {row.layer for row in shown}
    handles = [axes.barh([0], [0], color=COLOURS[i % len(COLOURS)], label=layer or "data, loss, optimizer")
               for i, layer in enumerate(layers) if layer in present]
    if len(handles) > 1:
        axes.legend(loc="lower right", fontsize=8, frameon=False)
    return saved(figure, path)
