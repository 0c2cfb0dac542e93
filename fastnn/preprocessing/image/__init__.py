"""Floor 5. Images in files and in arrays, changed at random each time: `keras.preprocessing.image`."""

from fastnn.preprocessing.image.files import (
    array_to_img,
    img_to_array,
    load_img,
    save_img,
    smart_resize,
)
from fastnn.preprocessing.image.from_files import (
    DataFrameIterator,
    DirectoryIterator,
)
from fastnn.preprocessing.image.generator import ImageDataGenerator
from fastnn.preprocessing.image.iterator import (
    Iterator,
    NumpyArrayIterator,
)

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "array_to_img",
    "img_to_array",
    "load_img",
    "save_img",
    "smart_resize",
]
