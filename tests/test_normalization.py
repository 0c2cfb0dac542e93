"""Normalization layers: which statistics when, that large means do no harm, what is refused."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.engine import threads
from fastnn.errors import ShapeError
from tests.errors import assert_good_error
from tests.formulas import check_gradients

X = np.random.default_rng(1).normal(3, 2, (60, 4)).astype(np.float32)
Y = X[:, :1] - X[:, 1:2]


def _model(**arguments: Any) -> Any:
    fastnn.random.set_seed(7)
    model = fastnn.Sequential([fastnn.Input((4,)), layers.Dense(6), layers.BatchNormalization(**arguments),
                               layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    return model


def test_training_uses_the_batch_and_moves_the_averages(any_backend: str) -> None:
    layer = layers.BatchNormalization(momentum=0.9)
    y = np.asarray(layer(X, training=True))
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=0), 1, atol=1e-3)
    _, _, mean, variance = layer.get_weights()
    np.testing.assert_allclose(mean, 0.1 * X.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(variance, 0.9 + 0.1 * X.var(axis=0), rtol=1e-5)      # the biased one
    y = np.asarray(layer(X))
    np.testing.assert_allclose(y, (X - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)


def test_weights_are_in_keras_order() -> None:
    layer = layers.BatchNormalization()
    layer(X[:, :3])
    assert [v.name.split("/")[1] for v in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert len(layer.trainable_weights) == len(layer.non_trainable_weights) == 2
    assert layer.count_params() == 12


def test_fit_moves_the_averages_and_evaluate_uses_them(any_backend: str) -> None:
    model = _model(momentum=0.5)
    before = model.layers[1].get_weights()
    model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
    after = model.layers[1].get_weights()
    assert all((a != b).any() for a, b in zip(before, after))
    loss = model.evaluate(X, Y, verbose=0)
    assert loss == pytest.approx(float(np.mean((model.predict(X, verbose=0) - Y) ** 2)), rel=1e-5)
    assert loss == pytest.approx(model.evaluate(X, Y, batch_size=7, verbose=0), rel=1e-5)
    for a, b in zip(after, model.layers[1].get_weights()):
        np.testing.assert_array_equal(a, b)


def test_a_frozen_layer_stays_as_it_is(any_backend: str) -> None:
    model = _model()
    model.layers[1].trainable = False
    model.compile(optimizer="adam", loss="mse")
    before = model.layers[1].get_weights()
    model.fit(X, Y, epochs=1, verbose=0)
    for a, b in zip(before, model.layers[1].get_weights()):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(np.asarray(model.layers[1](X[:, :1].repeat(6, 1), training=True)),
                                  np.asarray(model.layers[1](X[:, :1].repeat(6, 1), training=False)))


def test_replayed_steps_are_the_eager_ones(any_backend: str) -> None:
    results = []
    for eager in (False, True):
        model = _model()
        model.compile(optimizer="adam", loss="mse", run_eagerly=eager)
        model.fit(X, Y, batch_size=16, epochs=3, verbose=0, shuffle=False)
        results.append(b"".join(w.tobytes() for w in model.get_weights()))
    assert results[0] == results[1]


def test_summary_counts_what_is_not_trained() -> None:
    lines: list[str] = []
    _model().summary(print_fn=lines.append)
    assert "Non-trainable params: 12 (" in "\n".join(lines) and "Total params: 61 (" in "\n".join(lines)


def test_renormalized_training_uses_moving_statistics(any_backend: str) -> None:
    """Σ of the formula: with r and d not clipped, training normalizes as renorm_mean and renorm_stddev say."""
    layer = layers.BatchNormalization(renorm=True, renorm_momentum=0.75, momentum=0.5, moving_mean_initializer="ones",
                                      moving_variance_initializer=fastnn.initializers.Constant(4.0))
    y = np.asarray(layer(X, training=True))
    np.testing.assert_allclose(y, (X - 1) / 2, rtol=1e-4, atol=1e-5)
    names = {v.name.partition("/")[2]: v.numpy() for v in layer.non_trainable_weights}
    deviation = np.sqrt(X.var(axis=0) + 1e-3)
    assert list(names) == ["moving_mean", "moving_variance", "moving_stddev", "renorm_mean", "renorm_stddev"]
    np.testing.assert_allclose(names["renorm_mean"], 0.75 + 0.25 * X.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(names["renorm_stddev"], 1.5 + 0.25 * deviation, rtol=1e-5)
    np.testing.assert_allclose(names["moving_stddev"], 1 + 0.5 * deviation, rtol=1e-5)
    np.testing.assert_allclose(names["moving_variance"], names["moving_stddev"] ** 2 - 1e-3, rtol=1e-5)
    np.testing.assert_allclose(
        layer(X), (X - names["moving_mean"]) / np.sqrt(names["moving_variance"] + 1e-3), rtol=1e-4, atol=1e-5)


def test_renormalized_steps_that_a_mask_leaves_out_do_not_count() -> None:
    x = X.reshape(15, 4, 4)
    mask = np.arange(4) < np.arange(1, 16)[:, None] % 5
    some, kept = (layers.BatchNormalization(renorm=True, renorm_momentum=0.5) for _ in range(2))
    y = np.asarray(some(x, mask=mask, training=True))[mask]
    np.testing.assert_allclose(y, kept(x[mask], training=True), rtol=1e-4, atol=1e-5)
    for a, b in zip(some.get_weights(), kept.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_gradients_of_a_renormalized_batch() -> None:
    """r and d are constants of the step: no gradient goes through them."""
    x = X[:7].astype(np.float64)
    deviation = np.sqrt(x.var(axis=0) + 1e-3)
    r, d = np.clip(deviation / 1.25, 0.5, 1.5), np.clip((x.mean(axis=0) - 1) / 1.25, -0.5, 0.5)

    def theirs(x: Any, gamma: Any, beta: Any) -> Any:
        return gamma * (r * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3) + d) + beta

    def ours(x: Any, gamma: Any, beta: Any) -> Any:
        layer = layers.BatchNormalization(
            renorm=True, renorm_clipping={"rmin": 0.5, "rmax": 1.5, "dmax": 0.5}, moving_mean_initializer="ones",
            moving_variance_initializer=fastnn.initializers.Constant(1.25 ** 2))
        layer.build(x.shape)
        layer.gamma, layer.beta = gamma, beta
        return layer(x, training=True)

    check_gradients(ours, theirs, (x, np.array([1.0, -2, 3, 0.5]), np.array([0.5, 1, 0, -1])))


@pytest.mark.filterwarnings("ignore:LayerNormalization. rms_scaling")
def test_gradients_of_rms_scaling() -> None:
    layer = layers.LayerNormalization(axis=(1, 2), rms_scaling=True)
    check_gradients(lambda x: layer(x), lambda x: x / np.sqrt(x.var(axis=(1, 2), keepdims=True) + 1e-3),
                    (X[:12].reshape(3, 2, 2, 4).astype(np.float64),))


def test_rms_scaling_warns_and_comes_back() -> None:
    with pytest.warns(UserWarning, match="RMSNormalization"):
        layer = layers.LayerNormalization(axis=[1, 2], rms_scaling=True, scale=False, name="mine")
    x = X.reshape(3, 5, 4, 4)
    np.testing.assert_allclose(layer(x), x / np.sqrt(x.var(axis=(1, 2), keepdims=True) + 1e-3), rtol=1e-5)
    assert [v.name for v in layer.weights] == ["mine/gamma"]
    with pytest.warns(UserWarning, match="RMSNormalization"):
        assert layers.LayerNormalization.from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize("make", [layers.BatchNormalization, layers.LayerNormalization,
                                  lambda **more: layers.GroupNormalization(4, **more)])
def test_a_mean_far_larger_than_the_spread(make: Any, any_backend: str) -> None:
    """Mean 10,000, spread 1: the sum of squares alone would have lost the variance."""
    rng = np.random.default_rng(5)
    x = (10_000 + rng.normal(size=(512, 8, 16))).astype(np.float32)
    y = np.asarray(make(epsilon=1e-6)(x, training=True) if make is layers.BatchNormalization else make(epsilon=1e-6)(x))
    wide = x.astype(np.float64)
    if make is layers.BatchNormalization:
        mean, variance = wide.mean(axis=(0, 1)), wide.var(axis=(0, 1))
    elif make is layers.LayerNormalization:
        mean, variance = wide.mean(axis=2, keepdims=True), wide.var(axis=2, keepdims=True)
    else:
        cells = wide.reshape(512, 8, 4, 4)
        mean, variance = (np.repeat(f(axis=(1, 3)), 4, axis=1)[:, None] for f in (cells.mean, cells.var))
    np.testing.assert_allclose(y, (wide - mean) / np.sqrt(variance + 1e-6), atol=2e-5)


def test_rows_that_differ_from_the_first_ones(any_backend: str) -> None:
    """Sorted data: the first rows say nothing about the rest."""
    x = np.sort(np.random.default_rng(2).normal(size=(5000, 3)) ** 3, axis=0).astype(np.float32)
    layer = layers.BatchNormalization(momentum=0)
    layer(x, training=True)
    np.testing.assert_allclose(layer.get_weights()[2], x.mean(axis=0, dtype=np.float64), atol=1e-6)
    np.testing.assert_allclose(layer.get_weights()[3], x.var(axis=0, dtype=np.float64), rtol=2e-6)


def test_one_row_and_equal_rows_are_normalized_to_beta(any_backend: str) -> None:
    for rows in (1, 100):
        x = np.full((rows, 3), 123.456, np.float32)
        np.testing.assert_allclose(np.asarray(layers.BatchNormalization()(x, training=True)), 0, atol=1e-5)
        np.testing.assert_allclose(np.asarray(layers.LayerNormalization()(x)), 0, atol=1e-5)


def test_group_normalization_between_layer_and_instance() -> None:
    x = np.random.default_rng(4).normal(size=(3, 5, 6)).astype(np.float32)
    whole = np.asarray(layers.LayerNormalization(axis=[1, 2])(x))
    np.testing.assert_allclose(np.asarray(layers.GroupNormalization(1)(x)), whole, atol=1e-6)
    each = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(np.asarray(layers.GroupNormalization(-1)(x)), each, atol=1e-5)


def test_training_has_the_same_bits_for_any_number_of_threads() -> None:
    x = np.random.default_rng(6).normal(size=(256, 8, 8, 16)).astype(np.float32)
    y = x.mean(axis=(1, 2))[:, :1]
    results, asked = set(), threads.wanted()
    try:
        for count in (1, 2, 3, 4):
            threads.set_num_threads(count)
            fastnn.random.set_seed(3)
            model = fastnn.Sequential([
                fastnn.Input((8, 8, 16)), layers.Dense(40), layers.BatchNormalization(), layers.MaxPooling2D(),
                layers.LayerNormalization(), layers.AveragePooling2D(3, 2, "same"), layers.GroupNormalization(8),
                layers.GlobalAveragePooling2D(), layers.Dense(1)])
            model.compile(optimizer="adam", loss="mse")
            model.fit(x, y, batch_size=128, epochs=2, verbose=0)
            results.add(b"".join(w.tobytes() for w in model.get_weights()))
    finally:
        threads.restore(asked)
    assert len(results) == 1


def test_configs_make_the_same_layer_again() -> None:
    for layer in (layers.BatchNormalization(axis=1, momentum=0.5), layers.LayerNormalization([1, 2], scale=False),
                  layers.GroupNormalization(3, center=False)):
        assert type(layer)(**layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(("make", "kind", "text"), [
    (lambda: layers.BatchNormalization(axis=[1, 2]), TypeError, "axis"),
    (lambda: layers.BatchNormalization(axis="last"), TypeError, "axis"),
    (lambda: layers.BatchNormalization(momentum=1.5), ValueError, "momentum"),
    (lambda: layers.BatchNormalization(epsilon=-1), ValueError, "epsilon"),
    (lambda: layers.LayerNormalization(axis=[]), ValueError, "axis"),
    (lambda: layers.LayerNormalization(rms_scaling="yes"), TypeError, "rms_scaling"),
    (lambda: layers.BatchNormalization(renorm_clipping={"rmax": 2}), ValueError, "renorm=True"),
    (lambda: layers.BatchNormalization(renorm=True, renorm_clipping=3), TypeError, "renorm_clipping"),
    (lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"max": 2}), ValueError, "rmax"),
    (lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"rmin": 2, "rmax": 1}), ValueError, "rmin <="),
    (lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"dmax": -1}), ValueError, "dmax"),
    (lambda: layers.BatchNormalization(renorm_momentum=2), ValueError, "renorm_momentum"),
    (lambda: layers.GroupNormalization(0), ValueError, "groups"),
    (lambda: layers.GroupNormalization(2.5), TypeError, "groups"),
])
def test_bad_arguments(make: Any, kind: type[Exception], text: str) -> None:
    assert_good_error(make, kind, text)


@pytest.mark.parametrize(("make", "shape", "texts"), [
    (lambda: layers.GroupNormalization(4, name="norm"), (2, 5, 6), ("norm", "(2, 5, 6)", "4", "6 channels")),
    (lambda: layers.GroupNormalization(name="norm"), (2, 16), ("norm", "(2, 16)", "32")),
    (lambda: layers.BatchNormalization(axis=3, name="norm"), (2, 4), ("norm", "(2, 4)", "3")),
    (lambda: layers.LayerNormalization(axis=0, name="norm"), (2, 4), ("norm", "(2, 4)", "batch")),
    (lambda: layers.LayerNormalization(axis=[1, -1], name="norm"), (2, 4), ("norm", "(2, 4)", "once")),
])
def test_inputs_that_do_not_fit(make: Any, shape: tuple[int, ...], texts: tuple[str, ...]) -> None:
    assert_good_error(lambda: make()(np.zeros(shape, np.float32)), ShapeError, *texts)


def test_inputs_unlike_those_it_was_built_for() -> None:
    layer = layers.BatchNormalization(name="norm")
    layer(X)
    assert_good_error(lambda: layer(X[:, :3]), ShapeError, "norm", "(60, 3)", "(4,)")
    np.testing.assert_array_equal(layer(X[:, None])[:, 0], layer(X))      # the axis counts from the end, as in Keras
    first = layers.BatchNormalization(axis=1, name="first")
    first(X)
    assert_good_error(lambda: first(X[:, None]), ShapeError, "first", "(60, 1, 4)", "(4,)", "needs")
