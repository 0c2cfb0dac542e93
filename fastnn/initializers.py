"""First values of weights: objects called with a shape that give a NumPy array. Floor 3; imports ops and random.

Random numbers come from fastnn's own generator, never from NumPy's: an initializer takes a stream when it is made.
With a seed it gives the same values at every call, as Keras; without one, every call goes on in its stream.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastnn import seeds
from fastnn.arguments import axes, choice, number, numbers, optional
from fastnn.configuration import Configurable
from fastnn.engine import backend
from fastnn.engine.context import not_recording
from fastnn.engine.kinds import DType
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import Watched
from fastnn.errors import ShapeError, nearest, shown
from fastnn.ops.rows import random as draws
from fastnn.registration import custom_object_scope
from fastnn.serialization import identified, serialize_keras_object, snake_names

Shape = Sequence[int]
_TRUNCATED_STDDEV = 0.87962566103423978     # of a standard normal cut at two deviations
_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


class Initializer(Configurable, Watched):
    """Base: `__call__(shape, dtype=None)` gives an array, floatx unless dtype says otherwise."""

    def __call__(self, shape: Shape, dtype: DType = None) -> np.ndarray:
        """The values."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, shape, dtype=None).")


class Zeros(Initializer):
    """0 everywhere."""

    def __call__(self, shape: Shape, dtype: DType = None) -> np.ndarray:
        """Zeros."""
        return np.zeros(tuple(shape), dtype or backend.floatx())


class Ones(Initializer):
    """1 everywhere."""

    def __call__(self, shape: Shape, dtype: DType = None) -> np.ndarray:
        """Ones."""
        return np.ones(tuple(shape), dtype or backend.floatx())


class Constant(Initializer):
    """`value` everywhere; an array is repeated to the shape."""

    def __init__(self, value: object = 0.0) -> None:
        numbers(value, "Constant: value")
        self.value = value

    def __call__(self, shape: Shape, dtype: DType = None) -> np.ndarray:
        """The value. Raises ShapeError for an array that cannot be repeated to the shape."""
        value = np.asarray(self.value, dtype or backend.floatx())
        try:
            return np.array(np.broadcast_to(value, tuple(shape)))
        except ValueError:
            raise ShapeError(f"Constant: value has shape {value.shape}; needs one that can be repeated to "
                             f"{tuple(shape)}.") from None


class Identity(Initializer):
    """gain on the diagonal, 0 elsewhere; for matrices only."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = number(gain, "Identity: gain")

    def __call__(self, shape: Shape, dtype: DType = None) -> np.ndarray:
        """The matrix. Raises ShapeError for shapes that are no matrix."""
        if len(shape) != 2:
            raise ShapeError(f"Identity: got shape {tuple(shape)}; needs a matrix, two axes.")
        return np.asarray(self.gain * np.eye(shape[0], shape[1]), dtype or backend.floatx())


class RandomInitializer(Initializer):
    """Base of the random ones. seed: a whole number for the same values at every call, None for new ones, or a
    SeedGenerator, from which they are drawn."""

    def __init__(self, seed: Any = None) -> None:
        self.seed = seed
        self._generator = seed if isinstance(seed, seeds.SeedGenerator) else None
        self._key = seeds.new_stream(None if self._generator is not None else seed)
        self._calls = 0

    def _draw(self, op: Callable[..., Any], shape: Shape, dtype: DType, **settings: float) -> np.ndarray:
        number, stream = self._key
        key = seeds.key(number, self._calls, stream)
        self._calls += self.seed is None
        with not_recording():
            if self._generator is not None:
                key = self._generator.key()
            y = op(key, shape=tuple(int(n) for n in shape), **settings)
        return y.data.astype(dtype or backend.floatx(), copy=False)

    def _normal(self, shape: Shape, dtype: DType, mean: float, stddev: float) -> np.ndarray:
        return self._draw(draws.random_normal, shape, dtype, mean=mean, stddev=stddev)

    def _truncated(self, shape: Shape, dtype: DType, mean: float, stddev: float) -> np.ndarray:
        return self._draw(draws.truncated_normal, shape, dtype, mean=mean, stddev=stddev)

    def _uniform(self, shape: Shape, dtype: DType, low: float, high: float) -> np.ndarray:
        return self._draw(draws.random_uniform, shape, dtype, low=low, high=high)


class RandomNormal(RandomInitializer):
    """Normal with this mean and standard deviation."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        where = type(self).__name__
        self.mean, self.stddev = number(mean, f"{where}: mean"), number(stddev, f"{where}: stddev", 0)

    def __call__(self, shape: Shape, dtype: DType = None) -> np.ndarray:
        """Normal numbers."""
        return self._normal(shape, dtype, self.mean, self.stddev)


class TruncatedNormal(RandomNormal):
    """Normal, drawn again beyond two standard deviations (so the numbers' own deviation is 0.88·stddev)."""

    def __call__(self, shape: Shape, dtype: DType = None) -> np.ndarray:
        """Truncated normal numbers."""
        return self._truncated(shape, dtype, self.mean, self.stddev)


class RandomUniform(RandomInitializer):
    """Uniform in [minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.minval = number(minval, "RandomUniform: minval")
        self.maxval = number(maxval, "RandomUniform: maxval", self.minval)

    def __call__(self, shape: Shape, dtype: DType = None) -> np.ndarray:
        """Uniform numbers."""
        return self._uniform(shape, dtype, self.minval, self.maxval)


class VarianceScaling(RandomInitializer):
    """Variance scale/n: n inputs ('fan_in'), outputs ('fan_out') or their mean ('fan_avg') of the weight.

    distribution: 'truncated_normal' ('normal' is the same), 'untruncated_normal' or 'uniform' within √(3·scale/n).
    input_axes, output_axes: the axes of inputs and outputs, where they are not the last but one and the last.
    """

    def __init__(self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal",
                 seed: Any = None, input_axes: Sequence[int] | None = None,
                 output_axes: Sequence[int] | None = None) -> None:
        super().__init__(seed)
        input_axes = optional(axes, input_axes, f"{type(self).__name__}: input_axes")
        output_axes = optional(axes, output_axes, f"{type(self).__name__}: output_axes")
        if (input_axes is None) != (output_axes is None):
            raise ValueError(f"VarianceScaling: got input_axes {shown(input_axes)} and output_axes "
                             f"{shown(output_axes)}; needs both, or neither.")
        self.input_axes, self.output_axes = input_axes, output_axes
        where = type(self).__name__
        self.scale = number(scale, f"{where}: scale", 0, above=True)
        self.mode = choice(mode, f"{where}: mode", _MODES)
        self.distribution = choice(distribution, f"{where}: distribution", ("normal", *_DISTRIBUTIONS))
        if distribution == "normal":
            self.distribution = "truncated_normal"

    def __call__(self, shape: Shape, dtype: DType = None) -> np.ndarray:
        """Random numbers of variance scale/n."""
        fan_in, fan_out = fans(shape)
        if self.input_axes is not None and self.output_axes is not None:
            fan_in, fan_out = (math.prod(shape[a] for a in each) for each in (self.input_axes, self.output_axes))
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return self._uniform(shape, dtype, -limit, limit)
        if self.distribution == "untruncated_normal":
            return self._normal(shape, dtype, 0.0, math.sqrt(variance))
        return self._truncated(shape, dtype, 0.0, math.sqrt(variance) / _TRUNCATED_STDDEV)


class _Scaled(VarianceScaling):
    """VarianceScaling with its settings fixed by the class."""
    settings: tuple[float, str, str]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self.settings, seed=seed)


class GlorotUniform(_Scaled):
    """Uniform within √(6/(fan_in + fan_out)). Glorot and Bengio 2010."""
    settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2/(fan_in + fan_out). Glorot and Bengio 2010."""
    settings = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform within √(6/fan_in). He et al. 2015."""
    settings = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2/fan_in. He et al. 2015."""
    settings = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform within √(3/fan_in). LeCun et al. 1998."""
    settings = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1/fan_in. LeCun et al. 1998."""
    settings = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """gain·Q, Q from the QR decomposition of a normal matrix, R's diagonal made positive. Saxe et al. 2014.

    The rows or columns, whichever are fewer, are orthonormal; axes before the last are taken together.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = number(gain, "Orthogonal: gain")

    def __call__(self, shape: Shape, dtype: DType = None) -> np.ndarray:
        """The matrix. Raises ShapeError for fewer than two axes."""
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal: got shape {tuple(shape)}; needs at least two axes.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = self._normal((max(rows, columns), min(rows, columns)), np.float64, 0.0, 1.0)
        q, r = np.linalg.qr(normal)
        q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
        return (self.gain * (q.T if rows < columns else q)).reshape(tuple(shape)).astype(dtype or backend.floatx())


IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal

CLASSES = snake_names(Zeros, Ones, Constant, Identity, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling,
                      GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal)
CLASSES |= {"normal": RandomNormal, "uniform": RandomUniform, "zero": Zeros, "one": Ones,
            "IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal}


def __getattr__(name: str) -> Any:
    """The classes under the names by which `get` knows them too: initializers.he_normal() is HeNormal()."""
    if name in CLASSES:
        return CLASSES[name]
    raise AttributeError(f"module 'fastnn.initializers' has no attribute {name!r}; {nearest(name, CLASSES)}")


def get(identifier: object) -> Any:
    """The initializer of a name, class, object, function, config dict or array; None for None.

    A function takes (shape, dtype=None). Raises ValueError with the nearest name.
    """
    return Constant(np.asarray(identifier)) if isinstance(identifier, (np.ndarray, Tensor)) else identified(
        "Initializer", identifier, CLASSES)


def serialize(initializer: Any) -> Any:
    """An initializer as plain data, from which `deserialize` makes it again."""
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer of a name or of what `serialize` gave. custom_objects: your own, by name."""
    with custom_object_scope(custom_objects or {}):
        return get(config)


def fans(shape: Shape) -> tuple[int, int]:
    """(inputs, outputs) of one unit of a weight: (in, out), or (k, k, in, out) times the size of the window."""
    if len(shape) < 2:
        return (int(shape[0]),) * 2 if shape else (1, 1)
    window = math.prod(shape[:-2])
    return int(shape[-2]) * window, int(shape[-1]) * window
