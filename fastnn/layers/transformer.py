"""Transformers: places of words as numbers, and blocks of attention and dense layers. Floor 3. Beyond Keras' core."""

from typing import Any, Unpack

import numpy as np

from fastnn import activations, ops
from fastnn.arguments import flag, number, whole
from fastnn.engine import backend
from fastnn.engine.kinds import ActivationLike, Dims, InitializerLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.layers._options import LayerOptions
from fastnn.layers.attention import MultiHeadAttention
from fastnn.layers.core import Dense, Dropout, DropoutRate, HandedOn
from fastnn.layers.embedding import Embedding
from fastnn.layers.layer import Layer, context
from fastnn.layers.normalization import LayerNormalization
from fastnn.layers.stacked import features_of
from fastnn.ops._memory import sizes_are_tried

__all__ = ["SinusoidalPositions", "TokenAndPositionEmbedding", "TransformerDecoder", "TransformerEncoder"]


def sinusoids(length: int, width: int) -> np.ndarray:
    """p[t, 2i] = sin(t / 10000^(2i / width)), p[t, 2i + 1] = cos of the same: (length, width) float64.

    Vaswani et al. 2017, section 3.5.
    """
    angles = np.arange(length)[:, None] / 10_000.0 ** (np.arange(0, width, 2) / width)
    table = np.zeros((length, width))
    table[:, 0::2], table[:, 1::2] = np.sin(angles), np.cos(angles[:, :width // 2])
    return table


class SinusoidalPositions(Layer):
    """y = x + p with p sines and cosines of the position, of wavelengths from 2π to 20000π. x (batch, time, width) →
    same.

    Nothing is trained. Vaswani et al. 2017.
    """

    def __init__(self, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.stepwise = self.supports_masking = True

    def call(self, x: Tensor) -> Tensor:
        """x plus the table."""
        if x.ndim != 3 or x.shape[2] is None:
            raise ShapeError(f"{self.name}: got inputs of shape {x.shape}; needs (batch, time, width).")
        if x.symbolic:
            return Tensor(None, shape=x.shape, dtype=x.dtype)
        stream = context.stream
        table = sinusoids(x.shape[1] if stream is None else stream.length, x.shape[2]).astype(backend.floatx())
        positions = Tensor(table, "positions", constant=True)
        return ops.add(x, positions if stream is None else stream.at_this_step(positions))


class TokenAndPositionEmbedding(Layer):
    """y = tokens[ids] + places[0 … time - 1], both tables trained. ids (batch, time) → (batch, time, embedding_dim).

    vocabulary_size: how many ids there are. sequence_length: the longest sequence. mask_zero: id 0 is padding. The
    argument names are those of KerasHub's layer of this name.
    """
    takes_integers = stepwise = True

    def __init__(self, vocabulary_size: int, sequence_length: int, embedding_dim: int,
                 embeddings_initializer: InitializerLike = "uniform", mask_zero: bool = False,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.sequence_length = whole(sequence_length, "TokenAndPositionEmbedding: sequence_length", 1)
        self.token_embedding = Embedding(vocabulary_size, embedding_dim, embeddings_initializer, mask_zero=mask_zero)
        self.position_embedding = Embedding(sequence_length, embedding_dim, embeddings_initializer)
        self.vocabulary_size, self.embedding_dim = vocabulary_size, embedding_dim
        self.embeddings_initializer = embeddings_initializer
        self.mask_zero = flag(mask_zero, f"{type(self).__name__}: mask_zero")
        self.supports_masking = self.mask_zero

    def build(self, input_shape: Dims) -> None:
        """Make both tables."""
        self.token_embedding._build(input_shape)
        self.position_embedding._build((self.sequence_length,))

    def check_input(self, array: np.ndarray, where: str) -> None:
        """LabelError for an id that is no row of the table of tokens."""
        self.token_embedding.check_input(array, where)

    def call(self, ids: Tensor) -> Tensor:
        """The sum of both embeddings. ShapeError for a sequence that is too long."""
        time = ids.shape[1] if context.stream is None else context.stream.length - 1       # the last is not read
        if time is not None and time > self.sequence_length and not sizes_are_tried():
            raise ShapeError(f"{self.name}: got sequences of {time} steps; needs at most {self.sequence_length}, as "
                             "sequence_length says. Cut the sequences, or make the layer for longer ones.")
        tokens = self.token_embedding(ids)
        if ids.symbolic:
            return tokens
        places = self.position_embedding.embeddings
        return ops.add(tokens, places[:time] if context.stream is None else context.stream.at_this_step(places))

    def compute_mask(self, inputs: Any, mask: Tensor | None = None) -> Any:
        """True where an id is not 0, with mask_zero."""
        return self.token_embedding.compute_mask(inputs, mask)


class _Block(Layer):
    """What encoder and decoder share: residual connections with dropout, normalized before or after."""

    dropout: Any = DropoutRate(("drop", "rate"), ("attention", "dropout"), ("self_attention", "dropout"),
                               ("cross_attention", "dropout"))
    activation: Any = HandedOn(lambda value, what: activations.get(value), ("intermediate", "activation"))
    layer_norm_epsilon: Any = HandedOn(
        lambda value, what: number(value, what, 0, 1, above=True), ("attention_norm", "epsilon"),
        ("self_attention_norm", "epsilon"), ("cross_attention_norm", "epsilon"), ("feedforward_norm", "epsilon"))

    def __init__(self, intermediate_dim: int, num_heads: int, dropout: float, activation: ActivationLike,
                 layer_norm_epsilon: float, normalize_first: bool, seed: int | None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        name = type(self).__name__
        self.intermediate_dim = whole(intermediate_dim, f"{name}: intermediate_dim", 1)
        self.num_heads = whole(num_heads, f"{name}: num_heads", 1)
        self.dropout = dropout
        self.activation, self.layer_norm_epsilon = activation, layer_norm_epsilon
        self.normalize_first = flag(normalize_first, f"{type(self).__name__}: normalize_first")
        self.seed, self.supports_masking = seed, True

    def _attention(self, width: int, name: str) -> MultiHeadAttention:
        if width % self.num_heads:
            raise ShapeError(f"{self.name}: inputs are {width} wide and num_heads is {self.num_heads}; needs a width "
                             "that the "
                             "heads divide.")
        return MultiHeadAttention(self.num_heads, width // self.num_heads, dropout=self.dropout, seed=self.seed,
                                  name=name)

    def _norm(self, name: str) -> LayerNormalization:
        return LayerNormalization(epsilon=self.layer_norm_epsilon, name=name)

    def build(self, input_shape: Dims, *others: Any) -> None:
        """Make the dense layers and their normalization."""
        width = features_of(input_shape)
        self.intermediate = Dense(self.intermediate_dim, self.activation, name="intermediate")
        self.output_dense = Dense(width, name="output")
        self.feedforward_norm = self._norm("feedforward_norm")
        self.drop = Dropout(self.dropout, seed=self.seed)
        for layer in (self.intermediate, self.feedforward_norm):
            layer._build(input_shape)
        self.output_dense._build((*input_shape[:-1], self.intermediate_dim))

    def _residual(self, x: Tensor, norm: Layer, training: bool, inner: Any) -> Tensor:
        """norm(x + inner(x)), or x + inner(norm(x)) with normalize_first."""
        if self.normalize_first:
            return ops.add(x, self.drop(inner(norm(x)), training=training))
        return norm(ops.add(x, self.drop(inner(x), training=training)))

    def _feedforward(self, x: Tensor, training: bool) -> Tensor:
        return self._residual(x, self.feedforward_norm, training, lambda y: self.output_dense(self.intermediate(y)))


class TransformerEncoder(_Block):
    """x → norm(x + attention(x, x)) → norm(x + dense(activation(dense(x)))). x (batch, time, width) → same.

    intermediate_dim: units of the first dense layer. num_heads divides the width. normalize_first: x +
    attention(norm(x)) instead, which trains deep stacks without warm-up (Xiong et al. 2020). Call: layer(x,
    padding_mask=None, attention_mask=None); padding_mask (batch, time), attention_mask (batch, time, time), True where
    to look. Vaswani et al. 2017; argument names of KerasHub.
    """

    def __init__(self, intermediate_dim: int, num_heads: int, dropout: float = 0.0, activation: ActivationLike = "relu",
                 layer_norm_epsilon: float = 1e-5, normalize_first: bool = False, seed: int | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(intermediate_dim, num_heads, dropout, activation, layer_norm_epsilon, normalize_first, seed,
                         **kwargs)

    def build(self, input_shape: Dims, *others: Any) -> None:
        """Make the layers for inputs of this width."""
        self.attention = self._attention(features_of(input_shape), "attention")
        self.attention_norm = self._norm("attention_norm")
        for layer in (self.attention, self.attention_norm):
            layer._build(input_shape)
        super().build(input_shape)

    def call(self, x: Tensor, padding_mask: Tensor | None = None, attention_mask: Tensor | None = None,
             mask: Tensor | None = None, training: bool = False) -> Tensor:
        """Attention, then the dense layers."""
        seen = padding_mask if padding_mask is not None else mask
        x = self._residual(x, self.attention_norm, training, lambda y: self.attention(
            y, y, key_mask=seen, attention_mask=attention_mask, training=training))
        return self._feedforward(x, training)


class TransformerDecoder(_Block):
    """As TransformerEncoder, but a step looks at no later one, and then at an encoder's output, if one is given.

    Call: layer(x, encoder_sequence=None, decoder_padding_mask=None, encoder_padding_mask=None, use_causal_mask=True);
    x (batch, time, width), encoder_sequence (batch, m, width) → as x. Without an encoder it is the block of a GPT.
    Vaswani et al. 2017; Radford et al. 2018; argument names of KerasHub.
    """

    def __init__(self, intermediate_dim: int, num_heads: int, dropout: float = 0.0, activation: ActivationLike = "relu",
                 layer_norm_epsilon: float = 1e-5, normalize_first: bool = False, seed: int | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(intermediate_dim, num_heads, dropout, activation, layer_norm_epsilon, normalize_first, seed,
                         **kwargs)
        self.cross_attention: Any = None

    def build(self, input_shape: Dims, encoder_sequence_shape: Any = None) -> None:
        """Make the layers; those that look at an encoder only where one is given."""
        self.self_attention = self._attention(features_of(input_shape), "self_attention")
        self.self_attention_norm = self._norm("self_attention_norm")
        for layer in (self.self_attention, self.self_attention_norm):
            layer._build(input_shape)
        if encoder_sequence_shape is not None:
            self.cross_attention = self._attention(features_of(input_shape), "cross_attention")
            self.cross_attention_norm = self._norm("cross_attention_norm")
            self.cross_attention.build(input_shape, encoder_sequence_shape)
            self.cross_attention.built = True
            self.cross_attention_norm._build(input_shape)
        super().build(input_shape)

    def goes_stepwise(self, call: dict[str, Any]) -> bool:
        """The block of a GPT does: without an encoder, with its causal mask."""
        return bool(call.get("use_causal_mask", True)) and call.get("encoder_sequence") is None

    def call(self, x: Tensor, encoder_sequence: Any = None, decoder_padding_mask: Tensor | None = None,
             encoder_padding_mask: Tensor | None = None, use_causal_mask: bool = True, mask: Tensor | None = None,
             training: bool = False) -> Tensor:
        """Attention to itself, to the encoder, then the dense layers."""
        seen = decoder_padding_mask if decoder_padding_mask is not None else mask
        x = self._residual(x, self.self_attention_norm, training, lambda y: self.self_attention(
            y, y, key_mask=seen, use_causal_mask=use_causal_mask, training=training))
        if encoder_sequence is not None:
            if self.cross_attention is None:
                raise ShapeError(f"{self.name}: got an encoder_sequence, and was built without one; call it with one "
                                 "first.")
            x = self._residual(x, self.cross_attention_norm, training, lambda y: self.cross_attention(
                y, encoder_sequence, key_mask=encoder_padding_mask, training=training))
        return self._feedforward(x, training)
