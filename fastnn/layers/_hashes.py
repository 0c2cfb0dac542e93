"""Numbers from texts, the same on every machine and in every run: FarmHash64, and SipHash with a key. Floor 3.

All arithmetic is modulo 2**64. These are the hashes that Keras' layers take from TensorFlow, so that a text falls into
the same bin there and here.
"""

import struct
from collections.abc import Sequence
from typing import Any

from fastnn.arguments import whole
from fastnn.errors import shown

_MASK = 2 ** 64 - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F     # primes between 2**63 and 2**64


def _turn(x: int, by: int) -> int:
    """The bits of x turned to the right."""
    x &= _MASK
    return (x >> by | x << (64 - by)) & _MASK


def _fold(x: int) -> int:
    """The high bits mixed into the low ones."""
    x &= _MASK
    return x ^ x >> 47


def _pair(u: int, v: int, factor: int) -> int:
    """One number of two."""
    a = _fold((u ^ v) * factor & _MASK)
    return _fold((v ^ a) * factor) * factor & _MASK


def _at(data: bytes, place: int) -> int:
    """The eight bytes at a place, the lowest first."""
    return int.from_bytes(data[place:place + 8], "little")


def farmhash64(data: bytes) -> int:
    """FarmHash's Fingerprint64, which will not change any more. G. Pike, Google 2014, github.com/google/farmhash."""
    size = len(data)
    if size > 64:
        return _long(data)
    if size > 16:
        return _middle(data)
    factor = _K2 + 2 * size
    if size >= 8:
        a, b = _at(data, 0) + _K2, _at(data, size - 8)
        return _pair((_turn(b, 37) * factor + a) & _MASK, (_turn(a, 25) + b) * factor & _MASK, factor)
    if size >= 4:
        a, b = (int.from_bytes(part, "little") for part in (data[:4], data[-4:]))
        return _pair(size + (a << 3), b, factor)
    if not size:
        return _K2
    y, z = data[0] + (data[size >> 1] << 8), size + (data[-1] << 2)
    return _fold(y * _K2 ^ z * _K0) * _K2 & _MASK


def _middle(data: bytes) -> int:
    """17 to 64 bytes."""
    size = len(data)
    factor, longer = _K2 + 2 * size, size > 32
    a, b = _at(data, 0) * (_K2 if longer else _K1), _at(data, 8)
    c, d = _at(data, size - 8) * factor, _at(data, size - 16) * _K2
    y, other = (_turn(a + b, 43) + _turn(c, 30) + d) & _MASK, (a + _turn(b + _K2, 18) + c) & _MASK
    z = _pair(y, other, factor)
    if not longer:
        return z
    e, f = _at(data, 16) * factor, _at(data, 24)
    g, h = (y + _at(data, size - 32)) * factor, (z + _at(data, size - 24)) * factor
    return _pair((_turn(e + f, 43) + _turn(g, 30) + h) & _MASK, (e + _turn(f + a, 18) + g) & _MASK, factor)


def _quarter(data: bytes, place: int, a: int, b: int) -> tuple[int, int]:
    """Two numbers of 32 bytes and two numbers."""
    w, x, y, z = struct.unpack_from("<4Q", data, place)
    a += w
    b, first = _turn(b + a + z, 21), a
    a += x + y
    return (a + z) & _MASK, (b + _turn(a, 44) + first) & _MASK


def _block(data: bytes, place: int, x: int, y: int, z: int, v: tuple[int, int], w: tuple[int, int], factor: int = _K1,
           times: int = 1) -> tuple[int, int, int, tuple[int, int], tuple[int, int]]:
    """What a block of 64 bytes makes of the state: seven numbers."""
    x = _turn(x + y + v[0] + _at(data, place + 8), 37) * factor & _MASK
    y = _turn(y + v[1] + _at(data, place + 48), 42) * factor
    x ^= w[1] * times & _MASK
    y = (y + v[0] * times + _at(data, place + 40)) & _MASK
    z = _turn(z + w[0], 33) * factor & _MASK
    v = _quarter(data, place, v[1] * factor, x + w[0])
    w = _quarter(data, place + 32, z + w[1], y + _at(data, place + 16))
    return z, y, x, v, w


def _long(data: bytes) -> int:
    """More than 64 bytes: in blocks of 64, then the last 64, which may overlap."""
    y = (81 * _K1 + 113) & _MASK
    z = _fold(y * _K2 + 113) * _K2 & _MASK
    state = ((81 * _K2 + _at(data, 0)) & _MASK, y, z, (0, 0), (0, 0))
    rest = (len(data) - 1) % 64
    for place in range(0, len(data) - 1 - rest, 64):
        state = _block(data, place, *state)
    x, y, z, v, w = state
    factor = _K1 + ((z & 0xFF) << 1)
    first = w[0] + rest
    v = (v[0] + first, v[1])
    x, y, z, v, w = _block(data, len(data) - 64, x, y, z, v, (first + v[0], w[1]), factor, 9)
    return _pair((_pair(v[0], w[0], factor) + _fold(y) * _K0 + z) & _MASK, (_pair(v[1], w[1], factor) + x) & _MASK,
                 factor)


def _round(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    """SipRound: additions, turns and exclusive ors of the four words."""
    a, c = (a + b) & _MASK, (c + d) & _MASK
    b, d = _turn(b, 51) ^ a, _turn(d, 48) ^ c
    a, c = _turn(a, 32), (c + b) & _MASK
    a = (a + d) & _MASK
    b, d = _turn(b, 47) ^ c, _turn(d, 43) ^ a
    return a, b, _turn(c, 32), d


def siphash64(data: bytes, key: Sequence[int]) -> int:
    """SipHash-2-4, which nobody foresees who does not know the key. Aumasson and Bernstein 2012."""
    low, high = (n & _MASK for n in key)
    a, b = low ^ 0x736F6D6570736575, high ^ 0x646F72616E646F6D
    c, d = low ^ 0x6C7967656E657261, high ^ 0x7465646279746573
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    for (word,) in struct.iter_unpack("<Q", padded):
        d ^= word
        for _ in range(2):
            a, b, c, d = _round(a, b, c, d)
        a ^= word
    c ^= 0xFF
    for _ in range(4):
        a, b, c, d = _round(a, b, c, d)
    return a ^ b ^ c ^ d


def bucket(text: str, count: int, key: Sequence[int] | None = None) -> int:
    """Which of so many places a text gets: by FarmHash64, or by SipHash where there is a key of two numbers."""
    data = text.encode()
    return (farmhash64(data) if key is None else siphash64(data, key)) % count


def key_of(salt: Any, what: str) -> list[int]:
    """Two whole numbers of 64 bits, from two or from one for both."""
    pair = list(salt) if isinstance(salt, (list, tuple)) else [salt, salt]
    if len(pair) != 2:
        raise ValueError(f"{what} is {shown(salt)}; needs a whole number, or two.")
    return [whole(n, what, None) for n in pair]
