"""Attention with heads: queries look at keys and take up their values. Floor 3.

The usual case is one call for all heads; where the scores are asked for or dropped out, it is products and a softmax.
"""

from typing import Any, Unpack

import numpy as np

from fastnn import constraints, initializers, ops, regularizers
from fastnn.arguments import axes, flag, is_sequence, optional, whole
from fastnn.engine.kinds import ConstraintLike, InitializerLike, RegularizerLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.layers._fold import Fold
from fastnn.layers._options import CommonOptions, LayerOptions
from fastnn.layers._projections import Projections
from fastnn.layers.call import per_sample
from fastnn.layers.core import DropoutRate
from fastnn.layers.layer import context
from fastnn.layers.products import spread_by
from fastnn.ops._rules import differ
from fastnn.ops.rows.attention import attention

__all__ = ["GroupQueryAttention", "GroupedQueryAttention", "MultiHeadAttention"]

HIDDEN = -1e9       # added to the score of a key that a query may not look at, as in Keras


class MultiHeadAttention(Projections):
    """Each head: softmax(q·kᵀ / √key_dim)·v with q, k, v projected by kernels of its own; the heads are joined and
    projected.

    Call: layer(query, value, key=value, attention_mask=None, use_causal_mask=False, return_attention_scores=False).
    query (batch, n, features), value (batch, m, features), key as value → (batch, n, output_shape or the query's
    features). attention_mask (batch, n, m): True where a query may look; masks of query, value and key count too.
    value_dim: key_dim unless given. dropout: of the probabilities. attention_axes: of inputs with more axes, those
    that hold the positions, all between batch and features unless given; the others are as so many batches.
    query_dense, key_dense, value_dense and output_dense: the projections as layers, with the same weights.
    activity_regularizer: of each projection and of the output. use_gate: each head's output times sigmoid of another
    projection of the query. sliding_window: a position sees those less than so many away. Kernels (features, heads,
    key_dim), biases (heads, key_dim), output kernel (heads, value_dim, features). Vaswani et
    al. 2017; keras.layers.MultiHeadAttention.
    """

    dropout: Any = DropoutRate(made="_dropped")
    _dropped: Any = None

    def __init__(self, num_heads: int, key_dim: int, value_dim: int | None = None, dropout: float = 0.0,
                 use_bias: bool = True, output_shape: Any = None, attention_axes: Any = None,
                 kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 activity_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, seed: int | None = None, use_gate: bool = False,
                 sliding_window: int | None = None, **kwargs: Unpack[CommonOptions]) -> None:
        kwargs.pop("flash_attention", None)  # type: ignore[typeddict-item]
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.num_heads = whole(num_heads, f"{type(self).__name__}: num_heads", 1)
        self.key_dim = whole(key_dim, f"{type(self).__name__}: key_dim", 1)
        self.value_dim = self.key_dim if value_dim is None else whole(value_dim, "value_dim", 1)
        self.use_bias = flag(use_bias, f"{type(self).__name__}: use_bias")
        self.use_gate = flag(use_gate, f"{type(self).__name__}: use_gate")
        self.sliding_window = optional(whole, sliding_window, f"{type(self).__name__}: sliding_window")
        what = f"{type(self).__name__}: output_shape"
        self._output_sides = () if output_shape is None else tuple(
            whole(n, what) for n in (output_shape if is_sequence(output_shape) else [output_shape]))
        self._given_output_shape = output_shape
        self.attention_axes = optional(axes, attention_axes, f"{type(self).__name__}: attention_axes")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.supports_masking, self.seed = True, seed
        self.dropout = dropout

    # ---- weights ----------------------------------------------------------------------------------------------

    def build(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        """Make the kernels and biases of query, key, gate, value and output."""
        value_shape = value_shape or query_shape
        key_shape = key_shape or value_shape
        for name, shape in (("query", query_shape), ("value", value_shape), ("key", key_shape)):
            if len(shape) < 3 or shape[-1] is None:
                raise ShapeError(f"{self.name}: {name} is {tuple(shape)}; needs (batch, positions, features).")
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ShapeError(f"{self.name}: value is {tuple(value_shape)} and key is {tuple(key_shape)}; needs as many "
                             "positions in both.")
        self._make("query", query_shape[-1], self.num_heads, self.key_dim)
        self._make("key", key_shape[-1], self._key_heads(), self.key_dim)
        if self.use_gate:
            self._make("gate", query_shape[-1], self.num_heads, self.value_dim)
        self._make("value", value_shape[-1], self._key_heads(), self.value_dim)
        sides = self._output_sides or (query_shape[-1],)
        self._weight("output_kernel", (self.num_heads, self.value_dim, *sides), spread_by(self.kernel_initializer, 2))
        if self.use_bias:
            self._weight("output_bias", sides, self.bias_initializer)

    def _argument(self, name: str) -> Any:
        return self._given_output_shape if name == "output_shape" else super()._argument(name)

    def _key_heads(self) -> int:
        return self.num_heads

    # ---- the call ---------------------------------------------------------------------------------------------

    def call(self, query: Tensor, value: Tensor, key: Tensor | None = None, query_mask: Tensor | None = None,
             value_mask: Tensor | None = None, key_mask: Tensor | None = None, attention_mask: Tensor | None = None,
             return_attention_scores: bool = False, training: bool = False, use_causal_mask: bool = False) -> Any:
        """The outputs, and the probabilities (batch, heads, n, m) where return_attention_scores."""
        key = value if key is None else key
        for what, x, mask in (("query", query, query_mask), ("value", value, value_mask), ("key", key, key_mask)):
            check_positions(self.name, what, x, mask)
        batch, fold = query.shape[0], Fold(self, query, value, key, use_causal_mask)
        if fold.needed:
            attention_mask = fold.mask(attention_mask, query_mask, value_mask, key_mask)
            query_mask = value_mask = key_mask = None
            query, value, key = fold.rows(query), fold.rows(value), fold.rows(key)
        self._check(query, value, key, attention_mask)
        q, k, v = self._projected(query, "query"), self._projected(key, "key"), self._projected(value, "value")
        if self.activity_regularizer is not None:
            for projected in (q, k, v):
                self.add_loss(per_sample(self.activity_regularizer(projected), batch))
        if context.stream is not None:
            k, v, key_mask = self._so_far(k, v, value_mask, key_mask)
            query_mask = value_mask = None
            use_causal_mask = False
        k, v = self._shared(k, self.key_dim), self._shared(v, self.value_dim)
        mask = self._mask(query, k, query_mask, value_mask, key_mask, attention_mask)
        scores = None
        if return_attention_scores or (self.dropout and training) or attention_rank(mask) == 4:
            y, scores = self._composed(q, k, v, mask, use_causal_mask, training)
        else:
            y = attention(q, k, v, None if mask is None else ops.cast(mask, "uint8"), heads=self.num_heads,
                          scale=self.key_dim ** -0.5, causal=bool(use_causal_mask))[0]
        if self.use_gate:
            y = ops.multiply(y, ops.sigmoid(self._projected(query, "gate")))
        y = self._product(y, ops.reshape(self.output_kernel, (self.num_heads * self.value_dim, -1)), "output_bias")
        y = fold.back(y) if fold.needed else y
        if len(self._output_sides) > 1:
            y = ops.reshape(y, (-1, *y.shape[1:-1], *self._output_sides))
        if not return_attention_scores:
            return y
        return y, fold.scores(scores) if fold.needed and scores is not None else scores

    def goes_stepwise(self, call: dict[str, Any]) -> bool:
        """Where a query looks at no later key; the keys and values of earlier steps are remembered."""
        plain = call.get("attention_mask") is None and self.sliding_window is None
        return plain and self.attention_axes in (None, (1,)) and bool(call.get("use_causal_mask"))

    @staticmethod
    def _seen(k: Tensor, *masks: Tensor | None) -> Tensor:
        """Which of this step's keys count."""
        seen = ops.ones(k.shape[:2], "uint8")
        for mask in masks:
            seen = seen if mask is None else ops.multiply(seen, ops.cast(mask, "uint8"))
        return seen

    def _so_far(self, k: Tensor, v: Tensor, *masks: Tensor | None) -> list[Tensor]:
        """(keys, values, which of them count) of this step and all before it."""
        return [context.stream.so_far(self, name, x)
                for name, x in (("keys", k), ("values", v), ("seen", self._seen(k, *masks)))]

    def _shared(self, x: Tensor, width: int) -> Tensor:
        """Keys and values for every query head."""
        return x

    def _composed(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool,
                  training: bool) -> tuple[Tensor, Tensor]:
        """The same from products and a softmax, with the probabilities: (batch, n, heads·width), (batch, heads, n,
        m)."""
        q, k, v = (ops.transpose(ops.reshape(x, (-1, x.shape[1], self.num_heads, x.shape[2] // self.num_heads)),
                                 (0, 2, 1, 3)) for x in (q, k, v))
        scores = ops.matmul(ops.multiply(q, self.key_dim ** -0.5), ops.transpose(k, (0, 1, 3, 2)))
        if causal:
            lower = ops.tril(ops.ones((q.shape[2], k.shape[2]), "bool"))
            mask = lower if mask is None else ops.logical_and(mask, lower)
        if mask is not None:
            mask = ops.cast(mask, "bool")
            mask = mask if mask.ndim != 3 else ops.expand_dims(mask, 1)
            scores = ops.where(mask, scores, ops.add(ops.multiply(scores, 0.0), HIDDEN))
        p = ops.softmax(scores, axis=-1)
        dropped = p if self._dropped is None else self._dropped(p, training=training)
        y = ops.transpose(ops.matmul(dropped, v), (0, 2, 1, 3))
        return ops.reshape(y, (-1, y.shape[1], y.shape[2] * y.shape[3])), p

    def _mask(self, query: Tensor, keys: Tensor, query_mask: Tensor | None, value_mask: Tensor | None,
              key_mask: Tensor | None, attention_mask: Tensor | None) -> Any:
        """All masks as one (batch, n, m), or None."""
        parts = []
        if query_mask is not None:
            parts.append(ops.expand_dims(ops.cast(query_mask, "bool"), -1))
        for each in (value_mask, key_mask):
            if each is not None:
                parts.append(ops.expand_dims(ops.cast(each, "bool"), 1))
        if attention_mask is not None:
            parts.append(ops.cast(attention_mask, "bool"))
        if self.sliding_window is not None and not query.symbolic:
            away = np.abs(np.arange(query.shape[1])[:, None] - np.arange(keys.shape[1]))
            parts.append(ops.convert_to_tensor(away < self.sliding_window))
        if not parts:
            return None
        mask = parts[0]
        for part in parts[1:]:
            mask = ops.logical_and(mask, part)
        shape = (query.shape[0], query.shape[1], keys.shape[1])
        return mask if mask.ndim == 4 or mask.symbolic else ops.broadcast_to(mask, shape)

    def _check(self, query: Tensor, value: Tensor, key: Tensor, mask: Tensor | None) -> None:
        if differ(value.shape[1], key.shape[1]):
            raise ShapeError(f"{self.name}: value is {value.shape} and key is {key.shape}; needs as many "
                             "positions in both.")
        for name, x in (("query", query), ("value", value), ("key", key)):
            width = getattr(self, f"{name}_kernel").shape[0]
            if x.shape[-1] != width:
                raise ShapeError(f"{self.name}: {name} is {x.shape}; needs {width} features, as it was built.")
        if mask is not None:
            wanted = (query.shape[0], query.shape[1], value.shape[1])
            got = (1, *mask.shape) if mask.ndim == 2 else (mask.shape[0], *mask.shape[-2:])
            if mask.ndim not in (2, 3, 4) or any(
                    a not in (None, 1) and b is not None and a != b for a, b in zip(got, wanted)):
                raise ShapeError(f"{self.name}: attention_mask is {mask.shape}; needs {wanted}: which key each "
                                 "query may see.")

    def compute_mask(self, inputs: Any, mask: Tensor | None = None) -> Any:
        """The query's."""
        return mask[0] if isinstance(mask, (list, tuple)) else mask


def check_positions(where: str, what: str, x: Tensor, mask: Tensor | None) -> None:
    """ShapeError where x (batch, positions, …, features) has no position, or the mask has another shape."""
    if 0 in x.shape[1:-1]:
        raise ShapeError(f"{where}: {what} is {x.shape}, a sequence of length 0; needs at least one position.")
    if mask is not None and (mask.ndim < 2 or any(map(differ, mask.shape, x.shape[:-1]))):
        raise ShapeError(f"{where}: the mask of {what} is {mask.shape}; needs {x.shape[:-1]}, one value a position.")


def attention_rank(mask: Tensor | None) -> int:
    """The axes of a mask: 4 where each head has its own."""
    return 0 if mask is None else int(mask.ndim)


class GroupedQueryAttention(MultiHeadAttention):
    """MultiHeadAttention in which groups of query heads share one head of keys and values.

    head_dim: the width of a head; num_query_heads is a multiple of num_key_value_heads. Call and shapes as
    MultiHeadAttention. Ainslie et al. 2023; keras.layers.GroupQueryAttention.
    """
    filled_in = frozenset({"num_heads", "key_dim"})

    def __init__(self, head_dim: int, num_query_heads: int, num_key_value_heads: int, dropout: float = 0.0,
                 use_bias: bool = True, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(num_query_heads, head_dim, dropout=dropout, use_bias=use_bias, **kwargs)
        self.head_dim = self.key_dim
        self.num_query_heads = self.num_heads
        self.num_key_value_heads = whole(num_key_value_heads, f"{type(self).__name__}: num_key_value_heads", 1)
        if self.num_heads % self.num_key_value_heads:
            raise ValueError(f"{type(self).__name__}: num_query_heads is {num_query_heads} and num_key_value_heads "
                             f"{num_key_value_heads}; the first must be a multiple of the second.")

    def _key_heads(self) -> int:
        return self.num_key_value_heads

    def _shared(self, x: Tensor, width: int) -> Tensor:
        groups = self.num_heads // self.num_key_value_heads
        heads = ops.reshape(x, (-1, x.shape[1], self.num_key_value_heads, width))
        return ops.reshape(ops.repeat(heads, groups, axis=2), (-1, x.shape[1], self.num_heads * width))


GroupQueryAttention = GroupedQueryAttention     # Keras' name for it
