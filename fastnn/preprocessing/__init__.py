"""Floor 5. Preparing data under the names of `keras.preprocessing`."""

from fastnn.preprocessing import (
    image,
    sequence,
    text,
)

__all__ = [
    "image",
    "sequence",
    "text",
]
