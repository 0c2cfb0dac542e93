"""Activations, cross-entropies and normalizations of tensors. Floor 2."""

import math
from collections.abc import Sequence
from typing import Any

from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._arithmetic import absolute, add, clip, divide, log, multiply, negative, rsqrt, sign, square, subtract
from fastnn.ops._compare import greater, where
from fastnn.ops._convert import axes_of, axis_of, floats, ids, reshaped
from fastnn.ops._linalg import matmul
from fastnn.ops._reduction import mean, sum, var
from fastnn.ops._shaping import moveaxis, split, swapaxes
from fastnn.ops.rows import activation, data
from fastnn.ops.rows import softmax as rows

EPSILON = 1e-7      # probabilities are kept so far away from 0 and 1


def _along(row: Any, x: TensorLike, axis: int) -> Tensor:
    """A function of rows, along any axis."""
    x = floats(x)
    place = axis_of(x, axis)
    y: Tensor = row(x) if place == x.ndim - 1 else moveaxis(row(moveaxis(x, place, -1)), -1, place)
    return y


def softmax(x: TensorLike, axis: int | Sequence[int] | None = -1) -> Tensor:
    """e^x / Σ e^x along the axis, or over several or all (None) together: positive, sum 1."""
    x = floats(x)
    if isinstance(axis, int):
        return _along(rows.softmax, x, axis)
    axes = axes_of(x, axis)  # type: ignore[arg-type]
    kept = [i for i in range(x.ndim) if i not in axes]
    order = (*kept, *axes)
    moved: Tensor = data.transpose(x, axes=order) if order != tuple(range(x.ndim)) else x
    flat = reshaped(moved, [*(x.shape[i] for i in kept), math.prod(x.shape[i] for i in axes)])
    y = reshaped(rows.softmax(flat), moved.shape)
    return data.transpose(y, axes=tuple(order.index(i) for i in range(x.ndim)))  # type: ignore[no-any-return]


def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """x - ln Σ e^x along the axis."""
    return _along(rows.log_softmax, x, axis)


def relu(x: TensorLike) -> Tensor:
    """max(x, 0)."""
    return activation.relu(x)  # type: ignore[no-any-return]


def relu6(x: TensorLike) -> Tensor:
    """min(max(x, 0), 6)."""
    return activation.relu6(x)  # type: ignore[no-any-return]


def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """x where x > 0, else negative_slope·x."""
    return activation.leaky_relu(x, slope=float(negative_slope))  # type: ignore[no-any-return]


def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha·(eˣ - 1)."""
    return activation.elu(x, alpha=float(alpha))  # type: ignore[no-any-return]


def selu(x: TensorLike) -> Tensor:
    """1.0507 x where x > 0, else 1.7581 (eˣ - 1)."""
    return activation.selu(x)  # type: ignore[no-any-return]


def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """max(x, 0) + min(alpha·(e^(x/alpha) - 1), 0)."""
    return activation.celu(x, alpha=float(alpha))  # type: ignore[no-any-return]


def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """x·Φ(x), Φ the normal distribution function; `approximate`: by tanh, as Keras does unless told."""
    return activation.gelu_tanh(x) if approximate else activation.gelu(x)  # type: ignore[no-any-return]


def sigmoid(x: TensorLike) -> Tensor:
    """1/(1 + e⁻ˣ)."""
    return activation.sigmoid(x)  # type: ignore[no-any-return]


def tanh(x: TensorLike) -> Tensor:
    """(eˣ - e⁻ˣ)/(eˣ + e⁻ˣ)."""
    return activation.tanh(x)  # type: ignore[no-any-return]


def silu(x: TensorLike) -> Tensor:
    """x·sigmoid(x)."""
    return activation.silu(x)  # type: ignore[no-any-return]


swish = silu


def softplus(x: TensorLike) -> Tensor:
    """ln(1 + eˣ)."""
    return activation.softplus(x)  # type: ignore[no-any-return]


def softsign(x: TensorLike) -> Tensor:
    """x/(1 + |x|)."""
    return activation.softsign(x)  # type: ignore[no-any-return]


def mish(x: TensorLike) -> Tensor:
    """x·tanh(softplus(x))."""
    return activation.mish(x)  # type: ignore[no-any-return]


def hard_sigmoid(x: TensorLike) -> Tensor:
    """x/6 + 1/2 kept within [0, 1]."""
    return activation.hard_sigmoid(x)  # type: ignore[no-any-return]


def hard_silu(x: TensorLike) -> Tensor:
    """x·hard_sigmoid(x)."""
    return activation.hard_silu(x)  # type: ignore[no-any-return]


hard_swish = hard_silu


def hard_tanh(x: TensorLike) -> Tensor:
    """x kept within [-1, 1]."""
    return clip(floats(x), -1.0, 1.0)


def log_sigmoid(x: TensorLike) -> Tensor:
    """ln sigmoid(x)."""
    return negative(softplus(negative(floats(x))))


def tanh_shrink(x: TensorLike) -> Tensor:
    """x - tanh(x)."""
    x = floats(x)
    return subtract(x, tanh(x))


def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """x where |x| > threshold, else 0."""
    x = floats(x)
    return where(greater(absolute(x), threshold), x, 0.0)  # type: ignore[return-value]


def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """x nearer to 0 by the threshold; 0 where |x| is no larger."""
    x = floats(x)
    return multiply(sign(x), relu(subtract(absolute(x), threshold)))


def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """x where x > threshold, else default_value."""
    x = floats(x)
    return where(greater(x, threshold), x, default_value)  # type: ignore[return-value]


def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """(x + √(x² + b))/2."""
    from fastnn.ops._arithmetic import sqrt
    x = floats(x)
    return multiply(add(x, sqrt(add(square(x), float(b)))), 0.5)


def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """a·sigmoid(b), a and b the two halves of x along the axis."""
    a, b = split(floats(x), 2, axis)
    return multiply(a, sigmoid(b))


def sparse_plus(x: TensorLike) -> Tensor:
    """0 up to -1, ((x + 1)/2)² up to 1, x from there."""
    x = floats(x)
    middle = square(multiply(add(x, 1.0), 0.5))
    return where(greater(x, 1.0), x, where(greater(x, -1.0), middle, 0.0))  # type: ignore[return-value, arg-type]


def sparse_sigmoid(x: TensorLike) -> Tensor:
    """(x + 1)/2 kept within [0, 1]."""
    return clip(multiply(add(floats(x), 1.0), 0.5), 0.0, 1.0)


def _equal_shapes(name: str, target: Tensor, output: Tensor) -> None:
    if len(target.shape) != len(output.shape) or any(
            a != b and None not in (a, b) for a, b in zip(target.shape, output.shape)):
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
    from fastnn.ops._indexing import take_along_axis
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
                        epsilon: float | None = None, **kwargs: Any) -> Tensor:
    """gamma·(x - mean)/√(variance + epsilon) + beta, mean and variance over the axes of each sample."""
    x = floats(x)
    y = multiply(subtract(x, mean(x, axis, keepdims=True)),
                 rsqrt(add(var(x, axis, keepdims=True), 1e-3 if epsilon is None else epsilon)))
    dims = [n if i in axes_of(x, axis) else 1 for i, n in enumerate(x.shape)]
    y = y if gamma is None else multiply(y, reshaped(floats(gamma), dims))
    return y if beta is None else add(y, reshaped(floats(beta), dims))


def rms_normalization(x: TensorLike, scale: TensorLike | None = None, axis: Axes = -1,
                      epsilon: float | None = None) -> Tensor:
    """scale·x/√(mean(x²) + epsilon) over the axes."""
    x = floats(x)
    y = multiply(x, rsqrt(add(mean(square(x), axis, keepdims=True), 1e-7 if epsilon is None else epsilon)))
    return y if scale is None else multiply(y, floats(scale))


def normalize(x: TensorLike, axis: Axes = -1, order: float = 2, epsilon: float | None = None) -> Tensor:
    """x divided by its length along the axis, at least epsilon (1e-7)."""
    from fastnn.ops._arithmetic import maximum, power
    x = floats(x)
    epsilon = 1e-7 if epsilon is None else epsilon
    if order == 2:
        return multiply(x, rsqrt(maximum(sum(square(x), axis, keepdims=True), epsilon ** 2)))
    length = power(sum(power(absolute(x), float(order)), axis, keepdims=True), 1.0 / order)
    return divide(x, maximum(length, epsilon))


def dot_product_attention(query: TensorLike, key: TensorLike, value: TensorLike, bias: TensorLike | None = None,
                          mask: TensorLike | None = None, scale: float | None = None, is_causal: bool = False,
                          **kwargs: Any) -> Tensor:
    """softmax(scale·q·kᵀ + bias)·v for each head; (batch, time, heads, depth), scale 1/√depth unless given.

    mask: True where a key is looked at. is_causal: no key later than the query."""
    from fastnn.ops._compare import logical_and
    from fastnn.ops._creation import tri
    q, k, v = (swapaxes(floats(t), 1, 2) for t in (query, key, value))
    scores = multiply(matmul(q, swapaxes(k, -1, -2)), 1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if bias is not None:
        scores = add(scores, bias)
    if is_causal:
        past = tri(q.shape[2], k.shape[2], dtype="bool")
        mask = past if mask is None else logical_and(mask, past)
    if mask is not None:
        scores = where(mask, scores, -1e9)  # type: ignore[assignment]
    return swapaxes(matmul(softmax(scores), v), 1, 2)
