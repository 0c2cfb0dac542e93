"""Floor 5. Preparing data under the names of `keras.preprocessing`."""

from fastnn.preprocessing import (
    image,
    sequence,
    text,
)
from fastnn.preprocessing.batches import (
    bucketed_dataset_from_sequences,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)

__all__ = [
    "bucketed_dataset_from_sequences",
    "image",
    "sequence",
    "text",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
