"""DirectoryIterator, DataFrameIterator: batches of images that are read from files when they are asked for. Floor 5."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.arguments import choice, optional
from fastnn.engine import backend
from fastnn.errors import shown, warn
from fastnn.preprocessing.image import draws, files
from fastnn.preprocessing.image.iterator import Iterator, Saving

_CLASSES = ("categorical", "binary", "sparse")
_OTHERS = ("raw", "multi_output", "input")


class FileIterator(Saving, Iterator):
    """Base: image files, each read, resized to target_size, changed by the generator and given its label."""

    def __init__(self, generator: Any, where: str, filepaths: list[str], target_size: Any, color_mode: str,
                 class_mode: str | None, batch_size: int, shuffle: bool, seed: int | None, save_to_dir: Any,
                 save_prefix: str, save_format: str, interpolation: str, keep_aspect_ratio: bool) -> None:
        self.image_data_generator, self.data_format = generator, generator.data_format
        self.dtype = np.dtype(generator.dtype or backend.floatx())
        self.target_size = files.checked_size(target_size, f"{where}: target_size")
        self.color_mode = files.checked_mode(color_mode, where)
        self.interpolation = files.checked_interpolation(interpolation, where)
        self.keep_aspect_ratio, self.class_mode, self.filepaths = keep_aspect_ratio, class_mode, filepaths
        channels = {"rgb": 3, "rgba": 4, "grayscale": 1}[color_mode]
        last = self.data_format == "channels_last"
        self.image_shape = (*self.target_size, channels) if last else (channels, *self.target_size)
        self._save_where(where, save_to_dir, save_prefix, save_format)
        if not filepaths:
            raise ValueError(f"{where}: found no image files ({', '.join(files.ENDINGS)}); needs at least one.\nOf a "
                             "directory: a folder for each class in it, the pictures in these. Is the path right?")
        self.samples = len(filepaths)
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _labels(self, rows: Any, images: Any) -> Any:
        """What stands beside the images of these rows; None for nothing."""
        raise NotImplementedError

    def _weights(self, rows: Any) -> Any:
        return None

    def _batch(self, rows: Any, epoch: int, batch: int) -> Any:
        read = np.stack([files.img_to_array(files.load_img(
            self.filepaths[row], self.color_mode, self.target_size, self.interpolation, self.keep_aspect_ratio),
            self.data_format) for row in rows])
        u = draws.uniform(len(rows), *self._key, epoch, batch)
        images = self.image_data_generator.augmented(read, u).astype(self.dtype, copy=False)
        self._save_all(images, rows, epoch * len(self) + batch)
        y, weights = self._labels(rows, images), self._weights(rows)
        return images if y is None else (images, y) if weights is None else (images, y, weights)


def of_classes(mode: str | None, numbers: np.ndarray, count: int, dtype: Any) -> Any:
    """Class numbers as 'sparse' (n,), 'binary' (n,) or 'categorical' (n, count) targets; None for others."""
    if mode == "categorical":
        return np.eye(count, dtype=dtype)[numbers]
    return numbers.astype(dtype) if mode in ("sparse", "binary") else None


class DirectoryIterator(FileIterator):
    """What ImageDataGenerator.flow_from_directory returns. filenames, classes (of each a number), class_indices {name:
    number}.

    Source: keras' legacy preprocessing.image.DirectoryIterator.
    """

    def __init__(self, directory: Any, image_data_generator: Any, target_size: Any = (256, 256),
                 color_mode: str = "rgb", classes: Sequence[str] | None = None, class_mode: str | None = "categorical",
                 batch_size: int = 32, shuffle: bool = True, seed: int | None = None, save_to_dir: Any = None,
                 save_prefix: str = "", save_format: str = "png", follow_links: bool = False,
                 subset: str | None = None, interpolation: str = "nearest", keep_aspect_ratio: bool = False) -> None:
        where, root = "flow_from_directory", Path(directory)
        optional(choice, class_mode, f"{where}: class_mode", (*_CLASSES, "input"))
        if not root.is_dir():
            raise FileNotFoundError(f"{where}: there is no folder {str(root)!r}.")
        folders = sorted(path.name for path in root.iterdir() if path.is_dir())
        names = folders if classes is None else list(classes)
        missing = [name for name in names if name not in folders]
        if missing:
            raise ValueError(f"{where}: classes names {missing}; the folders are {folders}.")
        self.class_indices = {name: number for number, name in enumerate(names)}
        self.num_classes, self.directory = len(names), str(root)
        if class_mode == "binary" and len(names) != 2:
            raise ValueError(f"{where}: class_mode is 'binary' and there are {len(names)} folders, {names}; needs 2.")
        found: list[tuple[str, int]] = []
        for name, number in self.class_indices.items():     # each class is cut, so that each is in both subsets
            walk = os.walk(root / name, followlinks=follow_links)
            own = sorted(str(Path(folder) / file) for folder, _, inside in walk for file in inside
                         if file.lower().endswith(files.ENDINGS))
            found += [(path, number) for path in own[part_of(subset, image_data_generator, len(own), where)]]
        self.filenames = [os.path.relpath(path, root) for path, _ in found]
        self.classes = np.array([number for _, number in found], np.int32)
        super().__init__(image_data_generator, where, [path for path, _ in found], target_size, color_mode, class_mode,
                         batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, interpolation,
                         keep_aspect_ratio)
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")

    @property
    def labels(self) -> np.ndarray:
        """The class number of each file."""
        return self.classes

    def _labels(self, rows: Any, images: Any) -> Any:
        if self.class_mode == "input":
            return images.copy()
        return of_classes(self.class_mode, self.classes[rows], self.num_classes, self.dtype)


class DataFrameIterator(FileIterator):
    """What ImageDataGenerator.flow_from_dataframe returns: a file's name in x_col, its label or labels in y_col.

    Source: keras' legacy preprocessing.image.DataFrameIterator.
    """

    def __init__(self, dataframe: Any, directory: Any = None, image_data_generator: Any = None,
                 x_col: str = "filename", y_col: Any = "class", weight_col: str | None = None,
                 target_size: Any = (256, 256), color_mode: str = "rgb", classes: Sequence[str] | None = None,
                 class_mode: str | None = "categorical", batch_size: int = 32, shuffle: bool = True,
                 seed: int | None = None, save_to_dir: Any = None, save_prefix: str = "", save_format: str = "png",
                 subset: str | None = None, interpolation: str = "nearest", keep_aspect_ratio: bool = False,
                 validate_filenames: bool = True) -> None:
        where = "flow_from_dataframe"
        optional(choice, class_mode, f"{where}: class_mode", (*_CLASSES, *_OTHERS))
        columns = [x_col, *([y_col] if isinstance(y_col, str) else y_col or []) * (class_mode not in (None, "input")),
                   *([weight_col] if weight_col else [])]
        missing = [name for name in columns if name not in dataframe.columns]
        if missing:
            raise ValueError(f"{where}: the frame has no columns {missing}; it has {list(dataframe.columns)}.")
        paths = [os.path.join(directory or "", str(name)) for name in dataframe[x_col]]
        rows = np.arange(len(paths))
        if class_mode in _CLASSES:
            kinds = dataframe[y_col].tolist()
            names = list(classes) if classes is not None else sorted(set(kinds))
            rows = np.array([row for row in rows if kinds[row] in names], int)
        if validate_filenames:
            good = [row for row in rows if paths[row].lower().endswith(files.ENDINGS) and os.path.isfile(paths[row])]
            if len(good) < len(rows):
                lost = next(paths[row] for row in rows if row not in set(good))
                warn(f"{where}: {len(rows) - len(good)} of {len(rows)} rows name no image file, the first "
                     f"{shown(lost, 100)}; they are left out.")
            rows = np.array(good, int)
        rows = rows[part_of(subset, image_data_generator, len(rows), where)]
        self.filenames = [str(dataframe[x_col].iloc[row]) for row in rows]
        self.sample_weight = None if weight_col is None else dataframe[weight_col].to_numpy()[rows]
        if class_mode in _CLASSES:
            if class_mode == "binary" and len(names) != 2:
                raise ValueError(f"{where}: class_mode is 'binary' and there are {len(names)} classes; needs 2.")
            self.class_indices = {name: number for number, name in enumerate(names)}
            self.num_classes = len(names)
            self.classes = np.array([self.class_indices[kinds[row]] for row in rows], np.int32)
        elif class_mode in ("raw", "multi_output"):
            self.raw = dataframe[y_col].to_numpy()[rows]
        super().__init__(image_data_generator, where, [paths[row] for row in rows], target_size, color_mode, class_mode,
                         batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, interpolation,
                         keep_aspect_ratio)
        print(f"Found {self.samples} validated image filenames"
              + (f" belonging to {self.num_classes} classes." if class_mode in _CLASSES else "."))

    def _labels(self, rows: Any, images: Any) -> Any:
        if self.class_mode == "input":
            return images.copy()
        if self.class_mode == "raw":
            return self.raw[rows]
        if self.class_mode == "multi_output":
            return tuple(np.stack(list(column)) for column in self.raw[rows].T)
        return of_classes(self.class_mode, self.classes[rows], self.num_classes, self.dtype) \
            if self.class_mode is not None else None

    def _weights(self, rows: Any) -> Any:
        return None if self.sample_weight is None else self.sample_weight[rows]


def part_of(subset: str | None, generator: Any, count: int, where: str) -> slice:
    """Which of `count` files in order are the subset: the first are for validation."""
    if subset is None:
        return slice(None)
    choice(subset, f"{where}: subset", ("training", "validation"))
    at = int(count * generator.validation_split)
    if not generator.validation_split:
        raise ValueError(f"{where}: subset is {subset!r} and the generator's validation_split is 0; give "
                         "ImageDataGenerator(validation_split=…) a part.")
    return slice(at) if subset == "validation" else slice(at, None)
