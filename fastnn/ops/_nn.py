"""Cross-entropies, normalizations, attention and one-hot rows of tensors. Floor 2."""

import math

from fastnn.arguments import dense, whole
from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown, warn
from fastnn.ops._activation import log_softmax, softmax, softplus, tanh
from fastnn.ops._arithmetic import (
    absolute,
    add,
    clip,
    divide,
    log,
    maximum,
    multiply,
    negative,
    power,
    subtract,
)
from fastnn.ops._compare import logical_and, where
from fastnn.ops._convert import axes_of, axis_of, floats, ids, reshaped
from fastnn.ops._core import cast
from fastnn.ops._creation import tri
from fastnn.ops._indexing import take_along_axis
from fastnn.ops._math import rsqrt
from fastnn.ops._products import matmul
from fastnn.ops._reduction import length, max, mean, root_mean_square, sum, var
from fastnn.ops._rules import unlike
from fastnn.ops._shaping import moveaxis, repeat, swapaxes
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import data

__all__ = [
    "batch_normalization", "binary_crossentropy", "categorical_crossentropy", "dot_product_attention",
    "layer_normalization", "moments", "multi_hot", "normalize", "one_hot", "rms_normalization",
    "sparse_categorical_crossentropy",
]

EPSILON = 1e-7      # probabilities are kept so far away from 0 and 1


def _equal_shapes(name: str, target: Tensor, output: Tensor) -> None:
    if unlike(target.shape, output.shape):
        raise ShapeError(f"{name}: target is {target.shape} and output is {output.shape}; they must be equal; one-hot "
                         "the labels, or reshape.")


def categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False,
                             axis: int = -1) -> Tensor:
    """-Σ target·ln(output) along the axis; the output are probabilities, or logits if `from_logits`."""
    target, output = floats(target), floats(output)
    _equal_shapes("categorical_crossentropy", target, output)
    if not from_logits:
        output = log(clip(divide(output, sum(output, axis, keepdims=True)), EPSILON, 1 - EPSILON))
    else:
        output = log_softmax(output, axis)
    return negative(sum(multiply(target, output), axis))


def sparse_categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False,
                                    axis: int = -1) -> Tensor:
    """-ln(output[target]) along the axis, target being class numbers; probabilities, or logits if `from_logits`."""
    output = moveaxis(floats(output), axis, -1)
    labels = ids(target)
    if labels.ndim == output.ndim and labels.shape[-1] == 1:
        labels = reshaped(labels, labels.shape[:-1])
    _equal_shapes("sparse_categorical_crossentropy", labels, reshaped(output[..., :1], output.shape[:-1]))
    if not from_logits:
        output = log(clip(divide(output, sum(output, -1, keepdims=True)), EPSILON, 1 - EPSILON))
    else:
        output = log_softmax(output)
    found = take_along_axis(output, reshaped(labels, (*labels.shape, 1)), -1)
    return negative(reshaped(found, labels.shape))


def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Tensor:
    """-target·ln(output) - (1 - target)·ln(1 - output), element by element; probabilities, or logits."""
    target, output = floats(target), floats(output)
    _equal_shapes("binary_crossentropy", target, output)
    if from_logits:
        return subtract(softplus(output), multiply(output, target))
    output = clip(output, EPSILON, 1 - EPSILON)
    return negative(add(multiply(target, log(output)), multiply(subtract(1.0, target), log(subtract(1.0, output)))))


def batch_normalization(x: TensorLike, mean: TensorLike, variance: TensorLike, axis: int,
                        offset: TensorLike | None = None, scale: TensorLike | None = None,
                        epsilon: float = 1e-3) -> Tensor:
    """scale·(x - mean)/√(variance + epsilon) + offset, each of them one number per place along the axis."""
    x = floats(x)
    dims = [x.shape[axis_of(x, axis)] if i == axis_of(x, axis) else 1 for i in range(x.ndim)]
    middle, spread = (reshaped(floats(t), dims) for t in (mean, variance))
    factor = rsqrt(add(spread, epsilon))
    if scale is not None:
        factor = multiply(factor, reshaped(floats(scale), dims))
    y = multiply(subtract(x, middle), factor)
    return y if offset is None else add(y, reshaped(floats(offset), dims))


def layer_normalization(x: TensorLike, gamma: TensorLike | None = None, beta: TensorLike | None = None, axis: Axes = -1,
                        epsilon: float | None = None, rms_scaling: bool = False) -> Tensor:
    """gamma·(x - mean)/√(variance + epsilon) + beta, mean and variance over the axes of each sample.

    rms_scaling, which Keras deprecates, leaves the mean in; use rms_normalization."""
    if rms_scaling:
        warn("layer_normalization: rms_scaling divides by the deviation, not by the root mean square; use "
             "rms_normalization.")
    x = floats(x)
    centred = subtract(x, mean(x, axis, keepdims=True))
    spread = root_mean_square(centred, axis, keepdims=True, epsilon=1e-3 if epsilon is None else epsilon)
    y = divide(x if rms_scaling else centred, spread)
    dims = [n if i in axes_of(x, axis) else 1 for i, n in enumerate(x.shape)]
    y = y if gamma is None else multiply(y, reshaped(floats(gamma), dims))
    return y if beta is None else add(y, reshaped(floats(beta), dims))


def rms_normalization(x: TensorLike, scale: TensorLike | None = None, axis: Axes = -1,
                      epsilon: float | None = None) -> Tensor:
    """scale·x/√(mean(x²) + epsilon) over the axes."""
    x = floats(x)
    y = divide(x, root_mean_square(x, axis, keepdims=True, epsilon=1e-7 if epsilon is None else epsilon))
    return y if scale is None else multiply(y, floats(scale))


def normalize(x: TensorLike, axis: Axes = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """x divided by its length (Σ|x|ᵒʳᵈᵉʳ)^(1/order) along the axis, at least epsilon (1e-7)."""
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"normalize: order is {shown(order)}; needs a whole number >= 1.")
    x = floats(x)
    epsilon = 1e-7 if epsilon is None else epsilon
    if order == 2:
        return divide(x, maximum(length(x, axis, keepdims=True), epsilon))
    lengths = power(sum(power(absolute(x), float(order)), axis, keepdims=True), 1.0 / order)
    return divide(x, maximum(lengths, epsilon))


def dot_product_attention(query: TensorLike, key: TensorLike, value: TensorLike, bias: TensorLike | None = None,
                          mask: TensorLike | None = None, scale: float | None = None, is_causal: bool = False,
                          flash_attention: bool | None = None, attn_logits_soft_cap: float | None = None) -> Tensor:
    """softmax(scale·q·kᵀ + bias)·v for each head; (batch, time, heads, depth), scale 1/√depth unless given.

    mask: True where a key is looked at. is_causal: no key later than the query. Keys and values may have fewer heads:
    each serves as many neighbouring heads of the query (grouped queries). attn_logits_soft_cap: the scores are kept
    within it, by tanh. flash_attention changes nothing."""
    q, k, v = map(floats, (query, key, value))
    attended = _attended_unknown if any(None in t.shape[2:] for t in (q, k, v)) else _attended
    return attended(q, k, v, bias, mask, scale, is_causal, attn_logits_soft_cap)


def _attended(query: Tensor, key: Tensor, value: Tensor, bias: TensorLike | None, mask: TensorLike | None,
              scale: float | None, is_causal: bool, attn_logits_soft_cap: float | None) -> Tensor:
    q, k, v = (swapaxes(t, 1, 2) for t in (query, key, value))
    heads, groups = q.shape[1], k.shape[1]
    if groups != heads:
        if v.shape[1] != groups or heads % groups:
            raise ShapeError(f"dot_product_attention: {heads} heads of the query, {groups} of the key and {v.shape[1]} "
                             "of the value; those of key and value must be equal, and divide the query's.")
        k, v = (repeat(t, heads // groups, axis=1) for t in (k, v))
    scores = multiply(matmul(q, swapaxes(k, -1, -2)), 1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if attn_logits_soft_cap is not None:
        scores = multiply(tanh(divide(scores, attn_logits_soft_cap)), attn_logits_soft_cap)
    if bias is not None:
        scores = add(scores, bias)
    if is_causal:
        past = tri(q.shape[2], k.shape[2], dtype="bool")
        mask = past if mask is None else logical_and(mask, past)
    if mask is not None:
        scores = where(mask, scores, -1e9)  # type: ignore[assignment]
    return swapaxes(matmul(softmax(scores), v), 1, 2)


_attended_unknown = of_any_size(_attended)


def one_hot(x: TensorLike, num_classes: int, axis: int = -1, dtype: str | None = None, sparse: bool = False) -> Tensor:
    """1 at the number's place along a new axis, 0 elsewhere; only 0 for a number outside."""
    dense(sparse, "one_hot: sparse")
    x = ids(x)
    y = data.one_hot(x, depth=whole(num_classes, "one_hot: num_classes", 0))
    if axis not in (-1, x.ndim):
        y = moveaxis(y, -1, axis)
    return y if dtype is None else cast(y, dtype)


def multi_hot(inputs: TensorLike, num_classes: int, axis: int = -1, dtype: str | None = None,
              sparse: bool = False) -> Tensor:
    """1 at the place of each number along the second axis of the inputs, the first of a vector; 0 elsewhere."""
    dense(sparse, "multi_hot: sparse")
    x = ids(inputs)
    return max(one_hot(x, num_classes, axis, dtype), axis=1 if x.ndim > 1 else 0)


def moments(x: TensorLike, axes: Axes, keepdims: bool = False, synchronized: bool = False) -> tuple[Tensor, Tensor]:
    """mean(x) and var(x)."""
    return mean(x, axes, keepdims), var(x, axes, keepdims)
