"""What calls cost: nanoseconds on one core, from the sizes of their arrays. For the `work` of an Op. Floor 2.

Measured on one kind of machine (AMD EPYC, AVX-512, operands in cache); on another all may be two or three times as
much, which moves the size from which a second worker is used, and no bit of a result.
"""

import math

from fastnn.ops._op import Shape

LANES = 16      # floats of the widest vector


def size(shape: Shape) -> int:
    """How many elements."""
    return math.prod(shape)  # type: ignore[arg-type]


def padded(n: int) -> int:
    """n floats in whole vectors: the end of a row costs as much as a whole vector."""
    return -(-n // LANES) * LANES


def by_rows(shape: Shape, each: float) -> float:
    """A kernel that takes rows of the last axis, vector by vector; `each` nanoseconds an element."""
    return each * (size(shape) // (shape[-1] or 1)) * padded(shape[-1] or 0)


def product(m: int, k: int, n: int) -> float:
    """(m, k) by (k, n), however they are transposed. The rows of the result are whole vectors, and to begin and end one
    costs as much as eight steps along k: (10000, 16) by (16, 4) takes 51 us, though it is a fifth of (10000, 64) by
    (64, 5), which takes 120. A column is computed as a row; then all that counts is to read the matrix."""
    if n == 1:
        m, n = n, m
    return max(0.012 * m * padded(n) * (k + 8), 0.1 * (m * k + k * n))


def convolution(pixels: int, w: Shape, groups: int) -> float:
    """Kernels of shape w (height, width, channels of a group, filters) at so many pixels: the forward pass, and the way
    back to x or to w."""
    taps, channels, filters = w[0] * w[1], w[2], w[3] // groups  # type: ignore[operator]
    if channels == filters == 1:        # depthwise: the vectors go along the groups
        return 0.04 * pixels * taps * padded(groups)
    return groups * product(pixels, taps * channels, filters)  # type: ignore[operator]


def steps(z: Shape, u: Shape) -> float:
    """A recurrent layer over z (batch, time, gates): at every step a product with u (units, gates), and activations."""
    batch, time, gates = z
    return time * product(batch, u[0], gates) + size(z)  # type: ignore[arg-type, operator]


def scores(q: Shape, k: Shape, mask: Shape, causal: bool) -> int:
    """How many scores of q (batch, queries, n) and k (batch, keys, …) count: where a query looks at the keys up to its
    own place, those above the diagonal are left out; not so under a mask."""
    batch, queries, keys = q[0] or 0, q[1] or 0, k[1] or 0
    below = min(queries, keys)
    return batch * (below * (below + 1) // 2 + (queries - below) * keys if causal and mask == (0,) else queries * keys)


def heads_product(q: Shape, k: Shape, mask: Shape, causal: bool, width: int, heads: int) -> float:
    """Attention of q to k: `width` multiply-adds and a softmax of each head for every score; keys in whole vectors."""
    return scores(q, (k[0], padded(k[1] or 0)), mask, causal) * (0.012 * width + 0.5 * heads)
