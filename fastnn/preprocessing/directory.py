"""Batches for fit made of files in folders: texts or images, whose classes are the folders. Names of `keras.utils`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastnn import seeds
from fastnn.arguments import channels_last, choice, flag, optional, share, whole
from fastnn.errors import shown
from fastnn.preprocessing.batches import Batches, check_format
from fastnn.preprocessing.image import files as images

__all__ = ["image_dataset_from_directory", "text_dataset_from_directory"]


def text_dataset_from_directory(directory: Any, labels: Any = "inferred", label_mode: str | None = "int",
                                class_names: Sequence[str] | None = None, batch_size: int | None = 32,
                                max_length: int | None = None, shuffle: bool = True, seed: int | None = None,
                                validation_split: float | None = None, subset: str | None = None,
                                follow_links: bool = False, format: str | None = "tf", verbose: bool = True) -> Any:
    """The .txt files below a folder in batches of texts: (batch,) of Python strings, for TextVectorization.

    labels: 'inferred' from the folders, which are the classes, by name or in the order of class_names; a list, one for
    each file in the order of their names; or None. label_mode: 'int', 'categorical' (one-hot rows), 'binary' (batch, 1)
    or None. max_length: characters of a text. validation_split: the share of the files, after shuffling, that is the
    subset 'validation'; 'training' is the rest, 'both' a pair. format: Keras' default alone, as
    what comes out is the same always. Source: keras.utils.text_dataset_from_directory.
    """
    max_length = optional(whole, max_length, "text_dataset_from_directory: max_length")
    check_format(format, "text_dataset_from_directory")

    def read(files: list[Path]) -> np.ndarray:
        return np.array([file.read_text(encoding="utf-8")[:max_length] for file in files], object)
    return _dataset("text_dataset_from_directory", directory, (".txt",), read, labels, label_mode, class_names,
                    batch_size, shuffle, seed, validation_split, subset, follow_links, verbose)


def image_dataset_from_directory(directory: Any, labels: Any = "inferred", label_mode: str | None = "int",
                                 class_names: Sequence[str] | None = None, color_mode: str = "rgb",
                                 batch_size: int | None = 32, image_size: Any = (256, 256), shuffle: bool = True,
                                 seed: int | None = None, validation_split: float | None = None,
                                 subset: str | None = None, interpolation: str = "bilinear",
                                 follow_links: bool = False, crop_to_aspect_ratio: bool = False,
                                 pad_to_aspect_ratio: bool = False, data_format: str | None = None,
                                 format: str | None = "tf", verbose: bool = True) -> Any:
    """The image files below a folder in batches: (batch, *image_size, channels) float32, pixels 0..255.

    Files: .bmp, .gif (the first picture), .jpg, .jpeg, .png, .webp, read by Pillow when a batch is asked for and
    resized by `interpolation` ('nearest', 'bilinear', 'bicubic', 'area', 'lanczos'…). color_mode: 'rgb', 'rgba' or
    'grayscale'. crop_to_aspect_ratio: cut the edges instead of stretching; pad_to_aspect_ratio: add black ones. The
    rest is as for text_dataset_from_directory; .class_names and .file_paths say what was found.
    Source: keras.utils.image_dataset_from_directory.

    train = utils.image_dataset_from_directory("photos", image_size=(64, 64), validation_split=0.2, subset="training",
                                               seed=1)
    model.fit(train, epochs=10)
    """
    where = "image_dataset_from_directory"
    size = images.checked_size(image_size, f"{where}: image_size")
    check_format(format, where)
    channels_last(data_format, where)
    ways = flag(crop_to_aspect_ratio, f"{where}: crop_to_aspect_ratio"), flag(pad_to_aspect_ratio,
                                                                              f"{where}: pad_to_aspect_ratio")
    if all(ways):
        raise ValueError(f"{where}: got crop_to_aspect_ratio and pad_to_aspect_ratio; needs one of them at most.")
    images.checked_mode(color_mode, where)
    images.checked_interpolation(interpolation, where)

    def read(files: list[Path]) -> np.ndarray:
        return np.stack([images.img_to_array(images.resized(images.load_img(file, color_mode), size, interpolation,
                                                            *ways)) for file in files])
    return _dataset(where, directory, images.ENDINGS, read, labels, label_mode, class_names, batch_size, shuffle, seed,
                    validation_split, subset, follow_links, verbose)


def _dataset(where: str, directory: Any, endings: tuple[str, ...], read: Callable[[list[Path]], np.ndarray],
             labels: Any, label_mode: str | None, class_names: Sequence[str] | None, batch_size: int | None,
             shuffle: bool, seed: int | None, validation_split: float | None, subset: str | None, follow_links: bool,
             verbose: bool) -> Any:
    """What the functions above share: which files, their labels, their order, and the parts."""
    root = Path(directory)
    if label_mode is not None:
        choice(label_mode, f"{where}: label_mode", ("int", "categorical", "binary"))
    part = optional(share, validation_split, f"{where}: validation_split")
    if (part is None) != (subset is None):
        raise ValueError(f"{where}: validation_split is {part} and subset {shown(subset)}; needs both, or neither.")
    if subset is not None:
        choice(subset, f"{where}: subset", ("training", "validation", "both"))
    shuffle = flag(shuffle, f"{where}: shuffle")
    if subset in ("training", "validation") and shuffle and seed is None:
        raise ValueError(f"{where}: seed is None; needs the same one for both subsets, or they would share "
                         "files.\nPass seed=1 to both, or subset='both'.")
    if not root.is_dir():
        raise FileNotFoundError(f"{where}: there is no folder {str(root)!r}.")
    files, kinds, names = _files(root, labels, class_names, follow_links, endings, where)
    if not files:
        raise ValueError(f"{where}: no files for it below {str(root)!r};\nneeds at least one of {', '.join(endings)}.")
    kinds = None if label_mode is None else kinds
    if label_mode == "binary" and kinds is not None and len(names) != 2:
        raise ValueError(f"{where}: label_mode is 'binary' and there are {len(names)} classes, {names}; needs 2.")
    if verbose:
        print(f"Found {len(files)} files" + (f" of {len(names)} classes." if kinds is not None else "."))
    order = np.arange(len(files))
    if shuffle:
        order = np.random.Generator(np.random.Philox(key=list(seeds.new_stream(seed)))).permutation(order)

    def make(rows: np.ndarray) -> Any:
        x = read([files[i] for i in rows])
        if kinds is None:
            return x
        numbers = kinds[rows]
        return x, {"int": numbers.astype(np.int32), "binary": numbers[:, None].astype(np.float32),
                   "categorical": np.eye(len(names), dtype=np.float32)[numbers]}[str(label_mode)]

    def batches(rows: np.ndarray, mixed: bool) -> Batches:
        if not len(rows):
            raise ValueError(f"{where}: no files are left for a subset of {str(root)!r}; needs at least one.")
        made = Batches([rows], make, batch_size, mixed, seed, where)
        made.class_names, made.file_paths = names if kinds is not None else None, [str(files[i]) for i in rows]
        return made
    cut = len(order) - int((part or 0) * len(order))
    training, validation = order[:cut], order[cut:]
    if subset == "both":
        return batches(training, shuffle), batches(validation, False)
    return batches(validation if subset == "validation" else training, shuffle)


def _files(root: Path, labels: Any, class_names: Sequence[str] | None, follow_links: bool, endings: tuple[str, ...],
           where: str) -> tuple[list[Path], np.ndarray | None, list[str]]:
    """(the files in the order of their folders' and own names, the class of each, the classes' names)."""
    def below(folder: Path) -> list[Path]:
        found = [path for path in folder.rglob("*") if path.suffix.lower() in endings and path.is_file()]
        return sorted(path for path in found if follow_links or not any(
            parent.is_symlink() for parent in path.relative_to(folder).parents[:-1] for parent in [folder / parent]))
    if isinstance(labels, str) and labels == "inferred":
        folders = sorted(path.name for path in root.iterdir() if path.is_dir())
        names = folders if class_names is None else list(class_names)
        if sorted(names) != folders:
            raise ValueError(f"{where}: class_names is {shown(class_names)}; needs the folders' "
                             f"names, {folders}.")
        each = [(path, i) for i, name in enumerate(names) for path in below(root / name)]
        return [path for path, _ in each], np.array([i for _, i in each], int), names
    files = below(root)
    if labels is None:
        return files, None, []
    if isinstance(labels, str) or len(labels) != len(files) or class_names is not None:
        raise ValueError(f"{where}: labels is {shown(labels)} and there are {len(files)} files; needs 'inferred', "
                         "None, or one whole number for each file, and then no class_names.")
    numbers = np.array([whole(n, f"{where}: labels", 0) for n in labels], int)
    return files, numbers, [str(n) for n in sorted(set(labels))]
