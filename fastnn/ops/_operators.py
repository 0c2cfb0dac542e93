"""The ops behind Python's signs: `a + b` of tensors is `add(a, b)`. Floor 2."""

from collections.abc import Callable
from typing import Any

from fastnn.ops import _arithmetic, _assign, _compare, _creation, _getitem, _products

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": _arithmetic.add, "-": _arithmetic.subtract, "*": _arithmetic.multiply, "/": _arithmetic.divide,
    "//": _arithmetic.floor_divide, "%": _arithmetic.mod, "**": _arithmetic.power, "@": _products.matmul,
    "<": _compare.less, "<=": _compare.less_equal, ">": _compare.greater, ">=": _compare.greater_equal,
    "==": _compare.equal, "!=": _compare.not_equal, "&": _compare.bitwise_and, "|": _compare.bitwise_or,
    "^": _compare.bitwise_xor, "<<": _compare.bitwise_left_shift, ">>": _compare.bitwise_right_shift,
    "~": _compare.bitwise_not, "-x": _arithmetic.negative, "|x|": _arithmetic.absolute, "rounded": _arithmetic.round,
    "[]": _getitem.getitem, "value": _creation.copy, "=": _assign.assign, "+=": _assign.assign_add}
