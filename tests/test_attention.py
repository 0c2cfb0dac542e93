"""Attention and Transformers: one call against products and a softmax, masks, blocks by hand, wrong input. Keras'
numbers: test_keras_parity."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, layers, ops
from fastnn.errors import LabelError, NotBuiltError, ShapeError
from fastnn.layers.transformer import sinusoids
from tests.errors import assert_good_error
from tests.golden.common import wave

X, V = wave(3, 5, 8), wave(3, 7, 8, phase=0.7)
SEEN = np.arange(7) < np.array([[4], [7], [1]])
ALLOWED = (np.arange(3 * 5 * 7).reshape(3, 5, 7) * 7 % 11 > 3) | (np.arange(7) == 0)


def made(kind: Any = layers.MultiHeadAttention, *args: Any, **options: Any) -> Any:
    fastnn.random.set_seed(3)
    layer = kind(*(args or (2, 4)), **options)
    layer(X, V)
    return layer


@pytest.mark.parametrize("call", [
    {}, {"attention_mask": ALLOWED}, {"value_mask": SEEN}, {"key_mask": SEEN, "attention_mask": ALLOWED},
    {"query_mask": np.arange(5) < np.array([[5], [2], [3]])}, {"use_causal_mask": True},
    {"use_causal_mask": True, "value_mask": SEEN}, {"attention_mask": np.broadcast_to(ALLOWED[:, :1], (3, 5, 7))}],
    ids=lambda call: "+".join(call) or "plain")
def test_one_call_gives_what_products_and_a_softmax_give(call: dict[str, Any], any_backend: str) -> None:
    """Scores are asked for, and so computed apart; they are probabilities over what may be looked at."""
    layer = made()
    y, scores = layer(X, V, return_attention_scores=True, **call)
    np.testing.assert_allclose(np.asarray(layer(X, V, **call)), np.asarray(y), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.asarray(scores).sum(axis=-1), 1, rtol=1e-5)
    if "query_mask" not in call:
        hidden = np.zeros((3, 5, 7), bool)
        for name in ("value_mask", "key_mask"):
            hidden |= ~call[name][:, None] if name in call else False
        hidden |= ~call["attention_mask"] if "attention_mask" in call else False
        hidden |= ~np.tri(5, 7, dtype=bool) if "use_causal_mask" in call else False
        assert not np.asarray(scores)[np.broadcast_to(hidden[:, None], (3, 2, 5, 7))].any()


def test_what_is_hidden_makes_no_difference() -> None:
    layer = made()
    other = np.where(SEEN[..., None], V, 99).astype(np.float32)
    y, z = (np.asarray(layer(X, values, value_mask=SEEN)) for values in (V, other))
    np.testing.assert_array_equal(y, z)


def test_dropout_of_probabilities_is_for_training_only() -> None:
    calm, wild = made(), made(dropout=0.5)
    np.testing.assert_array_equal(np.asarray(calm(X, V)), np.asarray(wild(X, V)))
    once, again = (np.asarray(wild(X, V, training=True)) for _ in range(2))
    assert not np.array_equal(once, again)
    mean = np.mean([np.asarray(wild(X, V, training=True)) for _ in range(400)], axis=0)
    np.testing.assert_allclose(mean, np.asarray(calm(X, V)), atol=0.12)


def test_groups_of_heads_share_keys() -> None:
    """With every key head repeated for its group it is plain attention."""
    grouped = made(layers.GroupedQueryAttention, 4, 6, 2)
    plain = made(layers.MultiHeadAttention, 6, 4)
    weights = [np.repeat(w, 3, axis=-2) if i in (2, 3, 4, 5) else w for i, w in enumerate(grouped.get_weights())]
    plain.set_weights(weights)
    np.testing.assert_allclose(np.asarray(grouped(X, V)), np.asarray(plain(X, V)), rtol=1e-5, atol=1e-6)


# ---- Transformers ----------------------------------------------------------------------------------------------------

def normed(x: Any, layer: Any) -> np.ndarray:
    return np.asarray(layer(x))


@pytest.mark.parametrize("first", [False, True])
def test_blocks_are_attention_and_dense_layers_with_sums_around_them(first: bool, any_backend: str) -> None:
    fastnn.random.set_seed(3)
    encoder = layers.TransformerEncoder(16, 2, activation="gelu", normalize_first=first)
    decoder = layers.TransformerDecoder(16, 4, normalize_first=first)
    mask = np.arange(5) < np.array([[5], [2], [4]])
    y, z = np.asarray(encoder(X, padding_mask=mask)), np.asarray(decoder(X, V, encoder_padding_mask=SEEN))

    def around(x: np.ndarray, norm: Any, inner: Any) -> np.ndarray:
        return x + np.asarray(inner(normed(x, norm))) if first else normed(x + np.asarray(inner(x)), norm)

    def dense(block: Any) -> Any:
        return lambda x: block.output_dense(block.intermediate(x))
    want = around(X, encoder.attention_norm, lambda x: encoder.attention(x, x, key_mask=mask))
    want = around(want, encoder.feedforward_norm, dense(encoder))
    np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-5)
    want = around(X, decoder.self_attention_norm, lambda x: decoder.self_attention(x, x, use_causal_mask=True))
    want = around(want, decoder.cross_attention_norm, lambda x: decoder.cross_attention(x, V, key_mask=SEEN))
    want = around(want, decoder.feedforward_norm, dense(decoder))
    np.testing.assert_allclose(z, want, rtol=1e-5, atol=1e-5)


def test_a_decoder_sees_nothing_of_what_comes() -> None:
    block = layers.TransformerDecoder(16, 2)
    other = X.copy()
    other[:, 3:] = 9
    np.testing.assert_array_equal(np.asarray(block(X))[:, :3], np.asarray(block(other))[:, :3])
    assert not np.allclose(np.asarray(block(X, use_causal_mask=False))[:, :3],
                           np.asarray(block(other, use_causal_mask=False))[:, :3])


def test_masks_of_words_reach_the_blocks() -> None:
    """Padding behind the words changes nothing, whatever is there."""
    ids = Input((None,), dtype="int32")
    x = layers.TokenAndPositionEmbedding(20, 9, 8, mask_zero=True)(ids)
    x = layers.TransformerEncoder(16, 2)(x)
    model = Model(ids, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
    words = np.array([[3, 4, 5, 0, 0]], np.int32)
    np.testing.assert_allclose(np.asarray(model(words)), np.asarray(model(words[:, :3])), rtol=1e-5, atol=1e-6)


def test_places_are_sines_and_cosines_or_learned() -> None:
    table = sinusoids(50, 7)
    for t, i in ((0, 0), (13, 2), (49, 6)):
        assert table[t, i] == pytest.approx(np.sin(t / 10_000 ** (i / 7)))
        assert i == 6 or table[t, i + 1] == pytest.approx(np.cos(t / 10_000 ** (i / 7)))
    np.testing.assert_allclose(np.asarray(layers.SinusoidalPositions()(X)), X + sinusoids(5, 8), rtol=1e-6, atol=1e-6)
    both = layers.TokenAndPositionEmbedding(20, 9, 4)
    y = np.asarray(both(np.array([[7, 7, 2]], np.int32)))
    tokens, places = both.get_weights()
    np.testing.assert_allclose(y[0], tokens[[7, 7, 2]] + places[:3], rtol=1e-6)


# ---- wrong input -----------------------------------------------------------------------------------------------------

def test_wrong_shapes_are_refused() -> None:
    layer = made()
    assert_good_error(lambda: layers.MultiHeadAttention(2, 4)(X[:, 0], V), ShapeError, "query", "(batch, positions")
    assert_good_error(lambda: layer(X, V, V[:, :3]), ShapeError, "(3, 7, 8)", "(3, 3, 8)", "as many positions")
    for mask in (ALLOWED[:, :4], ALLOWED[:, :, :6], np.ones((2, 5, 7), bool), np.ones(7, bool)):
        assert_good_error(lambda mask=mask: layer(X, V, attention_mask=mask), ShapeError, "attention_mask",  # type: ignore[misc]
                          "(3, 5, 7)")
    assert_good_error(lambda: layers.MultiHeadAttention(0, 4), ValueError, "num_heads")
    assert_good_error(lambda: layers.MultiHeadAttention(2, 4, dropout=1.0), ValueError, "dropout")
    assert_good_error(lambda: layers.GroupedQueryAttention(4, 5, 2), ValueError, "multiple")
    assert_good_error(lambda: layers.Attention()(X), ShapeError, "[query, value]")
    assert_good_error(lambda: layers.Attention(score_mode="dots"), ValueError, "score_mode", "dot")
    assert_good_error(lambda: layers.TransformerEncoder(16, 3)(X), ShapeError, "num_heads is 3", "8 wide")
    assert_good_error(lambda: layers.SinusoidalPositions()(X[:, 0]), ShapeError, "(batch, time, width)")
    decoder = layers.TransformerDecoder(16, 2)
    decoder(X)
    assert_good_error(lambda: decoder(X, V), ShapeError, "without one")


def test_words_that_are_none_and_sequences_that_are_too_long_are_refused() -> None:
    model = Sequential([Input((None,), dtype="int32"), layers.TokenAndPositionEmbedding(20, 9, 4),
                        layers.TransformerDecoder(8, 2), layers.Dense(20)])
    model.compile("sgd", fastnn.losses.SparseCategoricalCrossentropy(from_logits=True))
    bad = np.array([[1, 2], [3, 20]], np.int32)
    for call in (lambda: model.fit(bad, bad, verbose=0), lambda: model.predict(bad, verbose=0), lambda: model(bad)):
        assert_good_error(call, LabelError, "20", "(1, 1)", "0..19", unchanged=model)
    long = np.ones((2, 10), np.int32)
    assert_good_error(lambda: model.predict(long, verbose=0), ShapeError, "10 steps", "at most 9", unchanged=model)


def test_sums_over_axes_that_do_not_fit_are_refused() -> None:
    for equation in ("abc,cd->abe", "abc,cd", "ab,cd,de->ae", "...bc,cd->bd", 3):
        assert_good_error(lambda equation=equation: layers.EinsumDense(equation, 4), ValueError, "equation")  # type: ignore[misc]
    assert_good_error(lambda: layers.EinsumDense("abc,cd->abd", (6, 4))(X), ShapeError, "'b'", "5", "6")
    assert_good_error(lambda: layers.EinsumDense("abc,cd->abd", 4)(X), ShapeError, "output_shape", "2 axes")
    assert_good_error(lambda: layers.EinsumDense("abc,cd->abd", (None, 4), bias_axes="x"), ValueError, "bias_axes")
    assert_good_error(lambda: layers.EinsumDense("ab,bc->ac", 4)(X), ShapeError, "ab,bc->ac")
    assert_good_error(lambda: layers.Dot(1)([X, V]), ShapeError, "(3, 5, 8)", "(3, 7, 8)", "one length")
    assert_good_error(lambda: layers.Dot(0)([X, X]), ShapeError, "the batch")
    assert_good_error(lambda: layers.Dot((1, 2, 3)), ValueError, "axes")
    assert_good_error(lambda: layers.Dot(1)(X), ValueError, "list of 2")


@pytest.mark.parametrize("make", [
    lambda: layers.MultiHeadAttention(2, 4), lambda: layers.GroupedQueryAttention(4, 2, 1), lambda: layers.Attention(),
    lambda: layers.AdditiveAttention(), lambda: layers.TransformerEncoder(8, 2),
    lambda: layers.TransformerDecoder(8, 2)])
def test_dropout_that_is_set_later_counts_from_the_next_step_on(make: Any) -> None:
    layer, x = make(), np.ones((2, 6, 8), "float32")
    plain = type(layer).__name__ in ("Attention", "AdditiveAttention")
    pair = type(layer).__name__ in ("MultiHeadAttention", "GroupedQueryAttention")
    args = ([x, x],) if plain else (x, x) if pair else (x,)
    for rate in (0.0, 0.5, 0.0):
        layer.dropout = rate
        y, dropped = (np.asarray(layer(*args, training=t)) for t in (False, True))
        assert np.array_equal(y, dropped) == (rate == 0), rate
        assert layer.get_config()["dropout"] == rate
    assert_good_error(lambda: setattr(layer, "dropout", 1.5), ValueError, "dropout")
    assert layer.dropout == 0


def test_a_recorded_step_learns_of_another_dropout() -> None:
    x = np.random.default_rng(0).random((4, 3, 8), np.float32)
    model = fastnn.Sequential([layers.Input((3, 8)), layers.TransformerEncoder(8, 2)])
    model.compile("sgd", "mse")
    before = [model.test_on_batch(x, x), model.train_on_batch(x, x)]
    model.layers[-1].dropout = 0.9
    assert before[0] == before[1] != model.train_on_batch(x, x)


@pytest.mark.parametrize("make", [lambda: layers.TransformerEncoder(8, 2), lambda: layers.TransformerDecoder(8, 2)])
@pytest.mark.parametrize("name, values", [("activation", ["relu", "tanh"]), ("layer_norm_epsilon", [1e-5, 0.9])])
def test_what_a_transformer_hands_on_may_be_set_later(make: Any, name: str, values: Any) -> None:
    layer, found = make(), []
    for value in values:
        setattr(layer, name, value)
        found.append(layer(X).numpy())
        assert layer.get_config()[name] == value
    assert not np.array_equal(*found)
    setattr(layer, name, values[0])
    np.testing.assert_array_equal(layer(X).numpy(), found[0])


@pytest.mark.parametrize("flag", [0, 1, np.True_, np.int64(0)])
def test_use_causal_mask_may_be_a_number(flag: Any) -> None:
    layer = layers.MultiHeadAttention(2, 4)
    np.testing.assert_array_equal(layer(X, X, use_causal_mask=flag), layer(X, X, use_causal_mask=bool(flag)))


@pytest.mark.parametrize("layer", [
    layers.MultiHeadAttention(2, 4, value_dim=3), layers.MultiHeadAttention(2, 4, output_shape=(3, 2), use_bias=False),
    layers.GroupedQueryAttention(4, 2, 2)], ids=["heads", "output_shape", "groups"])
def test_projections_are_layers_over_the_same_weights(layer: Any) -> None:
    """Attention written out with them is the layer's, in the layer's own words."""
    x = np.random.default_rng(2).normal(size=(2, 5, 6)).astype(np.float32)
    y = layer(x, x)
    q, k, v = layer.query_dense(x), layer.key_dense(x), layer.value_dense(x)
    groups = q.shape[2] // k.shape[2]
    k, v = ops.repeat(k, groups, axis=2), ops.repeat(v, groups, axis=2)
    p = ops.softmax(ops.einsum("bqhd,bkhd->bhqk", q, k) / layer.key_dim ** 0.5)
    np.testing.assert_allclose(layer.output_dense(ops.einsum("bhqk,bkhd->bqhd", p, v)), y, rtol=1e-5, atol=1e-6)
    assert layer.query_dense.kernel is layer.query_kernel and layer.query_dense.name == "query"
    layer.query_dense.trainable = False
    assert not layer.query_dense.trainable and layer.key_dense.trainable
    assert len(layer.trainable_weights) == len(layer.weights) - len(layer.query_dense.weights)


@pytest.mark.parametrize("name", ["query_dense", "output_dense"])
def test_projections_are_there_once_the_layer_is_built(name: str) -> None:
    layer = layers.MultiHeadAttention(2, 4, name="heads")
    assert_good_error(lambda: getattr(layer, name), NotBuiltError, "heads", name)
