"""A History as HTML, for notebooks. Floor 3."""

import math
from typing import Any

from fastnn import markup
from fastnn.reporting.direction import direction


def html(history: Any) -> str:
    """First, last and best value of each name with its curve; the epochs folded."""
    rows: list[tuple[object, ...]] = []
    columns = {name: history.column(name) for name in history.history}
    for name, values in columns.items():
        numbers = [v for v in values if isinstance(v, float)]
        finite = [v for v in numbers if math.isfinite(v)]
        if finite:
            best = (max if direction(name) == "max" else min)(finite)
            rows.append((name, f"{numbers[0]:.4g}", f"{numbers[-1]:.4g}", f"{best:.4g}",
                         values.index(best) + 1, markup.curve(values)))
        else:
            rows.append((name, *[""] * 3, "", ""))
    table = markup.table(("", "first", "last", "best", "in epoch", ""), rows, (1, 2, 3, 4))
    epochs = markup.table(("epoch", *columns), [
        (history.epoch[i] + 1, *("" if column[i] is None else f"{column[i]:.4g}" if isinstance(column[i], float)
                              else str(column[i]) for column in columns.values()))
        for i in markup.some(len(history.epoch))], range(len(columns) + 1))
    each = len(markup.some(len(history.epoch)))
    title = markup.title("History", f"{len(history.epoch)} epochs{', interrupted' if history.interrupted else ''}")
    folded = markup.folded(f"{'all' if each == len(history.epoch) else each} of the epochs", epochs)
    return markup.block(title, *[table, folded] * bool(history.epoch))
