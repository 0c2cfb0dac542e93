"""Draws of many distributions, by a seed, a SeedGenerator or the global seed (fastnn/seeds.py). Floor 3."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import ops
from fastnn.arguments import number, whole
from fastnn.engine.context import is_symbolic_pass
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import elementwise, index, reduce
from fastnn.ops.rows import random as rows
from fastnn.seeds import Repeated, SeedGenerator, checked_seed, global_generator, key, set_seed

__all__ = ["SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "set_seed",
           "shuffle", "truncated_normal", "uniform"]


MOST_TRIES = 2 ** 26
MOST = 2 ** 24      # as many steps as a draw has, and as large as whole numbers are exact in float32


def _source(seed: Any) -> SeedGenerator | Repeated | None:
    """Where a function that draws several times has its draws from."""
    return seed if isinstance(seed, SeedGenerator) or seed is None else Repeated(checked_seed(seed, "random"))


def _key(seed: Any) -> Tensor:
    """The key of a draw: of a generator; of a whole number, with which every draw is the same; or of the global
    seed."""
    if seed is None:
        return global_generator().key()
    return seed.key() if isinstance(seed, (SeedGenerator, Repeated)) else key(checked_seed(seed, "random"))


def _in_a_layer(name: str, *given: Any) -> None:
    """ValueError for a draw among the ops of a model's graph: its key would be that of the day it was made."""
    if any(isinstance(x, Tensor) and x.symbolic for x in given) and not is_symbolic_pass():
        raise ValueError(f"random.{name}: got a symbolic tensor; needs numbers.\nIn the graph of a model it would draw "
                         "once, for all batches: draw in the call of a layer, as layers.Dropout and layers.Lambda do.")


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
    return _as(rows.random_normal(_key(seed), shape=_sizes(shape), mean=number(mean, "normal: mean"),
                                  stddev=number(stddev, "normal: stddev", 0)), dtype)


def truncated_normal(shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None,
                     seed: Any = None) -> Tensor:
    """normal(), with draws more than two deviations away drawn again."""
    return _as(rows.truncated_normal(_key(seed), shape=_sizes(shape), mean=number(mean, "truncated_normal: mean"),
                                     stddev=number(stddev, "truncated_normal: stddev", 0)), dtype)


def uniform(shape: Sequence[int], minval: Any = 0.0, maxval: Any = 1.0, dtype: str | None = None,
            seed: Any = None) -> Tensor:
    """Draws from [minval, maxval), all alike likely; the bounds are numbers or tensors. `randint` for whole numbers."""
    _kind("uniform", dtype, "f", "a dtype of floats; use randint for whole numbers")
    _in_a_layer("uniform", minval, maxval)
    if isinstance(minval, Tensor) or isinstance(maxval, Tensor):
        draws = rows.random_uniform(_key(seed), shape=_sizes(shape), low=0.0, high=1.0)
        return _as(ops.add(minval, ops.multiply(draws, ops.subtract(maxval, minval))), dtype)
    return _as(rows.random_uniform(_key(seed), shape=_sizes(shape), low=number(minval, "uniform: minval"),
                                   high=number(maxval, "uniform: maxval")), dtype)


def randint(shape: Sequence[int], minval: Any, maxval: Any, dtype: str = "int32", seed: Any = None) -> Tensor:
    """Whole numbers from minval up to, not including, maxval: numbers, or tensors. Small dtypes are int32."""
    _kind("randint", dtype, "iu", "a dtype of whole numbers")
    _in_a_layer("randint", minval, maxval)
    if isinstance(minval, Tensor) or isinstance(maxval, Tensor):
        draws = uniform(shape, 0.0, 1.0, seed=seed)
        span = ops.subtract(ops.cast(maxval, "int32"), ops.cast(minval, "int32"))
        places = ops.cast(ops.floor(ops.multiply(draws, span)), "int32")        # the product may round up
        return _as(ops.add(ops.cast(minval, "int32"), ops.minimum(places, ops.subtract(span, 1))), dtype)
    low, high = whole(minval, "randint: minval", None), whole(maxval, "randint: maxval", None)
    if not -MOST <= low < high <= MOST:
        raise ValueError(f"randint: minval is {low} and maxval {high}; needs -2**24 <= minval < maxval <= 2**24.")
    count = float(high - low)
    draws = rows.random_uniform(_key(seed), shape=_sizes(shape), low=0.0, high=1.0)
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


def _gamma(sizes: tuple[int, ...], alpha: Any, source: SeedGenerator | Repeated | None) -> tuple[Tensor, Tensor]:
    """A draw y·eˡ as (y, l), as it may be too small for a float."""
    _in_a_layer("gamma", alpha)
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
    _in_a_layer("categorical", x)
    if x.ndim != 2:
        raise ShapeError(f"categorical: logits are {x.shape}; needs (batch, classes).")
    sizes = (x.shape[0], count, x.shape[1])
    u = rows.random_uniform(_key(seed), shape=sizes, low=2.0 ** -25, high=1.0)
    g = elementwise.negative(elementwise.log(elementwise.negative(elementwise.log(u))))
    return _as(reduce.argmax(elementwise.add(reduce.expand(x, shape=sizes, axes=(1,)), g)), dtype)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """x with what lies along an axis in random order."""
    x = as_tensor(x, "any")
    _in_a_layer("shuffle", x)
    axis = range(x.ndim)[axis]
    order = index.argsort(rows.random_uniform(_key(seed), shape=(x.shape[axis],), low=0.0, high=1.0))
    return index.take(x, order, axis=axis)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """x·keep / (1 - rate) with keep 1 with probability 1 - rate; noise_shape: axes of length 1 share a draw."""
    from fastnn.layers.core import Dropout
    x = as_tensor(inputs)
    _in_a_layer("dropout", x)
    if rate == 1:
        return ops.zeros_like(x)
    class Keyed(Dropout):
        def _key(self) -> Tensor:
            return _key(seed)

    return Keyed(rate, noise_shape=noise_shape).call(x, training=True)
