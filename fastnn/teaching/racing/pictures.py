"""A race as a picture and as a film: paths over the contours of the loss, and the losses. Floor 5."""

import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.plotting._figure import COLOURS, MARKERS, Path_, new_figure, saved, style
from fastnn.plotting._film import ending_of_film, film

GRID = 161          # points of a formula's contours to a side
COARSE = 19         # of a model's
FRAMES = 48
HIGH = 1e3          # times the start's loss: the picture ends there


def plot(race: Any, path: Path_ | None = None) -> Any:
    """The whole race. Returns the Figure."""
    figure, _ = _drawn(race)
    return saved(figure, path)


def animate(race: Any, path: Path_, seconds: float) -> str:
    """The race as a film. → the path."""
    ending_of_film(path)
    figure, move = _drawn(race)
    longest = max(len(p) for p in race.paths.values())
    at = np.unique(np.linspace(0, longest - 1, min(FRAMES, longest)).astype(int))
    return film(figure, lambda i: move(int(at[i])), len(at), path, seconds)


def _drawn(race: Any) -> tuple[Any, Callable[[int], None]]:
    """(the figure of the whole race, a function that shows it up to a step)."""
    figure = new_figure(11.0, 4.8)
    place, curves = figure.subplots(1, 2, width_ratios=(1.15, 1))
    window = _window(race)
    (_one_axis if len(race.axes) == 1 else _contours)(race, place, window)
    lines: list[tuple[Any, Any, Any, Any, np.ndarray, np.ndarray, np.ndarray]] = []
    for number, name in enumerate(race.losses):
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        points, losses = np.asarray(race.paths[name]), np.asarray(race.losses[name])
        across, up = _places(points, losses)
        diverges = "diverges" in race.verdicts[name]
        track, = place.plot(across, up, "-", color=colour, linewidth=1.4, alpha=0.9, zorder=3)
        head, = place.plot(across[-1:], up[-1:], marker, color=colour, markeredgecolor="white", markersize=9, zorder=5,
                           label=name + (" (leaves the picture)" if diverges else ""))
        dots, = place.plot(across, up, ".", color=colour, markersize=3.5 if len(across) <= 120 else 0, alpha=0.7,
                           zorder=3)
        curve, = curves.plot(np.arange(len(losses)), losses, color=colour, linewidth=1.8, marker=marker, markersize=5,
                             markevery=[len(losses) - 1], label=name)
        lines.append((track, dots, head, curve, across, up, losses))
    first = next(iter(race.paths.values()))[:1], next(iter(race.losses.values()))[:1]
    start = _places(*map(np.asarray, first))
    place.plot(*start, "*", color="black", markersize=13, zorder=6, label="start")
    place.legend(loc="best", framealpha=0.9, fontsize=8)
    _losses(race, curves)
    figure.suptitle("\n".join(textwrap.wrap(f"{race.on}: {race.title}", 110)), fontsize=11)

    def move(step: int) -> None:
        for track, dots, head, curve, across, up, losses in lines:
            track.set_data(across[:step + 1], up[:step + 1])
            dots.set_data(across[:step + 1], up[:step + 1])
            now = min(step, len(across) - 1)
            head.set_data(across[now:now + 1], up[now:now + 1])
            curve.set_data(np.arange(len(losses))[:step + 1], losses[:step + 1])
            curve.set_markevery([min(step, len(losses) - 1)])
        place.set_title(f"{race.unit} {step}", fontsize=10)

    return figure, move


def _places(points: np.ndarray, losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Across and up: of one number, the point and its loss."""
    return (points[:, 0], losses) if points.shape[1] == 1 else (points[:, 0], points[:, 1])


def _window(race: Any) -> list[float]:
    """What is shown of the plane: the surface's own window, or where the racers were that did not leave."""
    if race.window is not None:
        return list(race.window)
    kept = [np.asarray(p) for name, p in race.paths.items() if "diverges" not in race.verdicts[name]]
    start = np.asarray(next(iter(race.paths.values())))[:1]
    points = np.concatenate([start, *kept])
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.maximum(high - low, 0.2 * max(1e-3, float((high - low).max()))) if kept else np.maximum(np.abs(low), 1.0)
    if points.shape[1] == 1 and not kept:
        low, high = low - size, high + size
    return [edge for a, b, margin in zip(low, high, 0.25 * size) for edge in (a - margin, b + margin)]


def _one_axis(race: Any, ax: Any, window: list[float]) -> None:
    """The curve of a formula of one number."""
    across = np.linspace(window[0], window[1], 400)
    heights = race.surface(across)
    ax.plot(across, heights, color="#999999", linewidth=1.5, zorder=1)
    style(ax, "", race.axes[0], "loss")
    ax.set_xlim(window[0], window[1])
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    ax.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))


def _contours(race: Any, ax: Any, window: list[float]) -> None:
    """Lines of equal loss, denser where it is low."""
    from matplotlib.colors import LogNorm
    side = GRID if race.window is not None or race.axes[0] in ("x",) else COARSE
    across, up = np.meshgrid(np.linspace(window[0], window[1], side), np.linspace(window[2], window[3], side))
    heights = race.surface(across, up)
    good = heights[np.isfinite(heights)]
    low = float(good.min())
    lifted = np.where(np.isfinite(heights), heights, good.max()) - low
    top = max(float(lifted.max()), 1e-12)
    bottom = max(top * 1e-4, float(np.quantile(lifted, 0.01)), 1e-12)
    levels = np.geomspace(bottom, top, 18)
    ax.imshow(np.maximum(lifted, bottom), cmap="Greys", alpha=0.35, norm=LogNorm(bottom / 4, top * 4), origin="lower",
              extent=window, aspect="auto", interpolation="bilinear")
    ax.contour(across, up, lifted, levels=levels, colors="#888888", linewidths=0.5)
    style(ax, "", *race.axes)
    ax.grid(False)
    ax.set_xlim(window[0], window[1])
    ax.set_ylim(window[2], window[3])


def _losses(race: Any, ax: Any) -> None:
    """The losses, on a scale of powers of ten where they span several."""
    from matplotlib.ticker import MaxNLocator
    style(ax, "", race.unit, "loss")
    everything = np.concatenate([np.asarray(v, float) for v in race.losses.values()])
    seen = everything[np.isfinite(everything)]
    start = float(next(iter(race.losses.values()))[0])
    limit = seen.min() + HIGH * max(start - seen.min(), 1e-12)
    if seen.min() > 0 and seen.max() > 30 * seen.min():
        ax.set_yscale("log")
        ax.set_ylim(max(seen.min(), 1e-12 * max(start, 1e-12)) / 2, min(seen.max() * 2, limit))
    elif seen.max() > limit / 100:
        ax.set_ylim(seen.min() - 0.05 * (start - seen.min()), start + 2 * (start - seen.min()))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(frameon=False, fontsize=8)

