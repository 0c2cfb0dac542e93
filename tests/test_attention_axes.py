"""MultiHeadAttention along any axes, with a gate, a window, outputs of several axes; against slices of 3 axes."""

from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, layers, ops
from tests.errors import assert_good_error

RNG = np.random.default_rng(3)


def _pair(shape: tuple[int, ...], **kwargs: Any) -> tuple[Any, Any, np.ndarray]:
    """(a layer for these inputs, one for (batch, positions, features) with the same weights, inputs)."""
    x = RNG.standard_normal(shape).astype(np.float32)
    layer = layers.MultiHeadAttention(2, 3, value_dim=5, **kwargs)
    layer(x, x)
    kwargs.pop("attention_axes", None)
    plain = layers.MultiHeadAttention(2, 3, value_dim=5, **kwargs)
    plain.build((None, None, shape[-1]), (None, None, shape[-1]))
    plain.set_weights([0.5 * np.random.default_rng(1).standard_normal(w.shape) for w in plain.get_weights()])
    layer.set_weights(plain.get_weights())
    return layer, plain, x


@pytest.mark.parametrize("axes", [(1,), (2,), 3, -2, (1, 3), (3, 1), None])
@pytest.mark.parametrize("use_gate", [False, True])
def test_other_axes_are_as_batches(axes: Any, use_gate: bool) -> None:
    layer, plain, x = _pair((2, 3, 4, 5, 6), attention_axes=axes, use_gate=use_gate)
    along = sorted(axis % 5 for axis in (axes if isinstance(axes, tuple) else [axes])) if axes else [1, 2, 3]
    free = [i for i in (1, 2, 3) if i not in along]
    order = [0, *free, *along, 4]
    rows = x.transpose(order)
    flat = rows.reshape(-1, int(np.prod(rows.shape[1 + len(free):-1])), 6)
    want, p = plain(flat, flat, return_attention_scores=True)
    y, scores = layer(x, x, return_attention_scores=True)
    np.testing.assert_allclose(y, want.numpy().reshape(rows.shape).transpose(np.argsort(order)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(scores.numpy().ravel(), p.numpy().ravel(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(layer(x, x), y, rtol=1e-5, atol=1e-5)      # the one call for all heads
    assert layer.compute_output_shape(x.shape, x.shape) == x.shape


def test_masks_stand_between_batch_and_positions() -> None:
    layer, plain, x = _pair((2, 3, 4, 6), attention_axes=2)
    seen = RNG.random((2, 4, 4)) < 0.6
    seen[..., 0] = True
    rows = x.reshape(6, 4, 6)
    want = plain(rows, rows, attention_mask=np.repeat(seen, 3, 0))
    np.testing.assert_allclose(layer(x, x, attention_mask=seen), want.numpy().reshape(x.shape), rtol=1e-5, atol=1e-5)
    each = RNG.random((2, 3, 4, 4)) < 0.6
    each[..., 0] = True
    want = plain(rows, rows, attention_mask=each.reshape(6, 4, 4))
    np.testing.assert_allclose(layer(x, x, attention_mask=each), want.numpy().reshape(x.shape), rtol=1e-5, atol=1e-5)
    want = plain(rows, rows, use_causal_mask=True)
    np.testing.assert_allclose(layer(x, x, use_causal_mask=True), want.numpy().reshape(x.shape), rtol=1e-5, atol=1e-5)


def test_the_gate_multiplies_each_head() -> None:
    layer, _, x = _pair((2, 4, 6), use_gate=True)
    assert [w.shape for w in layer.weights][4:6] == [(6, 2, 5), (2, 5)]      # after query and key, as in Keras
    opened = layers.MultiHeadAttention(2, 3, value_dim=5)
    opened.build((None, 4, 6), (None, 4, 6))
    opened.set_weights([w for i, w in enumerate(layer.get_weights()) if i not in (4, 5)])
    weights = layer.get_weights()
    layer.set_weights([np.zeros_like(w) if i in (4, 5) else w for i, w in enumerate(weights)])
    bias = weights[-1]
    np.testing.assert_allclose(layer(x, x).numpy() - bias, (opened(x, x).numpy() - bias) / 2, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_a_window_sees_what_is_less_far_away(causal: bool) -> None:
    x = RNG.standard_normal((1, 6, 8)).astype(np.float32)
    layer = layers.MultiHeadAttention(2, 4, sliding_window=3)
    y, scores = layer(x, x, use_causal_mask=causal, return_attention_scores=True)
    away = np.arange(6)[:, None] - np.arange(6)
    allowed = (np.abs(away) < 3) & (away >= 0 if causal else True)
    np.testing.assert_array_equal(scores.numpy()[0, 0] > 0, allowed)
    np.testing.assert_allclose(layer(x, x, use_causal_mask=causal), y, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(layer(x, x, attention_mask=allowed[None]), y, rtol=1e-5, atol=1e-5)


def test_outputs_of_several_axes_and_other_widths() -> None:
    q, v, k = (RNG.standard_normal(shape).astype(np.float32) for shape in ((7, 4, 8), (7, 2, 6), (7, 2, 3)))
    layer = layers.MultiHeadAttention(2, 3, output_shape=(3, 4))
    y = layer(q, v, k)
    assert y.shape == (7, 4, 3, 4) == layer.compute_output_shape(q.shape, v.shape, k.shape)
    flat = layers.MultiHeadAttention(2, 3, output_shape=12)
    flat(q, v, k)
    flat.set_weights([w.reshape(t.shape) for w, t in zip(layer.get_weights(), flat.weights)])
    np.testing.assert_allclose(y.numpy().reshape(7, 4, 12), flat(q, v, k), rtol=1e-5, atol=1e-5)
    again = layers.MultiHeadAttention.from_config(layer.get_config())
    assert again.compute_output_shape(q.shape, v.shape) == (7, 4, 3, 4)


def test_images_of_unknown_size_attend_in_a_model() -> None:
    x = Input((None, None, 4))
    model = Model(x, layers.MultiHeadAttention(1, 2)(x, x))
    assert model.output_shape == (None, None, None, 4)
    for rows, columns in ((2, 3), (5, 1)):
        data = RNG.standard_normal((2, rows, columns, 4)).astype(np.float32)
        flat = data.reshape(2, rows * columns, 4)
        want = model.layers[-1](flat, flat)
        np.testing.assert_allclose(model(data).numpy().reshape(flat.shape), want, rtol=1e-5, atol=1e-5)


def test_what_does_not_fit_is_refused() -> None:
    def layer(**kwargs: Any) -> Any:
        return layers.MultiHeadAttention(2, 4, **kwargs)

    x, image = np.zeros((2, 4, 8)), np.zeros((2, 3, 4, 8))
    assert_good_error(lambda: layer()(x, np.zeros((2, 3, 8)), np.zeros((2, 2, 8))), ValueError, "(2, 3, 8)", "needs")
    assert_good_error(lambda: layer(attention_axes=3)(image, image), ValueError, "attention_axes", "(3,)", "needs")
    assert_good_error(lambda: layer(attention_axes=1)(image, image[:, :, :2]), ValueError, "(2, 3, 2, 8)", "needs")
    assert_good_error(lambda: layer()(image, image, use_causal_mask=True), ValueError, "use_causal_mask", "one axis")
    assert_good_error(lambda: layer(sliding_window=2)(image, image), ValueError, "sliding_window", "one axis")
    for window in (0, -3, 1.5):
        assert_good_error(lambda window=window: layer(sliding_window=window), ValueError, "sliding_window", "needs")
    built = layer()
    built(x, x)
    assert_good_error(lambda: built(x[..., :3], x), ValueError, "(2, 4, 3)", "needs", "8")


def test_attention_without_weights_takes_more_axes() -> None:
    q, v = RNG.standard_normal((2, 3, 4, 5)).astype(np.float32), RNG.standard_normal((2, 3, 6, 5)).astype(np.float32)
    y = layers.Attention()([q, v])
    want = layers.Attention()([q.reshape(6, 4, 5), v.reshape(6, 6, 5)])
    np.testing.assert_allclose(y.numpy().reshape(want.shape), want, rtol=1e-5, atol=1e-5)
    for bad in (q, [q], [q] * 4):
        assert_good_error(lambda bad=bad: layers.Attention()(bad), ValueError, "needs [query, value]")
    assert_good_error(lambda: layers.Attention()([q, v], mask=ops.ones((2, 3))), ValueError, "mask", "needs a list")
    assert_good_error(lambda: layers.AdditiveAttention()(q), ValueError, "needs [query, value]")
