"""Weights and targets per step, weights per output, losses of some outputs or of none, ranks that differ by an axis."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, losses, metrics, ops
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.layers import BatchNormalization, Dense, Flatten, Layer

RNG = np.random.default_rng(3)
N, T = 12, 4
X = RNG.normal(size=(N, T, 3)).astype("float32")
LABELS = RNG.integers(0, 5, (N, T))
STEPS = RNG.uniform(0.2, 2, (N, T)).astype("float32")


def per_step() -> Sequential:
    fastnn.random.set_seed(5)
    return Sequential([Input((T, 3)), Dense(5, activation="softmax")])


def crossentropy(p: np.ndarray) -> np.ndarray:
    return -np.log(np.take_along_axis(p.astype("float64"), LABELS[..., None], -1)[..., 0])


@pytest.mark.parametrize("eagerly", [False, True])
def test_class_numbers_and_weights_per_step(eagerly: bool, any_backend: str) -> None:
    model = per_step()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy", "ce"],
                  run_eagerly=eagerly)
    p = model.predict(X, verbose=0)
    right, values = p.argmax(-1) == LABELS, crossentropy(p)
    got = model.evaluate(X, LABELS, sample_weight=STEPS, batch_size=5, verbose=0)
    want = [(values * STEPS).mean(), right.mean(), (right * STEPS).sum() / STEPS.sum(),
            (values * STEPS).sum() / STEPS.sum()]
    np.testing.assert_allclose(got, want, rtol=1e-5)
    by_generator = model.evaluate(((X[i:i + 5], LABELS[i:i + 5], STEPS[i:i + 5]) for i in range(0, N, 5)), verbose=0)
    np.testing.assert_allclose(by_generator, got, rtol=1e-6)
    with_axis = model.evaluate(X, LABELS[..., None], sample_weight=STEPS[..., None], batch_size=5, verbose=0)
    np.testing.assert_allclose(with_axis, got, rtol=1e-6)
    model.fit(X, LABELS, sample_weight=STEPS, epochs=3, verbose=0, batch_size=N, shuffle=False)
    twin = per_step()       # the same by hand
    optimizer = fastnn.optimizers.get("sgd")
    for _ in range(3):
        with fastnn.GradientTape() as tape:
            loss = losses.SparseCategoricalCrossentropy()(LABELS, twin(X), STEPS)
        optimizer.apply_gradients(zip(tape.gradient(loss, twin.trainable_weights), twin.trainable_weights))
    for a, b in zip(model.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_class_weights_per_step() -> None:
    model = per_step()
    model.compile("sgd", "sparse_categorical_crossentropy")
    values = crossentropy(model.predict(X, verbose=0))
    table = np.array([1, 2, 0.5, 1, 3])
    got = model.train_on_batch(X, LABELS, sample_weight=STEPS, class_weight={1: 2, 2: 0.5, 4: 3})
    assert got == pytest.approx((values * table[LABELS] * STEPS).mean(), rel=1e-5)


def two() -> Model:
    fastnn.random.set_seed(5)
    x = Input((3,))
    return Model(x, [Dense(1, name="a")(x), Dense(2, name="b")(x)])


@pytest.mark.parametrize("form", ["list", "dict", "one"])
def test_each_output_has_its_weights(form: str, any_backend: str) -> None:
    model = two()
    model.compile("sgd", "mse", loss_weights=[1, 3], weighted_metrics=[["mae"], ["mse"]])
    x, ya, yb = X[:, 0], RNG.normal(size=(N, 1)), RNG.normal(size=(N, 2))
    wa, wb = RNG.uniform(0.2, 2, N), RNG.uniform(0.2, 2, N)
    if form == "one":
        wb = wa
    given: Any = {"list": [wa, wb], "dict": {"b": wb, "a": wa}, "one": wa}[form]
    pa, pb = model.predict(x, verbose=0)
    la, lb = ((pa - ya) ** 2).mean(-1), ((pb - yb) ** 2).mean(-1)
    want = [(la * wa).mean() + 3 * (lb * wb).mean(), (la * wa).mean(), (lb * wb).mean(),
            (np.abs(pa - ya)[:, 0] * wa).sum() / wa.sum(), (lb * wb).sum() / wb.sum()]
    got = model.evaluate(x, [ya, yb], sample_weight=given, batch_size=5, verbose=0)
    np.testing.assert_allclose(got, want, rtol=1e-5)
    model.fit(x, [ya, yb], sample_weight=given, validation_split=0.25, verbose=0)


def test_an_output_without_weights_or_without_a_loss() -> None:
    model = two()
    x, ya, yb = X[:, 0], RNG.normal(size=(N, 1)), RNG.normal(size=(N, 2))
    model.compile("sgd", {"a": "mse"}, metrics={"b": ["mae"]})
    pa, pb = model.predict(x, verbose=0)
    got = model.evaluate(x, {"a": ya, "b": yb}, sample_weight={"a": np.full(N, 2.0)}, return_dict=True, verbose=0)
    assert got["loss"] == pytest.approx(2 * ((pa - ya) ** 2).mean(), rel=1e-5)
    assert got["b_mae"] == pytest.approx(np.abs(pb - yb).mean(), rel=1e-5)
    with pytest.raises(ValueError, match=r"y is a dict with \['a'\]"):
        model.evaluate(x, {"a": ya}, verbose=0)
    model.compile("sgd", {"a": "mse"})
    before = model.get_layer("b").get_weights()
    with pytest.warns(UserWarning, match="does not reach 2 of 4 weights"):
        model.fit(x, {"a": ya}, verbose=0)
    for a, b in zip(before, model.get_layer("b").get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("weight, text", [
    (np.ones((N, 3)), r"has shape \(12, 3\); needs \(12,\), one weight per sample, or one per step, \(12, 4\)"),
    (np.ones((N, T, 5)), r"has shape \(12, 4, 5\)"), (np.ones(5), r"has shape \(5,\)"), (2.0, "is the number 2.0"),
    (np.zeros((N, T)), "is all zero"), ({"c": np.ones(N)}, r"names the outputs \['c'\]"),
])
def test_weights_that_do_not_fit(weight: Any, text: str) -> None:
    model = per_step()
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises((ShapeError, ValueError), match=text):
        model.fit(X, LABELS, sample_weight=weight, verbose=0)


def test_negative_weights_are_used_with_a_warning() -> None:
    model = two()
    model.compile("sgd", [None, "mse"])
    x, y, w = X[:, 0], RNG.normal(size=(N, 2)), RNG.normal(size=N)
    p = model.predict(x, verbose=0)[1]
    with pytest.warns(UserWarning, match=r"evaluate\(\): sample_weight is negative somewhere"):
        got = model.evaluate(x, [None, y], sample_weight=w, verbose=0)
    assert got == pytest.approx((((p - y) ** 2).mean(-1) * w).mean(), rel=1e-4, abs=1e-6)


class Penalized(Layer):
    """Its loss is what it says itself."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = Dense(3)

    def call(self, x: Any) -> Any:
        y = self.dense(x)
        self.add_loss(ops.mean(ops.square(y - x)))
        return y


def test_models_of_add_loss_alone() -> None:
    """No loss, no y: from arrays, batches and evaluate."""
    model = Sequential([Input((3,)), Penalized()])
    model.compile("sgd")
    x = X[:, 0]
    p = model.predict(x, verbose=0)
    assert model.evaluate(x, verbose=0) == pytest.approx(((p - x) ** 2).mean(), rel=1e-5)
    history = model.fit(x, epochs=30, verbose=0, validation_data=(x, None))
    assert history.history["loss"][-1] < history.history["loss"][0] and "val_loss" in history.history
    model.fit((x[i:i + 4] for i in range(0, N, 4)), verbose=0)
    model.fit(((x[i:i + 4],) for i in range(0, N, 4)), verbose=0)
    assert model.train_on_batch(x) < ((p - x) ** 2).mean()


def test_reduction_none_in_compile(any_backend: str) -> None:
    """The gradient is that of the sum, the number shown that of the mean (as Keras)."""
    results = []
    for reduction, rate in (("none", 0.01), ("sum_over_batch_size", 0.01 * N)):
        fastnn.random.set_seed(5)
        model = Sequential([Input((3,)), Dense(1)])
        model.compile(fastnn.optimizers.SGD(rate), losses.MeanSquaredError(reduction=reduction))
        first = model.train_on_batch(X[:, 0], np.ones((N, 1)), return_dict=True)
        results.append((first["loss"], *model.get_weights()))
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape, given", [((5, 4, 1), (N, 5, 4)), ((4,), (N, 4, 1)), ((1,), (N,)), ((4, 1), (N, 4))])
def test_an_axis_of_length_1_comes_or_goes(shape: Any, given: Any, any_backend: str) -> None:
    """By fit, evaluate, predict (few rows too), batches and call alike, of arrays and of tensors, in graphs as well."""
    x = Input(shape)
    model = Model(x, Dense(2)(Flatten()(x)))
    data = RNG.normal(size=given).astype("float32")
    want = model.predict(data.reshape(N, *shape), verbose=0)
    y = RNG.normal(size=(N, 2))
    model.compile("sgd", "mse")
    loss = ((want - y) ** 2).mean()
    for got in (model.predict(data, verbose=0), model.predict(data, batch_size=5, verbose=0), model(data).numpy(),
                model(Tensor(data)).numpy(), model.predict(iter([data[:6], data[6:]]), verbose=0),
                np.concatenate([model.predict(data[i:i + 1], verbose=0) for i in range(N)])):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    assert model.evaluate(data, y, verbose=0) == pytest.approx(loss, rel=1e-5)
    model.fit(data, y, verbose=0)
    model.fit(iter([(data, y)]), verbose=0)
    chain = Sequential([Input(shape), Flatten(), Dense(2)])
    chain.set_weights(model.get_weights())
    np.testing.assert_allclose(chain(data).numpy(), model.predict(data, verbose=0), rtol=1e-5, atol=1e-6)
    outer = Input(given[1:])
    np.testing.assert_allclose(Model(outer, model(outer)).predict(data, verbose=0), model(data).numpy(), rtol=1e-5,
                               atol=1e-6)


def test_root_mean_squared_error_of_vectors_with_weights(any_backend: str) -> None:
    y, p = RNG.normal(size=(N, 3)).astype("float32"), RNG.normal(size=(N, 3)).astype("float32")
    square = (y.astype("float64") - p) ** 2
    for w in (RNG.uniform(0.1, 2, N), RNG.uniform(0.1, 2, (N, 3))):
        metric = metrics.RootMeanSquaredError()
        metric.update_state(y, p, w)
        wide = np.broadcast_to(w if w.ndim == 2 else w[:, None], square.shape)
        assert metric.result() == pytest.approx(np.sqrt((square * wide).sum() / wide.sum()), rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 4), (1, 4, 2), (1, 1, 2)])
def test_weights_that_are_the_same_in_all_samples(any_backend: str, shape: tuple[int, ...]) -> None:
    """An axis of length 1 stands for all places, the samples' too, where weights have the rank of the values."""
    values = RNG.normal(size=(3, 4, 2)[:len(shape)]).astype("float32")
    weight = RNG.uniform(0.2, 2, shape).astype("float32")
    everywhere = np.broadcast_to(weight, values.shape).astype("float64")
    for metric, expected in ((metrics.Sum(), (values * everywhere).sum()),
                             (metrics.Mean(), (values * everywhere).sum() / everywhere.sum())):
        metric.update_state(values, sample_weight=weight)
        assert float(metric.result()) == pytest.approx(expected, rel=1e-5)

    def far(y: Any, p: Any) -> Any:
        return ops.abs(y - p)

    found = losses.LossFunctionWrapper(far)(np.zeros_like(values), values, weight)
    assert float(found) == pytest.approx((np.abs(values) * everywhere).mean(), rel=1e-5)


@pytest.mark.parametrize("shape", [(1,), (2, 4), (1, 3), (1, 4, 2)])
def test_other_weights_do_not_stretch(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="sample_weight has shape"):
        metrics.Mean().update_state(np.ones((3, 4)), sample_weight=np.ones(shape))


def test_weights_of_a_frozen_layer_say_so_and_keep_their_own_flag() -> None:
    """trainable of a weight is False while its layer's is, as in Keras; the order of the weights stays."""
    inner = BatchNormalization()
    model = Sequential([Input((3,)), Dense(2), inner])
    names = [v.name for v in model.weights]
    assert [v.trainable for v in model.weights] == [True, True, True, True, False, False]
    model.trainable = False
    assert not any(v.trainable for v in model.weights) and [v.name for v in model.weights] == names
    assert not model.trainable_weights and len(model.non_trainable_weights) == 6
    inner.trainable = True
    assert [v.trainable for v in inner.weights] == [True, True, False, False]
    model.trainable = True
    assert len(model.trainable_weights) == 4 and [v.name for v in model.weights] == names
    late = Dense(2, trainable=False)
    late(np.ones((1, 3)))
    assert not late.kernel.trainable and not late.trainable_weights
    late.inner = Dense(2)       # it is not frozen itself, but is in what is
    late.inner(np.ones((1, 3)))
    assert [v.name for v in late.non_trainable_weights] == [v.name for v in late.weights] and len(late.weights) == 4
