"""Lengths of vectors and matrices: `keras.ops.linalg`. Floor 2."""

import builtins
import math
from typing import Any

from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.ops._arithmetic import absolute, power, sqrt, square
from fastnn.ops._compare import not_equal
from fastnn.ops._convert import axes_of, floats, reshaped, widened
from fastnn.ops._reduction import max, min, sum
from fastnn.ops._sizes import of_any_size

__all__ = ["norm"]


@of_any_size
def norm(x: TensorLike, ord: Any = None, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The length of x along an axis: √Σx², or by ord: 1 Σ|x|, inf max |x|, -inf min |x|, 0 how many are not 0, p
    (Σ|x|ᵖ)^(1/p). Of matrices (two axes): "fro" √Σx², 1 the largest column sum, inf the largest row sum."""
    x = floats(x)
    axes = axes_of(x, axis)
    if ord is None or ord == "fro" or (ord == 2 and (len(axes) == 1 or x.ndim == 1)):
        return sqrt(sum(square(x), axis, keepdims))
    if (axis is None and x.ndim == 1) or len(axes) == 1:
        if ord in (math.inf, -math.inf):
            return (max if ord > 0 else min)(absolute(x), axis, keepdims)
        if ord == 0:
            return widened(sum(not_equal(x, 0.0), axis, keepdims), x.dtype)
        if ord == 1:
            return sum(absolute(x), axis, keepdims)
        return power(sum(power(absolute(x), float(ord)), axis, keepdims), 1.0 / ord)
    if len(axes) == 2 and ord in (1, -1, math.inf, -math.inf):
        along, over = (axes[0], axes[1]) if builtins.abs(ord) == 1 else (axes[1], axes[0])
        y = (max if ord > 0 else min)(sum(absolute(x), along, keepdims=True), over, keepdims=True)
        return y if keepdims else reshaped(y, [n for i, n in enumerate(x.shape) if i not in axes])
    raise ValueError(f"norm: ord is {ord!r} for {len(axes)} axes; needs None, 'fro', 1, inf, or a number for one axis; "
                     "for singular values use np.linalg.norm.")
