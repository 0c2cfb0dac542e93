"""Embedding: rows of a table by number. Floor 3."""

from typing import Any, Unpack

import numpy as np

from fastnn import constraints, initializers, ops, regularizers
from fastnn.arguments import flag, whole
from fastnn.engine.context import is_recording
from fastnn.engine.kinds import ConstraintLike, Dims, InitializerLike, RegularizerLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import LabelError
from fastnn.layers._options import EmbeddingOptions
from fastnn.layers.layer import Layer
from fastnn.ops.rows.embedding import embedding

__all__ = ["Embedding"]


class Embedding(Layer):
    """Whole numbers to vectors: y[..., :] = table[ids[...], :]. ids (batch, ...) → y (batch, ..., output_dim).

    input_dim: how many numbers there are, 0 to input_dim - 1. output_dim: the vectors' length. embeddings_initializer:
    uniform in ±0.05. mask_zero: 0 is no word but padding; the layers after it leave those steps out. weights: [table].
    A number that is none of them is refused with its place where it can be seen, and gives NaN otherwise.
    keras.layers.Embedding.
    """
    takes_integers = stepwise = True

    def __init__(self, input_dim: int, output_dim: int, embeddings_initializer: InitializerLike = "uniform",
                 embeddings_regularizer: RegularizerLike = None, embeddings_constraint: ConstraintLike = None,
                 mask_zero: bool = False, weights: Any = None, **kwargs: Unpack[EmbeddingOptions]) -> None:
        length = kwargs.pop("input_length", None)  # type: ignore[typeddict-item]     # Keras 2: it comes with the data
        if length is not None and "input_shape" not in kwargs:
            kwargs["input_shape"] = (length,) if isinstance(length, int) else tuple(length)
        super().__init__(**kwargs)
        self.input_dim = whole(input_dim, "Embedding: input_dim", 1)
        self.output_dim = whole(output_dim, "Embedding: output_dim", 1)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = flag(mask_zero, f"{type(self).__name__}: mask_zero")
        self.supports_masking = self.mask_zero
        if weights is not None:
            self._build((None,))
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def _argument(self, name: str) -> Any:
        return None if name == "weights" else super()._argument(name)

    def build(self, input_shape: Dims = ()) -> None:
        """Make the table (input_dim, output_dim)."""
        self.embeddings = self.add_weight((self.input_dim, self.output_dim), self.embeddings_initializer,
                                          name="embeddings", regularizer=self.embeddings_regularizer,
                                          constraint=self.embeddings_constraint)

    def check_input(self, array: np.ndarray, where: str) -> None:
        """LabelError for the first number that is no row of the table, with its place."""
        bad = (array < 0) | (array >= self.input_dim)
        if bad.any():
            place = tuple(int(n) for n in np.argwhere(bad)[0])
            mend = (f"Use input_dim={int(array.max()) + 1} or more, or keep fewer words" if array.min() >= 0 else
                    "Numbers begin at 0: shift them, or give what is unknown a number of its own")
            raise LabelError(f"{where}: got the number {array[place]:g} at {place} ({int(bad.sum())} such); "
                             f"it has rows 0..{self.input_dim - 1}.\n{mend}.")

    def call(self, ids: Tensor) -> Tensor:
        """The rows."""
        if ids.data is not None and not is_recording():
            self.check_input(ids.data, f"{self.name}()")
        return embedding(ops.cast(ids, "int32"), self.embeddings)

    def compute_mask(self, inputs: Any, mask: Tensor | None = None) -> Any:
        """True where a number is not 0, with mask_zero."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None
