"""Floor 5. Batches of images, changed at random each time: `keras.preprocessing.image` for images in arrays."""

from fastnn.preprocessing.image.generator import ImageDataGenerator
from fastnn.preprocessing.image.iterator import (
    Iterator,
    NumpyArrayIterator,
)

__all__ = [
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
]
