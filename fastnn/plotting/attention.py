"""Where attention looks."""

from collections.abc import Sequence

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.errors import ShapeError
from fastnn.plotting._figure import Path_, new_figure, saved
from fastnn.plotting._kinds import Figure

__all__ = ["attention_maps"]


def attention_maps(scores: TensorLike, queries: Sequence[str] | None = None, keys: Sequence[str] | None = None,
                   titles: Sequence[str] | None = None, columns: int = 4, path: Path_ | None = None) -> "Figure":
    """A picture for each head: rows are what looks, columns what it looks at, the darker the more.

    scores (heads, queries, keys) or (queries, keys), each row with sum 1, as return_attention_scores=True gives them
    for one sample. queries, keys: names of the rows and columns (keys as queries unless given, where they are as many);
    titles: of the heads, their numbers unless given. Places after the query that get nothing (a causal mask) are left
    white. Returns the Figure. ShapeError where names do not fit.

    plotting.attention_maps(scores[0], list("anna"))
    """
    scores = np.asarray(scores, np.float64)
    scores = scores[None] if scores.ndim == 2 else scores
    if scores.ndim != 3 or not scores.size:
        raise ShapeError(f"attention_maps: scores is {scores.shape}; needs (heads, queries, keys) of one sample; take "
                         "sample 0 of a batch by [0].")
    heads, rows, cols = scores.shape
    if keys is None and queries is not None and rows == cols:
        keys = queries
    for names, length, what in ((queries, rows, "queries"), (keys, cols, "keys"), (titles, heads, "titles")):
        if names is not None and len(names) != length:
            raise ShapeError(f"attention_maps: got {len(names)} {what} for scores {scores.shape}; needs {length}.")
    columns = min(columns, heads)
    down = -(-heads // columns)
    figure = new_figure(max(columns * min(0.9 + 0.28 * cols, 4.6), 4.2), down * min(1.1 + 0.28 * rows, 4.6) + 0.4)
    for place, one in enumerate(scores):
        ax = figure.add_subplot(down, columns, place + 1)
        shown = np.where(one == 0, np.nan, one)
        image = ax.imshow(shown, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        if keys is not None:
            ax.set_xticks(range(cols), keys, rotation=90 if max(map(len, keys)) > 1 else 0)
        if queries is not None:
            ax.set_yticks(range(rows), queries)
        ax.set_title((f"head {place + 1}" if heads > 1 else "") if titles is None else titles[place], fontsize=10)
        if place >= heads - columns:
            ax.set_xlabel("looks at")
        if place % columns == 0:
            ax.set_ylabel("what looks")
    figure.colorbar(image, ax=figure.axes, shrink=0.8, label="share")
    figure.suptitle("Where attention looks")
    return saved(figure, path)
