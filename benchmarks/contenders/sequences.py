"""The layers that read sequences, in torch, JAX and Keras. Each library is imported by who asks."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.sequences import EPSILON, LAYERS, Shape

# ---- torch: modules that take and give weights in Keras' form ----

def torch_module(kind: str, inputs: Shape, arguments: dict[str, Any]) -> Any:
    """A module with set_weights and get_weights. NotImplementedError for a layer that is none of these."""
    import torch
    from torch import nn

    def put(parameter: Any, value: np.ndarray) -> None:
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)).reshape(parameter.shape))

    def got(parameter: Any) -> np.ndarray:
        return np.asarray(parameter.detach().numpy()).copy()

    class Recurrent(nn.Module):
        """nn.LSTM has the gates in Keras' order and one bias more, nn.GRU has the first two gates swapped."""

        def __init__(self, units: int, return_sequences: bool = False) -> None:
            super().__init__()
            self.inner = getattr(nn, kind)(inputs[-1], units, batch_first=True)
            self.units, self.sequences = units, return_sequences
            if kind == "LSTM":
                self.inner.bias_hh_l0.requires_grad_(False)

        def forward(self, x: Any) -> Any:
            y = self.inner(x)[0]
            return y if self.sequences else y[:, -1]

        def swapped(self, w: np.ndarray) -> np.ndarray:
            if kind == "LSTM":
                return w
            n = self.units
            return np.concatenate([w[..., n:2 * n], w[..., :n], w[..., 2 * n:]], axis=-1)

        def set_weights(self, weights: list[np.ndarray]) -> None:
            w, u, b = map(self.swapped, weights)
            put(self.inner.weight_ih_l0, w.T)
            put(self.inner.weight_hh_l0, u.T)
            put(self.inner.bias_ih_l0, b if kind == "LSTM" else b[0])
            put(self.inner.bias_hh_l0, np.zeros_like(b) if kind == "LSTM" else b[1])

        def get_weights(self) -> list[np.ndarray]:
            inner = self.inner
            b = got(inner.bias_ih_l0)
            b = b if kind == "LSTM" else np.stack([b, got(inner.bias_hh_l0)])
            return [self.swapped(w) for w in (got(inner.weight_ih_l0).T, got(inner.weight_hh_l0).T, b)]

    class Tables(nn.Module):
        """An embedding of the numbers, and one of their places."""

        def __init__(self, **sizes: int) -> None:
            super().__init__()
            rows = [w[0] for w in LAYERS[kind][0](inputs, **sizes)[0]]
            width = LAYERS[kind][0](inputs, **sizes)[1][-1]
            self.tables = nn.ModuleList(nn.Embedding(n, width) for n in rows)

        def forward(self, x: Any) -> Any:
            y = self.tables[0](x)
            return y if len(self.tables) == 1 else y + self.tables[1].weight[:x.shape[1]]

        def set_weights(self, weights: list[np.ndarray]) -> None:
            for table, w in zip(self.tables, weights):
                put(table.weight, w)

        def get_weights(self) -> list[np.ndarray]:
            return [got(table.weight) for table in self.tables]

    class Block(nn.Module):
        """nn.TransformerEncoderLayer, with a causal mask for a decoder."""

        def __init__(self, intermediate_dim: int, num_heads: int) -> None:
            super().__init__()
            self.inner = nn.TransformerEncoderLayer(inputs[-1], num_heads, intermediate_dim, 0.0, "relu", EPSILON, True)
            self.causal = kind == "TransformerDecoder"
            self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(inputs[0]))
            self.heads = num_heads, inputs[-1] // num_heads

        def forward(self, x: Any) -> Any:
            return self.inner(x, src_mask=self.mask, is_causal=True) if self.causal else self.inner(x)

        def parameters_in_order(self) -> list[Any]:
            i = self.inner
            return [i.self_attn.out_proj.weight, i.self_attn.out_proj.bias, i.norm1.weight, i.norm1.bias,
                    i.linear1.weight, i.linear1.bias, i.linear2.weight, i.linear2.bias, i.norm2.weight, i.norm2.bias]

        def set_weights(self, weights: list[np.ndarray]) -> None:
            width = weights[7].size
            put(self.inner.self_attn.in_proj_weight, np.concatenate(
                [w.reshape(width, width).T for w in weights[:6:2]]))
            put(self.inner.self_attn.in_proj_bias, np.concatenate([b.ravel() for b in weights[1:6:2]]))
            for parameter, w in zip(self.parameters_in_order(), [weights[6].reshape(width, width), *weights[7:]]):
                put(parameter, w.T)

        def get_weights(self) -> list[np.ndarray]:
            width = math.prod(self.heads)
            kernels = np.split(got(self.inner.self_attn.in_proj_weight), 3)
            biases = np.split(got(self.inner.self_attn.in_proj_bias), 3)
            first = [w for k, b in zip(kernels, biases) for w in (k.T.reshape(width, *self.heads),
                                                                  b.reshape(self.heads))]
            rest = [got(parameter).T for parameter in self.parameters_in_order()]
            return [*first, rest[0].reshape(*self.heads, width), *rest[1:]]

    class Mean(nn.Module):
        """The mean over time."""

        def forward(self, x: Any) -> Any:
            return x.mean(dim=1)

        def set_weights(self, weights: list[np.ndarray]) -> None:
            pass

        def get_weights(self) -> list[np.ndarray]:
            return []

    kinds = {"LSTM": Recurrent, "GRU": Recurrent, "Embedding": Tables, "TokenAndPositionEmbedding": Tables,
             "TransformerEncoder": Block, "TransformerDecoder": Block, "GlobalAveragePooling1D": Mean}
    if kind not in kinds:
        raise NotImplementedError(f"torch has no {kind} here")
    return kinds[kind](**arguments)


# ---- JAX: functions of x and an iterator of weights ----

def _scanned(jax: Any, x: Any, step: Any, state: Any, sequences: bool) -> Any:
    state, states = jax.lax.scan(step, state, x.swapaxes(0, 1))
    return states.swapaxes(0, 1) if sequences else states[-1]


def _jax_lstm(jax: Any, x: Any, weights: Iterator[Any], units: int, return_sequences: bool = False) -> Any:
    w, u, b = next(weights), next(weights), next(weights)
    zeros = jax.numpy.zeros((len(x), units))

    def step(state: Any, z: Any) -> Any:
        h, c = state
        i, f, g, o = jax.numpy.split(z + h @ u, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jax.numpy.tanh(g)
        h = jax.nn.sigmoid(o) * jax.numpy.tanh(c)
        return (h, c), h
    return _scanned(jax, x @ w + b, step, (zeros, zeros), return_sequences)


def _jax_gru(jax: Any, x: Any, weights: Iterator[Any], units: int, return_sequences: bool = False) -> Any:
    w, u, b = next(weights), next(weights), next(weights)

    def step(h: Any, zx: Any) -> Any:
        a, c = jax.numpy.split(zx, 3, axis=1), jax.numpy.split(h @ u + b[1], 3, axis=1)
        z = jax.nn.sigmoid(a[0] + c[0])
        h = z * h + (1 - z) * jax.numpy.tanh(a[2] + jax.nn.sigmoid(a[1] + c[1]) * c[2])
        return h, h
    return _scanned(jax, x @ w + b[0], step, jax.numpy.zeros((len(x), units)), return_sequences)


def _jax_normed(jax: Any, x: Any, gamma: Any, beta: Any) -> Any:
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return gamma * (x - mean) * jax.lax.rsqrt(variance + EPSILON) + beta


def _jax_block(causal: bool) -> Any:
    def block(jax: Any, x: Any, weights: Iterator[Any], intermediate_dim: int, num_heads: int) -> Any:
        w = [next(weights) for _ in range(16)]
        q, k, v = (jax.numpy.einsum("btf,fhd->bthd", x, w[i]) + w[i + 1] for i in (0, 2, 4))
        y = jax.nn.dot_product_attention(q, k, v, is_causal=causal)
        x = _jax_normed(jax, x + jax.numpy.einsum("bthd,hdf->btf", y, w[6]) + w[7], w[8], w[9])
        return _jax_normed(jax, x + jax.nn.relu(x @ w[10] + w[11]) @ w[12] + w[13], w[14], w[15])
    return block


JAX_LAYERS: dict[str, Any] = {
    "LSTM": _jax_lstm, "GRU": _jax_gru,
    "Embedding": lambda jax, x, weights, input_dim, output_dim: next(weights)[x],
    "TokenAndPositionEmbedding": lambda jax, x, weights, **sizes: next(weights)[x] + next(weights)[:x.shape[1]],
    "TransformerEncoder": _jax_block(causal=False), "TransformerDecoder": _jax_block(causal=True),
    "GlobalAveragePooling1D": lambda jax, x, weights: x.mean(axis=1),
}


# ---- Keras: what its core does not have ----

def keras_layer(kind: str, arguments: dict[str, Any]) -> Any:
    """A layer by Keras' name; a Transformer's block, or its embedding, from Keras' layers."""
    import keras
    if hasattr(keras.layers, kind):
        return getattr(keras.layers, kind)(**arguments)

    class TokenAndPositionEmbedding(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, vocabulary_size: int, sequence_length: int, embedding_dim: int) -> None:
            super().__init__()
            self.tokens = keras.layers.Embedding(vocabulary_size, embedding_dim)
            self.places = keras.layers.Embedding(sequence_length, embedding_dim)

        def call(self, ids: Any) -> Any:
            return self.tokens(ids) + self.places(keras.ops.arange(ids.shape[1]))

    class Block(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, intermediate_dim: int, num_heads: int) -> None:
            super().__init__()
            self.inner, self.heads = intermediate_dim, num_heads

        def build(self, shape: Any) -> None:
            width, dense = shape[-1], keras.layers.Dense
            self.attention = keras.layers.MultiHeadAttention(self.heads, width // self.heads)
            self.norm = keras.layers.LayerNormalization(epsilon=EPSILON)
            self.first, self.second = dense(self.inner, activation="relu"), dense(width)
            self.last_norm = keras.layers.LayerNormalization(epsilon=EPSILON)
            self.attention.build(shape, shape)
            for layer in (self.norm, self.first, self.last_norm):
                layer.build(shape)
            self.second.build((*shape[:-1], self.inner))

        def call(self, x: Any) -> Any:
            x = self.norm(x + self.attention(x, x, use_causal_mask=kind == "TransformerDecoder"))
            return self.last_norm(x + self.second(self.first(x)))

    kinds = {"TokenAndPositionEmbedding": TokenAndPositionEmbedding, "TransformerEncoder": Block,
             "TransformerDecoder": Block}
    if kind not in kinds:
        raise NotImplementedError(f"Keras has no {kind} here")
    return kinds[kind](**arguments)
