"""Assignments to variables as ops, so that they happen at every run of a recorded step. Floor 2."""

from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.context import is_symbolic_pass
from fastnn.engine.operators import operators
from fastnn.engine.tensor import Variable
from fastnn.errors import ShapeError
from fastnn.ops._op import as_tensor
from fastnn.ops.rows.data import advance, copy
from fastnn.ops.rows.elementwise import cast


def assign(variable: Variable, value: Any) -> Variable:
    """variable = value, of the same shape; converted to its dtype. ShapeError naming both shapes.

    Where only shapes count (a symbolic pass), the variable stays as it is.
    """
    value = as_tensor(value, "any")
    if len(value.shape) != len(variable.shape) or any(m not in (n, None) for m, n in zip(value.shape, variable.shape)):
        raise ShapeError(f"assign to {variable.name!r}: got shape {value.shape}; needs {variable.shape}.")
    if not (is_symbolic_pass() or value.symbolic):
        copy(variable, value if value.dtype == variable.dtype else cast(value, dtype=variable.dtype))
    return variable


def assign_add(variable: Variable, value: Any) -> Variable:
    """variable += value. Whole numbers are added exactly to an int64 counter; all else in floatx."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if variable.dtype == "int64" and variable.shape == () and whole:
        if not is_symbolic_pass():
            advance(variable, by=int(value))
        return variable
    if variable.dtype == "float64" != backend.floatx():
        variable_now = cast(variable, dtype=backend.floatx())
    else:
        variable_now = variable
    return assign(variable, operators["+"](variable_now, value))
