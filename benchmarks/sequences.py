"""What workloads.py needs of the layers that read sequences: their weights' shapes, and their formulas in NumPy.

Rows are (time, features), or (time,) whole numbers, which an embedding comes first for. See contenders/sequences.py for
the other libraries' words for them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Shape = tuple[int, ...]
EPSILON = 1e-5          # of the blocks' normalization, for everybody
IDS = {"Embedding", "TokenAndPositionEmbedding"}        # what whole numbers go into


class Ones(tuple[int, ...]):
    """The shape of a weight that begins with ones."""


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def _recurrent_shapes(gates: int) -> Callable[..., tuple[list[Shape], Shape]]:
    def shapes(inputs: Shape, units: int, return_sequences: bool = False) -> tuple[list[Shape], Shape]:
        bias = (gates * units,) if gates == 4 else (2, gates * units)
        return ([(inputs[-1], gates * units), (units, gates * units), bias],
                (inputs[0], units) if return_sequences else (units,))
    return shapes


def _lstm(x: np.ndarray, weights: list[np.ndarray], units: int, return_sequences: bool = False) -> np.ndarray:
    w, u, b = weights
    h = c = np.zeros((len(x), units), x.dtype)
    states = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ w + h @ u + b, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.stack(states, axis=1) if return_sequences else h


def _gru(x: np.ndarray, weights: list[np.ndarray], units: int, return_sequences: bool = False) -> np.ndarray:
    w, u, b = weights
    h = np.zeros((len(x), units), x.dtype)
    states = []
    for t in range(x.shape[1]):
        (zx, rx, gx), (zh, rh, gh) = (np.split(part, 3, axis=1) for part in (x[:, t] @ w + b[0], h @ u + b[1]))
        z = _sigmoid(zx + zh)
        h = z * h + (1 - z) * np.tanh(gx + _sigmoid(rx + rh) * gh)
        states.append(h)
    return np.stack(states, axis=1) if return_sequences else h


def _normed(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return np.asarray(gamma * (x - mean) / np.sqrt(variance + EPSILON) + beta)


def _block_shapes(inputs: Shape, intermediate_dim: int, num_heads: int) -> tuple[list[Shape], Shape]:
    width = inputs[-1]
    heads = num_heads, width // num_heads
    found: list[Shape] = [*[(width, *heads), heads] * 3, (*heads, width), (width,), Ones((width,)), (width,)]
    found += [(width, intermediate_dim), (intermediate_dim,), (intermediate_dim, width), (width,), Ones((width,)),
              (width,)]
    return found, inputs


def _block(causal: bool) -> Callable[..., np.ndarray]:
    def formula(x: np.ndarray, weights: list[np.ndarray], intermediate_dim: int, num_heads: int) -> np.ndarray:
        wq, bq, wk, bk, wv, bv, wo, bo, gamma, beta, w1, b1, w2, b2, gamma2, beta2 = weights
        q, k, v = (np.einsum("btf,fhd->bhtd", x, w) + b[:, None] for w, b in ((wq, bq), (wk, bk), (wv, bv)))
        scores = q @ k.swapaxes(2, 3) / np.sqrt(q.shape[-1])
        if causal:
            scores = np.where(np.tri(x.shape[1]) > 0, scores, -np.inf)
        p = np.exp(scores - scores.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        x = _normed(x + np.einsum("bhtd,hdf->btf", p @ v, wo) + bo, gamma, beta)
        return _normed(x + np.maximum(x @ w1 + b1, 0) @ w2 + b2, gamma2, beta2)
    return formula


LAYERS: dict[str, tuple[Callable[..., tuple[list[Shape], Shape]], Callable[..., np.ndarray]]] = {
    "LSTM": (_recurrent_shapes(4), _lstm),
    "GRU": (_recurrent_shapes(3), _gru),
    "Embedding": (lambda inputs, input_dim, output_dim: ([(input_dim, output_dim)], (*inputs, output_dim)),
                  lambda x, weights, input_dim, output_dim: weights[0][x.astype(int)]),
    "TokenAndPositionEmbedding": (
        lambda inputs, vocabulary_size, sequence_length, embedding_dim: (
            [(vocabulary_size, embedding_dim), (sequence_length, embedding_dim)], (*inputs, embedding_dim)),
        lambda x, weights, **sizes: weights[0][x.astype(int)] + weights[1][:x.shape[1]]),
    "TransformerEncoder": (_block_shapes, _block(causal=False)),
    "TransformerDecoder": (_block_shapes, _block(causal=True)),
    "GlobalAveragePooling1D": (lambda inputs: ([], inputs[1:]), lambda x, weights: x.mean(axis=1)),
}


# ---- networks and data ----

def _transformer(kind: str, blocks: int, words: int, steps: int, inner: int) -> tuple[tuple[str, dict[str, Any]], ...]:
    embedding = dict(vocabulary_size=words, sequence_length=steps, embedding_dim=64)
    return (("TokenAndPositionEmbedding", embedding), *[(kind, dict(intermediate_dim=inner, num_heads=4))] * blocks)


def chain_of_signs(rows: int, steps: int, signs: int) -> tuple[np.ndarray, np.ndarray]:
    """Texts in which each sign has eight that may follow it; y: the sign that comes next."""
    rng = np.random.default_rng(0)
    follow = rng.integers(0, signs, (signs, 8))
    text = [rng.integers(0, signs, rows)]
    for _ in range(steps):
        text.append(follow[text[-1], rng.integers(0, 8, rows)])
    ids = np.stack(text, axis=1)
    return ids[:, :-1], ids[:, 1:]


def reviews(rows: int, steps: int, words: int) -> tuple[np.ndarray, np.ndarray]:
    """Words at random, those of one kind of review a little lower than those of the other, as frequent words are."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, rows)
    return (words * rng.random((rows, steps)) ** (2 + y[:, None])).astype(int), y


# name, title, inputs, layers, batch, rate, data
NETWORKS: list[tuple[Any, ...]] = [
    *((kind.lower(), f"{kind} 64 on the 28 rows of an image, batch 128", (28, 28), (
        (kind, dict(units=64)), ("Dense", dict(units=10, activation="softmax"))), 128, 0.001, None)
      for kind in ("LSTM", "GRU")),
    ("imdb", "reviews, embedding 5000 x 32, LSTM 32, 80 words, batch 32", (80,), (
        ("Embedding", dict(input_dim=5000, output_dim=32)), ("LSTM", dict(units=32)),
        ("Dense", dict(units=1, activation="sigmoid"))), 32, 0.001, lambda: reviews(1280, 80, 5000)),
    ("char", "signs, embedding 64, LSTM 128, softmax at each of 40, batch 64", (40,), (
        ("Embedding", dict(input_dim=64, output_dim=64)), ("LSTM", dict(units=128, return_sequences=True)),
        ("Dense", dict(units=64, activation="softmax"))), 64, 0.001, lambda: chain_of_signs(1280, 40, 64)),
    ("transformer", "Transformer, 2 x (64, 4 heads, 128), 64 words, batch 64", (64,), (
        *_transformer("TransformerEncoder", 2, 1000, 64, 128), ("GlobalAveragePooling1D", {}),
        ("Dense", dict(units=1, activation="sigmoid"))), 64, 0.001, lambda: reviews(1280, 64, 1000)),
    ("gpt", "mini GPT, 4 x (64, 4 heads, 256), 32 signs, batch 64", (32,), (
        *_transformer("TransformerDecoder", 4, 64, 32, 256), ("Dense", dict(units=64, activation="softmax"))),
     64, 0.001, lambda: chain_of_signs(1280, 32, 64)),
]
