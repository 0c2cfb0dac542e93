"""Activations of tensors. Floor 2."""

from collections.abc import Sequence

import numpy as np

from fastnn.arguments import flag, number
from fastnn.engine.context import current_layer
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import warn
from fastnn.ops._arithmetic import absolute, add, clip, divide, multiply, negative, sign, sqrt, square, subtract
from fastnn.ops._compare import greater, where
from fastnn.ops._convert import axes_of, axis_of, floats, reshaped, widened
from fastnn.ops._indexing import sort
from fastnn.ops._joining import split
from fastnn.ops._reduction import cumsum, sum
from fastnn.ops._shaping import moveaxis, transpose
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import activation
from fastnn.ops.rows import softmax as rows

__all__ = [
    "celu", "elu", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu",
    "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax",
    "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
    "threshold",
]


def _along(name: str, x: TensorLike, axis: int | Sequence[int] | None) -> Tensor:
    """A row of `rows` by its name, a function of rows, along any axis, several or all (None) together."""
    x = floats(x)
    if not isinstance(axis, int):
        return _over(name, x, axes_of(x, axis))  # type: ignore[arg-type]
    place, row = axis_of(x, axis), getattr(rows, name)
    if name == "softmax" and x.shape[place] == 1 and not current_layer():     # inside a model fit says it
        warn(f"softmax: axis {axis} of shape {x.shape} has one number, which always becomes 1; use sigmoid for one.")
    y: Tensor = row(x) if place == x.ndim - 1 else moveaxis(row(moveaxis(x, place, -1)), -1, place)
    return y


@of_any_size
def _over(name: str, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The same over several axes as one."""
    kept = [i for i in range(x.ndim) if i not in axes]
    moved = transpose(x, [*kept, *axes])
    y = reshaped(getattr(rows, name)(reshaped(moved, (*moved.shape[:len(kept)], -1))), moved.shape)
    return moveaxis(y, list(range(len(kept), x.ndim)), axes)


def softmax(x: TensorLike, axis: int | Sequence[int] | None = -1) -> Tensor:
    """e^x / Σ e^x along the axis, or over several or all (None) together: positive, sum 1."""
    return _along("softmax", x, axis)


def log_softmax(x: TensorLike, axis: int | Sequence[int] | None = -1) -> Tensor:
    """x - ln Σ e^x along the axis, or over several or all (None) together."""
    return _along("log_softmax", x, axis)


def relu(x: TensorLike) -> Tensor:
    """max(x, 0)."""
    return activation.relu(x)  # type: ignore[no-any-return]


def relu6(x: TensorLike) -> Tensor:
    """min(max(x, 0), 6)."""
    return activation.relu6(x)  # type: ignore[no-any-return]


def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """x where x > 0, else negative_slope·x. The default is Keras' 0.2 (its layer LeakyReLU has 0.3)."""
    slope = number(negative_slope, "leaky_relu: negative_slope")
    return activation.leaky_relu(x, slope=slope)  # type: ignore[no-any-return]


def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha·(eˣ - 1). Clevert et al. 2015."""
    return activation.elu(x, alpha=number(alpha, "elu: alpha"))  # type: ignore[no-any-return]


def selu(x: TensorLike) -> Tensor:
    """1.0507 x where x > 0, else 1.0507·1.6733 (eˣ - 1). Klambauer et al. 2017; with initializer lecun_normal."""
    return activation.selu(x)  # type: ignore[no-any-return]


def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """max(x, 0) + min(alpha·(e^(x/alpha) - 1), 0). Barron 2017. Raises ValueError for alpha = 0."""
    alpha = number(alpha, "celu: alpha")
    if alpha == 0:
        raise ValueError("celu: alpha is 0; needs another number, as x is divided by it.")
    return activation.celu(x, alpha=alpha)  # type: ignore[no-any-return]


def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """x·Φ(x), Φ the normal distribution function; `approximate`: by tanh, as Keras does unless told. Hendrycks and
    Gimpel 2016."""
    return activation.gelu_tanh(x) if flag(approximate, "gelu: approximate") else activation.gelu(x)  # type: ignore[no-any-return]


def sigmoid(x: TensorLike) -> Tensor:
    """1/(1 + e⁻ˣ), in (0, 1)."""
    return activation.sigmoid(x)  # type: ignore[no-any-return]


def tanh(x: TensorLike) -> Tensor:
    """(eˣ - e⁻ˣ)/(eˣ + e⁻ˣ), in (-1, 1)."""
    return activation.tanh(x)  # type: ignore[no-any-return]


def silu(x: TensorLike) -> Tensor:
    """x·sigmoid(x), also called swish."""
    return activation.silu(x)  # type: ignore[no-any-return]


swish = silu


def softplus(x: TensorLike) -> Tensor:
    """ln(1 + eˣ)."""
    return activation.softplus(x)  # type: ignore[no-any-return]


def softsign(x: TensorLike) -> Tensor:
    """x/(1 + |x|)."""
    return activation.softsign(x)  # type: ignore[no-any-return]


def mish(x: TensorLike) -> Tensor:
    """x·tanh(softplus(x)). Misra 2019."""
    return activation.mish(x)  # type: ignore[no-any-return]


def hard_sigmoid(x: TensorLike) -> Tensor:
    """x/6 + 1/2 kept within [0, 1]."""
    return activation.hard_sigmoid(x)  # type: ignore[no-any-return]


def hard_silu(x: TensorLike) -> Tensor:
    """x·hard_sigmoid(x), also called hard_swish."""
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


@of_any_size
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """max(x - τ, 0), with the τ for which it sums to 1 along the axis: the nearest point of all probabilities, most of
    them 0. Martins and Astudillo 2016."""
    x = moveaxis(floats(x), axis, -1)
    falling = negative(sort(negative(x), -1))
    count = np.arange(1, x.shape[-1] + 1)
    sums = cumsum(falling, -1)
    kept = greater(add(multiply(falling, count), 1.0), sums)        # the first ones
    size = sum(widened(kept, x.dtype), -1, keepdims=True)
    total = sum(where(kept, falling, 0.0), -1, keepdims=True)
    y = relu(subtract(x, divide(subtract(total, 1.0), size)))
    return moveaxis(y, -1, axis)
