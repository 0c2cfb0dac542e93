"""What recurrent and attention layers refuse: ranks, masks, states, batches of other sizes; and masks that fit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers
from fastnn.errors import KindError, ShapeError
from tests.errors import assert_good_error
from tests.golden.common import wave

X = wave(8, 5, 3)
Y = wave(8, 1)
KIND = [lambda **k: layers.LSTM(4, **k), lambda **k: layers.Bidirectional(layers.GRU(4, **k))]


def _trained(layer: Any, **batch: Any) -> Any:
    model = Sequential([Input(**batch) if batch else Input((5, 3)), layer, layers.Dense(1)])
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("make", KIND, ids=["LSTM", "Bidirectional"])
def test_a_stateful_layer_refuses_other_batches_before_anything_changes(make: Callable[..., Any]) -> None:
    model = _trained(make(stateful=True))
    needs = "stateful, and got a batch of 2", "states are those of 4"
    assert_good_error(lambda: model.fit(X[:6], Y[:6], batch_size=4, verbose=0), ShapeError, "fit()", *needs,
                      unchanged=model)
    model.fit(X, Y, batch_size=4, verbose=0)
    for call in (lambda: model.fit(X, Y, batch_size=2, verbose=0), lambda: model.predict(X, batch_size=2, verbose=0),
                 lambda: model.evaluate(X[:6], Y[:6], batch_size=4, verbose=0),
                 lambda: model.fit(X, Y, batch_size=4, validation_data=(X[:6], Y[:6]), verbose=0),
                 lambda: model.fit(X, Y, batch_size=4, validation_split=0.75, shuffle=False, verbose=0)):
        assert_good_error(call, ShapeError, *needs, unchanged=model)
    model.layers[0].reset_states()
    model.fit(X, Y, batch_size=2, verbose=0)


def test_a_stateful_layer_takes_the_batch_that_its_input_says() -> None:
    model = _trained(layers.LSTM(4, stateful=True), batch_shape=(4, 5, 3))
    assert_good_error(lambda: model.fit(X, Y, verbose=0), ShapeError, "got a batch of 8", "those of 4", "batch_shape",
                      unchanged=model)
    model.fit(X, Y, batch_size=4, verbose=0)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_layers_of_steps_refuse_more_axes(kind: str) -> None:
    layer = getattr(layers, kind)
    for x in (Input((5, 3, 2)), wave(2, 5, 3, 2)):
        assert_good_error(lambda x=x: layer(4)(x), ShapeError, "(batch, time, features)", "TimeDistributed")
    built = layer(4)
    built(X)
    assert_good_error(lambda: built(wave(2, 5, 2, 3)), ShapeError, "(batch, time, features)")


@pytest.mark.parametrize("layer", [lambda: layers.LSTM(4), lambda: layers.RNN(layers.GRUCell(4))])
def test_masks_of_recurrent_layers(layer: Callable[[], Any]) -> None:
    layer = layer()
    counts = np.arange(5) < 1 + np.arange(8)[:, None] % 5
    y = np.asarray(layer(X, mask=counts))
    for same in (counts.tolist(), counts.astype(np.int32), counts.astype(np.float32)):
        np.testing.assert_array_equal(np.asarray(layer(X, mask=same)), y)
    for wrong in (counts[:, :4], counts[:7], counts[..., None], np.ones((8, 5, 3), bool), counts[0]):
        assert_good_error(lambda wrong=wrong: layer(X, mask=wrong), ShapeError, layer.name, "needs (8, 5)")


@pytest.mark.parametrize("states", [[np.zeros((8, 4), np.float32)], np.zeros((8, 4), np.float32), []])
def test_bidirectional_refuses_states_for_one_way(states: Any) -> None:
    assert_good_error(lambda: layers.Bidirectional(layers.GRU(4))(X, initial_state=states), ShapeError,
                      "initial state", "backward")


def test_bidirectional_is_for_recurrent_layers() -> None:
    assert_good_error(lambda: layers.Bidirectional(layers.Dense(2)), KindError, "Dense", "layers.LSTM(8)")


def _heads(*inputs: Any, **call: Any) -> Any:
    return layers.MultiHeadAttention(2, 3)(*inputs, **call)


@pytest.mark.parametrize(("call", "needs"), [
    (lambda: _heads(X[:, :0], X[:, :0]), "length 0"), (lambda: _heads(X, X[:, :0]), "value"),
    (lambda: _heads(X, X, attention_mask=np.ones((8, 5), bool)), "(8, 5, 5)"),
    (lambda: _heads(X, X, attention_mask=np.ones((8, 2, 5, 4), bool)), "(8, 5, 5)"),
    (lambda: _heads(X, X, query_mask=np.ones((8, 4), bool)), "(8, 5)"),
    (lambda: _heads(X, X, value_mask=np.ones((7, 5), bool)), "(8, 5)"),
    (lambda: _heads(X, X, X, key_mask=np.ones((8,), bool)), "(8, 5)"),
    (lambda: layers.Attention()([X, X[:, :0]]), "length 0"),
    (lambda: layers.Attention()([X, X], mask=[None, np.ones((8, 4), bool)]), "(8, 5)"),
    (lambda: layers.AdditiveAttention()([X, X], mask=[np.ones((8, 4), bool), None]), "(8, 5)"),
    (lambda: layers.Attention()([X, X[:, :, :2]]), "features"), (lambda: layers.Attention()([X, X[:4]]), "batch"),
    (lambda: layers.Attention()([X, X[:, :4], X]), "positions"),
])
def test_attention_says_what_does_not_fit(call: Callable[[], Any], needs: str) -> None:
    assert_good_error(call, ShapeError, "attention", needs)


def test_a_mask_for_attention_may_leave_out_axes() -> None:
    attend, lower = layers.MultiHeadAttention(2, 3), np.tri(5) > 0
    y = np.asarray(attend(X, X, use_causal_mask=True))
    for mask in (lower, lower.tolist(), lower[None], np.broadcast_to(lower, (8, 5, 5)), lower[None, None]):
        np.testing.assert_allclose(np.asarray(attend(X, X, attention_mask=mask)), y, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("inside", [lambda: layers.LSTM(4), lambda: layers.Bidirectional(layers.GRU(3)),
                                    lambda: layers.GlobalAveragePooling1D()])
def test_sentences_without_words_do_not_count(inside: Callable[[], Any]) -> None:
    """Words, sentences, texts: what reads the sentences gets a mask of them, not that of the words."""
    ids = np.array([[[1, 2, 0], [3, 0, 0], [0, 0, 0]], [[4, 1, 2], [2, 0, 0], [1, 0, 0]]])
    words, sentences, read = (layers.Embedding(5, 4, mask_zero=True), layers.TimeDistributed(inside()), layers.LSTM(2))
    x = Input((3, 3), dtype="int32")
    model, before = (Model(x, layer) for layer in (read(sentences(words(x))), sentences(words(x))))
    each = before.predict(ids, verbose=0)
    y = model.predict(ids[1:], verbose=0)
    np.testing.assert_allclose(y, np.asarray(read(each[1:])), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(sentences(words(ids)).mask), (ids > 0).any(axis=2))
    if not np.isnan(each).any():        # as the mean of no words is
        np.testing.assert_allclose(model.predict(ids, verbose=0)[:1], np.asarray(read(each[:1, :2])), rtol=1e-5,
                                   atol=1e-6)


def test_masks_of_words_stay_where_the_layer_inside_keeps_words() -> None:
    ids = np.array([[[1, 2, 0], [3, 0, 0]]])
    words = layers.Embedding(5, 4, mask_zero=True)(ids)
    for inside in (layers.LSTM(4, return_sequences=True), layers.Dense(2)):
        np.testing.assert_array_equal(np.asarray(layers.TimeDistributed(inside)(words).mask), ids > 0)
