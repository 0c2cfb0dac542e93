"""Comparisons, which give bools, logic, bits, and what is chosen by them. Floor 2."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.ops._arithmetic import absolute, add, multiply, subtract
from fastnn.ops._convert import alike, fitted, floats, tensor, together, widened
from fastnn.ops._op import Op
from fastnn.ops.rows import compare, whole

__all__ = [
    "allclose", "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "equal", "greater", "greater_equal", "isclose", "isfinite", "isinf", "isnan",
    "left_shift", "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "not_equal",
    "right_shift", "select", "where",
]


def equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 = x2, element by element; False where either is NaN."""
    return compare.equal(*together("equal", x1, x2))  # type: ignore[no-any-return]


def not_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 ≠ x2, element by element; True where either is NaN."""
    return compare.not_equal(*together("not_equal", x1, x2))  # type: ignore[no-any-return]


def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 < x2, element by element."""
    return compare.less(*together("less", x1, x2))  # type: ignore[no-any-return]


def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 ≤ x2, element by element."""
    return compare.less_equal(*together("less_equal", x1, x2))  # type: ignore[no-any-return]


def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 > x2, element by element."""
    return compare.greater(*together("greater", x1, x2))  # type: ignore[no-any-return]


def greater_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 ≥ x2, element by element."""
    return compare.greater_equal(*together("greater_equal", x1, x2))  # type: ignore[no-any-return]


def _bools(name: str, row: Op, x1: TensorLike, x2: TensorLike) -> Tensor:
    y: Tensor = row(*together(name, widened(tensor(x1), "bool"), widened(tensor(x2), "bool")))
    return y


def logical_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether both are true; numbers are where they are not 0."""
    return _bools("logical_and", whole.bitwise_and, x1, x2)


def logical_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether either is true; numbers are where they are not 0."""
    return _bools("logical_or", whole.bitwise_or, x1, x2)


def logical_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether one alone is true; numbers are where they are not 0."""
    return _bools("logical_xor", whole.bitwise_xor, x1, x2)


def logical_not(x: TensorLike) -> Tensor:
    """Whether x is not true; numbers are where they are not 0."""
    return compare.logical_not(widened(tensor(x), "bool"))  # type: ignore[no-any-return]


def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits set in both; for bools, whether both are."""
    return whole.bitwise_and(*together("bitwise_and", x, y))  # type: ignore[no-any-return]


def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits set in either; for bools, whether either is."""
    return whole.bitwise_or(*together("bitwise_or", x, y))  # type: ignore[no-any-return]


def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits set in one alone; for bools, whether one alone is."""
    return whole.bitwise_xor(*together("bitwise_xor", x, y))  # type: ignore[no-any-return]


def bitwise_not(x: TensorLike) -> Tensor:
    """The bits not set; for bools, whether x is not."""
    x = tensor(x)
    return logical_not(x) if x.dtype == "bool" else bitwise_xor(x, 255 if x.dtype == "uint8" else -1)


bitwise_invert = bitwise_not


def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """x · 2ʸ, in whole numbers."""
    return whole.left_shift(*together("left_shift", x, y))  # type: ignore[no-any-return]


def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """⌊x / 2ʸ⌋, in whole numbers."""
    return whole.right_shift(*together("right_shift", x, y))  # type: ignore[no-any-return]


left_shift, right_shift = bitwise_left_shift, bitwise_right_shift


def isnan(x: TensorLike) -> Tensor:
    """Whether x is NaN."""
    return compare.isnan(floats(x))  # type: ignore[no-any-return]


def isinf(x: TensorLike) -> Tensor:
    """Whether x is +∞ or -∞."""
    return compare.isinf(floats(x))  # type: ignore[no-any-return]


def isfinite(x: TensorLike) -> Tensor:
    """Whether x is neither NaN nor infinite."""
    return compare.isfinite(floats(x))  # type: ignore[no-any-return]


def isclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether |x1 - x2| ≤ atol + rtol·|x2|, element by element; equal infinities are close."""
    a, b = map(floats, together("isclose", x1, x2))
    near = logical_and(less_equal(absolute(subtract(a, b)), add(multiply(absolute(b), rtol), atol)), isfinite(b))
    near = logical_or(near, equal(a, b))
    return logical_or(near, logical_and(isnan(a), isnan(b))) if equal_nan else near


def where(condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None) -> Any:
    """x1 where the condition is true, else x2, all repeated to one shape; no gradient is asked of the condition.

    With the condition alone: nonzero(condition).
    >>> where(x > 0, x, 0.0)
    """
    if x1 is None and x2 is None:
        from fastnn.ops._indexing import nonzero
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise TypeError("where: got one of x1 and x2; needs both, or neither; give what to take elsewhere.")
    condition = widened(tensor(condition), "bool")
    y: Tensor = compare.where(*fitted("where", [condition, *alike(x1, x2)]))
    return y


def select(condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: TensorLike = 0) -> Tensor:
    """The choice of the first condition that is true, else the default."""
    y: TensorLike = default
    for condition, choice in list(zip(condlist, choicelist, strict=True))[::-1]:
        y = where(condition, choice, y)  # type: ignore[assignment]
    return tensor(y)


def allclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8,
             equal_nan: bool = False) -> Tensor:
    """Whether isclose holds everywhere."""
    close = isclose(x1, x2, rtol, atol, equal_nan)
    if 0 in close.shape:
        return Tensor(np.array(True), constant=True)
    return whole.whole_min(close, axes=tuple(range(close.ndim)))  # type: ignore[no-any-return]
