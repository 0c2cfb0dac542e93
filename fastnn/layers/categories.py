"""Numbers as categories: CategoryEncoding and Discretization. Floor 3."""

import itertools
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from fastnn import ops
from fastnn.arguments import choice, dense, number, numbers, optional, whole
from fastnn.engine import backend
from fastnn.engine.context import is_recording
from fastnn.engine.tensor import Tensor
from fastnn.errors import NotBuiltError, ShapeError
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer
from fastnn.layers.preprocessing import batches

__all__ = ["CategoryEncoding", "Discretization"]

MODES = ("multi_hot", "one_hot", "count")


def encoded(ids: Tensor, count: int, mode: str, weights: Tensor | None = None) -> Tensor:
    """Whole numbers below count as 1 in their places, or as how often each is there, or what they weigh together: along
    the axis after the batch, of a vector along its own (as Keras)."""
    if mode == "one_hot":
        ids = ops.squeeze(ids, -1) if ids.ndim > 1 and ids.shape[-1] == 1 else ids
        return ops.one_hot(ids, count)
    if ids.ndim < 1:
        ids = ops.reshape(ids, (1,))
    hot = ops.one_hot(ids, count)
    if weights is not None:
        hot = ops.multiply(hot, ops.expand_dims(ops.cast(weights, backend.floatx()), -1))
    axis = 1 if ids.ndim > 1 else 0
    return ops.max(hot, axis=axis) if mode == "multi_hot" else ops.sum(hot, axis=axis)


class CategoryEncoding(Layer):
    """Whole numbers from 0 below num_tokens as 1 in their places. Call: layer(x, count_weights=None).

    output_mode: "multi_hot", (batch, n) → (batch, num_tokens), 1 for what a row has; "count": how often, or what
    count_weights (shaped as x) sum up to; "one_hot": each number alone, (…, n) → (…, n, num_tokens), (…, 1) → (…,
    num_tokens).
    ValueError for numbers outside. keras.layers.CategoryEncoding.

    >>> CategoryEncoding(4)([[0, 1], [3, 1]]).numpy()
    array([[1., 1., 0., 0.],
           [0., 1., 0., 1.]], dtype=float32)
    """
    takes_integers = True

    def __init__(self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        if num_tokens is None:
            raise ValueError("CategoryEncoding: num_tokens is None; needs how many numbers there are.")
        self.sparse = dense(sparse, "CategoryEncoding: sparse")
        self.num_tokens = whole(num_tokens, "CategoryEncoding: num_tokens")
        self.output_mode = choice(output_mode, "CategoryEncoding: output_mode", MODES)

    def check_input(self, array: np.ndarray, where: str) -> None:
        """ValueError for a number that has no place."""
        if array.size and (array.min() < 0 or array.max() >= self.num_tokens):
            bad = array[(array < 0) | (array >= self.num_tokens)].ravel()[0]
            raise ValueError(f"{where}: got the number {bad}; needs whole numbers from 0 to {self.num_tokens - 1}, as "
                             f"num_tokens is {self.num_tokens}.")

    def call(self, inputs: Tensor, count_weights: Any = None) -> Tensor:
        """Encode."""
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(f"{self.name}: got count_weights and output_mode is {self.output_mode!r}; needs 'count'.")
        if inputs.data is not None and not is_recording():
            self.check_input(inputs.data, self.name)
        weights = None if count_weights is None else ops.convert_to_tensor(count_weights)
        return encoded(ops.cast(inputs, "int32"), self.num_tokens, self.output_mode, weights)


class Discretization(Layer):
    """Numbers as the numbers of the bins they lie in: how many of bin_boundaries are at or below them.

    bin_boundaries: increasing; else num_bins, whose boundaries adapt(data) finds so that each bin has as many. Bins:
    one more than boundaries. output_mode: "int", or "one_hot", "multi_hot", "count" as CategoryEncoding. epsilon is
    accepted for Keras' sake: the boundaries are those of all data. keras.layers.Discretization.

    >>> Discretization([0.0, 1.0, 2.0])([[-1.5, 1.0, 3.4, 0.5]]).numpy()
    array([[0, 2, 3, 1]], dtype=int32)
    """

    def __init__(self, bin_boundaries: Sequence[float] | None = None, num_bins: int | None = None,
                 epsilon: float = 0.01, output_mode: str = "int", sparse: bool = False,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.sparse = dense(sparse, "Discretization: sparse")
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError("Discretization: got bin_boundaries and num_bins, or neither; needs one of them.")
        self.num_bins = optional(whole, num_bins, "Discretization: num_bins")
        self._found = None if bin_boundaries is None else _increasing(bin_boundaries)
        self.epsilon = number(epsilon, "Discretization: epsilon", 0, 1)
        self.output_mode = choice(output_mode, "Discretization: output_mode", ("int", *MODES))

    @property
    def bin_boundaries(self) -> list[float] | None:
        """The boundaries, given or adapted; None before adapt()."""
        return self._found

    def _argument(self, name: str) -> Any:
        return None if name == "num_bins" and self._found is not None else super()._argument(name)

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Choose the boundaries: an array, or batches, `steps` of them. ValueError where they were given, or there are
        no data."""
        if self.num_bins is None:
            raise ValueError(f"{self.name}: bin_boundaries were given; adapt() is for a layer with num_bins.")
        data = data if steps is None else itertools.islice(data, steps)
        found = np.concatenate([batch.ravel() for batch in batches(data, self.name)] or [np.zeros(0)])
        if not found.size or not np.isfinite(found).all():
            raise ValueError(f"{self.name}: adapt() got {found.size} numbers; needs some, all finite.")
        parts = np.arange(1, self.num_bins) / self.num_bins
        self._found = np.quantile(found, parts).tolist() if len(parts) else []

    def call(self, inputs: Tensor) -> Tensor:
        """Find the bins."""
        if self._found is None and not inputs.symbolic:
            raise NotBuiltError(f"{self.name}: has no bins yet; needs adapt(data), or bin_boundaries.")
        found = range(self.num_bins - 1) if self._found is None and self.num_bins else self._found or ()
        bins = ops.digitize(inputs, np.array(found, backend.floatx()))
        return bins if self.output_mode == "int" else encoded(bins, len(found) + 1, self.output_mode)


def _increasing(boundaries: Any) -> list[float]:
    found = numbers(boundaries, "Discretization: bin_boundaries")
    if found.ndim != 1 or (np.diff(found) < 0).any():
        raise ShapeError("Discretization: bin_boundaries is no increasing list of numbers; needs one.")
    return [float(each) for each in found]
