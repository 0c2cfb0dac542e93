"""ImageDataGenerator: images changed at random whenever they are asked for. Floor 5."""

import os
from typing import Any

import numpy as np

from fastnn import seeds
from fastnn.arguments import choice, function, number, numbers, optional, share
from fastnn.engine import backend
from fastnn.errors import ShapeError, nearest, shown, warn
from fastnn.ops.rows.affine import FILL_MODES
from fastnn.preprocessing.image import draws, transforms
from fastnn.preprocessing.image.from_files import DataFrameIterator, DirectoryIterator
from fastnn.preprocessing.image.iterator import NumpyArrayIterator
from fastnn.preprocessing.image.normalization import Normalization

Array = transforms.Array
_FORMATS = "channels_last", "channels_first"


class ImageDataGenerator(Normalization):
    """Settings of random changes; `flow(x, y)` gives batches with them, for fit and evaluate.

    rotation_range, shear_range: largest angle in degrees. width_shift_range, height_shift_range: a float below 1 is a
    part of the size, from 1 on pixels; an int n is whole pixels below n; a sequence is what to choose from, with
    either sign. zoom_range: [low, high], or z for [1 - z, 1 + z]. channel_shift_range: largest number added to all
    channels. brightness_range: (low, high) factors, for pixels 0..255. fill_mode: 'nearest', 'constant' (cval),
    'reflect' (dcba|abcd|dcba) or 'wrap' (abcd|abcd|abcd) for what comes into the image. interpolation_order: 1 between
    pixels, 0 the nearest. Then each image goes through preprocessing_function, is multiplied by rescale, centred and
    divided by its own (samplewise) or the data's (featurewise: call fit(x) first) mean and deviation, or ZCA-whitened.
    validation_split: the part, the first of the data, that flow(subset='validation') gives. dtype: of the batches.

    Random numbers come from `seed` of flow, else from fastnn's seed; NumPy's state is neither used nor changed. Where
    Keras (3.15) mixes rows and columns up, this does not: width_shift_range shifts along the rows of the image, and
    images that are not square turn about their centre; 'wrap' loses no pixel. On square images the same transform
    gives the same picture. Source: keras' legacy preprocessing.image.
    """

    def __init__(self, featurewise_center: bool = False, samplewise_center: bool = False,
                 featurewise_std_normalization: bool = False, samplewise_std_normalization: bool = False,
                 zca_whitening: bool = False, zca_epsilon: float = 1e-6, rotation_range: float = 0,
                 width_shift_range: Any = 0.0, height_shift_range: Any = 0.0, brightness_range: Any = None,
                 shear_range: float = 0.0, zoom_range: Any = 0.0, channel_shift_range: float = 0.0,
                 fill_mode: str = "nearest", cval: float = 0.0, horizontal_flip: bool = False,
                 vertical_flip: bool = False, rescale: float | None = None, preprocessing_function: Any = None,
                 data_format: str | None = None, validation_split: float = 0.0, interpolation_order: int = 1,
                 dtype: Any = None) -> None:
        where = "ImageDataGenerator"
        for name, value in (("rotation_range", rotation_range), ("shear_range", shear_range),
                            ("channel_shift_range", channel_shift_range), ("cval", cval),
                            ("zca_epsilon", zca_epsilon)):
            number(value, f"{where}: {name}")
        for name, value in (("width_shift_range", width_shift_range), ("height_shift_range", height_shift_range)):
            if np.min(_numbers(value, f"{where}: {name}")) < 0:
                raise ValueError(f"{where}: {name} is {shown(value)}; needs numbers >= 0, both signs are drawn.")
        share(validation_split, f"{where}: validation_split")
        data_format = choice(data_format or "channels_last", f"{where}: data_format", _FORMATS)
        choice(fill_mode, f"{where}: fill_mode", FILL_MODES)
        if interpolation_order not in (0, 1):
            raise ValueError(f"{where}: interpolation_order is {shown(interpolation_order)}; needs 0 (nearest pixel) "
                             "or 1 (bilinear).")
        optional(function, preprocessing_function, f"{where}: preprocessing_function")
        optional(number, rescale, f"{where}: rescale")
        if brightness_range is not None:
            _numbers(brightness_range, f"{where}: brightness_range", 2)
        zoom = numbers(zoom_range, f"{where}: zoom_range")
        zoom = zoom if zoom.ndim else np.array([1 - zoom, 1 + zoom])
        self.zoom_range = [float(z) for z in _numbers(zoom, f"{where}: zoom_range", 2)]
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.channel_shift_range = channel_shift_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.brightness_range, self.fill_mode, self.cval = brightness_range, fill_mode, cval
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function, self.data_format = rescale, preprocessing_function, data_format
        self.validation_split, self.interpolation_order, self.dtype = validation_split, interpolation_order, dtype
        super().__init__(featurewise_center, samplewise_center, featurewise_std_normalization,
                         samplewise_std_normalization, zca_whitening, zca_epsilon)
        self._key: tuple[int, int] | None = None
        self._drawn = 0

    # ---- batches ----------------------------------------------------------------------------------------------

    def flow(self, x: Any, y: Any = None, batch_size: int = 32, shuffle: bool = True, sample_weight: Any = None,
             seed: int | None = None, save_to_dir: str | os.PathLike[str] | None = None, save_prefix: str = "",
             save_format: str = "png", ignore_class_split: bool = False,
             subset: str | None = None) -> NumpyArrayIterator:
        """Batches of x (n, h, w, c), or (images, other arrays), without end: x, (x, y) or (x, y, sample_weight).

        Pass it to fit, evaluate or predict, index it, or call next(). save_to_dir: a folder for every image made, as
        {save_prefix}_{row}_{batch}.{save_format}. subset: 'training' or 'validation', cut by validation_split.
        """
        self.warn_unfitted()
        images = NumpyArrayIterator(x, y, self, batch_size, shuffle, sample_weight, seed, self.data_format, save_to_dir,
                                    save_prefix, save_format, subset, ignore_class_split, self.dtype)
        if self.brightness_range is not None and images.x.min() >= 0 and images.x.max() <= 1:
            warn("flow: brightness_range is for pixels 0..255 and makes whole numbers of them, as in Keras; x "
                 "is within 0..1. Multiply x by 255 and pass rescale=1/255.")
        return images

    def flow_from_directory(self, directory: Any, target_size: Any = (256, 256), color_mode: str = "rgb",
                            classes: Any = None, class_mode: str | None = "categorical", batch_size: int = 32,
                            shuffle: bool = True, seed: int | None = None, **options: Any) -> DirectoryIterator:
        """Batches of the image files in the folders of a folder, which are the classes.

        class_mode: 'categorical', 'binary', 'sparse', 'input' (the images themselves) or None. options: subset,
        interpolation, keep_aspect_ratio, follow_links, save_to_dir, save_prefix, save_format. Prints what it found.
        """
        self.warn_unfitted()
        return DirectoryIterator(directory, self, target_size, color_mode, classes, class_mode, batch_size, shuffle,
                                 seed, **options)

    def flow_from_dataframe(self, dataframe: Any, directory: Any = None, x_col: str = "filename",
                            y_col: Any = "class", weight_col: str | None = None, target_size: Any = (256, 256),
                            color_mode: str = "rgb", classes: Any = None, class_mode: str | None = "categorical",
                            batch_size: int = 32, shuffle: bool = True, seed: int | None = None,
                            **options: Any) -> DataFrameIterator:
        """Batches of the image files that column x_col of a pandas frame names, below `directory`, labels in y_col.

        class_mode: as for flow_from_directory, or 'raw' (the numbers of y_col) or 'multi_output' (a target for each of
        its columns). Rows whose file is not there are left out with a warning. options as there.
        """
        self.warn_unfitted()
        return DataFrameIterator(dataframe, directory, self, x_col, y_col, weight_col, target_size, color_mode, classes,
                                 class_mode, batch_size, shuffle, seed, **options)

    def augmented(self, x: Array, u: Array) -> Array:
        """Images (n, …) after the random transformations of the numbers u (n, 12), and standardized."""
        return self._moved(lambda images: self._standardized(self._transformed(images, u)), x)

    def _transformed(self, x: Array, u: Array) -> Array:
        p = draws.parameters(self, u, *x.shape[1:3])
        return transforms.transformed(x, p, self.fill_mode, self.cval, self.interpolation_order)

    def _moved(self, function: Any, x: Any) -> Array:
        """function of float images with the channels last."""
        images = np.asarray(x, backend.floatx())
        if self.data_format == "channels_last":
            return np.asarray(function(images))
        return np.moveaxis(function(np.ascontiguousarray(np.moveaxis(images, 1, 3))), 3, 1)

    # ---- one image --------------------------------------------------------------------------------------------

    def get_random_transform(self, img_shape: tuple[int, ...], seed: int | None = None) -> dict[str, Any]:
        """The parameters of a random transformation for an image of this shape, as apply_transform takes them."""
        if seed is None and self._key is None:
            self._key = seeds.new_stream()
        key = seeds.new_stream(seed) if seed is not None else self._key
        assert key is not None
        height, width = img_shape[:2] if self.data_format == "channels_last" else img_shape[1:3]
        u = draws.uniform(1, *key, 0, 0 if seed is not None else self._drawn)
        self._drawn += seed is None
        drawn = {name: float(value[0]) for name, value in draws.parameters(self, u, height, width).items()}
        flips = {name: bool(drawn[name]) for name in ("flip_horizontal", "flip_vertical")}
        return {**dict.fromkeys(transforms.OPTIONAL), **drawn, **flips}

    def apply_transform(self, x: Any, transform_parameters: dict[str, Any]) -> Array:
        """An image (h, w, c) turned by theta degrees, moved by -tx columns and -ty rows, sheared, zoomed by 1/zx and
        1/zy, with channels shifted, flipped, brightened: a new array. ShapeError for other shapes."""
        unknown = set(transform_parameters) - set(transforms.DEFAULTS) - set(transforms.OPTIONAL)
        if unknown:
            raise ValueError(f"apply_transform: got {shown(sorted(unknown))}; "
                             f"{nearest(min(unknown), [*transforms.DEFAULTS, *transforms.OPTIONAL])}")
        image = np.asarray(x)
        if image.ndim != 3:
            raise ShapeError(f"apply_transform: x has shape {image.shape}; needs one image, (rows, columns, channels).")
        given = {name: value for name, value in transform_parameters.items() if value is not None}
        p: transforms.Parameters = {name: np.array([value], np.float64)
                                    for name, value in {**transforms.DEFAULTS, **given}.items()}
        result = self._moved(lambda images: transforms.transformed(
            images, p, self.fill_mode, self.cval, self.interpolation_order), image[np.newaxis])[0]
        return result.copy() if np.may_share_memory(result, image) else result

    def random_transform(self, x: Any, seed: int | None = None) -> Array:
        """apply_transform with get_random_transform's parameters."""
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))

    # ---- statistics, and what they are for --------------------------------------------------------------------

    def standardize(self, x: Any) -> Array:
        """An image or a batch after preprocessing_function, rescale and normalization: a new array (Keras: in place).

        Each image of a batch has its own samplewise mean; in Keras the batch has one.
        """
        self.warn_unfitted()
        images = np.array(x, backend.floatx())
        if images.ndim not in (3, 4):
            raise ShapeError(f"standardize: x has shape {images.shape}; needs an image or a batch of images.")
        one = images.ndim == 3
        result = self._moved(self._standardized, images[np.newaxis] if one else images)
        return result[0] if one else result

    def _standardized(self, x: Array) -> Array:
        if self.preprocessing_function is not None:
            x = np.stack([np.asarray(self.preprocessing_function(image), x.dtype) for image in x])
        if self.rescale:
            x = x * x.dtype.type(self.rescale)
        return self.normalized(x)

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Take mean, deviation and whitening matrix, as far as they were asked for, from x (n, h, w, c).

        augment: from `rounds` randomly transformed copies of x instead. rescale is applied before.
        """
        images = np.array(self.checked(x, "fit"), backend.floatx())
        if self.data_format == "channels_first":
            images = np.ascontiguousarray(np.moveaxis(images, 1, 3))
        if self.rescale:
            images *= images.dtype.type(self.rescale)
        if augment:
            key = seeds.new_stream(seed)
            images = np.concatenate([self._transformed(images, draws.uniform(len(images), *key, r, 0))
                                     for r in range(rounds)])
        self.measure(images, (1, 1, -1) if self.data_format == "channels_last" else (-1, 1, 1))

    def checked(self, x: Any, where: str) -> Any:
        """x as an array of images, of rank 4. ShapeError for others."""
        array = np.asarray(x)
        if array.ndim != 4 or array.dtype.kind not in "fiub" or 0 in array.shape:
            axes = "rows, columns, channels" if self.data_format == "channels_last" else "channels, rows, columns"
            raise ShapeError(f"{where}: x has shape {array.shape} and dtype {array.dtype}; needs numbers of shape "
                             f"(images, {axes}).")
        return array


def _numbers(value: Any, what: str, count: int | None = None) -> Any:
    """The numbers as an array: `count` of them, or any where count is None. TypeError or ValueError for others."""
    array = numbers(value, what)
    if array.ndim > 1 or not array.size or (count is not None and array.size != count):
        raise ValueError(f"{what} is {shown(value)}; needs {count or 'some'} numbers.")
    return array
