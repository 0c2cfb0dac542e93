"""What is promised of sequences: the same bits for any threads, exact sums, memory that grows with the length alone."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, layers
from fastnn.engine import threads
from fastnn.ops.rows.attention import attention, attention_grad
from fastnn.ops.rows.embedding import embedding_grad
from tests.golden.common import wave

RNG = np.random.default_rng(4)


def recurrent(kind: str) -> Any:
    return Sequential([Input((9, 4)), layers.Masking(), layers.Bidirectional(getattr(layers, kind)(
        24, dropout=0.3, return_sequences=True)), getattr(layers, kind)(20, recurrent_dropout=0.2), layers.Dense(2)])


def transformer() -> Any:
    x = Input((9,), dtype="int32")
    y = layers.TokenAndPositionEmbedding(30, 9, 16, mask_zero=True)(x)
    y = layers.TransformerEncoder(32, 4, dropout=0.2)(y)
    y = layers.TransformerDecoder(32, 2, normalize_first=True)(y)
    y = layers.GroupedQueryAttention(4, 4, 2)(y, y, use_causal_mask=True)
    return Model(x, layers.Dense(2)(layers.GlobalAveragePooling1D()(y)))


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU", "Transformer"])
def test_same_bits_for_one_to_four_threads(kind: str) -> None:
    """With masks, dropout of every kind, both directions and causal attention; training, and what is predicted."""
    x = wave(96, 9, 4)
    x[::3, 4:], x[1::3, :2] = 0, 0
    ids = RNG.integers(1, 30, (96, 9)).astype(np.int32) * (np.arange(9) < RNG.integers(3, 10, (96, 1)))
    found, asked = set(), threads.wanted()
    try:
        for count in (1, 2, 3, 4):
            threads.set_num_threads(count)
            fastnn.random.set_seed(1)
            model = transformer() if kind == "Transformer" else recurrent(kind)
            data = ids.astype(np.int32) if kind == "Transformer" else x
            model.compile("adam", "mse")
            model.fit(data, x[:, 0, :2], batch_size=32, epochs=2, verbose=0)
            found.add(b"".join(w.tobytes() for w in model.get_weights()) + model.predict(data, verbose=0).tobytes())
    finally:
        threads.restore(asked)
    assert len(found) == 1


def whole(*shape: int) -> np.ndarray:
    return RNG.integers(-8, 9, shape).astype(np.float32)


@pytest.mark.parametrize("rows, width, count", [(7, 1, 300), (50, 33, 999), (3, 64, 4096)])
def test_gradients_of_embeddings_are_exact_sums(rows: int, width: int, count: int, any_backend: str) -> None:
    ids, dy = RNG.integers(0, rows, count).astype(np.int32), whole(count, width)
    expected = np.zeros((rows, width), np.float32)
    np.add.at(expected, ids, dy)
    np.testing.assert_array_equal(embedding_grad(dy, ids, rows=rows).numpy(), expected)


@pytest.mark.parametrize("shape", [(3, 5, 7, 2, 4), (2, 70, 33, 4, 16), (1, 17, 130, 1, 9)])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_to_one_key_is_exact(shape: tuple[int, ...], causal: bool, any_backend: str) -> None:
    """Where each query may look at one key, its probability is 1: values go through as they are, and come back as sums
    of whole numbers; there is nothing to learn about where to look."""
    batch, queries, keys, heads, depth = shape
    q, k, v = (whole(batch, n, heads * depth) for n in (queries, keys, keys))
    seen = RNG.integers(0, keys, (batch, queries))
    if causal:
        seen = np.minimum(seen, np.arange(queries))
    mask = (np.arange(keys) == seen[..., None]).astype(np.uint8)
    y, log_sum = attention(q, k, v, mask, heads=heads, scale=0.25, causal=causal)
    np.testing.assert_array_equal(y.numpy(), np.take_along_axis(v, seen[..., None], axis=1))
    dy = whole(batch, queries, heads * depth)
    dq, dk, dv = attention_grad(dy, q, k, v, mask, y, log_sum, heads=heads, scale=0.25, causal=causal)
    np.testing.assert_array_equal(dv.numpy(), mask.astype(np.float32).swapaxes(1, 2) @ dy)
    assert not dq.numpy().any() and not dk.numpy().any()


# ---- memory and programs ---------------------------------------------------------------------------------------------

def train_program(model: Any, x: np.ndarray, y: np.ndarray) -> Any:
    model.fit(x, y, batch_size=len(x), epochs=2, verbose=0)
    return max((program for _, program in model._steps.recorder.items()), key=len)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU", "attention"])
def test_memory_of_a_step_grows_with_the_length_and_no_faster(kind: str) -> None:
    """Bytes of the program for sequences of 50, 100, 200 and 400 steps; as many calls for all. So it is for
    attention too, whose scores are never all there: only its time is quadratic."""
    sizes, calls = [], set()
    for length in (50, 100, 200, 400):
        x = Input((None, 16))
        inner = layers.MultiHeadAttention(2, 8)(x, x, use_causal_mask=True) if kind == "attention" else getattr(
            layers, kind)(16, return_sequences=True)(x)
        model = Model(x, layers.Dense(16)(inner))
        model.compile("sgd", "mse")
        data = wave(16, length, 16)
        program = train_program(model, data, data)
        sizes.append(program.arena_bytes)
        calls.add(len(program))
    steps = np.diff(sizes) / [50, 100, 200]         # bytes for each step more
    assert len(calls) == 1 and steps.max() <= 1.1 * steps.min()


@pytest.mark.parametrize("lengths", [(64, 16, 32, 8), tuple(range(8, 65, 4))])
def test_programs_for_many_lengths_share_their_memory(lengths: tuple[int, ...]) -> None:
    """They run one at a time: what the longest needs is enough for all. Where lengths grow, memory grows a few times,
    by half; each length's numbers are those of a model that has seen it alone."""
    def made() -> Any:
        fastnn.random.set_seed(2)
        model = Sequential([Input((None, 8)), layers.LSTM(16, return_sequences=True), layers.Dense(1)])
        model.compile("sgd", "mse")
        return model
    model = made()
    for length in lengths * 2:
        x = wave(16, length, 8)
        model.train_on_batch(x, x[..., :1])
        model.evaluate(x, x[..., :1], batch_size=16, verbose=0)
    arenas = [program.arena for key, program in model._steps.recorder.items() if key[0] == "train"]
    assert len(arenas) == len(lengths)
    longest = max(arena.nbytes for arena in arenas)
    apart: list[np.ndarray] = []
    for arena in arenas:
        if not any(np.shares_memory(arena, other) for other in apart):
            apart.append(arena)
    assert len(apart) == 1 if lengths[0] == max(lengths) else sum(arena.nbytes for arena in apart) < 4 * longest
    alone = made()
    alone.set_weights(model.get_weights())
    x = wave(16, 32, 8)
    assert alone.evaluate(x, x[..., :1], verbose=0) == model.evaluate(x, x[..., :1], verbose=0)
