"""Kernels that no longer read like their formulas, beside the formulas in plain loops of Python floats."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.ops import OPS

RNG = np.random.default_rng(5)
Row = Sequence[float]


def softmax(x: Row) -> list[float]:
    exponentials = [math.exp(value - max(x)) for value in x]
    return [e / sum(exponentials) for e in exponentials]


def softmax_crossentropy(t: Row, x: Row) -> float:
    return -sum(ti * math.log(pi) for ti, pi in zip(t, softmax(x)))


def softmax_crossentropy_grad(dy: float, t: Row, x: Row) -> list[float]:
    return [dy * (pi * sum(t) - ti) for ti, pi in zip(t, softmax(x))]


def categorical_crossentropy(t: Row, p: Row) -> float:
    return -sum(ti * math.log(pi / sum(p)) for ti, pi in zip(t, p))


def layer_norm(x: Row, gamma: Row, beta: Row) -> list[float]:
    mean = sum(x) / len(x)
    variance = sum((value - mean) ** 2 for value in x) / len(x)
    return [g * (value - mean) / math.sqrt(variance + 1e-3) + b for value, g, b in zip(x, gamma, beta)]


def slopes(f: Callable[[list[float]], float], x: Row, step: float = 1e-6) -> list[float]:
    """df/dx by differences."""
    def moved(i: int, by: float) -> list[float]:
        return [value + by * (j == i) for j, value in enumerate(x)]
    return [(f(moved(i, step)) - f(moved(i, -step))) / (2 * step) for i in range(len(x))]


def f32(*shape: int, low: float = -2.0, high: float = 2.0) -> Any:
    return RNG.uniform(low, high, shape).astype(np.float32)


@pytest.mark.parametrize("n", [1, 3, 10, 33])
def test_softmax_and_crossentropy(n: int, any_backend: str) -> None:
    t, x, dy = f32(20, n, low=0), f32(20, n, low=-9, high=9), f32(20)
    loss, p = (a.data for a in OPS["softmax_crossentropy"](t, x, smoothing=0.0))
    dx = OPS["softmax_crossentropy_grad"](dy, t, p, smoothing=0.0).data
    for r in range(20):
        row = t[r].tolist(), x[r].tolist()
        assert loss[r] == pytest.approx(softmax_crossentropy(*row), rel=1e-5, abs=1e-5)
        assert p[r].tolist() == pytest.approx(softmax(row[1]), rel=1e-5)
        assert dx[r].tolist() == pytest.approx(softmax_crossentropy_grad(float(dy[r]), *row), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("n", [2, 10, 33])
def test_crossentropy_of_probabilities(n: int, any_backend: str) -> None:
    t, p, dy = f32(20, n, low=0), f32(20, n, low=0.1), f32(20)
    loss = OPS["categorical_crossentropy"](t, p, smoothing=0.0).data
    dx = OPS["categorical_crossentropy_grad"](dy, t, p, smoothing=0.0).data
    for r in range(20):
        given, row = t[r].tolist(), p[r].tolist()
        assert loss[r] == pytest.approx(categorical_crossentropy(given, row), rel=1e-5, abs=1e-5)
        expected = [dy[r] * s for s in slopes(lambda q, given=given: categorical_crossentropy(given, q), row)]
        assert dx[r].tolist() == pytest.approx(expected, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("n", [1, 5, 20])
def test_layer_norm_and_its_gradients(n: int, any_backend: str) -> None:
    x, gamma, beta, dy = f32(9, n), f32(n), f32(n), f32(9, n)
    y, mean, rstd = (a.data for a in OPS["layer_norm"](x, gamma, beta, epsilon=1e-3))
    dx, dgamma, dbeta = (a.data for a in OPS["layer_norm_grad"](dy, x, gamma, mean, rstd))
    wide = [a.astype(float).tolist() for a in (x, gamma, beta, dy)]

    def total(x: Sequence[Row], gamma: Row, beta: Row, dy: Sequence[Row] = wide[3]) -> float:
        return sum(d * v for row, ds in zip(x, dy) for d, v in zip(ds, layer_norm(row, gamma, beta)))

    for r in range(9):
        assert y[r].tolist() == pytest.approx(layer_norm(wide[0][r], wide[1], wide[2]), rel=1e-4, abs=1e-5)
        expected = slopes(lambda row, r=r: total([row], wide[1], wide[2], [wide[3][r]]), wide[0][r])
        assert dx[r].tolist() == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert dgamma.tolist() == pytest.approx(slopes(lambda g: total(wide[0], g, wide[2]), wide[1]), rel=1e-3, abs=1e-4)
    assert dbeta.tolist() == pytest.approx(slopes(lambda b: total(wide[0], wide[1], b), wide[2]), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("c", [1, 5, 20])
def test_batch_norm_and_its_gradients(c: int, any_backend: str) -> None:
    """A channel's numbers over the batch are normalized as layer_norm's are over a row, with one gamma and one beta."""
    x, gamma, beta, dy, none = f32(9, c), f32(c), f32(c), f32(9, c), np.zeros(0, np.float32)
    y, mean, variance = (a.data for a in OPS["batch_norm"](x, gamma, beta, none, none, epsilon=1e-3))
    dx, dgamma, dbeta = (a.data for a in OPS["batch_norm_grad"](dy, x, gamma, mean, variance, epsilon=1e-3))
    for k in range(c):
        column, g, b, d = (a.astype(float) for a in (x[:, k], gamma[k], beta[k], dy[:, k]))

        def total(row: Row, g: float = float(g), b: float = float(b), d: Any = d) -> float:
            return sum(di * v for di, v in zip(d, layer_norm(row, [g] * 9, [b] * 9)))

        row = column.tolist()
        assert y[:, k].tolist() == pytest.approx(layer_norm(row, [float(g)] * 9, [float(b)] * 9), rel=1e-4, abs=1e-5)
        assert dx[:, k].tolist() == pytest.approx(slopes(total, row), rel=1e-3, abs=1e-4)
        assert dgamma[k] == pytest.approx((total(row, g + 1e-6) - total(row, g - 1e-6)) / 2e-6, rel=1e-3, abs=1e-4)
        assert dbeta[k] == pytest.approx(sum(d), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_group_norm(groups: int, any_backend: str) -> None:
    """The channels of a group, at all places of a sample, are normalized together."""
    x, gamma, beta = f32(3, 4, 6), f32(6), f32(6)
    y = OPS["group_norm"](x, gamma, beta, groups=groups, epsilon=1e-3)[0].data
    wide, each = 6 // groups, x.astype(float)
    for sample in range(3):
        for first in range(0, 6, wide):
            channels = range(first, first + wide)
            row = [each[sample, place, k] for place in range(4) for k in channels]
            scales = [[float(a[k]) for _ in range(4) for k in channels] for a in (gamma, beta)]
            assert y[sample, :, first:first + wide].ravel().tolist() == pytest.approx(
                layer_norm(row, *scales), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("n", [1, 3, 33])
def test_crossentropy_of_labels(n: int, any_backend: str) -> None:
    """That of the one-hot row; a label that is ignored costs nothing and moves nothing."""
    labels, x, dy = RNG.integers(0, n, 20).astype(np.int32), f32(20, n, low=-9, high=9), f32(20)
    labels[3] = -1
    loss, p, _ = (a.data for a in OPS["sparse_softmax_crossentropy"](labels, x, ignore=-1))
    dx = OPS["sparse_softmax_crossentropy_grad"](dy, labels, p, ignore=-1).data
    for r, label in enumerate(labels.tolist()):
        t, row = [float(k == label) for k in range(n)], x[r].tolist()
        assert loss[r] == pytest.approx(0 if label < 0 else softmax_crossentropy(t, row), rel=1e-5, abs=1e-5)
        expected = [0.0] * n if label < 0 else softmax_crossentropy_grad(float(dy[r]), t, row)
        assert dx[r].tolist() == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_confusion_counts(any_backend: str) -> None:
    """Of each sample and column: how many thresholds it exceeds, and its share of a positive."""
    y, p, w = f32(30, 2, low=0, high=1), f32(30, 2, low=0, high=1), f32(30, 2, low=0)
    thresholds = [0.2, 0.5, 0.7]
    counts = np.zeros((2, 4, 2))
    for t, x, weight in zip(y.tolist(), p.tolist(), w.tolist()):
        for k in range(2):
            level = sum(x[k] > threshold for threshold in np.float32(thresholds).tolist())
            counts[1][level][k] += weight[k] * t[k]
            counts[0][level][k] += weight[k] * (1 - t[k])
    got = OPS["confusion_step"](np.zeros((2, 4, 2)), y, p, w, np.array(thresholds, np.float32)).data
    np.testing.assert_allclose(got, counts, rtol=1e-9)
