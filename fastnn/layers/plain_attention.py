"""Attention without heads or projections: queries look at keys and take up their values. Floor 3."""

from typing import Any, Unpack

from fastnn import ops
from fastnn.arguments import choice, flag
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.layers._options import LayerOptions
from fastnn.layers.attention import HIDDEN, check_positions
from fastnn.layers.core import DropoutRate
from fastnn.layers.layer import Layer
from fastnn.ops._rules import differ

__all__ = ["AdditiveAttention", "Attention"]


class Attention(Layer):
    """softmax(score(q, k))·v without weights. Call: layer([query, value]) or layer([query, value, key]), query (batch,
    n, width), value (batch, m, v), key (batch, m, width) → (batch, n, v).

    use_scale: a trained factor of the scores. score_mode: 'dot' q·kᵀ, or 'concat' Σ tanh(scale·(q + k)), the factor
    being trained with use_scale and then times another. dropout: of the probabilities. mask: [query's, value's], True
    where a position counts. use_causal_mask, return_attention_scores as MultiHeadAttention. Luong et al. 2015;
    keras.layers.Attention.
    """

    dropout: Any = DropoutRate(made="_dropped")
    _dropped: Any = None

    def __init__(self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: int | None = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        choice(score_mode, f"{type(self).__name__}: score_mode", ("dot", "concat"))
        self.score_mode, self.seed = score_mode, seed
        self.use_scale = flag(use_scale, f"{type(self).__name__}: use_scale")
        self.dropout = dropout
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Make the factors, if there are any."""
        self.scale: Any = None
        self.concat_score_weight: Any = None
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -1, -2))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        pairs = ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))
        pairs = pairs if self.scale is None else ops.multiply(pairs, self.scale)
        return ops.multiply(ops.sum(ops.tanh(pairs), axis=-1), self.concat_score_weight)

    def call(self, inputs: Any, mask: Tensor | None = None, training: bool = False,
             return_attention_scores: bool = False, use_causal_mask: bool = False) -> Any:
        """The outputs, and the probabilities (batch, n, m) where return_attention_scores."""
        self._check(inputs, mask)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) == 3 else value
        self._check_shapes(query, value, key, (None, None) if mask is None else mask)
        scores = self._scores(query, key)
        allowed = None
        if mask is not None and mask[1] is not None:
            allowed = ops.expand_dims(ops.cast(mask[1], "bool"), -2)
        if use_causal_mask:
            lower = ops.tril(ops.ones((query.shape[1], key.shape[1]), "bool"))
            allowed = lower if allowed is None else ops.logical_and(allowed, lower)
        if allowed is not None:
            scores = ops.subtract(scores, ops.multiply(ops.cast(ops.logical_not(allowed), scores.dtype), -HIDDEN))
        p = ops.softmax(scores, axis=-1)
        p = p if self._dropped is None else self._dropped(p, training=training)
        y = ops.matmul(p, value)
        if mask is not None and mask[0] is not None:
            y = ops.multiply(y, ops.expand_dims(ops.cast(mask[0], y.dtype), -1))
        return (y, p) if return_attention_scores else y

    def _check(self, inputs: Any, mask: Any = None) -> None:
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3) or not hasattr(inputs[0], "__len__"):
            raise ShapeError(f"{self.name}: got {shown(inputs)}; needs [query, value] or [query, value, key].")
        if mask is not None and (not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3)):
            raise ShapeError(f"{self.name}: got the mask {shown(mask)}; needs a list, [query's, value's], either of "
                             "which may be None.")

    def _check_shapes(self, query: Tensor, value: Tensor, key: Tensor, mask: Any) -> None:
        for what, x, theirs in (("query", query, mask[0]), ("value", value, mask[1]), ("key", key, None)):
            check_positions(self.name, what, x, theirs)
        for what, x, axis in (("value", value, 0), ("key", key, 0), ("key", key, -1)):
            if differ(x.shape[axis], query.shape[axis]):
                raise ShapeError(f"{self.name}: query is {query.shape} and {what} is {x.shape}; needs "
                                 f"{'as many features' if axis else 'one batch'} in both.")
        if differ(key.shape[-2], value.shape[-2]):
            raise ShapeError(f"{self.name}: value is {value.shape} and key is {key.shape}; needs as many positions in "
                             "both.")

    def compute_mask(self, inputs: Any, mask: Tensor | None = None) -> Any:
        """The query's."""
        return mask[0] if mask is not None else None


class AdditiveAttention(Attention):
    """Attention with score Σ scale·tanh(q + k), scale a trained vector (with use_scale, the default), as Bahdanau et
    al. 2015. Call and shapes as Attention; keras.layers.AdditiveAttention."""

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the vector, as wide as query and key."""
        self.scale = None
        if self.use_scale:
            self._check(input_shape)
            self.scale = self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale")

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        pairs = ops.tanh(ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3)))
        return ops.sum(pairs if self.scale is None else ops.multiply(pairs, self.scale), axis=-1)

