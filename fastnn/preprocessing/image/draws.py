"""The random numbers of augmentation: fastnn's Philox by (seed, stream, epoch, batch), never NumPy's state. Floor 5."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine.context import not_recording
from fastnn.ops.rows.random import random_bits
from fastnn.preprocessing.image.transforms import Array, Parameters
from fastnn.seeds import key

# Streams that lie apart from those of layers (which count from 1), of batch orders (2**30) and of data sets.
_TRANSFORMS, _ORDERS = 0x2A000000, 0x2B000000
_COLUMNS = 12       # numbers drawn for each image; every parameter has its own, so that it does not shift the others


def uniform(n: int, seed: int, stream: int, epoch: int, batch: int) -> Array:
    """(n, 12) numbers in (0, 1) for the images of one batch of one epoch."""
    bits = _bits((n, _COLUMNS), epoch << 32 | batch, seed, _TRANSFORMS + stream)
    return (bits.astype(np.float64) + 0.5) * 2.0 ** -32


def permutation(n: int, seed: int, stream: int, epoch: int) -> Any:
    """0 .. n-1 in the random order of an epoch."""
    bits = _bits((n, 2), epoch, seed, _ORDERS + stream).astype(np.uint64)
    return np.argsort(bits[:, 0] << np.uint64(32) | bits[:, 1], kind="stable")


def _bits(shape: tuple[int, ...], counter: int, seed: int, stream: int) -> Any:
    with not_recording():
        words = random_bits(key(seed, counter, stream), shape=shape)
    return np.asarray(words.data).view(np.uint32)


def _between(u: Array, low: float, high: float) -> Array:
    return low + (high - low) * u


def _shift(amount: Any, u: Array, sign: Array, size: int) -> Array:
    """Pixels: an int n means whole pixels -(n-1)..n-1, a sequence one of its values with either sign, a float f
    anything in -f..f; below 1 it is a part of the size."""
    if isinstance(amount, Sequence) or np.ndim(amount) or hasattr(amount, "__index__"):
        choices = np.arange(amount) if hasattr(amount, "__index__") else np.asarray(amount, np.float64)
        shift = choices[(u * len(choices)).astype(np.int64)] * np.where(sign < 0.5, -1.0, 1.0)
    else:
        shift = _between(u, -amount, amount)
    return np.asarray(shift * (size if np.max(amount) < 1 else 1))


def parameters(generator: Any, u: Array, height: int, width: int) -> Parameters:
    """What an ImageDataGenerator's settings make of (n, 12) uniform numbers: one transformation per image."""
    g, zero = generator, np.zeros(len(u))
    drawn = {
        "theta": _between(u[:, 0], -g.rotation_range, g.rotation_range),
        "tx": _shift(g.width_shift_range, u[:, 1], u[:, 2], width) if np.any(g.width_shift_range) else zero,
        "ty": _shift(g.height_shift_range, u[:, 3], u[:, 4], height) if np.any(g.height_shift_range) else zero,
        "shear": _between(u[:, 5], -g.shear_range, g.shear_range),
        "zx": _between(u[:, 6], *g.zoom_range),
        "zy": _between(u[:, 7], *g.zoom_range),
        "flip_horizontal": (u[:, 8] < 0.5) * float(bool(g.horizontal_flip)),
        "flip_vertical": (u[:, 9] < 0.5) * float(bool(g.vertical_flip)),
    }
    if g.channel_shift_range:
        drawn["channel_shift_intensity"] = _between(u[:, 10], -g.channel_shift_range, g.channel_shift_range)
    if g.brightness_range is not None:
        drawn["brightness"] = _between(u[:, 11], *g.brightness_range)
    return drawn
