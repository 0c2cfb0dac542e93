"""Numbers whose squares no float32 can hold, from 2e19 on, or whose squares are 0: what is normalized does not depend
on the scale, nor do the gradients, and lengths are finite."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import constraints, layers, losses, ops, optimizers

RNG = np.random.default_rng(12)
X = RNG.normal(size=(6, 5, 8)).astype(np.float32)
DY = RNG.normal(size=X.shape).astype(np.float32)
SCALES = [2.0 ** 66, 2.0 ** 100, 2.0 ** 125]       # 7e19, 1e30, 4e37
LAYERS: dict[str, Callable[[], Any]] = {
    "layer": lambda: layers.LayerNormalization(epsilon=1e-9), "batch": lambda: layers.BatchNormalization(epsilon=1e-9),
    "group": lambda: layers.GroupNormalization(2, epsilon=1e-9), "unit": layers.UnitNormalization,
    "instance": lambda: layers.GroupNormalization(-1, epsilon=1e-9),
    "rms": lambda: layers.RMSNormalization(epsilon=1e-12)}


def passed(make: Callable[[], Any], x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """What a layer makes of x in training, and the gradients of x and of the weights."""
    layer = make()
    given = fastnn.Variable(x)
    layer.build(x.shape)
    for weight in layer.trainable_variables:
        weight.assign(np.linspace(0.5, 1.5, weight.data.size).reshape(weight.shape))
    with fastnn.GradientTape() as tape:
        y = layer(given, training=True)
        total = ops.sum(y * DY)
    return y.numpy(), [g.numpy() for g in tape.gradient(total, [given, *layer.trainable_variables])]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("scale", SCALES)
def test_normalization_does_not_depend_on_the_scale(name: str, scale: float, any_backend: str) -> None:
    y, (dx, *weights) = passed(LAYERS[name], X)
    large, (large_dx, *large_weights) = passed(LAYERS[name], X * np.float32(scale))
    np.testing.assert_allclose(large, y, rtol=1e-4, atol=1e-5)
    for a, b in zip(large_weights, weights):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    if scale < 2.0 ** 110:      # beyond, gradients are below what a float32 is
        np.testing.assert_allclose(large_dx.astype(float) * scale, dx, rtol=1e-3, atol=1e-4)
    assert np.isfinite(large_dx).all()


@pytest.mark.parametrize("scale", [1e-25, 1e-10, 1.0, *SCALES[:2], 2.0 ** 120])
def test_lengths_and_deviations_of_any_size(scale: float, any_backend: str) -> None:
    x = X * np.float32(scale)
    exact = x.astype(float)
    for axis in (-1, 0, (0, 2), None):
        for got, want in ((ops.norm(x, axis=axis) if axis != (0, 2) else None, np.sqrt((exact ** 2).sum(axis=axis))),
                          (ops.std(x, axis=axis), exact.std(axis=axis))):
            if got is not None:
                np.testing.assert_allclose(got.numpy(), want, rtol=1e-5)
    unit = ops.normalize(x, axis=-1, epsilon=1e-37).numpy()
    np.testing.assert_allclose(unit, exact / np.sqrt((exact ** 2).sum(axis=-1, keepdims=True)), rtol=1e-5)


@pytest.mark.parametrize("scale", SCALES[:2])
def test_what_divides_by_a_length_does_not_depend_on_the_scale(scale: float, any_backend: str) -> None:
    """Constraints and the cosine loss, whose gradient falls as the scale grows."""
    w, t, large = X[0], X[1], X[0] * np.float32(scale)
    for constraint in (constraints.MaxNorm(0.5), constraints.UnitNorm(), constraints.MinMaxNorm(0.1, 0.5)):
        np.testing.assert_allclose(constraint(large).numpy(), constraint(w).numpy(), rtol=1e-5, atol=1e-6)
    found = []
    for x in (fastnn.Variable(w), fastnn.Variable(large)):
        with fastnn.GradientTape() as tape:
            total = ops.sum(losses.cosine_similarity(t, x))
        found.append((total.numpy(), tape.gradient(total, x).numpy().astype(float)))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-5)
    np.testing.assert_allclose(found[1][1] * scale, found[0][1], rtol=1e-4, atol=1e-5)


def test_muon_takes_the_direction_of_a_gradient_of_any_size(any_backend: str) -> None:
    steps = []
    for scale in (1.0, SCALES[1]):
        w = fastnn.Variable(np.zeros((5, 8), np.float32))
        optimizers.Muon().apply([ops.convert_to_tensor(X[0] * np.float32(scale))], [w])
        steps.append(w.numpy())
    np.testing.assert_allclose(steps[1], steps[0], rtol=1e-3, atol=1e-6)
    assert abs(steps[0]).max() > 0


def test_the_moving_variance_stays_finite(any_backend: str) -> None:
    model = fastnn.Sequential([fastnn.Input((8,)), layers.BatchNormalization(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X.reshape(30, 8) * 1e25, np.zeros(30), batch_size=10, epochs=3, verbose=0)
    normalization = model.layers[-2]
    variance = normalization.moving_variance.numpy()
    assert np.isfinite(variance).all() and (variance > 1e36).all()
    assert np.isfinite(model.predict(X.reshape(30, 8) * 1e25, verbose=0)).all()


def test_one_column_of_large_numbers_leaves_the_others_as_they_are() -> None:
    x = X.reshape(30, 8).copy()
    plain = layers.BatchNormalization()(x, training=True).numpy()
    x[:, 3] *= np.float32(2.0 ** 70)
    mixed = layers.BatchNormalization()(x, training=True).numpy()
    np.testing.assert_allclose(np.delete(mixed, 3, axis=1), np.delete(plain, 3, axis=1), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(mixed[:, 3], plain[:, 3], rtol=1e-2)      # of which epsilon is a part


def test_infinite_numbers_stay_what_they_were() -> None:
    x = X.reshape(30, 8).copy()
    x[2, 5] = np.inf
    y = layers.LayerNormalization()(x).numpy()
    assert np.isnan(y[2]).all() and np.isfinite(np.delete(y, 2, axis=0)).all()
    assert ops.norm(x, axis=1).numpy()[2] == np.inf
