"""The seed of fastnn, and the streams drawn from it. Floor 3; nothing here touches NumPy's global state.

Every consumer of random numbers (an initializer call, a Dropout layer, a shuffled fit) takes a stream of its own:
numbers are a function of (seed, stream, counter) alone, so they do not depend on threads, platform or NumPy.
"""

import math
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn import ops
from fastnn.arguments import number, whole
from fastnn.configuration import Configurable
from fastnn.engine.context import draws as open_draws
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import elementwise, index, reduce
from fastnn.ops.rows import random as rows

__all__ = ["SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "set_seed",
           "shuffle", "truncated_normal", "uniform"]


MOST_TRIES = 2 ** 26
MOST = 2 ** 24      # as many steps as a draw has, and as large as whole numbers are exact in float32


@dataclass
class _State:
    seed: int
    streams: int = 0
    shuffles: int = 0
    generator: "SeedGenerator | None" = None      # of draws without a seed


_state = _State(int.from_bytes(os.urandom(8)) >> 2)
_lock = threading.Lock()


def set_seed(seed: int) -> None:
    """Start again from this seed (0 <= seed < 2^63): what is built and drawn afterwards repeats exactly."""
    _state.seed = checked_seed(seed, "set_seed")
    _state.streams = _state.shuffles = 0
    _state.generator = None


def get_state() -> dict[str, Any]:
    """Where the global seed's streams are, as plain data; `set_state` goes on from there."""
    generator = _state.generator
    return {"seed": _state.seed, "streams": _state.streams, "shuffles": _state.shuffles,
            "generator": None if generator is None else generator.get_state()}


def set_state(state: dict[str, Any]) -> None:
    """Go on from a get_state()."""
    _state.seed, _state.streams, _state.shuffles = (int(state[name]) for name in ("seed", "streams", "shuffles"))
    _state.generator = None if state["generator"] is None else SeedGenerator(0)
    if _state.generator is not None:
        _state.generator.set_state(state["generator"])


def checked_seed(seed: int, where: str) -> int:
    """The seed as an int, or TypeError/ValueError saying what is needed."""
    return whole(seed, f"{where}: seed", 0)


def new_stream(seed: int | None = None) -> tuple[int, int]:
    """(seed, stream) for a new consumer: stream 0 of its own seed, or the next stream of the global seed."""
    if seed is not None:
        return checked_seed(seed, "seed"), 0
    with _lock:
        _state.streams += 1
        return _state.seed, _state.streams


def new_shuffle() -> tuple[int, int]:
    """(seed, stream) for a compiled model's batch order; counted apart, so that compile() does not shift the weights
    that are drawn after it."""
    with _lock:
        _state.shuffles += 1
        return _state.seed, 2 ** 30 + _state.shuffles


# ---- drawing ---------------------------------------------------------------------------------------------------------

class SeedGenerator(Configurable):
    """A random stream of its own, as `seed` of the functions below: each draw gives new numbers, in a recorded step
    too.

    seed: an own seed, else a stream of the global one. keras.random.SeedGenerator.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed, self._draws = seed, 0
        self._seed, self._stream = new_stream(seed)

    def get_state(self) -> list[int]:
        """[seed, stream, draws outside of steps so far]."""
        return [self._seed, self._stream, self._draws]

    def set_state(self, state: Sequence[int]) -> None:
        """Go on from a get_state()."""
        self._seed, self._stream, self._draws = (int(n) for n in state)

    def key(self) -> tuple[Tensor, dict[str, int]]:
        """(counter, {"seed", "stream"}) of the next draw: the step counter of the model's pass, or of the function,
        that is under way, and a stream for each draw in it; else a constant that differs from draw to draw."""
        from fastnn.layers._context import context
        counter, applications = context.counter, context.applications
        if counter is None and (found := open_draws()) is not None:
            counter, applications = found
        if counter is None or applications is None:
            return self._constant()
        nth = applications.get(id(self), 0)
        applications[id(self)] = nth + 1
        return counter, {"seed": self._seed, "stream": self._stream + (nth << 20)}

    def _constant(self) -> tuple[Tensor, dict[str, int]]:
        with _lock:
            self._draws += 1
            return Tensor(np.array(self._draws, np.int64), "draw"), {"seed": self._seed, "stream": self._stream}


class _Same(SeedGenerator):
    """Of a whole number, for several draws: the same ones each time, in a recorded step too."""

    def key(self) -> tuple[Tensor, dict[str, int]]:
        return self._constant()


def _source(seed: Any) -> SeedGenerator | None:
    """Where a function that draws several times has its draws from."""
    return seed if isinstance(seed, SeedGenerator) or seed is None else _Same(checked_seed(seed, "random"))


def _key(seed: Any) -> tuple[Tensor, dict[str, int]]:
    """As SeedGenerator.key: of a generator; of a whole number, with which every draw is the same; or of the global
    seed."""
    if isinstance(seed, SeedGenerator):
        return seed.key()
    if seed is not None:
        return Tensor(np.array(0, np.int64), "draw"), {"seed": checked_seed(seed, "random"), "stream": 0}
    if _state.generator is None:
        _state.generator = SeedGenerator()
    return _state.generator.key()


def _sizes(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(whole(n, "random: shape", 0) for n in shape)


def _as(x: Tensor, dtype: str | None) -> Tensor:
    """Draws in the dtype that was asked for."""
    return x if dtype is None else ops.cast(x, dtype)


def _kind(name: str, dtype: str | None, kinds: str, needs: str) -> None:
    if dtype is not None and dtype != "bfloat16" and np.dtype(dtype).kind not in kinds:
        raise ValueError(f"{name}: dtype is {dtype!r}; needs {needs}.")


def normal(shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None,
           seed: Any = None) -> Tensor:
    """Draws of the normal distribution. seed: a SeedGenerator, a whole number (the same draws each time), or None.

    >>> fastnn.random.normal((2, 3)).shape
    (2, 3)
    """
    counter, key = _key(seed)
    return _as(rows.random_normal(counter, shape=_sizes(shape), mean=number(mean, "normal: mean"),
                                  stddev=number(stddev, "normal: stddev", 0), **key), dtype)


def truncated_normal(shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None,
                     seed: Any = None) -> Tensor:
    """normal(), with draws more than two deviations away drawn again."""
    counter, key = _key(seed)
    return _as(rows.truncated_normal(counter, shape=_sizes(shape), mean=number(mean, "truncated_normal: mean"),
                                     stddev=number(stddev, "truncated_normal: stddev", 0), **key), dtype)


def uniform(shape: Sequence[int], minval: Any = 0.0, maxval: Any = 1.0, dtype: str | None = None,
            seed: Any = None) -> Tensor:
    """Draws from [minval, maxval), all alike likely; the bounds are numbers or tensors. `randint` for whole numbers."""
    _kind("uniform", dtype, "f", "a dtype of floats; use randint for whole numbers")
    counter, key = _key(seed)
    if isinstance(minval, Tensor) or isinstance(maxval, Tensor):
        draws = rows.random_uniform(counter, shape=_sizes(shape), low=0.0, high=1.0, **key)
        return _as(ops.add(minval, ops.multiply(draws, ops.subtract(maxval, minval))), dtype)
    return _as(rows.random_uniform(counter, shape=_sizes(shape), low=number(minval, "uniform: minval"),
                                   high=number(maxval, "uniform: maxval"), **key), dtype)


def randint(shape: Sequence[int], minval: Any, maxval: Any, dtype: str = "int32", seed: Any = None) -> Tensor:
    """Whole numbers from minval up to, not including, maxval: numbers, or tensors. Small dtypes are int32."""
    _kind("randint", dtype, "iu", "a dtype of whole numbers")
    if isinstance(minval, Tensor) or isinstance(maxval, Tensor):
        draws = uniform(shape, 0.0, 1.0, seed=seed)
        span = ops.subtract(ops.cast(maxval, "int32"), ops.cast(minval, "int32"))
        places = ops.cast(ops.floor(ops.multiply(draws, span)), "int32")        # the product may round up
        return _as(ops.add(ops.cast(minval, "int32"), ops.minimum(places, ops.subtract(span, 1))), dtype)
    low, high = whole(minval, "randint: minval", None), whole(maxval, "randint: maxval", None)
    if not -MOST <= low < high <= MOST:
        raise ValueError(f"randint: minval is {low} and maxval {high}; needs -2**24 <= minval < maxval <= 2**24.")
    counter, key = _key(seed)
    count = float(high - low)
    draws = rows.random_uniform(counter, shape=_sizes(shape), low=0.0, high=1.0, **key)
    draws = elementwise.clip(elementwise.scale(draws, factor=count), low=0.0, high=count - 0.5)     # it may round up
    cut = elementwise.cast(elementwise.cast(draws, dtype="int32"), dtype=draws.dtype)
    return _as(elementwise.cast(elementwise.add_constant(cut, value=float(low)), dtype="int32"), dtype)


def binomial(shape: Sequence[int], counts: Any, probabilities: Any, dtype: str | None = None,
             seed: Any = None) -> Tensor:
    """How many of `counts` tries succeed, each with its probability; both are numbers or arrays that fit the shape.

    So many uniform draws are compared with the probability: 2²⁶ tries in all at most."""
    most = float(np.asarray(counts).max()) if np.size(counts) else 0.0
    tries = whole(int(most) if most.is_integer() else most, "binomial: counts", 0)
    if tries * math.prod(_sizes(shape)) > MOST_TRIES:
        raise ValueError(f"binomial: counts is {tries} for shape {tuple(shape)}; needs 2**26 tries in all at most.")
    draws = uniform((*_sizes(shape), tries), seed=seed)
    counted = ops.less(np.arange(tries), ops.expand_dims(counts, -1))
    hits = ops.logical_and(ops.less(draws, ops.expand_dims(probabilities, -1)), counted)
    return _as(ops.sum(ops.cast(hits, draws.dtype), -1), dtype)


def gamma(shape: Sequence[int], alpha: Any, dtype: str | None = None, seed: Any = None) -> Tensor:
    """Draws of the gamma distribution of shape alpha and scale 1; alpha is a number or an array that fits the shape.

    Marsaglia and Tsang 2000: of 12 proposals the first that is accepted; none is in fewer than one of 10¹⁵ draws. No
    gradient flows to alpha."""
    y, lifted = _gamma(_sizes(shape), alpha, _source(seed))
    return _as(ops.multiply(y, ops.exp(lifted)), dtype)


def _gamma(sizes: tuple[int, ...], alpha: Any, source: SeedGenerator | None) -> tuple[Tensor, Tensor]:
    """A draw y·eˡ as (y, l), as it may be too small for a float."""
    a = ops.broadcast_to(ops.stop_gradient(as_tensor(alpha)), sizes)
    small = ops.less(a, 1.0)
    d = ops.expand_dims(ops.where(small, ops.add(a, 1.0), a) - 1 / 3, -1)
    x, u = normal((*sizes, 12), seed=source), uniform((*sizes, 12), 2.0 ** -25, 1.0, seed=source)
    v = ops.power(ops.add(1.0, ops.divide(x, ops.sqrt(9.0 * d))), 3)
    bound = 0.5 * x * x + d * (1.0 - v + ops.log(ops.maximum(v, 1e-30)))
    accepted = ops.logical_and(ops.greater(v, 0.0), ops.less(ops.log(u), bound))
    first = ops.expand_dims(ops.argmax(ops.cast(accepted, "int32"), -1), -1)
    y = ops.squeeze(d * ops.take_along_axis(v, first, -1), -1)
    return y, ops.where(small, ops.divide(ops.log(uniform(sizes, 2.0 ** -25, 1.0, seed=source)), a), 0.0)


def beta(shape: Sequence[int], alpha: Any, beta: Any, dtype: str | None = None, seed: Any = None) -> Tensor:
    """Draws of the beta distribution: x/(x + y), of gamma draws x of alpha and y of beta."""
    source = _source(seed)
    (x, i), (y, j) = (_gamma(_sizes(shape), a, source) for a in (alpha, beta))
    return _as(ops.sigmoid(ops.log(x) + i - ops.log(y) - j), dtype)


def categorical(logits: Any, num_samples: int, dtype: str = "int32", seed: Any = None) -> Tensor:
    """Numbers of classes drawn with probabilities softmax(logits). logits (batch, classes) → (batch, num_samples)
    int32.

    The place of the largest logits + g with g = -ln(-ln u), u uniform (Gumbel 1954).
    """
    x, count = as_tensor(logits), whole(num_samples, "categorical: num_samples")
    if x.ndim != 2:
        raise ShapeError(f"categorical: logits are {x.shape}; needs (batch, classes).")
    counter, key = _key(seed)
    sizes = (x.shape[0], count, x.shape[1])
    u = rows.random_uniform(counter, shape=sizes, low=2.0 ** -25, high=1.0, **key)
    g = elementwise.negative(elementwise.log(elementwise.negative(elementwise.log(u))))
    return _as(reduce.argmax(elementwise.add(reduce.expand(x, shape=sizes, axes=(1,)), g)), dtype)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """x with what lies along an axis in random order."""
    x = as_tensor(x, "any")
    axis, (counter, key) = range(x.ndim)[axis], _key(seed)
    order = index.argsort(rows.random_uniform(counter, shape=(x.shape[axis],), low=0.0, high=1.0, **key))
    return index.take(x, order, axis=axis)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """x·keep / (1 - rate) with keep 1 with probability 1 - rate; noise_shape: axes of length 1 share a draw."""
    from fastnn.layers.core import Dropout
    x = as_tensor(inputs)
    if rate == 1:
        return ops.zeros_like(x)
    class Keyed(Dropout):
        def _key(self) -> tuple[Tensor, dict[str, int]]:
            return _key(seed)

    return Keyed(rate, noise_shape=noise_shape).call(x, training=True)
