"""More of sequences: masks of attention, other merge modes, states that go on, images along time, sums over axes."""

import functools
from typing import Any

import numpy as np

from tests.golden.attention import ALLOWED, KEYS, QUERIES, Q, V
from tests.golden.common import CLASSES, SAMPLES, TARGETS, Case, starting_weights, wave
from tests.golden.direct import numbers
from tests.golden.recurrent import MASKED, SERIES, STEPS, WIDTH, WORDS

FILMS, SIGNALS = wave(SAMPLES, 3, 5, 4, 2, phase=0.3), wave(SAMPLES, 3, 6, 2, phase=0.3)
HEADS = (np.arange(SAMPLES * 2 * QUERIES * KEYS).reshape(SAMPLES, 2, QUERIES, KEYS) * 5 % 7 > 2) | (
    np.arange(KEYS) == 0)
OTHER = ((np.arange(SAMPLES * QUERIES).reshape(SAMPLES, QUERIES) * 5 % 10 + 1)
         * (np.arange(QUERIES) < 1 + np.arange(SAMPLES)[:, None] % 4)).astype(np.int32)


def _case(name: str, model: Any, x: Any, *, rate: float = 0.1, **more: Any) -> Case:
    return Case(f"sequences_{name}", model, lambda k: dict(optimizer=k.optimizers.SGD(rate)), x=x, rtol=1e-4, atol=1e-5,
                why="sums over time, features and keys in another order", **more)


def _chain(name: str, layer: Any, x: np.ndarray, *, masked: bool = False, **more: Any) -> Case:
    def model(k: Any) -> Any:
        parts = [k.Input(x.shape[1:], dtype=x.dtype.name)]
        parts += [k.layers.Masking()] if masked else []
        return k.Sequential([*parts, layer(k), k.layers.Flatten(), k.layers.Dense(CLASSES)])
    return _case(name, model, x, **more)


def _read(name: str, layer: Any, way: str) -> Case:
    """Masked inputs; what reads the outputs takes their mask."""
    def model(k: Any) -> Any:
        return k.Sequential([k.Input((STEPS, WIDTH)), k.layers.Masking(), layer(k), k.layers.SimpleRNN(4),
                             k.layers.Dense(CLASSES)])
    return _case(name, model, MASKED[way])


def _words(name: str, layer: Any, *, key: bool = False, **call: Any) -> Case:
    """Queries, values (and keys) with padding of their own."""
    def model(k: Any) -> Any:
        q, v = k.Input((QUERIES,), dtype="int32"), k.Input((STEPS,), dtype="int32")
        x, y = (k.layers.Embedding(11, 6, mask_zero=True)(ids) for ids in (q, v))
        z = layer(k)(x, y, **call) if key else layer(k)([x, y], **call)
        return k.Model([q, v], k.layers.Dense(CLASSES)(k.layers.GlobalAveragePooling1D()(z)))
    return _case(name, model, [OTHER, WORDS["right"]])


def _given(name: str, mask: np.ndarray, **call: Any) -> Case:
    def model(k: Any) -> Any:
        q, v = k.Input((QUERIES, 6)), k.Input((KEYS, 6))
        allowed = k.Input(mask.shape[1:], dtype="bool")
        y = k.layers.MultiHeadAttention(2, 3)(q, v, attention_mask=allowed, **call)
        return k.Model([q, v, allowed], k.layers.Dense(CLASSES)(k.layers.Flatten()(y)))
    return _case(name, model, [Q, V, mask])


def _scores(k: Any) -> Any:
    x = k.Input((KEYS, 6))
    y, p = k.layers.MultiHeadAttention(2, 3)(x, x, return_attention_scores=True, use_causal_mask=True)
    return k.Model(x, k.layers.Dense(CLASSES)(k.layers.Concatenate()([k.layers.Flatten()(y), k.layers.Flatten()(p)])))


def _dot(axes: Any, *, normalize: bool = False) -> Any:
    def model(k: Any) -> Any:
        a, b = k.Input((QUERIES, 6)), k.Input((KEYS, 6))
        y = k.layers.Dot(axes, normalize=normalize)([k.layers.Dense(4, "tanh")(a), k.layers.Dense(4, "tanh")(b)])
        return k.Model([a, b], k.layers.Dense(CLASSES)(k.layers.Flatten()(y)))
    return model


def _flat_dot(k: Any) -> Any:
    a, b = k.Input((QUERIES, 6)), k.Input((KEYS, 6))
    y = k.layers.Dot(axes=1)([k.layers.Dense(4, "tanh")(k.layers.Flatten()(x)) for x in (a, b)])
    return k.Model([a, b], k.layers.Dense(CLASSES)(y))


def _both(mode: Any, kind: str = "LSTM", **options: Any) -> Any:
    return lambda k: k.layers.Bidirectional(getattr(k.layers, kind)(3, return_sequences=True, **options),
                                            merge_mode=mode)


def _two(k: Any) -> Any:
    """merge_mode None: two outputs."""
    x = k.Input((STEPS, WIDTH))
    y, z = k.layers.Bidirectional(k.layers.GRU(3), merge_mode=None)(x)
    return k.Model(x, k.layers.Dense(CLASSES)(k.layers.Concatenate()([y, z])))


def _other_way_back(k: Any) -> Any:
    return k.layers.Bidirectional(k.layers.LSTM(3), backward_layer=k.layers.GRU(3, go_backwards=True))


def _film(**options: Any) -> Any:
    return lambda k: k.layers.ConvLSTM2D(2, (2, 3), **options)


def stateful(k: Any, kind: str, **options: Any) -> list[float]:
    """Losses and predictions of batches of four, each of which goes on from the states of the one before."""
    model = k.Sequential([k.Input(batch_shape=(4, STEPS, WIDTH)),
                          getattr(k.layers, kind)(3, stateful=True, **options), k.layers.Dense(CLASSES)])
    model.compile(optimizer=k.optimizers.SGD(0.1), loss="mse")
    model.set_weights(starting_weights([w.shape for w in model.get_weights()]))
    history = model.fit(SERIES, TARGETS["real"], batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
    once = model.predict(SERIES, batch_size=4, verbose=0)
    model.layers[-2].reset_states()
    again = model.predict(SERIES, batch_size=4, verbose=0)
    return numbers([*history, *once.ravel(), *again.ravel()])


def _einsum(name: str, equation: str, shape: Any, x: np.ndarray = FILMS, **options: Any) -> Case:
    options = {"activation": "tanh", **options}
    return _chain(f"einsum_{name}", lambda k: k.layers.EinsumDense(equation, shape, **options), x, rate=0.005)


CASES = [
    *(_chain(f"bidirectional_{mode}", _both(mode), SERIES) for mode in ("mul", "ave")),
    *(_read(f"bidirectional_{mode}_left", _both(mode, "GRU"), "left") for mode in ("sum", "concat")),
    _case("bidirectional_two", _two, SERIES), _chain("bidirectional_other", _other_way_back, SERIES),
    *(_read(f"before_{way}", lambda k: k.layers.GRU(3, reset_after=False, return_sequences=True), way)
      for way in ("left", "middle")),
    _read("along_time", lambda k: k.layers.TimeDistributed(k.layers.Dense(4, activation="relu")), "middle"),
    _read("relu_backwards", lambda k: k.layers.SimpleRNN(3, activation="relu", return_sequences=True,
                                                         go_backwards=True), "right"),
    _chain("film", _film(), FILMS), _chain("film_same", _film(padding="same", return_sequences=True), FILMS),
    _chain("film_strides", _film(strides=(2, 1), go_backwards=True, use_bias=False), FILMS),
    _chain("film_gates", _film(recurrent_activation="hard_sigmoid", activation="relu", unit_forget_bias=False), FILMS),
    _chain("signal", lambda k: k.layers.ConvLSTM1D(3, 2, dilation_rate=2), SIGNALS),
    _given("heads_mask", HEADS), _given("masked_causal", ALLOWED, use_causal_mask=True), _case("scores", _scores, V),
    _words("multi_head_words", lambda k: k.layers.MultiHeadAttention(2, 3), key=True),
    _words("grouped_words", lambda k: k.layers.GroupQueryAttention(3, 4, 2), key=True),
    _words("dot_words", lambda k: k.layers.Attention()),
    _words("additive_words", lambda k: k.layers.AdditiveAttention()),
    _words("concat_words", lambda k: k.layers.Attention(score_mode="concat"), use_causal_mask=True),
    _case("dot", _dot(2), [Q, V]), _case("dot_cosine", _dot((2, -1), normalize=True), [Q, V]),
    _case("dot_flat", _flat_dot, [Q, V]),
    _einsum("dense", "abc,cd->abd", (STEPS, 6), SERIES, bias_axes="d", activation="relu"),
    _einsum("heads", "abc,cde->abde", (STEPS, 2, 3), SERIES, bias_axes="de"),
    _einsum("joined", "abcde,def->abcf", (3, 5, 4), bias_axes="f"),
    _einsum("front", "...d,de->...e", (3,), bias_axes="e"), _einsum("end", "ab...,bc->ac...", (3,), bias_axes="c"),
    _einsum("swapped", "abc,bd->adc", (2, WIDTH), SERIES, bias_axes="d"),
    _einsum("stack", "abcde,cef->abcdf", (3, 5, 4, 2), bias_axes="cf"),
]

KINDS = ("SimpleRNN", "LSTM", "GRU")
VALUES = {f"stateful_{kind}": functools.partial(stateful, kind=kind) for kind in KINDS}
