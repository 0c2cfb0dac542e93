"""Model.generate: step by step with what layers remember it gives what full passes give; draws, ends, wrong input."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, layers, ops
from fastnn.engine import threads
from fastnn.errors import LabelError, NotBuiltError, ShapeError
from fastnn.layers._context import context
from fastnn.layers._stream import Stream
from fastnn.models.generate import KEPT
from tests.errors import assert_good_error

NUMBERS = 9


def chain(*inner: Any, time: int | None = None, head: Any = None, **embedding: Any) -> Any:
    return Sequential([Input((time,), dtype="int32"), layers.Embedding(NUMBERS, 8, **embedding), *inner,
                       head or layers.Dense(NUMBERS)])


def residual() -> Any:
    """A graph: attention by itself, sums, norms, two tables of places."""
    x = Input((None,), dtype="int32")
    y = layers.SinusoidalPositions()(layers.Embedding(NUMBERS, 8)(x))
    y = y + layers.MultiHeadAttention(2, 3)(layers.LayerNormalization()(y), y, use_causal_mask=True)
    y = layers.Add()([y, layers.GroupedQueryAttention(4, 4, 2)(y, y, use_causal_mask=True)])
    y = layers.Concatenate()([y, layers.LSTM(5, return_sequences=True)(y)])
    return Model(x, layers.Dense(NUMBERS)(layers.TimeDistributed(layers.Dense(8, "relu"))(y)))


def gpt(time: int | None = None) -> Any:
    return Sequential([Input((time,), dtype="int32"), layers.TokenAndPositionEmbedding(NUMBERS, 20, 8),
                       layers.TransformerDecoder(16, 2), layers.TransformerDecoder(16, 4, normalize_first=True),
                       layers.Dense(NUMBERS)])


class Own(Model):
    """A subclass: its layers go step by step, and it says that it does."""
    stepwise = True

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.memory = layers.Embedding(NUMBERS, 8), layers.GRU(8, return_sequences=True)
        self.head = layers.Dense(NUMBERS)

    def call(self, x: Any) -> Any:
        y = self.embedding(x)
        return self.head(ops.add(y, self.memory(y)))


def own() -> Any:
    model = Own()
    model(np.zeros((1, 3), np.int32))
    return model


MODELS = {
    "gpt": gpt, "gpt of fixed length": lambda: gpt(12), "residual": residual, "own": own,
    "masked": lambda: chain(layers.LSTM(8, return_sequences=True), layers.GRU(8), mask_zero=True),
    **{kind: lambda kind=kind: chain(getattr(layers, kind)(8, return_sequences=True), layers.Dropout(0.5),
                                     getattr(layers, kind)(8), head=layers.Dense(NUMBERS, "softmax"))
       for kind in ("SimpleRNN", "LSTM", "GRU")},
    "before": lambda: chain(layers.GRU(8, reset_after=False)), "gates": lambda: chain(layers.LSTM(8, "relu")),
    "cells": lambda: chain(layers.RNN([layers.LSTMCell(6), layers.GRUCell(5)])),
    "stateful": lambda: chain(layers.GRU(8, stateful=True)),
}


def made(name: str) -> Any:
    fastnn.random.set_seed(3)
    model = MODELS[name]()
    for w in model.weights:
        w.assign(3 * np.asarray(w))      # so that it has opinions
    return model


def last(y: Any) -> np.ndarray:
    y = np.asarray(y)
    return y[:, -1] if y.ndim == 3 else y


def likeliest(model: Any, prompt: list[int], steps: int) -> list[int]:
    """By a full pass for each number."""
    found = list(prompt)
    for _ in range(steps):
        if getattr(model.layers[-2], "stateful", False):
            model.layers[-2].reset_states()
        found.append(int(last(model(np.array([found], np.int32)))[0].argmax()))
    return found


@pytest.mark.parametrize("name", MODELS)
def test_the_likeliest_numbers_are_those_of_full_passes(name: str, any_backend: str) -> None:
    model = made(name)
    found = model.generate([1, 2, 3], 9, temperature=0)
    assert found.dtype == np.int32 and found.tolist() == likeliest(model, [1, 2, 3], 9)
    assert model.generate([5], 4, temperature=0).tolist() == likeliest(model, [5], 4)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "stateful"])      # whose own states go on
def test_memory_gives_the_outputs_of_the_full_pass(name: str, any_backend: str) -> None:
    """At every step, up to float32's rounding."""
    model = made(name)
    ids = np.array([[1, 2, 3, 8, 5, 5], [4, 7, 7, 1, 2, 6]], np.int32)
    full = [last(model(ids[:, :i + 1])) for i in range(6)]
    stream = Stream(7)
    stream.begin()
    for i in range(6):
        stream.step()
        context.stream = stream
        try:
            y = last(model(ids[:, i:i + 1]))
        finally:
            context.stream = None
        stream.here.data[...] += 1
        np.testing.assert_allclose(y, full[i], rtol=2e-4, atol=2e-5)


def test_what_is_padding_is_not_looked_at() -> None:
    """Zeros with mask_zero: keys that do not count, in memory as in the full pass."""
    x = Input((None,), dtype="int32")
    y = layers.Embedding(NUMBERS, 8, mask_zero=True)(x)
    model = Model(x, layers.Dense(NUMBERS)(layers.MultiHeadAttention(2, 4)(y, y, use_causal_mask=True)))
    for prompt in ([3, 0, 4], [3, 4, 0, 0, 5]):
        assert model.generate(prompt, 6, temperature=0).tolist() == likeliest(model, prompt, 6)


def test_prompts_of_different_lengths_go_on_each_for_itself() -> None:
    model = made("gpt")
    prompts = [[1], [2, 3, 4, 5], [6, 7]]
    found = model.generate(prompts, 5, temperature=0)
    assert found.shape == (3, 9)
    for row, prompt in zip(found, prompts):
        assert row.tolist() == likeliest(model, prompt, 9 - len(prompt))


def test_the_same_seed_gives_the_same_text_for_any_threads() -> None:
    model, found = residual(), set()
    asked = threads.wanted()
    try:
        for count in (1, 2, 3):
            threads.set_num_threads(count)
            found.add(model.generate([[1, 2], [3, 4]], 30, seed=7).tobytes())
    finally:
        threads.restore(asked)
    assert len(found) == 1
    others = {model.generate([[1, 2], [3, 4]], 30, seed=seed).tobytes() for seed in range(5)}
    assert len(others) == 5
    assert model.generate([1], 20).tolist() != model.generate([1], 20).tolist()      # each by a draw of its own
    fastnn.random.set_seed(1)
    first = model.generate([1], 20).tolist()
    fastnn.random.set_seed(1)
    assert model.generate([1], 20).tolist() == first


def test_numbers_come_as_often_as_they_are_likely() -> None:
    """softmax(logits / temperature) of a model that says the same whatever it reads; the k most likely only."""
    logits = np.array([0.0, 1.0, 2.0, -1.0], np.float32)
    for head, bias in ((None, logits), ("softmax", logits)):
        model = Sequential([Input((None,), dtype="int32"), layers.Embedding(4, 2, "zeros"),
                            layers.Dense(4, head, bias_initializer=lambda shape, dtype=None, b=bias: b)])
        for temperature, top_k in ((1.0, None), (0.5, None), (2.0, 2)):
            likely = logits / temperature
            if top_k is not None:
                likely = np.where(likely < np.sort(likely)[-top_k], -np.inf, likely)
            p = np.exp(likely) / np.exp(likely).sum()
            drawn = model.generate([[0]] * 50, 200, temperature, top_k, seed=1)[:, 1:]
            np.testing.assert_allclose(np.bincount(drawn.ravel(), minlength=4) / 10_000, p, atol=0.015)
            assert (np.abs(np.diff(drawn)) > 0).any()


def test_a_number_ends_a_sequence() -> None:
    """From the first one that was drawn on; one in the prompt does not end it."""
    model = made("LSTM")
    free = model.generate([[1, 2]] * 6, 40, seed=5)
    ended = model.generate([[1, 2]] * 6, 40, seed=5, stop=4)
    for a, b in zip(free.tolist(), ended.tolist()):
        end = a.index(4) if 4 in a else len(a)
        assert b == a[:end] + [4] * (len(a) - end)
    assert any(4 in row for row in free.tolist())
    stops = model.generate([4, 1], 3, temperature=0, stop=4).tolist()
    assert stops[:2] == [4, 1] and stops == likeliest(model, [4, 1], 3)


def test_a_window_of_fixed_length_is_read_where_layers_do_not_go_step_by_step() -> None:
    model = Sequential([Input((4,), dtype="int32"), layers.Embedding(NUMBERS, 5), layers.Flatten(),
                        layers.Dense(NUMBERS, "softmax")])
    found = [1, 2, 3, 4, 5]
    for _ in range(8):
        found.append(int(np.asarray(model(np.array([found[-4:]], np.int32)))[0].argmax()))
    assert model.generate([1, 2, 3, 4, 5], 8, temperature=0).tolist() == found
    assert_good_error(lambda: model.generate([1, 2, 3], 8), ShapeError, "3 numbers", "at least 4", unchanged=model)


def test_steps_are_one_program_that_c_replays() -> None:
    """Whatever seed, temperature, prompt and end; recorded again when the model is trained or edited."""
    model = made("gpt")
    for seed in range(3):
        model.generate([1 + seed, 2], 10, temperature=1 + seed, seed=seed, stop=seed)
    programs = [program for _, program in model._generator.recorder.items()]
    assert len(programs) == 1 and programs[0].in_c() == (fastnn.config.backend() == "c")
    assert {call.section.name for call in programs[0].calls} >= {"read", "forward", "draw", "write"}
    before = model.generate([1], 10, temperature=0).tolist()
    model.layers[-1].bias.assign([0] * 3 + [9999] + [0] * 5)
    assert model.generate([1], 10, temperature=0).tolist() == [1] + [3] * 10 != before
    model.layers[-1].activation = lambda x: ops.negative(x)
    assert 3 not in model.generate([1], 10, temperature=0).tolist()


def test_more_sizes_than_are_kept() -> None:
    """The oldest program goes, with its buffers: it is made again when its size comes back."""
    model = made("gpt")
    first = model.generate([1], 1, temperature=0).tolist()
    for steps in range(2, KEPT + 2):
        model.generate([1], steps, temperature=0)
    assert len(list(model._generator.recorder.items())) == KEPT == len(model._generator._buffers)
    assert model.generate([1], 1, temperature=0).tolist() == first


def test_a_stateful_layer_keeps_its_own_states() -> None:
    model = made("stateful")
    model(np.array([[1, 2]], np.int32))
    before = np.asarray(model.layers[-2].states[0]).copy()
    model.generate([[1, 2], [3, 4]], 5)
    np.testing.assert_array_equal(np.asarray(model.layers[-2].states[0]), before)


# ---- wrong input -----------------------------------------------------------------------------------------------------

def test_what_does_not_go_step_by_step_is_named() -> None:
    for inner, name in ((layers.Bidirectional(layers.GRU(3), name="both"), "both"), (layers.Conv1D(4, 3), "conv1d"),
                        (layers.GRU(3, go_backwards=True), "gru"), (layers.TransformerEncoder(8, 2), "encoder"),
                        (layers.LayerNormalization(axis=(1, 2)), "normalization")):
        try:
            model = chain(inner)
        except ShapeError:
            continue        # this one wants the length known
        assert_good_error(lambda model=model: model.generate([1], 3), ValueError, name, "step by step",  # type: ignore[misc]
                          unchanged=model)
    x = Input((None,), dtype="int32")
    y = layers.Embedding(NUMBERS, 4)(x)
    for z in (layers.MultiHeadAttention(2, 3, output_shape=NUMBERS)(y, y), ops.cumsum(y, axis=1)):
        model = Model(x, z)
        assert_good_error(lambda model=model: model.generate([1], 3), ValueError, "step", unchanged=model)  # type: ignore[misc]


def test_wrong_prompts_and_numbers_are_refused() -> None:
    model = made("gpt")
    assert_good_error(lambda: model.generate([1, 9], 3), LabelError, "9", "0..8", unchanged=model)
    assert_good_error(lambda: model.generate([1, -1], 3), LabelError, "-1", unchanged=model)
    assert_good_error(lambda: model.generate([[1], []], 3), TypeError, "row 1", unchanged=model)
    assert_good_error(lambda: model.generate([0.5], 3), TypeError, "row 0", unchanged=model)
    assert_good_error(lambda: model.generate("ab", 3), TypeError, "StringLookup", unchanged=model)
    assert_good_error(lambda: model.generate([], 3), TypeError, "prompt", unchanged=model)
    assert_good_error(lambda: model.generate([1], 0), ValueError, "steps is 0", unchanged=model)
    assert_good_error(lambda: model.generate([1], 3, temperature=-1), ValueError, "temperature", unchanged=model)
    assert_good_error(lambda: model.generate([1], 3, top_k=0), ValueError, "top_k", unchanged=model)
    assert_good_error(lambda: model.generate([1], 3, seed=-1), ValueError, "seed", unchanged=model)
    assert_good_error(lambda: model.generate([1], 3, stop=2.5), TypeError, "stop", unchanged=model)
    assert_good_error(lambda: model.generate([1], 30), ShapeError, "at most 20", unchanged=model)
    assert model.generate([1], 20).shape == (21,)       # the last number is not read
    assert_good_error(lambda: Own().generate([1], 3), NotBuiltError, "no weights")
    assert_good_error(lambda: Sequential([Input((3,)), layers.Dense(2), layers.Reshape((2, 1, 1))]).generate([1], 3),
                      ShapeError, "language model")
