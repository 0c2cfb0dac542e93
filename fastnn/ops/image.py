"""Images: `keras.ops.image`. Floor 2."""

from fastnn.ops._resize import (
    resize,
    rgb_to_grayscale,
)

__all__ = [
    "resize",
    "rgb_to_grayscale",
]
