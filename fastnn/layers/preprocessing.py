"""Rescaling and Normalization: layers that bring data into a good range inside of the model. Floor 3."""

from collections.abc import Iterable, Iterator
from typing import Any, Unpack

import numpy as np

from fastnn.arguments import axes, flag, numbers
from fastnn.engine import backend
from fastnn.engine.kinds import Ints
from fastnn.engine.tensor import Tensor
from fastnn.errors import NotBuiltError, ShapeError, shown
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer
from fastnn.ops.rows import data as data_ops
from fastnn.ops.rows.elementwise import divide, maximum, scale, sqrt
from fastnn.ops.rows.image import rescale, scale_shift
from fastnn.ops.rows.reduce import expand

__all__ = ["Normalization", "Rescaling"]

_EPSILON = 1e-7      # the least deviation, as in Keras
_ROWS = 1024        # of a data set that adapt() looks at together, as float64


def as_float(x: Tensor) -> Tensor:
    """x, uint8 and whole numbers turned into floats."""
    return x if x.dtype == backend.floatx() else rescale(x, scale=1.0, offset=0.0)


def constant(value: object) -> Tensor:
    """A tensor that never changes."""
    return Tensor(np.array(value, backend.floatx()), "constant", constant=True)


class Rescaling(Layer):
    """y = scale·x + offset, with numbers, or with one number per feature or channel. x any shape, uint8 too → float.

    Rescaling(1 / 255) brings uint8 images to [0, 1], Rescaling(1 / 127.5, offset=-1) to [-1, 1]. Raises TypeError for
    other kinds of numbers, ShapeError where a vector is not as long as the last axis.
    """
    stepwise = True
    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = _numbers(scale, "Rescaling: scale"), _numbers(offset, "Rescaling: offset")

    def call(self, x: Tensor) -> Tensor:
        """scale·x + offset."""
        if isinstance(self.scale, float) and isinstance(self.offset, float):
            return rescale(x, scale=self.scale, offset=self.offset)
        vectors = []
        for value in (self.scale, self.offset):
            if not isinstance(value, float) and (x.ndim < 2 or x.shape[-1] != len(value)):
                raise ShapeError(f"{self.name}: got inputs of shape {x.shape} and {len(value)} numbers to scale with; "
                                 "needs one for each feature or channel.")
            vectors.append(np.broadcast_to(value, x.shape[-1:]))
        return scale_shift(as_float(x), *map(constant, (np.zeros_like(vectors[0]), *vectors)))

    def summary_note(self) -> str:
        """The scale, where it is one number."""
        return f"scale={self.scale:g}" if isinstance(self.scale, float) else ""


def _numbers(value: object, what: str) -> float | list[float]:
    found = numbers(value, what)
    if found.ndim > 1 or not found.size:
        raise ValueError(f"{what} has shape {found.shape}; needs a number, or one for each feature.")
    return float(found) if not found.ndim else [float(v) for v in found]


class Normalization(Layer):
    """y = (x - mean) / max(√variance, ε): mean 0 and variance 1, from numbers that `adapt` finds or that are given.

    axis: the axes with statistics of their own, default the last; None: one mean and variance for all numbers.
    invert: the way back, y = mean + x·max(√variance, ε). x (batch, …) → y same shape. Weights, as in Keras, unless mean
    and variance are given: mean, variance, count; training does not change them.
    """
    supports_masking = True

    def __init__(self, axis: Ints = -1, mean: Any = None, variance: Any = None, invert: bool = False,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        empty = axis is None or (isinstance(axis, (tuple, list)) and not axis)
        self.axis = () if empty else axes(axis, "Normalization: axis")
        if (mean is None) != (variance is None):
            raise ValueError("Normalization: got only one of mean and variance; give both, or none and call adapt().")
        self.invert = flag(invert, "Normalization: invert")
        self._fixed = None if mean is None else _checked_statistics(mean, variance, len(self.axis))

    def build(self, input_shape: Any) -> None:
        """Find the axes; make the weights."""
        rank, shape = len(input_shape), tuple(input_shape)
        if any(not -rank <= a < rank for a in self.axis) or any(a % rank == 0 for a in self.axis):
            raise ShapeError(f"{self.name}: axis is {self.axis} and the inputs are {shape}; axis 0 is the "
                             "batch; " + (f"needs axes from 1 to {rank - 1}." if rank > 1 else
                                          "use axis=None for one mean, or data of shape (n, 1)."))
        self._keep = tuple(sorted({a % rank for a in self.axis}))
        self._kept, self._sides = tuple(shape[a] for a in self._keep), shape
        if None in self._kept:
            raise ShapeError(f"{self.name}: got inputs of shape {shape}; needs the axes {self._keep} known.")
        if self._fixed is None:
            self.adapt_mean = self.add_weight(self._kept, "zeros", name="mean", trainable=False)
            self.adapt_variance = self.add_weight(self._kept, "ones", name="variance", trainable=False)
            self.count = self.add_weight((), "zeros", name="count", dtype="int32", trainable=False)
            return
        try:
            mean, variance = (np.array(np.broadcast_to(v, self._kept), order="C") for v in self._fixed)
        except ValueError:
            raise ShapeError(f"{self.name}: mean has shape {self._fixed[0].shape}; the inputs are {shape}, with "
                             f"{self._kept} means.") from None
        self._constants = constant(mean), constant(variance)

    @property
    def mean(self) -> Tensor:
        """The mean in use, with an axis for each of the inputs', of length 1 where it is not kept. NotBuiltError before
        the input shape is known."""
        return self._spread(self._statistics()[0])

    @property
    def variance(self) -> Tensor:
        """The variance in use, shaped as the mean."""
        return self._spread(self._statistics()[1])

    def _spread(self, kept: Tensor) -> Tensor:
        return data_ops.reshape(kept, shape=tuple(n if i in self._keep else 1 for i, n in enumerate(self._sides)))

    def _statistics(self) -> tuple[Tensor, Tensor]:
        if not self.built:
            raise NotBuiltError(f"{self.name}: has no mean yet, as its input shape is not known. Call adapt(data).")
        return (self.adapt_mean, self.adapt_variance) if self._fixed is None else self._constants

    def adapt(self, data: Any) -> None:
        """Take mean and variance from data: an array (samples, …), or batches, as an iterable of arrays or of tuples
        that begin with one.

        Raises ValueError for no data, values that are not finite, and where mean and variance were given; ShapeError
        for data of another shape than before. A failed call leaves the statistics alone.
        """
        if self._fixed is not None:
            raise ValueError(f"{self.name}: mean and variance were given; adapt() is for a layer without them.")
        count, mean, squares = 0, np.zeros(()), np.zeros(())
        for rows in batches(data, self.name):
            if not self.built:
                self._build((None, *rows.shape[1:]))
            if rows.ndim <= max(self._keep, default=0) or tuple(rows.shape[a] for a in self._keep) != self._kept:
                raise ShapeError(f"{self.name}: adapt() got data of shape {rows.shape}; the layer was built for "
                                 f"{self._kept} along the axes {self._keep}.")
            reduced = tuple(a for a in range(rows.ndim) if a not in self._keep)
            n = rows.size // max(1, int(np.prod(self._kept)))
            center = rows.mean(axis=reduced)
            # Chan, Golub, LeVeque 1979: two sets' sums of squared deviations, put together
            squares = squares + rows.var(axis=reduced) * n + (center - mean) ** 2 * (n * count / (n + count))
            mean = mean + (center - mean) * (n / (n + count))
            count += n
        if not count:
            raise ValueError(f"{self.name}: adapt() got no data; needs at least one sample.")
        if not np.isfinite(squares).all():
            raise ValueError(f"{self.name}: adapt() got values that are not finite; clean the data first.")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(squares / count)

    def call(self, x: Tensor) -> Tensor:
        """Normalize."""
        keep = tuple(sorted(a % max(x.ndim, 1) for a in self.axis if -x.ndim <= a < x.ndim))
        if tuple(x.shape[a] for a in keep) != self._kept or x.ndim < 1 or 0 in keep:
            raise ShapeError(f"{self.name}: got inputs of shape {x.shape}; needs {self._kept} along the axes "
                             f"{self.axis}, as it was built.")
        mean, variance = self._statistics()
        deviation = maximum(sqrt(variance), constant(np.full(self._kept, _EPSILON)))
        x, zero = as_float(x), scale(mean, factor=0.0)
        center, factor, shift = ((zero, deviation, mean) if self.invert else
                                 (mean, divide(constant(np.ones(self._kept)), deviation), zero))
        if keep == (x.ndim - 1,):
            return scale_shift(x, center, factor, shift)
        sample = x.shape[1:]
        if None in sample:
            raise ShapeError(f"{self.name}: got inputs of shape {x.shape}; needs all axes but the batch known.")
        size, others = int(np.prod(sample)), tuple(i for i in range(len(sample)) if i + 1 not in keep)
        vectors = [data_ops.reshape(expand(v, shape=sample, axes=others) if others else v, shape=(size,))
                   for v in (center, factor, shift)]
        return data_ops.reshape(scale_shift(data_ops.reshape(x, shape=(-1, size)), *vectors), shape=(-1, *sample))

    def _argument(self, name: str) -> Any:
        """Mean and variance as they were given, or None."""
        if name in ("mean", "variance"):
            return None if self._fixed is None else self._fixed[name == "variance"].tolist()
        return super()._argument(name)


def _checked_statistics(mean: Any, variance: Any, axes: int) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 arrays of one shape. ShapeError, ValueError else."""
    mean, variance = numbers(mean, "Normalization: mean"), numbers(variance, "Normalization: variance")
    if mean.shape == variance.shape and mean.ndim > axes and sum(n != 1 for n in mean.shape) <= axes:
        mean, variance = mean.squeeze(), variance.squeeze()      # those of another layer
    if mean.shape != variance.shape or mean.ndim > axes:
        raise ShapeError(f"Normalization: mean has shape {mean.shape} and variance {variance.shape}; needs one "
                         f"shape, of at most {axes} axes.")
    if (variance < 0).any():
        raise ValueError(f"Normalization: variance holds {variance[variance < 0][0]:g}; needs numbers >= 0.")
    return mean, variance


def batches(data: Any, name: str) -> Iterator[np.ndarray]:
    """The data as float64 arrays of some rows each."""
    if hasattr(data, "to_numpy"):
        data = data.to_numpy()
    if not isinstance(data, (np.ndarray, Tensor)) and not (isinstance(data, Iterable) and not isinstance(data, str)):
        raise TypeError(f"{name}: adapt() got {shown(data)}; needs an array, or batches.")
    numbers = isinstance(data, (list, tuple)) and not any(
        hasattr(item[0] if isinstance(item, tuple) and item else item, "shape") for item in data)
    for batch in [data] if isinstance(data, (np.ndarray, Tensor)) or numbers else data:
        array = np.asarray(batch[0] if isinstance(batch, tuple) and not numbers else batch)
        if array.dtype.kind not in "fiub" or array.ndim < 1:
            raise TypeError(f"{name}: adapt() got an array of dtype {array.dtype} and shape {array.shape}; needs "
                            "numbers, with the samples along the first axis.")
        for begin in range(0, len(array), _ROWS):
            yield array[begin:begin + _ROWS].astype(np.float64)
