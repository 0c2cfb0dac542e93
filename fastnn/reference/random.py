"""Random numbers as a pure function of (seed, draws, stream, element): Philox 4x32-10. NumPy only.

A `key` is (seed, draws, stream), three int64: seed < 2⁶³, the draws before this one, stream < 2³¹. Draws are float32
also under float64, and equal those of C bit for bit: float64 work is done in C's order of operations and rounded once.
"""

import math

import numpy as np

from fastnn.reference import _philox
from fastnn.reference._types import F64, Array

DRAWS = 38      # bits of a generator's place that count its draws; those above are its stream

# Wichura 1988, algorithm AS 241, PPND16: numerators and denominators, the highest coefficient first.
_CENTRAL_A = (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
              13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608)
_CENTRAL_B = (5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
              5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0)
_TAIL_C = (7.7454501427834140764e-4, .0227238449892691845833, .24178072517745061177, 1.27045825245236838258,
           3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734)
_TAIL_D = (1.05075007164441684324e-9, 5.475938084995344946e-4, .0151986665636164571966, .14810397642748007459,
           .68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0)
_BELOW_2 = 0.022750131948179207        # Φ(-2)
_BELOW_PLUS_2 = 0.9772498680518208     # Φ(2)


def _draw(key: Array, shape: tuple[int, ...], stream: int = 0) -> Array:
    """Random words, uint32, in this shape; of so many streams further on."""
    seed, draws, own = key.tolist()
    return _philox.bits(math.prod(shape), draws, seed, own + stream).reshape(shape)


def _unit(bits: Array) -> Array:
    """Uniform in [0, 1): the upper 24 bits over 2²⁴, as float64."""
    return (bits >> 8).astype(F64) * 2.0 ** -24


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Horner's rule, the highest coefficient first."""
    y = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        y = y * x + c
    return y


def _natural_log(x: Array) -> Array:
    """ln x = e·ln 2 + 2(s + s³/3 + s⁵/5 + …) for x = m·2ᵉ, s = (m - 1)/(m + 1), m in [√½, √2).

    Not np.log, whose last bit differs between systems: these operations have only one correct result each.
    """
    m, e = np.frexp(x)
    low = m < math.sqrt(0.5)
    m, e = np.where(low, 2 * m, m), np.where(low, e - 1, e)
    s = (m - 1) / (m + 1)
    z = s * s
    series = _polynomial(tuple(1.0 / k for k in range(21, 1, -2)), z)
    return e * math.log(2) + 2 * (s + s * z * series)


def _normal_quantile(p: Array) -> Array:
    """The z with Φ(z) = p, for 2⁻³³ ≤ p ≤ 1 - 2⁻³³. AS 241, PPND16 (relative error about 1e-16)."""
    q = p - 0.5
    r = 0.180625 - q * q
    central = q * _polynomial(_CENTRAL_A, r) / _polynomial(_CENTRAL_B, r)
    t = np.sqrt(-_natural_log(np.where(q < 0, p, 1 - p))) - 1.6
    tail = _polynomial(_TAIL_C, t) / _polynomial(_TAIL_D, t)
    return np.where(np.abs(q) <= 0.425, central, np.where(q < 0, -tail, tail))


def _open_unit(bits: Array) -> Array:
    """Uniform in (0, 1): the middles of 2³² intervals, as float64."""
    return (bits.astype(F64) + 0.5) * 2.0 ** -32


def _keep(x: Array, key: Array, rate: float, stream: int) -> Array:
    """x / (1 - rate) where a uniform number is at least the rate, else 0."""
    kept = _unit(_draw(key, x.shape, stream)) >= rate
    return np.where(kept, x * x.dtype.type(1 / (1 - rate)), np.zeros_like(x))


def draw_key(state: Array) -> Array:
    """key = (seed, draws, stream) of state = (seed, stream·2³⁸ + draws). (2,) int64 → (3,) int64."""
    seed, place = state
    return np.array([seed, place & (2 ** DRAWS - 1), place >> DRAWS])


def draw_step(state: Array) -> Array:
    """state = that of the next draw: draws + 1. (2,) int64 → the same."""
    return state + np.array([0, 1])


def random_bits(key: Array, *, shape: tuple[int, ...]) -> Array:
    """y = random words. key (3,) → y `shape` int32. Salmon et al. 2011."""
    return _draw(key, shape).view(np.int32)


def random_uniform(key: Array, *, shape: tuple[int, ...], low: float, high: float) -> Array:
    """y = low + (high - low)·u, u uniform in [0, 1) with 24 bits. key (3,) → y `shape` float32."""
    span = F64(np.float32(high - low))
    return np.asarray(low + span * _unit(_draw(key, shape))).astype(np.float32)


def random_normal(key: Array, *, shape: tuple[int, ...], mean: float, stddev: float) -> Array:
    """y = mean + stddev·Φ⁻¹(u), u uniform in (0, 1). key (3,) → y `shape` float32. Wichura 1988."""
    z = _normal_quantile(_open_unit(_draw(key, shape)))
    return np.asarray(mean + stddev * z).astype(np.float32)


def truncated_normal(key: Array, *, shape: tuple[int, ...], mean: float, stddev: float) -> Array:
    """y = mean + stddev·Φ⁻¹(u), u uniform in (Φ(-2), Φ(2)): cut at two deviations. key (3,) → y `shape` float32."""
    u = _open_unit(_draw(key, shape))
    z = _normal_quantile(_BELOW_2 + (_BELOW_PLUS_2 - _BELOW_2) * u)
    return np.asarray(mean + stddev * z).astype(np.float32)


def dropout(x: Array, key: Array, *, rate: float, stream: int) -> Array:
    """y = x / (1 - rate) with probability 1 - rate, else 0. x any shape, key (3,) → y as x. Srivastava 2014.

    stream: how many streams further on than the key's."""
    return _keep(x, key, rate, stream)


def dropout_grad(dy: Array, key: Array, *, rate: float, stream: int) -> Array:
    """dx = dy / (1 - rate) where `dropout` with this key keeps, else 0. dy any shape, key (3,) → dx as dy."""
    return _keep(dy, key, rate, stream)
