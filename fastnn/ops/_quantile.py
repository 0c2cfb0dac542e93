"""Numbers below which fractions of others lie. Floor 2."""

from typing import Any

from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import shown
from fastnn.ops._arithmetic import add, clip, floor, maximum, multiply, subtract
from fastnn.ops._compare import less, where
from fastnn.ops._convert import axes_of, broadcast_to, floats, reshaped, widened
from fastnn.ops._indexing import sort
from fastnn.ops._reduction import in_a_row
from fastnn.ops._shaping import moveaxis
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import index

__all__ = ["median", "percentile", "quantile"]

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(x: TensorLike, q: TensorLike, axis: Axes = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The number below which the fraction q of x lies, over the axes; for several q the first axis has them.

    method, where that is between two numbers: "linear", "lower", "higher", "midpoint" or "nearest"."""
    return by_fractions("quantile", floats(x), q, axis, method, keepdims, None)


def percentile(x: TensorLike, q: TensorLike, axis: Axes = None, method: str = "linear",
               keepdims: bool = False) -> Tensor:
    """quantile of q / 100."""
    return quantile(x, multiply(floats(q), 0.01), axis, method, keepdims)


def median(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The middle number along the axes; the mean of the two in the middle of an even count."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


@of_any_size
def by_fractions(name: str, x: Tensor, q: Any, axis: Axes, method: str, keepdims: bool,
                 counts: Tensor | None) -> Tensor:
    """quantile; counts: how many numbers count in each row, the axes kept, the rest being NaN; all unless given."""
    fractions = floats(q)
    if method not in METHODS:
        raise ValueError(f"{name}: method is {shown(method)}; needs one of {', '.join(METHODS)}.")
    if fractions.constant and ((fractions.data < 0) | (fractions.data > 1)).any():
        raise ValueError(f"{name}: q is {shown(q)}; needs numbers from 0 to 1.")
    axes = axes_of(x, axis)
    rows = in_a_row(x, axes)
    if not rows.shape[-1]:
        raise ValueError(f"{name}: x is {x.shape}; needs at least one number.")
    ordered = sort(rows, -1)
    last: Any = rows.shape[-1] - 1 if counts is None else subtract(
        widened(in_a_row(counts, axes), x.dtype), 1.0)       # (…, 1)
    flat = reshaped(fractions, (-1,))
    place = broadcast_to(multiply(flat, last), (*rows.shape[:-1], flat.shape[0]))
    y = _between(ordered, place, method)
    y = moveaxis(y, -1, 0)
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)] if keepdims else list(y.shape[1:])
    return reshaped(y, [*([flat.shape[0]] if fractions.ndim else []), *kept])


def _between(ordered: Tensor, place: Tensor, method: str) -> Tensor:
    """The numbers at these places of rows in order, where a place may lie between two."""
    low = maximum(floor(place), 0.0)
    share = subtract(place, low)
    a, b = (index.take_along(ordered, widened(clip(each, 0.0, float(ordered.shape[-1] - 1)), "int32"),
                             axis=ordered.ndim - 1) for each in (low, add(low, 1.0)))
    b = where(less(0.0, share), b, a)       # what is beyond, or NaN, counts for nothing at a whole place
    if method == "lower":
        return a
    if method == "higher":
        return b  # type: ignore[return-value]
    if method == "midpoint":
        return multiply(add(a, b), 0.5)
    if method == "nearest":     # of two equally near the one with the even number
        odd = subtract(low, multiply(floor(multiply(low, 0.5)), 2.0))
        nearer = where(less(share, 0.5), a, where(less(0.5, share), b, where(less(odd, 0.5), a, b)))
        return nearer  # type: ignore[return-value]
    between = add(multiply(a, subtract(1.0, share)), multiply(b, share))
    return where(less(0.0, share), between, a)  # type: ignore[return-value]


