"""Frequencies of signals, and axes by their names, beside NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastnn import GradientTape, Input, Model, ops
from fastnn.engine import backend
from fastnn.engine.tensor import Variable
from fastnn.errors import KindError, ShapeError
from tests.formulas import beside_numpy

RNG = np.random.default_rng(6)
SIGNAL, OTHER = RNG.normal(size=(2, 40)), RNG.normal(size=(2, 40))
PLANE, SECOND = RNG.normal(size=(2, 6, 35)), RNG.normal(size=(2, 6, 35))
IMAGES = RNG.normal(size=(2, 4, 6, 3))


def whole(part: Callable[[Any], Any], transform: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda a, b: part(transform(a + 1j * b))


def frames(x: np.ndarray, length: int, stride: int, size: int, center: bool, window: str = "hann") -> np.ndarray:
    """The definition: each window cut out, weighed, put in the middle of `size` numbers, and transformed."""
    edge = size // 2 if center else 0
    x = np.pad(x, ((0, 0), (edge, edge)), mode="reflect")
    turns = 2 * np.pi * np.arange(length) / length
    weights = (0.5 - 0.5 * np.cos(turns)) if window == "hann" else 0.54 - 0.46 * np.cos(turns)
    before = (size - length) // 2
    weights = np.pad(weights, (before, size - length - before))
    starts = range(0, x.shape[1] - size + 1, stride)
    return np.stack([np.fft.rfft(x[:, s:s + size] * weights) for s in starts], 1)


SMOOTH: list[tuple[Any, Any, tuple[Any, ...]]] = [
    *((lambda a, b, i=i: ops.fft((a, b))[i], whole((np.real, np.imag)[i], np.fft.fft), (x, y))
      for x, y in ((SIGNAL, OTHER), (SIGNAL[:, :37], OTHER[:, :37]), (SIGNAL[:, :1], OTHER[:, :1]),
                   (SIGNAL[0], OTHER[0]), (PLANE, SECOND)) for i in range(2)),
    *((lambda a, b, i=i: ops.fft2((a, b))[i], whole((np.real, np.imag)[i], np.fft.fft2), (PLANE, SECOND))
      for i in range(2)),
    *((lambda a, b, i=i: ops.ifft2((a, b))[i], whole((np.real, np.imag)[i], np.fft.ifft2), (PLANE, SECOND))
      for i in range(2)),
    *((lambda x, n=n, i=i: ops.rfft(x, n)[i], lambda x, n=n, i=i: (np.real, np.imag)[i](np.fft.rfft(x, n)), (SIGNAL,))
      for n in (None, 7, 64) for i in range(2)),
    *((lambda a, b, n=n: ops.irfft((a, b), n), lambda a, b, n=n: np.fft.irfft(a + 1j * b, n), (SIGNAL, OTHER))
      for n in (None, 9, 10, 100)),
    *((lambda x, c=center, i=i: ops.stft(x, 8, 4, 10, center=c)[i],
       lambda x, c=center, i=i: (np.real, np.imag)[i](frames(x, 8, 4, 10, c)), (SIGNAL,))
      for center in (True, False) for i in range(2)),
    (lambda x: ops.stft(x, 8, 3, 8, "hamming")[0], lambda x: frames(x, 8, 3, 8, True, "hamming").real, (SIGNAL,)),
    (lambda x: ops.istft(ops.stft(x, 8, 2, 8), 8, 2, 8)[:, 2:-2], lambda x: x[:, 2:-2], (SIGNAL,)),
    (lambda x: ops.istft(ops.stft(x, 8, 4, 8), 8, 4, 8), lambda x: x, (SIGNAL,)),
    (lambda x: ops.istft(ops.stft(x, 6, 3, 9, None, False), 6, 3, 9, 32, None, False)[:, 6:],
     lambda x: 3 * x[:, 6:32], (SIGNAL,)),
    (lambda x: ops.extract_sequences(x, 5, 3), lambda x: np.stack([x[:, i:i + 5] for i in range(0, 36, 3)], 1),
     (SIGNAL,)),
    (lambda x: ops.rearrange(x, "b h w c -> b c h w"), lambda x: x.transpose(0, 3, 1, 2), (IMAGES,)),
    (lambda x: ops.rearrange(x, "b (h p) (w q) c->b (h w) (p q c)", p=2, q=3),
     lambda x: x.reshape(2, 2, 2, 2, 3, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 4, 18), (IMAGES,)),
    (lambda x: ops.rearrange(x, "b h ... -> (h b) 1 ..."), lambda x: x.swapaxes(0, 1).reshape(8, 1, 6, 3), (IMAGES,)),
    (lambda x: ops.rearrange(x, "b t (heads d) -> b heads t d", heads=7),
     lambda x: x.reshape(2, 6, 7, 5).swapaxes(1, 2), (PLANE,)),
]


test_as_numpy, test_gradients = beside_numpy(SMOOTH, [])


def test_sizes_that_are_not_known() -> None:
    signal, image = Input((None,)), Input((None, None, 3))
    pair = ops.stft(signal, 8, 4, 16)
    assert [t.shape for t in pair] == [(None, None, 9)] * 2
    assert ops.istft(pair, 8, 4, 16).shape == (None, None)
    patches = ops.rearrange(image, "b (h p) (w q) c -> b (h w) (p q c)", p=14, q=14)
    assert patches.shape == (None, None, 588) and ops.space_to_depth(image, 7).shape == (None, None, None, 147)
    got = Model(signal, pair)(SIGNAL)[1]
    np.testing.assert_array_equal(got, ops.stft(SIGNAL, 8, 4, 16)[1])


@pytest.mark.parametrize("n", [521, 2 * 523])
def test_a_large_prime_is_a_convolution(n: int, any_backend: str) -> None:
    """Forwards, backwards and its gradient, which is the transform of the conjugate."""
    a, b = RNG.normal(size=(2, 3, n))
    there = np.fft.fft(a + 1j * b)
    with backend.using(floatx="float64"):
        real, imaginary = Variable(a), Variable(b)
        with GradientTape() as tape:
            y = ops.fft((real, imaginary))
            loss = ops.sum(y[0] * a)
        np.testing.assert_allclose(y[0].numpy() + 1j * y[1].numpy(), there, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(ops.irfft(ops.rfft(a), n), a, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(tape.gradient(loss, real), np.fft.fft(a).real, rtol=1e-9, atol=1e-9)
    assert np.abs(ops.fft((a, b))[0].numpy() - there.real).max() < 1e-5 * np.abs(there).max()


def test_refusals() -> None:
    for call in (lambda: ops.fft((SIGNAL, OTHER[:, 1:])), lambda: ops.stft(SIGNAL, 8, 4, 4),
                 lambda: ops.stft(SIGNAL, 8, 4, 8, np.ones(7)), lambda: ops.extract_sequences(SIGNAL, 41, 1),
                 lambda: ops.fft2((SIGNAL[0], OTHER[0])), lambda: ops.split(SIGNAL, [3, 41], 1),
                 lambda: ops.rearrange(IMAGES, "b (h p) w c -> b h p w c", p=3),
                 lambda: ops.istft(ops.stft(SIGNAL, 8, 4, 8), 8, 4, 8, length=45), lambda: ops.rfft(1.0),
                 lambda: ops.rfft(SIGNAL[:, :0]),
                 lambda: ops.rearrange(IMAGES, "b h w -> b w h")):
        with pytest.raises(ShapeError):
            call()
    for call in (lambda: ops.stft(SIGNAL, 8, 1.5, 8), lambda: ops.istft((PLANE, SECOND), 8, 0, 68),
                 lambda: ops.extract_sequences(SIGNAL, 8.0, 1), lambda: ops.rfft(SIGNAL, 0)):
        with pytest.raises(ValueError, match="needs a whole number >= 1"):
            call()
    with pytest.raises(TypeError, match="pair"):
        ops.fft(SIGNAL)
    with pytest.raises(ValueError, match="'hann'"):
        ops.stft(SIGNAL, 8, 4, 8, "box")
    for pattern in ("b h w c", "b h w c -> b h w", "b h w c -> b h w c c", "b h w (c d) -> b h w c d",
                    "b h w c? -> b h w c?", "b h w c -> b h w c d", "b (... c) -> b ... c",
                    "b h) w c -> b h w c", "b ((h w)) c d -> b h w c d", "b h w c -> (b h w c"):
        with pytest.raises(ValueError, match=r"rearrange: .* needs|rearrange: .*say how long"):
            ops.rearrange(IMAGES, pattern)
    with pytest.raises(KindError, match="rearrange: h is 2"):
        ops.rearrange(IMAGES, "b (h p) w c -> b h p w c", h=2.0)
