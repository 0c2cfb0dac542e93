"""Floor 5. Preparing data under the names of `keras.preprocessing`."""

import sys

from fastnn.frames import entrances
from fastnn.preprocessing import (
    image,
    sequence,
    text,
)
from fastnn.preprocessing.batches import (
    bucketed_dataset_from_sequences,
    timeseries_dataset_from_array,
)
from fastnn.preprocessing.directory import (
    image_dataset_from_directory,
    text_dataset_from_directory,
)

__all__ = [
    "bucketed_dataset_from_sequences",
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]

entrances(sys.modules[__name__])
