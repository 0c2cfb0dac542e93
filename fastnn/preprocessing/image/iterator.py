"""Iterator: batches of numbered samples, endless, by number too; NumpyArrayIterator: of images in an array. Floor 5."""

import os
import threading
from collections.abc import Iterator as AnyIterator
from typing import Any

import numpy as np

from fastnn import seeds
from fastnn.arguments import whole
from fastnn.engine import backend
from fastnn.errors import shown
from fastnn.feeding.pydataset import PyDataset
from fastnn.preprocessing.image import draws, files, transforms

_FORMATS = ("png", "jpg", "jpeg")


class Iterator(PyDataset):
    """Base: n samples in batches of batch_size, the last one shorter, in a new random order every epoch if `shuffle`.

    `it[i]` is batch i of this epoch, the same each time; `next(it)` goes through the epochs without end and may be
    called from several threads; `on_epoch_end()` goes to the next epoch. seed: the same batches in every process;
    without one, fastnn's global seed decides. A subclass defines `_batch(rows, epoch, batch)`.
    """

    def __init__(self, n: int, batch_size: int = 32, shuffle: bool = True, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n, self.shuffle, self.seed = n, bool(shuffle), seed
        self.batch_size = whole(batch_size, f"{type(self).__name__}: batch_size")
        self._key = seeds.new_stream(seed)
        self.epoch = self.batch_index = 0
        self._order: tuple[int, Any] = (-1, None)
        self.lock = threading.RLock()

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"{type(self).__name__}: got batch {shown(index)}; there are 0..{len(self) - 1}.")
        with self.lock:
            epoch, rows = self.epoch, self._rows(index)
        return self._batch(rows, epoch, index)

    def __iter__(self) -> AnyIterator[Any]:
        return self

    def __next__(self) -> Any:
        with self.lock:
            index, epoch = self.batch_index, self.epoch
            rows = self._rows(index)
            self.batch_index += 1
            if self.batch_index == len(self):
                self.on_epoch_end()
        return self._batch(rows, epoch, index)

    def on_epoch_end(self) -> None:
        """Go to the first batch of the next epoch."""
        with self.lock:
            self.epoch += 1
            self.batch_index = 0

    def reset(self) -> None:
        """Let next() begin this epoch again."""
        self.batch_index = 0

    def _rows(self, index: int) -> Any:
        if self._order[0] != self.epoch:
            order = draws.permutation(self.n, *self._key, self.epoch) if self.shuffle else np.arange(self.n)
            self._order = self.epoch, order
        return self._order[1][index * self.batch_size:(index + 1) * self.batch_size]

    def _batch(self, rows: Any, epoch: int, batch: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _batch(rows, epoch, batch).")


class Saving:
    """What writes every image of a batch into a folder, to look at."""

    data_format: str

    def _save_where(self, where: str, folder: Any, prefix: str, form: str) -> None:
        if folder is not None and not os.path.isdir(folder):
            raise ValueError(f"{where}: save_to_dir is {shown(folder)}, which is no folder; make it first.")
        if form not in _FORMATS:
            raise ValueError(f"{where}: save_format is {shown(form)}; needs one of {', '.join(_FORMATS)}.")
        self.save_to_dir, self.save_prefix, self.save_format = folder, prefix, form

    def _save_all(self, images: Any, rows: Any, batch: int) -> None:
        """Write them as {save_prefix}_{row}_{batch}.{save_format}."""
        if self.save_to_dir is not None:
            for image, row in zip(images, rows, strict=True):
                self._save(image, f"{self.save_prefix}_{row}_{batch}.{self.save_format}")

    def _save(self, image: transforms.Array, name: str) -> None:
        """Write an image, its smallest value black and its largest white."""
        image = np.moveaxis(image, 0, 2) if self.data_format == "channels_first" else image
        channels = image.shape[2]
        most = 4 if self.save_format == "png" else 3
        files.save_img(os.path.join(os.fspath(self.save_to_dir), name),
                       image if channels in (1, 3, most) else image[..., :1 if channels < 3 else 3])


class NumpyArrayIterator(Saving, Iterator):
    """What ImageDataGenerator.flow returns: x[rows] transformed and standardized, y[rows], sample_weight[rows].

    The images stay as they are given (uint8 too); a batch has the generator's dtype. Raises ShapeError and ValueError
    for arrays that do not fit together. Source: keras' legacy preprocessing.image.NumpyArrayIterator.
    """

    def __init__(self, x: Any, y: Any, image_data_generator: Any, batch_size: int = 32, shuffle: bool = False,
                 sample_weight: Any = None, seed: int | None = None, data_format: str | None = None,
                 save_to_dir: str | os.PathLike[str] | None = None, save_prefix: str = "", save_format: str = "png",
                 subset: str | None = None, ignore_class_split: bool = False, dtype: Any = None) -> None:
        self.image_data_generator = generator = image_data_generator
        self.data_format = data_format or generator.data_format
        self.dtype = np.dtype(dtype or generator.dtype or backend.floatx())
        x, misc = (x[0], x[1] if isinstance(x[1], list) else [x[1]]) if isinstance(x, (tuple, list)) and len(x) == 2 \
            and np.ndim(x[0]) == 4 else (x, [])
        arrays = {"x": generator.checked(x, "flow"), **{f"x[1][{i}]": np.asarray(m) for i, m in enumerate(misc)}}
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                arrays[name] = np.asarray(value)
        n = len(arrays["x"])
        for name, array in arrays.items():
            if array.ndim == 0 or len(array) != n:
                raise ValueError(f"flow: x has {n} images and {name} has shape {array.shape}; needs {n} rows.")
        if subset is not None:
            arrays = _part(arrays, subset, generator.validation_split, ignore_class_split)
        self.x, self.y, self.sample_weight = arrays["x"], arrays.get("y"), arrays.get("sample_weight")
        self.x_misc = [array for name, array in arrays.items() if name.startswith("x[")]
        self._save_where("flow", save_to_dir, save_prefix, save_format)
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _batch(self, rows: Any, epoch: int, batch: int) -> Any:
        images = self.x[rows]
        u = draws.uniform(len(rows), *self._key, epoch, batch)
        images = self.image_data_generator.augmented(images, u).astype(self.dtype, copy=False)
        self._save_all(images, rows, epoch * len(self) + batch)
        x = [images, *(array[rows] for array in self.x_misc)] if self.x_misc else images
        if self.y is None:
            return x
        return (x, self.y[rows]) if self.sample_weight is None else (x, self.y[rows], self.sample_weight[rows])


def _part(arrays: dict[str, Any], subset: str, split: float, any_classes: bool) -> dict[str, Any]:
    """The first part of the rows for validation, the rest for training."""
    if subset not in ("training", "validation"):
        raise ValueError(f"flow: subset is {shown(subset)}; needs 'training' or 'validation'.")
    n = len(arrays["x"])
    at = int(n * split)
    if at == 0 or at == n:
        raise ValueError(f"flow: subset={subset!r} with validation_split={split:g} of {n} images leaves none on one "
                         "side.\nGive ImageDataGenerator(validation_split=…) a part that leaves some on both.")
    y = arrays.get("y")
    if y is not None and not any_classes and not np.array_equal(np.unique(y[:at]), np.unique(y[at:])):
        raise ValueError("flow: the training and validation parts have different classes; validation is the first part "
                         f"({at} of {n}).\nShuffle x and y together first, or pass ignore_class_split=True.")
    rows = slice(at) if subset == "validation" else slice(at, None)
    return {name: array[rows] for name, array in arrays.items()}
