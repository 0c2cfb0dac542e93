"""Philox 4x32-10: random bits as a pure function of (seed, stream, step, element). NumPy only."""

import numpy as np

from fastnn.reference._types import Array


def block(counter: list[Array], key: list[Array]) -> list[Array]:
    """Four words of random bits from four of counter and two of key, all uint64 arrays below 2³².

    Ten rounds of (x0, x1, x2, x3) → (high(M1·x2) ^ x1 ^ k0, low(M1·x2), high(M0·x0) ^ x3 ^ k1, low(M0·x0)),
    the key growing by Weyl's constants. Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
    """
    word, high = np.uint64(0xFFFFFFFF), np.uint64(32)
    x0, x1, x2, x3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * x0, np.uint64(0xCD9E8D57) * x2
        x0, x1, x2, x3 = (p1 >> high) ^ x1 ^ k0, p1 & word, (p0 >> high) ^ x3 ^ k1, p0 & word
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & word, (k1 + np.uint64(0xBB67AE85)) & word
    return [x0, x1, x2, x3]


def bits(n: int, step: int, seed: int, stream: int) -> Array:
    """n words of random bits, uint32. Element i is word i % 4 of the block with counter (i // 4, stream, step)."""
    index = np.arange((n + 3) // 4, dtype=np.uint64)
    words = [np.full_like(index, value & 0xFFFFFFFF) for value in (stream, step, step >> 32, seed, seed >> 32)]
    index &= np.uint64(0xFFFFFFFF)
    return np.stack(block([index, *words[:3]], words[3:]), axis=-1).reshape(-1)[:n].astype(np.uint32)
