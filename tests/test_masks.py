"""Masks ride on tensors through layers and models; losses and metrics weigh by them, as in Keras."""

from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers, losses, metrics
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.layers import Activation, BatchNormalization, Conv1D, Dense, Dropout, Layer, LayerNormalization
from fastnn.ops.rows import elementwise, reduce

RNG = np.random.default_rng(7)
N, T, C = 5, 4, 3


class Marking(Layer):
    """Says that steps of nothing but zeros do not count."""

    def call(self, x: Tensor) -> Tensor:
        return x

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> Tensor:
        return elementwise.cast(reduce.max(elementwise.absolute(inputs), axes=(inputs.ndim - 1,)), dtype="bool")


SEEN: list[Any] = []


class Seen(Layer):
    """Keeps the masks that reach it."""
    supports_masking = True

    def call(self, x: Tensor, mask: Any = None) -> Tensor:
        SEEN.append(mask)
        return x


def padded() -> tuple[np.ndarray, np.ndarray]:
    """x (N, T, C) with rows of zeros at the end of most samples, and the mask."""
    lengths = np.array([4, 1, 3, 2, 4])
    mask = np.arange(T) < lengths[:, None]
    x = RNG.normal(size=(N, T, C)).astype("float32") + 0.1
    return x * mask[..., None], mask


X, MASK = padded()


def keras_loss(values: np.ndarray, mask: np.ndarray | None, weights: np.ndarray | None, reduction: str) -> Any:
    """What Keras' reduce_weighted_values computes, in float64."""
    w = np.ones(values.shape) if weights is None else np.broadcast_to(
        weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim)), values.shape)
    if mask is not None:
        scaled = reduction in ("mean", "sum_over_batch_size")
        m = mask * (mask.size / mask.sum() if scaled and mask.any() else 1.0)
        w = w * m.reshape(m.shape + (1,) * (values.ndim - m.ndim))
    values = values * w
    if reduction == "none":
        return values
    if reduction == "sum":
        return values.sum()
    divisor = w.sum() if reduction == "mean_with_sample_weight" else values.size
    return values.sum() / divisor if divisor else 0.0


WEIGHTS = {"none": None, "sample": RNG.uniform(0.5, 2, N), "step": RNG.uniform(0.5, 2, (N, T))}


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none"])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("masked", [True, False, "all"])
def test_losses_weigh_by_the_mask(reduction: str, weights: str, masked: Any, any_backend: str) -> None:
    y = RNG.normal(size=(N, T, C)).astype("float32")
    mask = {True: MASK, False: None, "all": np.zeros((N, T), bool)}[masked]
    p = Tensor(X)
    p.mask = None if mask is None else Tensor(mask)
    got = losses.MeanSquaredError(reduction=reduction)(y, p, WEIGHTS[weights])
    want = keras_loss(((y.astype("float64") - X) ** 2).mean(-1), mask, WEIGHTS[weights], reduction)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_metrics_weigh_by_the_mask(weights: str, any_backend: str) -> None:
    y = RNG.normal(size=(N, T, C)).astype("float32")
    values = ((y.astype("float64") - X) ** 2).mean(-1)
    w = WEIGHTS[weights]
    full = np.ones((N, T)) if w is None else np.broadcast_to(w.reshape(*w.shape, *[1] * (2 - w.ndim)), (N, T))
    for mask, masked in ((MASK, full * MASK), (None, full)):
        p = Tensor(X)
        p.mask = None if mask is None else Tensor(mask)
        metric = metrics.MeanSquaredError()
        metric.update_state(y, p, w)
        assert metric.result() == pytest.approx((values * masked).sum() / masked.sum(), rel=1e-5)


def chain() -> Sequential:
    return Sequential([Input((T, C)), Marking(), Dense(6, activation="relu"), Dropout(0.5), LayerNormalization(),
                       Activation("tanh"), Seen(name="seen"), Dense(2)])


def branches() -> Model:
    x = Input((T, C))
    a, b = Marking()(x), Marking()(x)
    y = layers.Add()([Dense(4)(a), Dense(4)(b)])
    return Model(x, Dense(2)(Seen(name="seen")(layers.Concatenate()([y, b]))))


def nested() -> Model:
    x = Input((T, C))
    return Model(x, chain()(x))


@pytest.mark.parametrize("make", [chain, branches, nested])
@pytest.mark.parametrize("eagerly", [False, True])
def test_masks_go_through_models_into_loss_and_metrics(make: Any, eagerly: bool, any_backend: str) -> None:
    """fit, evaluate and train_on_batch count the steps that the mask leaves; a replayed step takes each batch's own."""
    model = make()
    y = RNG.normal(size=(N, T, 2)).astype("float32")
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"], run_eagerly=eagerly)
    p = model.predict(X, verbose=0).astype("float64")
    square, size = ((y - p) ** 2).mean(-1), np.abs(y - p).mean(-1)
    batches = [slice(0, 2), slice(2, 4), slice(4, 5)]
    loss = sum((square[b] * MASK[b]).sum() / MASK[b].sum() * len(MASK[b]) for b in batches) / N
    got = model.evaluate(X, y, batch_size=2, verbose=0)
    want = [loss, (size * MASK).sum() / MASK.sum(), (square * MASK).sum() / MASK.sum()]
    np.testing.assert_allclose(got, want, rtol=1e-5)
    # a training step moves the weights as the masked loss alone says: what stands in masked steps of y is nothing to it
    other = np.where(MASK[..., None], y, 99)
    weights = model.get_weights()
    model.fit(X, y, batch_size=N, epochs=2, verbose=0, shuffle=False)
    trained = model.get_weights()
    twin = make()
    twin.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"], run_eagerly=eagerly)
    twin.set_weights(weights)
    twin.fit(X, other.astype("float32"), batch_size=N, epochs=2, verbose=0, shuffle=False)
    if make is branches:      # the others have a Dropout, whose draws differ
        for a, b in zip(trained, twin.get_weights()):
            np.testing.assert_array_equal(a, b)
    assert model(X).mask is not None and model(X).mask.numpy().tolist() == MASK.tolist()


def test_a_layer_that_does_not_support_masking_says_that_it_drops_the_mask() -> None:
    x = Marking()(X)
    assert x.mask.numpy().tolist() == MASK.tolist()
    with pytest.warns(UserWarning, match=r"conv1d: got an input with a mask, and Conv1D does not support masking"):
        assert Conv1D(2, 2)(x).mask is None
    symbolic = Marking()(Input((T, C)))
    assert symbolic.mask.shape == (None, T)
    with pytest.warns(UserWarning, match="Flatten does not support masking"):
        layers.Flatten()(symbolic)


def test_the_mask_of_an_output_is_not_put_on_the_input() -> None:
    x = Tensor(X)
    y = Marking()(x)
    assert x.mask is None and y.mask is not None


def test_masks_given_by_hand() -> None:
    """Arrays and tensors as mask=…, also under the name of one of several inputs; they win over those that ride."""
    seen = Seen()
    SEEN.clear()
    other = ~MASK
    assert seen(X, mask=other).mask.numpy().tolist() == other.tolist()
    seen(Marking()(X), mask=Tensor(other))
    assert [m.numpy().tolist() for m in SEEN] == [other.tolist()] * 2

    class Two(Layer):
        def call(self, query: Any, value: Any, query_mask: Any = None, value_mask: Any = None) -> Any:
            self.found = query_mask, value_mask
            return query

    two = Two()
    two.supports_masking = True
    y = two(Marking()(X), X, value_mask=other)
    assert two.found[0].numpy().tolist() == MASK.tolist() and two.found[1].numpy().tolist() == other.tolist()
    assert y.mask.numpy().tolist() == MASK.tolist()
    with pytest.raises(ShapeError, match=r"seen: got a mask of shape \(\)"):
        seen(X, mask=np.array(True))


def merged(layer: Layer, *masks: Any) -> tuple[np.ndarray, Any]:
    tensors = []
    for i, mask in enumerate(masks):
        t = Tensor(X + i)
        t.mask = None if mask is None else Tensor(mask)
        tensors.append(t)
    y = layer(tensors)
    return y.numpy(), None if y.mask is None else y.mask.numpy()


def test_merges_unite_masks(any_backend: str) -> None:
    a, b = MASK, RNG.integers(0, 2, (N, T)).astype(bool)
    for kind in (layers.Add, layers.Average, layers.Multiply, layers.Maximum, layers.Minimum):
        mask = merged(kind(), a, b)[1]
        np.testing.assert_array_equal(mask, a | b)
        assert merged(kind(), a, None)[1] is None
    np.testing.assert_array_equal(merged(layers.Concatenate(), a, b)[1], a | b)
    np.testing.assert_array_equal(merged(layers.Concatenate(), a, None)[1], np.ones((N, T), bool))
    np.testing.assert_array_equal(merged(layers.Concatenate(axis=1), a, None)[1], np.hstack([a, np.ones((N, T), bool)]))
    fa, fb = a[..., None], b[..., None]
    ones = np.where(fa, X, 1) * np.where(fb, X + 1, 1)
    np.testing.assert_allclose(merged(layers.Multiply(), a, b)[0], np.where(fa | fb, ones, 0), rtol=1e-6)
    np.testing.assert_allclose(merged(layers.Multiply(), a, None)[0], np.where(fa, X, 1) * (X + 1), rtol=1e-6)
    want = np.maximum(np.where(fa, X, np.where(fb, X + 1, X)), np.where(fb, X + 1, X))
    np.testing.assert_allclose(merged(layers.Maximum(), a, b)[0], want, rtol=1e-6)


def test_batch_normalization_leaves_masked_steps_out(any_backend: str) -> None:
    layer = BatchNormalization(momentum=0.9)
    x = Tensor(X)
    x.mask = Tensor(MASK)
    y = layer(x, training=True)
    kept = X[MASK].astype("float64")
    mean, variance = kept.sum(0) / (len(kept) + 1e-7), ((kept - kept.mean(0)) ** 2).sum(0) / (len(kept) + 1e-7)
    np.testing.assert_allclose(y.numpy(), (X - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * variance, rtol=1e-5)
    assert y.mask is x.mask


def test_pooling_and_softmax_leave_masked_steps_out(any_backend: str) -> None:
    pooled = layers.GlobalAveragePooling1D()(Marking()(X))
    assert pooled.mask is None
    np.testing.assert_allclose(pooled.numpy(), [x[m].mean(0) for x, m in zip(X, MASK)], rtol=1e-5)
    assert layers.GlobalAveragePooling1D(keepdims=True)(Marking()(X)).shape == (N, 1, C)
    scores = Tensor(np.ascontiguousarray(X[..., 0]))
    scores.mask = Tensor(MASK)
    p = layers.Softmax()(scores).numpy()
    shifted = np.where(MASK, np.exp(X[..., 0].astype("float64")), 0)
    np.testing.assert_allclose(p, shifted / shifted.sum(-1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize("make", [
    lambda x: layers.Masking()(x), lambda x: layers.LSTM(2, return_sequences=True)(layers.Masking()(x)),
    lambda x: layers.Concatenate(axis=1)([x, layers.Masking()(x)]),
    lambda x: layers.Concatenate(axis=2)([layers.Masking()(x), x]),
    lambda x: layers.Add()([layers.Masking()(x), layers.Masking()(x)])], ids=["", "LSTM", "joined", "beside", "Add"])
def test_a_mask_may_be_an_output_of_a_model(make: Any) -> None:
    """Also where one of the inputs has none."""
    x = Input((T, C))
    y = make(x)
    got = Model(x, y.mask).predict(X, verbose=0)
    want = make(Tensor(X)).mask.numpy()
    assert got.dtype == want.dtype == bool
    np.testing.assert_array_equal(got, want)
