"""Floor 5. Preparing data under the names of `keras.preprocessing`."""

from fastnn.preprocessing import image

__all__ = ["image"]
