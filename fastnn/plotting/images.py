"""What a convolution sees: its filters, its feature maps, and images in rows, as after augmentation."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.errors import ShapeError
from fastnn.plotting._figure import VERMILION, Path_, new_figure, saved
from fastnn.plotting._kinds import Figure

__all__ = ["feature_maps", "filters", "image_rows"]


def filters(kernel: TensorLike, path: Path_ | None = None, columns: int = 8) -> "Figure":
    """The filters of a convolution, one picture each: blue where it asks for dark, red where for light.

    kernel (height, width, in, out), as `layer.get_weights()[0]`; several input channels are shown by their mean. All
    share one scale, with white at 0, and have their number above. Returns the Figure. ShapeError for another rank.
    """
    kernel = np.asarray(kernel)
    if kernel.ndim != 4 or not kernel.size:
        raise ShapeError(f"filters: kernel is {kernel.shape}; needs (height, width, in, out), a Conv2D's first weight.")
    figure = new_figure(0.75 * columns, 0.9 * -(-kernel.shape[3] // columns) + 0.3)
    _grid(figure, np.moveaxis(kernel.mean(axis=2), -1, 0), columns, "RdBu_r", float(np.abs(kernel.mean(axis=2)).max()),
          [str(i) for i in range(kernel.shape[3])])
    figure.suptitle(f"{kernel.shape[3]} filters of {kernel.shape[0]} x {kernel.shape[1]}", fontsize=10)
    return saved(figure, path)


def feature_maps(image: TensorLike, maps: TensorLike, kernel: TensorLike | None = None, path: Path_ | None = None,
                 columns: int = 8) -> "Figure":
    """An image and what each filter of a convolution answers to it, and the filters between them where given.

    image (height, width) or (height, width, 1 or 3); maps (rows, cols, filters), the layer's output for this image;
    kernel as in `filters`. Filters and maps have their numbers; a map that is 0 everywhere is named so: its filter
    found nothing here, or is dead. Returns the Figure. ShapeError for other ranks.
    """
    image, maps = np.asarray(image), np.asarray(maps)
    if image.ndim not in (2, 3) or maps.ndim != 3 or not maps.size:
        raise ShapeError(f"feature_maps: image is {image.shape} and maps {maps.shape}; needs (height, width[, "
                         "channels]) and (rows, cols, filters) of one image; take image 0 of a batch by [0].")
    rows = -(-maps.shape[2] // columns)
    width, height = 0.66 * columns, 0.82 * rows + 0.5
    parts = [("image", 1.6 * height / max(rows, 3)), *([("filters", width)] if kernel is not None else []),
             ("feature maps", width)]
    figure = new_figure(sum(size for _, size in parts), height)
    panels = figure.subfigures(1, len(parts), width_ratios=[size for _, size in parts])
    for panel, (title, _) in zip(panels, parts):
        panel.suptitle(title, fontsize=10)
    numbers = [str(i) for i in range(maps.shape[2])]
    silent = [not maps[..., i].any() for i in range(maps.shape[2])]
    _grid(panels[0], image[None], 1, "gray_r", None)
    if kernel is not None:
        means = np.asarray(kernel).mean(axis=2)
        _grid(panels[1], np.moveaxis(means, -1, 0), columns, "RdBu_r", float(np.abs(means).max()), numbers)
    _grid(panels[-1], np.moveaxis(maps, -1, 0), columns, "gray_r", None,
          [f"{i}: all 0" if zero else i for i, zero in zip(numbers, silent)])
    panels[-1].suptitle(f"feature maps; {sum(silent)} of {len(silent)} are 0 everywhere" if any(silent) else
                        "feature maps", fontsize=10)
    return saved(figure, path)


def image_rows(rows: Sequence[Any], titles: Sequence[str] | None = None, path: Path_ | None = None) -> "Figure":
    """Rows of images, as originals in the first and changed ones below: rows[i] (n, height, width[, 1 or 3]).

    titles: one per row, on its left. Returns the Figure. ShapeError for rows of different lengths.
    """
    arrays = [np.asarray(row) for row in rows]
    if not arrays or any(a.ndim not in (3, 4) or len(a) != len(arrays[0]) for a in arrays) or not len(arrays[0]):
        raise ShapeError(f"image_rows: got rows of shapes {[a.shape for a in arrays]}; needs (n, height, width[, "
                         "channels]) with the same n, at least 1, in each.")
    columns = len(arrays[0])
    figure = new_figure(0.8 * columns + 1.2, 0.85 * len(arrays) + 0.1)
    for r, array in enumerate(arrays):
        for c, image in enumerate(array):
            ax = figure.add_subplot(len(arrays), columns, r * columns + c + 1)
            _picture(ax, image, "gray_r", None)
            if c == 0 and titles is not None:
                ax.set_ylabel(titles[r], rotation=0, ha="right", va="center", fontsize=9)
    return saved(figure, path)


def _grid(figure: Any, images: np.ndarray, columns: int, colours: str, limit: float | None,
          titles: Sequence[str] | None = None) -> None:
    columns = min(columns, len(images))
    for place, image in enumerate(images):
        ax = figure.add_subplot(-(-len(images) // columns), columns, place + 1)
        _picture(ax, image, colours, limit)
        if titles is not None:
            ax.set_title(titles[place], fontsize=7, pad=2, color="black" if titles[place].isdecimal() else VERMILION)


def _picture(ax: Any, image: np.ndarray, colours: str, limit: float | None) -> None:
    """One image without ticks; `limit` fixes the scale to -limit .. limit."""
    image = image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image
    ax.imshow(image, cmap=colours, vmin=None if limit is None else -limit, vmax=limit)
    ax.set_xticks([])
    ax.set_yticks([])
