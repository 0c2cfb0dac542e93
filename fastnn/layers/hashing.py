"""Hashing: texts and whole numbers into bins, without a vocabulary. Floor 3."""

from typing import Any, Unpack

import numpy as np

from fastnn.arguments import choice, dense, dtype_of, optional, whole
from fastnn.engine import backend
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError
from fastnn.layers._hashes import bucket, key_of
from fastnn.layers._options import LayerOptions
from fastnn.layers.categories import MODES, encoded
from fastnn.layers.layer import Layer
from fastnn.layers.vocabulary import array_of, text_of

__all__ = ["Hashing"]


class Hashing(Layer):
    """Each text, or the digits of each whole number, in one of num_bins bins: hash(text) mod num_bins.

    The hash is FarmHash64, or SipHash-2-4 with salt, a whole number or two; both are the same everywhere. mask_value
    has bin 0 for itself, the others are hashed into the rest. output_mode: "int", (…) → (…) int32; "one_hot",
    "multi_hot", "count" as CategoryEncoding, along the last axis. Called on an array or list; in a model it reads an
    Input of dtype "string"; numbers are hashed in Python, at every step anew. dtype: "int32" of bins (what "int64"
    asks for fits too), floatx of the other modes.
    keras.layers.Hashing.

    >>> Hashing(3)([["A"], ["B"], ["C"]]).numpy().ravel()
    array([1, 0, 1], dtype=int32)
    """
    reads_text = True

    def __init__(self, num_bins: int, mask_value: Any = None, salt: Any = None, output_mode: str = "int",
                 sparse: bool = False, **kwargs: Unpack[LayerOptions]) -> None:
        dtype = kwargs.pop("dtype", None)
        super().__init__(**kwargs)
        self.num_bins = whole(num_bins, "Hashing: num_bins")
        self.mask_value = mask_value if mask_value is None or isinstance(mask_value, str) else whole(
            mask_value, "Hashing: mask_value", None)
        self.salt = optional(key_of, salt, "Hashing: salt")
        self.output_mode = choice(output_mode, "Hashing: output_mode", ("int", *MODES))
        self.sparse = dense(sparse, "Hashing: sparse")
        self.dtype = _dtype(dtype, self.output_mode == "int")

    def __call__(self, inputs: Any) -> Any:
        """The bins of an array, or those of a tensor."""
        return super().__call__(inputs) if isinstance(inputs, Tensor) else self._hashed(array_of(inputs))

    def _hashed(self, array: np.ndarray) -> Tensor:
        if array.dtype.kind == "f" and np.isfinite(array).all() and np.array_equal(array, np.trunc(array)):
            array = array.astype(np.int64)
        if array.dtype.kind not in "iuUSO":
            raise KindError(f"{self.name}: got an array of {array.dtype}; needs text or whole numbers.")
        bins = np.array([self._bin(each) for each in array.ravel().tolist()], np.int32).reshape(array.shape)
        ids = Tensor(bins, constant=True)
        return ids if self.output_mode == "int" else encoded(ids, self.num_bins, self.output_mode)

    def _bin(self, value: Any) -> int:
        first = int(self.mask_value is not None and self.num_bins > 1)
        text = text_of(value, self.name)
        masked = (text if isinstance(value, bytes) else value) == self.mask_value
        return 0 if first and masked else first + bucket(text, self.num_bins - first, self.salt)

    def call(self, inputs: Tensor) -> Tensor:
        """The bins. A model's text is hashed before the model runs, and has a symbol alone."""
        if not inputs.symbolic:
            return self._hashed(inputs.numpy())
        ids = Tensor(None, shape=inputs.shape, dtype="int32")
        return ids if self.output_mode == "int" else encoded(ids, self.num_bins, self.output_mode)


def _dtype(given: Any, bins: bool) -> str:
    """The dtype of the outputs; ValueError for another than they have."""
    name = getattr(given, "__name__", None) or getattr(given, "name", given)
    if bins and name in (None, "int32", "int64"):
        return "int32"
    return dtype_of(given, "Hashing: dtype", ("int32",) if bins else (backend.floatx(),))
