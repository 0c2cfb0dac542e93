"""Signals by their frequencies: discrete Fourier transforms of pairs (real, imaginary part). Floor 2.

A transform of n numbers is a product with the matrix of its waves; where n has divisors, two of about √n (Cooley and
Tukey 1965), and where it is a large prime a convolution (Bluestein 1970), so that it is a composition with gradients,
and fast enough for the windows of spectrograms.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.arguments import whole
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._arithmetic import add, divide, multiply, negative, subtract
from fastnn.ops._convert import floats, reshaped, tensor
from fastnn.ops._products import matmul
from fastnn.ops._shaping import concatenate, flip, pad, swapaxes
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import index

__all__ = ["extract_sequences", "fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]

Pair = tuple[Tensor, Tensor]
Signal = tuple[Tensor, Tensor | None]       # None: it is real
DIRECT = 32     # so many numbers are transformed by one matrix,
PRIME = 256     # and a prime number of them up to this


def _waves(rows: int, columns: int, n: int, sign: int, like: Tensor) -> Pair:
    """cos and sin of sign · 2π · row · column / n, rounded so that a quarter of a turn has a 0."""
    return _turned(sign * (np.outer(np.arange(rows), np.arange(columns)) % n) / n, like)


def _turned(turns: np.ndarray, like: Tensor) -> Pair:
    """cos and sin of so many turns."""
    return tuple(Tensor(np.round(wave(2 * np.pi * turns), 15).astype(like.dtype),  # type: ignore[return-value]
                        constant=True) for wave in (np.cos, np.sin))


def _times(a: Signal, b: Pair, product: Any) -> Pair:
    """(a₁ + i·a₂)(b₁ + i·b₂), by this product."""
    real, imaginary = product(a[0], b[0]), product(a[0], b[1])
    if a[1] is None:
        return real, imaginary
    return subtract(real, product(a[1], b[1])), add(imaginary, product(a[1], b[0]))


def _transformed(x: Signal, sign: int) -> Pair:
    """Σⱼ x[j] exp(sign · 2πi·j·k/n) along the last axis."""
    n = x[0].shape[-1]
    rows = max(d for d in range(1, math.isqrt(n) + 1) if n % d == 0)
    if rows == 1 and n > PRIME:
        return _convolved(x, sign)
    if n <= DIRECT or rows == 1:
        return _times(x, _waves(n, n, n, sign, x[0]), matmul)
    columns = n // rows
    short = _transformed(_each(x, lambda t: swapaxes(reshaped(t, (*t.shape[:-1], rows, columns)), -1, -2)), sign)
    turned = _times(_each(short, lambda t: swapaxes(t, -1, -2)), _waves(rows, columns, n, sign, x[0]), multiply)
    return _each(_transformed(turned, sign), lambda t: reshaped(swapaxes(t, -1, -2), (*x[0].shape[:-1], n)))


def _convolved(x: Signal, sign: int) -> Pair:
    """The same: as j·k = (j² + k² - (k - j)²)/2 it is a convolution with a chirp, by transforms of a power of two."""
    n = x[0].shape[-1]
    size = 1 << (2 * n - 2).bit_length()
    turns = sign * (np.arange(n) ** 2 % (2 * n)) / (2 * n)
    chirp = _turned(turns, x[0])
    around = np.zeros(size, complex)
    around[:n] = np.exp(-2j * np.pi * turns)
    around[size - n + 1:] = around[n - 1:0:-1]
    waves = np.fft.fft(around) / size
    by = [Tensor(part.astype(x[0].dtype), constant=True) for part in (waves.real, waves.imag)]
    spectrum = _transformed(_each(_times(x, chirp, multiply), lambda t: _so_long(t, size)), -1)
    y = _transformed(_times(spectrum, (by[0], by[1]), multiply), 1)
    return _times(_each(y, lambda t: t[..., :n]), chirp, multiply)


def _each(x: Signal, change: Any) -> Any:
    return change(x[0]), None if x[1] is None else change(x[1])


def _pair(name: str, x: Sequence[TensorLike]) -> Pair:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise TypeError(f"{name}: got {shown(x)}; needs the pair (real part, imaginary part).")
    real, imaginary = floats(x[0]), floats(x[1])
    if real.shape != imaginary.shape or not real.ndim or real.shape[-1] == 0:
        raise ShapeError(f"{name}: the parts are {real.shape} and {imaginary.shape}; needs equal shapes, not empty.")
    return real, imaginary


@of_any_size
def fft(x: Sequence[TensorLike]) -> Pair:
    """y[k] = Σⱼ x[j] exp(-2πi·j·k/n) along the last axis, of a pair (real, imaginary part) as one.

    >>> fft(([1., 0., 0., 0.], [0., 0., 0., 0.]))[0].numpy()
    array([1., 1., 1., 1.], dtype=float32)
    """
    return _transformed(_pair("fft", x), -1)


def _both_axes(name: str, x: Sequence[TensorLike], sign: int) -> Pair:
    pair = _pair(name, x)
    if pair[0].ndim < 2:
        raise ShapeError(f"{name}: the parts are {pair[0].shape}; needs two axes.")
    along = _transformed(pair, sign)
    return _each(_transformed(_each(along, lambda t: swapaxes(t, -1, -2)), sign), lambda t: swapaxes(t, -1, -2))


@of_any_size
def fft2(x: Sequence[TensorLike]) -> Pair:
    """fft along the last two axes."""
    return _both_axes("fft2", x, -1)


@of_any_size
def ifft2(x: Sequence[TensorLike]) -> Pair:
    """The way back of fft2: exp(+2πi…), divided by the number of elements."""
    y = _both_axes("ifft2", x, 1)
    return _each(y, lambda t: divide(t, float(math.prod(t.shape[-2:]))))


def _so_long(x: Tensor, length: int) -> Tensor:
    """x cut, or continued by 0, to this length along the last axis."""
    if length <= x.shape[-1]:
        return x[..., :length]
    return pad(x, [(0, 0)] * (x.ndim - 1) + [(0, length - x.shape[-1])])


@of_any_size
def rfft(x: TensorLike, fft_length: int | None = None) -> Pair:
    """The first n/2 + 1 numbers of the fft of real numbers, which say all. fft_length: n, to which x is cut or
    continued by 0; all x unless given."""
    x = floats(x)
    x = x if fft_length is None else _so_long(x, whole(fft_length, "rfft: fft_length"))
    if not x.ndim or x.shape[-1] == 0:
        raise ShapeError(f"rfft: x is {x.shape}; needs an axis, not empty.")
    return _each(_transformed((x, None), -1), lambda t: t[..., :x.shape[-1] // 2 + 1])  # type: ignore[no-any-return]


@of_any_size
def irfft(x: Sequence[TensorLike], fft_length: int | None = None) -> Tensor:
    """The way back of rfft: n real numbers, 2(m - 1) of m unless fft_length is given."""
    pair = _pair("irfft", x)
    n = whole(2 * (pair[0].shape[-1] - 1) if fft_length is None else fft_length, "irfft: fft_length")
    real, imaginary = _each(pair, lambda t: _so_long(t, n // 2 + 1))
    rest = slice(1, n - n // 2)     # the numbers that are those of the other end, mirrored
    both = (concatenate([real, flip(real[..., rest], -1)], -1),
            concatenate([imaginary, negative(flip(imaginary[..., rest], -1))], -1))
    return divide(_transformed(both, 1)[0], float(n))


@of_any_size
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Tensor:
    """Windows of the last axis: (…, n) → (…, 1 + (n - length) // stride, length); the rest at the end is not seen."""
    x = tensor(x)
    length, stride = _steps("extract_sequences", sequence_length, sequence_stride)
    if x.shape[-1] < length:
        raise ShapeError(f"extract_sequences: x is {x.shape} and sequence_length {length}; needs a sequence at least.")
    y: Tensor = index.take(x, _places(1 + (x.shape[-1] - length) // stride, length, stride), axis=x.ndim - 1)
    return y


def _steps(name: str, length: Any, stride: Any) -> tuple[int, int]:
    return whole(length, f"{name}: sequence_length"), whole(stride, f"{name}: sequence_stride")


def _places(count: int, length: int, stride: int) -> Tensor:
    return Tensor((np.arange(count)[:, None] * stride + np.arange(length)).astype(np.int32), constant=True)


def _window(name: str, window: Any, length: int, fft_length: int, dtype: str) -> np.ndarray:
    """The window in the middle of fft_length numbers; ones for None."""
    if fft_length < length:
        raise ShapeError(f"{name}: fft_length is {fft_length} and sequence_length {length}; needs at least as many.")
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(f"{name}: window is {shown(window)}; needs 'hann', 'hamming', a vector or None.")
        low = 0.5 if window == "hann" else 0.54
        window = low - (1 - low) * np.cos(2 * np.pi * np.arange(length) / length)
    if window is None:
        return np.ones(fft_length, dtype)
    numbers = np.asarray(window, dtype)
    if numbers.shape != (length,):
        raise ShapeError(f"{name}: window is {numbers.shape}; needs sequence_length, {length} numbers.")
    before = (fft_length - length) // 2
    return np.pad(numbers, (before, fft_length - length - before))


@of_any_size
def stft(x: TensorLike, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann",
         center: bool = True) -> Pair:
    """rfft of windows of a signal, (…, n) → (…, windows, fft_length/2 + 1): which frequencies it has, and when.

    window: "hann", "hamming" (both periodic), sequence_length numbers, or None. center: windows are centred on their
    places, the signal being mirrored at both ends."""
    x, n = floats(x), whole(fft_length, "stft: fft_length")
    length, stride = _steps("stft", sequence_length, sequence_stride)
    shape = Tensor(_window("stft", window, length, n, x.dtype), constant=True)
    if center:
        x = pad(x, [(0, 0)] * (x.ndim - 1) + [(n // 2, n // 2)], mode="reflect")
    return rfft(multiply(extract_sequences(x, n, stride), shape), n)  # type: ignore[no-any-return]


@of_any_size
def istft(x: Sequence[TensorLike], sequence_length: int, sequence_stride: int, fft_length: int,
          length: int | None = None, window: Any = "hann", center: bool = True) -> Tensor:
    """The signal of which stft with the same arguments gives x: each window's irfft times the window, added up where
    they overlap, and divided by the sum of the squared windows that overlap in the middle; at the very ends, where
    fewer do, it is as much smaller. For window=None nothing is divided. length: so many numbers of it;
    ShapeError where there are fewer."""
    size, stride = _steps("istft", sequence_length, sequence_stride)
    n = whole(fft_length, "istft: fft_length")
    frames = irfft(x, n)
    if window is not None:
        shape = _window("istft", window, size, n, frames.dtype)
        squares = np.pad(shape.astype(np.float64) ** 2, (0, -n % stride)).reshape(-1, stride).sum(0)
        over = np.resize(np.where(squares > 0, squares, 1), n)
        frames = multiply(frames, Tensor((shape / over).astype(frames.dtype), constant=True))
    count = frames.shape[-2]
    flat, end = reshaped(frames, (*frames.shape[:-2], count * n)), n + stride * (count - 1)
    y: Tensor = index.take_grad(flat, reshaped(_places(count, n, stride), (-1,)), axis=flat.ndim - 1, size=end)
    begin = n // 2 if center else 0
    last = end - begin if length is None else begin + whole(length, "istft: length")
    if last > end:
        raise ShapeError(f"istft: length is {length} and x has windows for {end - begin} numbers; needs no more.")
    return y[..., begin:last]
