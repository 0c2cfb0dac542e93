"""The rest of NumPy's functions, and blocks of images, beside their formulas: numbers, gradients, refusals."""

from typing import Any

import numpy as np
import pytest

from fastnn import GradientTape, Input, Variable, ops
from tests.formulas import beside_numpy

RNG = np.random.default_rng(9)
X, Y, POSITIVE, ROW = (RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4)), RNG.uniform(0.5, 2, (3, 4)),
                       RNG.normal(size=5))
HOLES = np.where(RNG.uniform(size=(4, 5)) < 0.3, np.nan, RNG.normal(size=(4, 5)))
HOLES[1] = np.nan
HOLES[0, 0] = 1.5
SOME = HOLES[[0, 2]]
CUBE, IMAGES = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 4, 6, 8))
LARGE = np.array([[16777217, 16777216, 3], [16777218, 16777219, 16777219]], np.int32)     # more than float32 holds
WHOLE, PLACES = np.array([[7, -8, 3], [-5, 9, 2]]), np.array([0, 5, 11])
METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def unfolded(x: np.ndarray, k: int, stride: int, padding: int) -> np.ndarray:
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    blocks = [x[:, :, i:i + k, j:j + k].reshape(len(x), -1) for i in range(0, x.shape[2] - k + 1, stride)
              for j in range(0, x.shape[3] - k + 1, stride)]
    return np.stack(blocks, -1)


def windows(x: np.ndarray) -> np.ndarray:
    return np.stack([np.stack([x[:, i:i + 2, j:j + 3].reshape(2, -1) for j in (0, 3)], 1) for i in (0, 2)], 1)


def spread(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Stride 2, window 3, valid: every input times the kernel, added where it belongs."""
    y = np.zeros((*x.shape[:1], 2 * x.shape[1] + 1, w.shape[1]))
    for i in range(x.shape[1]):
        for k in range(3):
            y[:, 2 * i + k] += x[:, i] @ w[k].T
    return y


def deep(x: np.ndarray) -> np.ndarray:
    n, h, w, c = x.shape
    return x.reshape(n, h, w, 2, 2, c // 4).transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h, 2 * w, c // 4)


SMOOTH: list[tuple[Any, Any, tuple[Any, ...]]] = [
    *((getattr(ops, name), getattr(np, name), (X, Y)) for name in ("fmax", "fmin", "logaddexp2")),
    *((getattr(ops, name), getattr(np, name), (X,)) for name in ("fabs", "sinc", "i0", "flipud", "fliplr")),
    (ops.i0, np.i0, (6 * X,)), (ops.fmod, np.fmod, (4 * X, POSITIVE)), (ops.ldexp, lambda x, n: x * 2.0 ** n, (X, 3)),
    *((lambda x, n=name, a=axis: getattr(ops, n)(x, a), lambda x, n=name, a=axis: getattr(np, n)(x, a), (SOME,))
      for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nancumsum", "nancumprod")
      for axis in (None, 1)),
    *((lambda x, m=method, a=axis: ops.quantile(x, (0.0, 0.3, 1.0), a, m),
       lambda x, m=method, a=axis: np.quantile(x, (0.0, 0.3, 1.0), a, method=m), (CUBE,))
      for method in METHODS for axis in (None, 1, (0, 2))),
    (lambda x: ops.quantile(x, 0.4, 1, keepdims=True), lambda x: np.quantile(x, 0.4, 1, keepdims=True), (CUBE,)),
    (lambda x: ops.percentile(x, 35, 0), lambda x: np.percentile(x, 35, 0), (X,)),
    (lambda x: ops.median(x, (0, 1), True), lambda x: np.median(x, (0, 1), keepdims=True), (CUBE,)),
    (lambda x: ops.nancumsum(x, (1,)), lambda x: np.nancumsum(x, 1), (SOME,)),
    (lambda x: ops.nanmedian(x, 1), lambda x: np.nanmedian(x, 1), (SOME,)),
    (lambda x: ops.nanpercentile(x, [20, 70], 0), lambda x: np.nanpercentile(x, [20, 70], 0), (HOLES[[0, 2, 3]],)),
    *((lambda x, y, m=mode: ops.correlate(x, y, m), lambda x, y, m=mode: np.correlate(x, y, m), (a, b))
      for mode in ("valid", "same", "full") for a, b in ((ROW, ROW[:2]), (ROW, ROW[:3]), (ROW[:2], ROW), (X[0], ROW))),
    (ops.corrcoef, np.corrcoef, (X,)), (ops.trapezoid, np.trapezoid, (X,)),
    (lambda y, x: ops.trapezoid(y, x), lambda y, x: np.trapezoid(y, x), (X, np.array([0.0, 0.5, 2.0, 3.0]))),
    (lambda y, x: ops.trapezoid(y, x, axis=0), lambda y, x: np.trapezoid(y, x, axis=0), (X, Y)),
    (lambda x: ops.vander(x, 4), lambda x: np.vander(x, 4), (ROW,)),
    (lambda x: ops.vander(x, increasing=True), lambda x: np.vander(x, increasing=True), (ROW,)),
    (lambda a, b: ops.geomspace(a, b, 4, axis=1), lambda a, b: np.geomspace(a, b, 4, axis=1), (POSITIVE, POSITIVE + 1)),
    (lambda x: ops.get_item(x, (slice(None), None, 1)), lambda x: x[:, None, 1], (X,)),
    (lambda x, y: ops.dstack([x, y]), lambda x, y: np.dstack([x, y]), (X, Y)),
    (lambda x: ops.dstack([x, x]), lambda x: np.dstack([x, x]), (ROW,)),
    (lambda x: ops.vsplit(x, [1])[1], lambda x: np.vsplit(x, [1])[1], (X,)),
    (lambda x: ops.hsplit(x, 2)[1], lambda x: np.hsplit(x, 2)[1], (X,)),
    (lambda x: ops.dsplit(x, 2)[1], lambda x: np.dsplit(x, 2)[1], (CUBE,)),
    *((lambda x, k=k, s=s, p=p: ops.unfold(x, k, 1, p, s), lambda x, k=k, s=s, p=p: unfolded(x, k, s, p), (IMAGES,))
      for k, s, p in ((2, 1, 0), (3, 2, 1))),
    (lambda x: ops.fold(ops.unfold(x, 3, 1, 1, 1), (6, 8), 3, 1, 1, 1) / ops.fold(
        ops.unfold(np.ones((1, 4, 6, 8)), 3, 1, 1, 1), (6, 8), 3, 1, 1, 1), lambda x: x, (IMAGES,)),
    (lambda x: ops.image.extract_patches(x, (2, 3)), windows, (IMAGES,)),
    (lambda x: ops.depth_to_space(x, 2), deep, (IMAGES,)),
    (lambda x: ops.space_to_depth(ops.depth_to_space(x, 2), 2), lambda x: x, (IMAGES,)),
    (lambda x: ops.space_to_depth(ops.depth_to_space(x, 2, "channels_first"), 2, "channels_first"), lambda x: x,
     (IMAGES,)),
    (lambda x, w: ops.conv_transpose(x, w, 2), spread, (RNG.normal(size=(2, 4, 3)), RNG.normal(size=(3, 5, 3)))),
    (lambda x, y: ops.psnr(x, y, 2.0), lambda x, y: 10 * np.log10(4 / np.mean((x - y) ** 2)), (X, Y)),
    (lambda x: ops.histogram(x, 3)[1], lambda x: np.histogram(x, 3)[1], (ROW,)),
]
PLAIN: list[tuple[Any, Any, tuple[Any, ...]]] = [
    *((getattr(ops, name), getattr(np, name), (np.array([1.0, -0.0, 0.0, np.nan, np.inf, -np.inf, -2.0]),))
      for name in ("isposinf", "isneginf", "isreal", "real", "conj", "imag", "angle")),
    (ops.signbit, np.signbit, (np.array([1.0, -0.0, 0.0, np.inf, -np.inf, -2.0]),)),
    (ops.signbit, np.signbit, (WHOLE,)),
    (ops.fmod, np.fmod, (WHOLE, np.array([3, -4, 5]))), (ops.fmax, np.fmax, (HOLES, HOLES[::-1].copy())),
    (ops.heaviside, np.heaviside, (np.array([-1.0, 0.0, 2.0]), 0.5)), (ops.isin, np.isin, (WHOLE, np.array([3, 9, 4]))),
    (lambda x: ops.isin(x, [3, 2], invert=True), lambda x: np.isin(x, [3, 2], invert=True), (WHOLE,)),
    *((lambda x, n=name, a=axis: getattr(ops, n)(x, a), lambda x, n=name, a=axis: getattr(np, n)(x, a), (HOLES,))
      for name in ("nanargmax", "nanargmin") for axis in (0,)),
    (lambda x: ops.nanargmax(x, 1)[1], lambda x: np.asarray(-1), (HOLES,)),
    (lambda x: ops.nanmax(x, 1)[1], lambda x: np.asarray(np.nan), (HOLES,)),
    (lambda x: ops.nanmedian(x, 1)[1], lambda x: np.asarray(np.nan), (HOLES,)),
    (lambda x: ops.median(x, ()), lambda x: x, (np.array([np.inf, 1.0, -np.inf]),)),
    (lambda x: ops.nansum(x), lambda x: np.nansum(x), (WHOLE,)),
    *((lambda n=name: getattr(ops, n)(7), lambda n=name: getattr(np, n)(7), ()) for name in (
        "bartlett", "blackman", "hamming", "hanning")), (lambda: ops.kaiser(7, 5.0), lambda: np.kaiser(7, 5.0), ()),
    *((lambda x, b=bins, r=limits: ops.histogram(x, b, r)[0],
       lambda x, b=bins, r=limits: np.histogram(x, b, r)[0], (X,))
      for bins, limits in ((4, None), (3, (-1, 1)), (2, (0, 0)))),
    *((lambda x, i=i: ops.unravel_index(x, (3, 4))[i], lambda x, i=i: np.unravel_index(x, (3, 4))[i], (PLACES,))
      for i in range(2)),
    (lambda x: ops.take_along_axis(x, ops.argpartition(x, 1), -1)[:, 1], lambda x: np.sort(x)[:, 1], (X,)),
]


def test_whole_numbers_keep_all_their_digits() -> None:
    """Results in whole numbers are not computed in floats, of 24 bits."""
    base, exponent = RNG.integers(-7, 8, 40), RNG.integers(0, 20, 40)
    for dtype in ("int32", "int64"):
        a, b = base.astype(dtype), exponent.astype(dtype)
        pairs = [(ops.power(a, b), a ** b), (ops.power(3, b), 3 ** b), *((ops.power(a, n), a ** n) for n in range(12))]
        for got, want in pairs:
            assert got.dtype == dtype
            np.testing.assert_array_equal(got.numpy(), want)
    np.testing.assert_array_equal(ops.power(np.array([0, 1, -1, -1]), np.array([64, 99, 101, 10 ** 6])), [0, 1, -1, 1])
    np.testing.assert_array_equal(ops.power(np.array([2, 1, -1]), np.array([-1, -2, -3])), [0, 1, -1])
    for axis in (None, 0, 1):
        np.testing.assert_array_equal(ops.argmax(LARGE, axis), LARGE.argmax(axis))
        np.testing.assert_array_equal(ops.argmin(LARGE, axis, True), LARGE.argmin(axis, keepdims=True))
    np.testing.assert_array_equal(ops.digitize(LARGE, [16777217]), np.digitize(LARGE, [16777217]))
    row = LARGE[1]
    for by, found, none in ((ops.segment_max, [16777219, 16777219], -2 ** 31),
                            (ops.segment_min, [16777218, 16777219], 2 ** 31 - 1)):
        np.testing.assert_array_equal(by(row, [0, 0, 1], 3), [*found, none])
    np.testing.assert_array_equal(ops.scatter_update(row, [[0]], [5], "max"), row)
    np.testing.assert_array_equal(ops.scatter_update(row, [[0]], [5], "min"), [5, *row[1:]])


test_as_numpy, test_gradients = beside_numpy(SMOOTH, PLAIN)


def test_casts_of_arrays_are_those_of_tensors() -> None:
    x = np.array([3e9, -3e9, np.nan, np.inf, 300, -1.5, 0], np.float32)
    for dtype in ("int32", "int64", "uint8", "bool"):
        got = ops.cast(x, dtype)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got.numpy(), ops.cast(ops.convert_to_tensor(x), dtype).numpy())
    assert int(ops.cast(16777217.0, "int32")) == 16777217       # more digits than a tensor of float32 has


def test_logarithms_of_sums_of_equal_numbers() -> None:
    """At a tie both have half of the gradient; two infinities are one."""
    a = np.array([0, 2, -np.inf, np.inf, -np.inf, 1e30], np.float32)
    b = np.array([0, 2, -np.inf, np.inf, 3, -1e30], np.float32)
    x, y = Variable(a), Variable(b)
    with GradientTape() as tape:
        found = ops.logaddexp(x, y)
    np.testing.assert_allclose(found.numpy(), np.logaddexp(a, b), rtol=1e-6)
    dx, dy = tape.gradient(found, [x, y])
    np.testing.assert_array_equal([dx, dy], [[0.5, 0.5, 0.5, 0.5, 0, 1], [0.5, 0.5, 0.5, 0.5, 1, 0]])


def test_sizes_of_transposed_windows() -> None:
    """What the layer makes of the same numbers, for each padding, stride and output_padding, sequences and images."""
    from fastnn import layers
    for padding, strides, more, spread in (("valid", 1, None, 1), ("same", 2, None, 1), ("same", (2, 3), 1, 1),
                                           ("valid", 3, (0, 2), 1), ("valid", 1, None, 2)):
        x, w = RNG.normal(size=(2, 4, 5, 3)).astype("float32"), RNG.normal(size=(3, 2, 4, 3)).astype("float32")
        layer = layers.Conv2DTranspose(4, (3, 2), strides, padding, output_padding=more, dilation_rate=spread,
                                       use_bias=False)
        layer.build(x.shape)
        layer.set_weights([w])
        got = ops.conv_transpose(x, w, strides, padding, more, dilation_rate=spread)
        np.testing.assert_array_equal(got.numpy(), layer(x).numpy())
    assert ops.conv_transpose(Input((None, None, 3)), w, 2, "same").shape == (None, None, None, 4)


def test_refusals() -> None:
    for wrong, words in ((lambda: ops.quantile(X, 1.5), "0 to 1"),
                         (lambda: ops.quantile(X, 0.5, method="cubic"), "method"),
                         (lambda: ops.median(np.zeros((3, 0)), 1), "at least one"),
                         (lambda: ops.correlate(X, X), "vectors"),
                         (lambda: ops.histogram(X, 0), "bins"), (lambda: ops.argpartition(X, 4), "kth"),
                         (lambda: ops.image.extract_patches(IMAGES, (2, 3, 4)), "for 2 axes"),
                         (lambda: ops.unfold(X, 2), "unfold"),
                         (lambda: ops.fold(CUBE, 4, 2), "fold"), (lambda: ops.depth_to_space(IMAGES, 3), "block_size"),
                         (lambda: ops.space_to_depth(IMAGES, 4), "block_size"), (lambda: ops.psnr(X, ROW, 1), "psnr"),
                         (lambda: ops.conv_transpose(CUBE, np.ones((3, 2, 4)), padding="full"), "padding")):
        with pytest.raises(ValueError, match=words):
            wrong()
