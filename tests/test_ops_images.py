"""Ops on images and distances beside their definitions in NumPy."""

import colorsys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastnn import Input, ops
from fastnn.errors import ShapeError
from tests.formulas import beside_numpy

RNG = np.random.default_rng(8)
IMAGES, OTHERS = RNG.uniform(0.05, 0.95, (2, 6, 7, 3)), RNG.uniform(0.05, 0.95, (2, 6, 7, 3))
FIRST, PLANE = IMAGES.transpose(0, 3, 1, 2).copy(), RNG.normal(size=(5, 4))
PLACES = RNG.uniform(-7, 11, (2, 3, 6))
STEPS = RNG.normal(size=(2, 7, 3))
SHEAR = np.array([1, 0.5, -1, 0.25, 0.75, 0.5, 0, 0])


def converted(x: np.ndarray, convert: Callable[..., Any]) -> np.ndarray:
    return np.array([convert(*pixel) for pixel in x.reshape(-1, 3)]).reshape(x.shape)


def windows(x: np.ndarray, window: np.ndarray, pad: tuple[int, int]) -> np.ndarray:
    """Sums of (batch, rows, columns, channels) over windows, after a border of zeros."""
    x = np.pad(x, ((0, 0), (pad[0],) * 2, (pad[1],) * 2, (0, 0)))
    return np.einsum("bijcuv,uv->bijc", np.lib.stride_tricks.sliding_window_view(x, window.shape, (1, 2)), window)


def bell(size: int, sigma: float) -> np.ndarray:
    weights = np.exp(-((np.arange(size) - size // 2) / sigma) ** 2 / 2)
    return np.asarray(weights / weights.sum())


def edges(x: np.ndarray) -> np.ndarray:
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    down, right = x[:, 2:] - x[:, :-2], x[:, :, 2:] - x[:, :, :-2]
    return np.stack([down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:],
                     right[:, :-2] + 2 * right[:, 1:-1] + right[:, 2:]], -1)


def alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    window = np.outer(bell(5, 1.5), bell(5, 1.5))

    def mean(x: np.ndarray) -> np.ndarray:
        return windows(x, window, (0, 0))
    cov, var_a, var_b = mean(a * b) - mean(a) * mean(b), mean(a * a) - mean(a) ** 2, mean(b * b) - mean(b) ** 2
    c1, c2 = 0.02 ** 2, 0.06 ** 2
    y = (2 * mean(a) * mean(b) + c1) * (2 * cov + c2) / ((mean(a) ** 2 + mean(b) ** 2 + c1) * (var_a + var_b + c2))
    return np.asarray(y.mean((1, 2, 3)))


def looked_up(x: np.ndarray, places: np.ndarray, mode: str) -> np.ndarray:
    """Between four neighbours, in an array that is continued far enough on all sides."""
    far = 24
    kind: Any = {"nearest": "edge", "reflect": "symmetric", "mirror": "reflect"}.get(mode, mode)
    wide = np.pad(x, far, mode=kind, **({"constant_values": 2.5} if mode == "constant" else {}))
    low = np.floor(places).astype(int)
    (i, j), (s, t) = low + far, places - low
    return (1 - s) * (1 - t) * wide[i, j] + (1 - s) * t * wide[i, j + 1] + s * (1 - t) * wide[i + 1, j] + (
        s * t * wide[i + 1, j + 1])


def sheared(x: np.ndarray) -> np.ndarray:
    row, column = np.mgrid[:x.shape[1], :x.shape[2]]
    places = np.stack([0.25 * column + 0.75 * row + 0.5, column + 0.5 * row - 1])
    return np.stack([[looked_up(x[b, ..., c], places, "reflect") for c in range(3)] for b in range(len(x))]).transpose(
        0, 2, 3, 1)


def adapted(x: np.ndarray, rows: int, columns: int, reduce: Any) -> np.ndarray:
    def spans(n: int, count: int) -> list[slice]:
        return [slice(int(np.floor(i * n / count)), int(np.ceil((i + 1) * n / count))) for i in range(count)]
    return np.stack([np.stack([reduce(x[:, a, b], axis=(1, 2)) for b in spans(x.shape[2], columns)], 1)
                     for a in spans(x.shape[1], rows)], 1)


SMOOTH: list[tuple[Any, Any, tuple[Any, ...]]] = [
    (ops.image.rgb_to_hsv, lambda x: converted(x, colorsys.rgb_to_hsv), (IMAGES,)),
    (ops.image.hsv_to_rgb, lambda x: converted(x, colorsys.hsv_to_rgb), (IMAGES,)),
    (lambda x: ops.image.rgb_to_hsv(x, "channels_first"),
     lambda x: converted(x.transpose(0, 2, 3, 1), colorsys.rgb_to_hsv).transpose(0, 3, 1, 2), (FIRST,)),
    (lambda x: ops.image.gaussian_blur(x, (5, 3), (2.0, 0.7)),
     lambda x: windows(x, np.outer(bell(5, 2.0), bell(3, 0.7)), (2, 1)), (IMAGES,)),
    (lambda x: ops.image.gaussian_blur(x[0]), lambda x: windows(x, np.outer(bell(3, 1), bell(3, 1)), (1, 1))[0],
     (IMAGES,)),
    (ops.image.sobel_edges, edges, (IMAGES,)),
    (lambda x: ops.image.sobel_edges(x, "channels_first"),
     lambda x: edges(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2, 4), (FIRST,)),
    (lambda a, b: ops.image.ssim(a, b, 2.0, 5), alike, (IMAGES, OTHERS)),
    *((lambda x, p, m=mode: ops.image.map_coordinates(x, p, 1, m, 2.5), lambda x, p, m=mode: looked_up(x, p, m),
       (PLANE, PLACES)) for mode in ("constant", "nearest", "wrap", "mirror", "reflect")),
    (lambda x: ops.image.affine_transform(x, SHEAR, fill_mode="reflect"), sheared, (IMAGES,)),
    (lambda x: ops.image.affine_transform(x[0], SHEAR, fill_mode="reflect"), lambda x: sheared(x)[0], (IMAGES,)),
    *((lambda x, n=n: ops.adaptive_average_pool(x, n), lambda x, n=n: adapted(x, *n, np.mean), (IMAGES,))
      for n in ((3, 7), (4, 5), (1, 1), (8, 9))),
    (lambda x: ops.adaptive_max_pool(x, (3, 5)), lambda x: adapted(x, 3, 5, np.max), (IMAGES,)),     # 3 divides 6
    (lambda x: ops.adaptive_max_pool(x, (4, 5), "channels_first"),
     lambda x: adapted(x.transpose(0, 2, 3, 1), 4, 5, np.max).transpose(0, 3, 1, 2), (FIRST,)),
    (lambda x: ops.adaptive_max_pool(x, 3), lambda x: adapted(x[:, None], 1, 3, np.max)[:, 0], (STEPS,)),
    (ops.cdist, lambda a, b: np.linalg.norm(a[:, :, None] - b[:, None], axis=-1), (STEPS, RNG.normal(size=(2, 4, 3)))),
]
PLAIN: list[tuple[Any, Any, tuple[Any, ...]]] = [
    (lambda x: ops.image.map_coordinates(x, PLACES, 0, "nearest"),
     lambda x: x[tuple(np.clip(np.floor(PLACES + 0.5).astype(int), 0, [[[4]], [[3]]]))], (PLANE,)),
    (lambda x: ops.image.map_coordinates(x, [[0.5, 1.5]], 1), lambda x: np.array([15, 26], np.uint8),
     (np.array([10, 20, 31], np.uint8),)),
    (lambda x: ops.image.affine_transform(x, [1, 0, 1, 0, 1, -1, 0, 0], "nearest", fill_value=7.0),
     lambda x: np.pad(x, ((0, 0), (1, 0), (0, 1), (0, 0)), constant_values=7)[:, :-1, 1:], (IMAGES,)),
]


test_as_numpy, test_gradients = beside_numpy(SMOOTH, PLAIN)


def test_grey_and_black_have_no_hue() -> None:
    x = np.array([[[0, 0, 0], [0.5, 0.5, 0.5], [1, 1, 1]]], "float32")
    np.testing.assert_array_equal(ops.image.rgb_to_hsv(x), [[[0, 0, 0], [0, 0, 0.5], [0, 0, 1]]])
    np.testing.assert_array_equal(ops.image.hsv_to_rgb(ops.image.rgb_to_hsv(x)), x)


def test_of_any_size() -> None:
    x = Input((None, None, 3))
    for y, shape in ((ops.image.gaussian_blur(x), (None, None, None, 3)), (ops.image.ssim(x, x), (None,)),
                     (ops.image.sobel_edges(x), (None, None, None, 3, 2)),
                     (ops.adaptive_max_pool(x, (3, 4)), (None, 3, 4, 3)), (ops.image.rgb_to_hsv(x), x.shape)):
        assert y.shape == shape


def test_refusals() -> None:
    for call in (lambda: ops.image.rgb_to_hsv(IMAGES[..., :2]), lambda: ops.image.ssim(IMAGES, OTHERS),
                 lambda: ops.image.ssim(IMAGES, OTHERS[:1], filter_size=3), lambda: ops.cdist(PLANE, PLANE[0]),
                 lambda: ops.image.map_coordinates(PLANE, PLACES[:1], 1), lambda: ops.adaptive_max_pool(IMAGES, 0),
                 lambda: ops.image.affine_transform(IMAGES, SHEAR[:6]), lambda: ops.cdist(PLANE, PLANE[:, 1:])):
        with pytest.raises(ShapeError):
            call()
    for call, words in ((lambda: ops.image.rgb_to_hsv((IMAGES * 255).astype("uint8")), "divide by 255"),
                        (lambda: ops.image.map_coordinates(PLANE, PLACES, 3), "order is 3"),
                        (lambda: ops.image.map_coordinates(PLANE, PLACES, 1, "far"), "'far'"),
                        (lambda: ops.image.affine_transform(IMAGES, SHEAR, "cubic"), "'cubic'"),
                        (lambda: ops.image.affine_transform(IMAGES, SHEAR + 0.1), "perspective"),
                        (lambda: ops.image.ssim(IMAGES, IMAGES, 0.0, 5), "max_val is 0"),
                        (lambda: ops.image.ssim(IMAGES, IMAGES, 1.0, 5, 0.0), "filter_sigma is 0"),
                        (lambda: ops.image.gaussian_blur(IMAGES, (3, 3), (0.0, 1.0)), "above 0")):
        with pytest.raises(ValueError, match=words):
            call()
