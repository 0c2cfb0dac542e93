"""Images in files, as pictures of Pillow and as arrays, under the names of `keras.utils`. Floor 5.

Pillow comes with matplotlib; it is imported when the first file is read.
"""

import os
from typing import Any

import numpy as np

from fastnn import ops
from fastnn.arguments import channels_last, choice, flag, sizes
from fastnn.engine import backend
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown, warn

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
_MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}
_FILTERS = {"nearest": "NEAREST", "bilinear": "BILINEAR", "bicubic": "BICUBIC", "box": "BOX", "area": "BOX",
            "hamming": "HAMMING", "lanczos": "LANCZOS", "lanczos3": "LANCZOS", "lanczos5": "LANCZOS"}


def checked_size(value: Any, what: str) -> tuple[int, int]:
    """(height, width), whole numbers from 1 on."""
    height, width = sizes(value, what, 2)
    return height, width


def checked_mode(value: Any, where: str) -> str:
    """'rgb', 'rgba' or 'grayscale'."""
    return choice(value, f"{where}: color_mode", _MODES)


def checked_interpolation(value: Any, where: str) -> str:
    """The name of a way to resize."""
    return choice(value, f"{where}: interpolation", _FILTERS)


def load_img(path: Any, color_mode: str = "rgb", target_size: Any = None, interpolation: str = "nearest",
             keep_aspect_ratio: bool = False) -> Any:
    """The picture in a file, as a PIL.Image; img_to_array makes numbers of it.

    path: a name, or an open binary file. color_mode: 'rgb', 'rgba' or 'grayscale'. target_size: (height, width) to
    resize to, by `interpolation`; keep_aspect_ratio: cut the edges first instead of stretching. Pictures of 16 bits a
    pixel keep them as 'grayscale'; otherwise all above 255 is white, which is warned of. OSError for a file that is not
    there or holds no picture. keras.utils.load_img.

    x = utils.img_to_array(utils.load_img("photo.jpg", target_size=(64, 64)))    # (64, 64, 3)
    """
    from PIL import Image
    mode = _MODES[checked_mode(color_mode, "load_img")]
    checked_interpolation(interpolation, "load_img")
    try:
        with Image.open(path) as opened:
            opened.load()
            wide = opened.mode.startswith("I")
            if wide and mode != "L":
                warn(f"load_img: a picture of 16 bits a pixel as {color_mode!r} is white wherever it is above 255; "
                     "pass color_mode='grayscale' to keep them.")
            image = opened.copy() if (wide and mode == "L") or opened.mode == mode else opened.convert(mode)
    except FileNotFoundError:
        raise FileNotFoundError(f"load_img: there is no file {shown(os.fspath(path), 200)}.") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise OSError(f"load_img: {shown(str(path), 200)} holds no picture that can be read ({error}).") from error
    if target_size is None:
        return image
    return resized(image, checked_size(target_size, "load_img: target_size"), interpolation,
                   flag(keep_aspect_ratio, "load_img: keep_aspect_ratio"))


def resized(image: Any, size: tuple[int, int], interpolation: str, crop: bool, pad: bool = False) -> Any:
    """A PIL.Image of the size (height, width); crop: its edges are cut off first, pad: black ones are added, so that it
    is not stretched."""
    from PIL import Image, ImageOps
    height, width = size
    if crop:
        image = image.crop(_middle(image.width, image.height, width, height))
    elif pad:
        high, wide = max(image.height, image.width * height // width), max(image.width, image.height * width // height)
        left, top = (wide - image.width) // 2, (high - image.height) // 2
        image = ImageOps.expand(image, (left, top, wide - image.width - left, high - image.height - top))
    way = getattr(Image.Resampling, _FILTERS[interpolation])
    return image.resize((width, height), way) if image.size != (width, height) else image


def smart_resize(x: Any, size: Any, interpolation: str = "bilinear", data_format: str | None = "channels_last") -> Any:
    """Images (height, width, channels), or a batch of them, in another size (height, width), not stretched: the edges
    of what is too long are cut off first. A tensor of a tensor, else an array. keras.preprocessing.image.smart_resize.
    """
    channels_last(data_format, "smart_resize")
    made = ops.image.resize(x, checked_size(size, "smart_resize: size"), interpolation, crop_to_aspect_ratio=True)
    return made if isinstance(x, Tensor) else np.asarray(made)


def _middle(width: int, height: int, wanted_width: int, wanted_height: int) -> tuple[int, int, int, int]:
    """The largest box in the middle with the wanted shape: left, top, right, bottom."""
    w = min(width, max(1, height * wanted_width // wanted_height))
    h = min(height, max(1, width * wanted_height // wanted_width))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """A picture as (height, width, channels) float32, 0..255. data_format 'channels_first': (channels, height, width).

    img: a PIL.Image or an array of two or three axes; ShapeError for others. keras.utils.img_to_array.
    """
    channels_first = _first(data_format, "img_to_array")
    x = np.asarray(img, np.dtype(dtype or backend.floatx()))
    if x.ndim == 2:
        x = x[..., None]
        given_first = False
    elif x.ndim == 3:
        given_first = isinstance(img, np.ndarray) and channels_first       # an array has them where it is told
    else:
        raise ShapeError(f"img_to_array: got an array of shape {x.shape}; needs (height, width) or three axes.")
    return np.ascontiguousarray(x.transpose(2, 0, 1)) if channels_first and not given_first else x


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """A PIL.Image of (height, width, channels), 1, 3 or 4 of them.

    scale: the smallest number becomes black and the largest white; else numbers are pixels 0..255.
    ShapeError for other shapes. keras.utils.array_to_img.
    """
    from PIL import Image
    array = np.asarray(x, np.dtype(dtype or backend.floatx()))
    if array.ndim != 3:
        raise ShapeError(f"array_to_img: got an array of shape {array.shape}; needs (height, width, channels).")
    if _first(data_format, "array_to_img"):
        array = array.transpose(1, 2, 0)
    channels = array.shape[2]
    if channels not in (1, 3, 4):
        raise ShapeError(f"array_to_img: got {channels} channels, shape {array.shape}; needs 1, 3 or 4.")
    if flag(scale, "array_to_img: scale"):
        array = array - array.min()
        array = array / (array.max() or 1) * 255
    if channels == 1 and array.max() > 255:
        wide = np.uint16 if array.max() < 2 ** 16 else np.int32
        return Image.fromarray(array[..., 0].astype(wide))
    pixels = np.clip(array, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


def save_img(path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True,
             **options: Any) -> None:
    """Write (height, width, channels) as an image file, of the form that its ending or file_format says.

    scale as in array_to_img; options go to Pillow. A .jpg has no transparency: that is left out, with a warning. Only a
    .png holds numbers above 255 (scale=False, one channel): ValueError for other files.
    keras.utils.save_img.
    """
    image = array_to_img(x, data_format, scale)
    ending = (file_format or os.path.splitext(os.fspath(path))[1]).lower().lstrip(".")
    if image.mode.startswith("I") and ending != "png":
        raise ValueError(f"save_img: x has numbers above 255, up to {np.max(x):g}, which a .{ending} cannot hold; save "
                         "a .png, or pass scale=True.")
    if image.mode == "RGBA" and ending in ("jpg", "jpeg"):
        warn("save_img: a .jpg has no transparency; it is left out. Save a .png to keep it.")
        image = image.convert("RGB")
    image.save(path, format={"jpg": "jpeg"}.get(str(file_format).lower(), file_format), **options)


def _first(data_format: str | None, where: str) -> bool:
    return choice(data_format or "channels_last", f"{where}: data_format",
                  ("channels_last", "channels_first")) == "channels_first"
