"""Attention layers: self and cross, masks, causal, widths; embeddings."""

from typing import Any

import numpy as np

from tests.golden.common import CLASSES, SAMPLES, Case, wave

QUERIES, KEYS, WIDTH = 4, 5, 6
Q, V = wave(SAMPLES, QUERIES, WIDTH, phase=0.1), wave(SAMPLES, KEYS, WIDTH, phase=0.7)
ALLOWED = (np.arange(SAMPLES * QUERIES * KEYS).reshape(SAMPLES, QUERIES, KEYS) * 7 % 11 > 3)
ALLOWED[:, :, 0] = True
WORDS = ((np.arange(SAMPLES * KEYS).reshape(SAMPLES, KEYS) * 7 % 10 + 1)
         * (np.arange(KEYS) < 2 + np.arange(SAMPLES)[:, None] % 4)).astype(np.int32)


def _head(k: Any, y: Any) -> Any:
    return k.layers.Dense(CLASSES)(k.layers.Flatten()(y))


def _cross(layer: Any, **call: Any) -> Any:
    def model(k: Any) -> Any:
        q, v = k.Input((QUERIES, WIDTH)), k.Input((KEYS, WIDTH))
        return k.Model([q, v], _head(k, layer(k)(q, v, **call)))
    return model


def _self(layer: Any, **call: Any) -> Any:
    def model(k: Any) -> Any:
        x = k.Input((KEYS, WIDTH))
        return k.Model(x, _head(k, layer(k)(x, x, **call)))
    return model


def _listed(layer: Any, *, key: bool = False, **call: Any) -> Any:
    """Of layers that take [query, value]."""
    def model(k: Any) -> Any:
        q, v = k.Input((QUERIES, WIDTH)), k.Input((KEYS, WIDTH))
        given = [q, v, k.layers.Dense(WIDTH, activation="tanh")(v)] if key else [q, v]
        return k.Model([q, v], _head(k, layer(k)(given, **call)))
    return model


def _masked(k: Any) -> Any:
    q, v = k.Input((QUERIES, WIDTH)), k.Input((KEYS, WIDTH))
    allowed = k.Input((QUERIES, KEYS), dtype="bool")
    y = k.layers.MultiHeadAttention(2, 3)(q, v, attention_mask=allowed)
    return k.Model([q, v, allowed], _head(k, y))


def _padded(causal: bool) -> Any:
    def model(k: Any) -> Any:
        ids = k.Input((KEYS,), dtype="int32")
        x = k.layers.Embedding(11, WIDTH, mask_zero=True)(ids)
        y = k.layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=causal)
        return k.Model(ids, k.layers.Dense(CLASSES)(k.layers.GlobalAveragePooling1D()(y)))
    return model


def _embedded(k: Any) -> Any:
    return k.Sequential([k.Input((KEYS,), dtype="int32"),
                         k.layers.Embedding(11, 3, embeddings_regularizer=k.regularizers.L2(0.01)), k.layers.Flatten(),
                         k.layers.Dense(CLASSES)])


def _heads(heads: int = 2, depth: int = 3, **options: Any) -> Any:
    return lambda k: k.layers.MultiHeadAttention(heads, depth, **options)


def _case(name: str, model: Any, x: Any, **more: Any) -> Case:
    return Case(f"attention_{name}", model, lambda k: dict(), x=x, rtol=1e-4, atol=1e-5,
                why="sums over features and keys in another order", **more)


BOTH = [Q, V]
CASES = [
    _case("self", _self(_heads()), V), _case("cross", _cross(_heads()), BOTH),
    _case("causal", _self(_heads(), use_causal_mask=True), V), _case("one_head", _self(_heads(1, 6)), V),
    _case("value_dim", _cross(_heads(value_dim=5)), BOTH), _case("output_shape", _cross(_heads(output_shape=7)), BOTH),
    _case("no_bias", _cross(_heads(use_bias=False)), BOTH), _case("masked", _masked, [Q, V, ALLOWED]),
    _case("padded", _padded(False), WORDS), _case("padded_causal", _padded(True), WORDS),
    _case("grouped", _self(lambda k: k.layers.GroupQueryAttention(3, 4, 2)), V),
    _case("dot", _listed(lambda k: k.layers.Attention()), BOTH),
    _case("dot_scaled", _listed(lambda k: k.layers.Attention(use_scale=True)), BOTH),
    _case("dot_key", _listed(lambda k: k.layers.Attention(), key=True), BOTH),
    _case("concat", _listed(lambda k: k.layers.Attention(use_scale=True, score_mode="concat")), BOTH),
    _case("dot_causal", _listed(lambda k: k.layers.Attention(), use_causal_mask=True), BOTH),
    _case("additive", _listed(lambda k: k.layers.AdditiveAttention()), BOTH),
    _case("additive_plain", _listed(lambda k: k.layers.AdditiveAttention(use_scale=False)), BOTH),
    _case("embedding", _embedded, WORDS),
]
