"""What TensorBoard's projector shows: the tables of Embedding layers, and the names of their rows. Floor 5."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastnn.errors import shown
from fastnn.layers.embedding import Embedding


def embeddings(model: Any, folder: str, metadata: Any) -> list[tuple[Any, list[Any] | None, list[str] | None]]:
    """(layer, names of its rows or the columns of them, titles of the columns) of the Embedding layers of a model.

    metadata: a file for all of them, {layer's name: file}, or None. ValueError where there is no such layer, or the
    file has not a line for each row; FileNotFoundError.
    """
    layers = [layer for layer in model._with_sublayers() if isinstance(layer, Embedding) and layer.built]
    names = [layer.name for layer in layers]
    if not layers:
        raise ValueError(f"TensorBoard: embeddings_freq needs an Embedding layer that is built; {model.name} has none.")
    files = dict.fromkeys(names, metadata) if not isinstance(metadata, Mapping) else dict(metadata)
    unknown = sorted(set(files) - set(names))
    if unknown:
        raise ValueError(f"TensorBoard: embeddings_metadata names {shown(unknown)}; the Embedding layers are {names}.")
    return [(layer, *_rows(files.get(layer.name), folder, layer)) for layer in layers]


def _rows(file: Any, folder: str, layer: Any) -> tuple[list[Any] | None, list[str] | None]:
    """The lines of a file; where they have columns, those, and their titles."""
    if file is None:
        return None, None
    path = Path(folder) / file
    path = path if path.exists() else Path(os.fspath(file))
    if not path.exists():
        raise FileNotFoundError(f"TensorBoard: embeddings_metadata is {shown(str(file))}, which is not there; needs a "
                                f"text file of a name a line.\nIt may be in {shown(folder)} or where the program "
                                "runs.")
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = int(layer.embeddings.shape[0])
    titled = bool(lines) and "\t" in lines[0]
    if len(lines) != rows + titled:
        raise ValueError(f"TensorBoard: embeddings_metadata: {shown(str(path))} has {len(lines)} lines; needs one for "
                         f"each row of {layer.name!r}{' and one of titles' if titled else ''}, {rows + titled}.")
    if not titled:
        return lines, None
    titles, *parts = [line.split("\t") for line in lines]
    return parts, titles
