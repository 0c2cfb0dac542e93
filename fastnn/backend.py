"""What `keras.backend` has, and the functions that it had under older names, for scripts that call them as K. Floor 5.

Every function is one of fastnn.ops, fastnn.random or fastnn.config; new code calls these. What __all__ lists and is not
defined below is that of fastnn.ops.
"""

import gc
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import ops, random
from fastnn.engine.backend import backend, floatx, set_floatx
from fastnn.engine.kinds import Axes, TensorLike
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import shown
from fastnn.names import reset_names
from fastnn.ops import *

__all__ = [
    "abs", "all", "any", "arange", "argmax", "argmin", "backend", "batch_flatten", "binary_crossentropy", "cast",
    "categorical_crossentropy", "clear_session", "clip", "concatenate", "constant", "cos", "count_params", "cumprod",
    "cumsum", "dot", "elu", "epsilon", "equal", "eval", "exp", "expand_dims", "eye", "flatten", "floatx", "gather",
    "get_uid", "get_value", "greater", "greater_equal", "hard_sigmoid", "image_data_format", "int_shape",
    "is_float_dtype", "is_int_dtype", "is_keras_tensor", "l2_normalize", "less", "less_equal", "log", "logsumexp",
    "max", "maximum", "mean", "min", "minimum", "moments", "ndim", "not_equal", "one_hot", "ones", "ones_like",
    "permute_dimensions", "pow", "prod", "random_normal", "random_uniform", "relu", "repeat_elements", "reshape",
    "result_type", "round", "set_floatx", "set_image_data_format", "set_value", "shape", "sigmoid", "sign", "sin",
    "softmax", "softplus", "softsign", "sparse_categorical_crossentropy", "sqrt", "square", "squeeze", "stack",
    "standardize_dtype", "std", "stop_gradient", "sum", "switch", "tanh", "tile", "transpose", "truncated_normal",
    "update", "update_add", "update_sub", "var", "variable", "zeros", "zeros_like"]

_uids: dict[str, int] = {}


def clear_session(free_memory: bool = True) -> None:
    """Count the names of layers from the start again, and free what nothing holds. There is no graph to clear."""
    reset_names()
    _uids.clear()
    if free_memory:
        gc.collect()


def epsilon() -> float:
    """The 1e-7 that keeps probabilities away from 0 and 1."""
    return 1e-7


def image_data_format() -> str:
    """Where the channels of images are: "channels_last"."""
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """ValueError for anything but "channels_last"."""
    if data_format != "channels_last":
        raise ValueError(f"set_image_data_format: got {shown(data_format)}; needs 'channels_last'; transpose images "
                         "once: x.transpose(0, 2, 3, 1).")


def get_uid(prefix: str = "") -> int:
    """1, 2, 3, … for each prefix."""
    _uids[prefix] = _uids.get(prefix, 0) + 1
    return _uids[prefix]


def is_keras_tensor(x: object) -> bool:
    """Whether x is symbolic: a place in a model's graph."""
    return isinstance(x, Tensor) and x.symbolic


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype; floatx for None."""
    return floatx() if dtype is None else dtype if isinstance(dtype, str) else np.dtype(dtype).name


def is_float_dtype(dtype: Any) -> bool:
    """Whether it is one of floats."""
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int_dtype(dtype: Any) -> bool:
    """Whether it is one of whole numbers."""
    return standardize_dtype(dtype).startswith(("int", "uint"))


def result_type(*dtypes: Any) -> str:
    """The dtype in which all meet."""
    return ops.add(ops.zeros((), dtypes[0]), ops.zeros((), dtypes[-1])).dtype if len(dtypes) < 3 else result_type(
        result_type(*dtypes[:-1]), dtypes[-1])


def argmax(x: TensorLike, axis: int = -1) -> Tensor:  # type: ignore[no-redef]
    """The index of the largest number along the axis; the last unless given."""
    return ops.argmax(x, axis)


def argmin(x: TensorLike, axis: int = -1) -> Tensor:  # type: ignore[no-redef]
    """The index of the smallest number along the axis; the last unless given."""
    return ops.argmin(x, axis)


def batch_flatten(x: TensorLike) -> Tensor:
    """Each sample in a row."""
    return ops.reshape(x, [-1, int(np.prod(ops.shape(x)[1:]))])  # type: ignore[arg-type]


def flatten(x: TensorLike) -> Tensor:
    """All elements in a row."""
    return ops.ravel(x)


def constant(value: TensorLike, dtype: str | None = None, shape: Sequence[int] | None = None,
             name: str | None = None) -> Tensor:
    """A value as a tensor, repeated to `shape` if given."""
    made = ops.convert_to_tensor(value, dtype or floatx())
    return made if shape is None else ops.broadcast_to(made, shape)


def variable(value: Any, dtype: str | None = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A Variable of this value."""
    return Variable(value, name or "variable", dtype=dtype, constraint=constraint)


def eval(x: TensorLike) -> np.ndarray:
    """The numbers."""
    return ops.convert_to_numpy(x)


get_value = eval


def set_value(x: Variable, value: Any) -> None:
    """variable = value."""
    x.assign(value)


def update(x: Variable, new_x: Any) -> Variable:
    """variable = value."""
    return x.assign(new_x)


def update_add(x: Variable, increment: Any) -> Variable:
    """variable += value."""
    return x.assign_add(increment)


def update_sub(x: Variable, decrement: Any) -> Variable:
    """variable -= value."""
    return x.assign_sub(decrement)


def count_params(x: Any) -> int:
    """How many numbers a variable holds."""
    return int(np.prod(x.shape))


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape; None for what is not known."""
    return tuple(x.shape)


def gather(reference: TensorLike, indices: TensorLike) -> Tensor:
    """Rows by number."""
    return ops.take(reference, indices, 0)


def l2_normalize(x: TensorLike, axis: Axes = None) -> Tensor:
    """x divided by its length along the axis."""
    return ops.normalize(x, axis)


def permute_dimensions(x: TensorLike, pattern: Sequence[int]) -> Tensor:
    """The axes in another order."""
    return ops.transpose(x, pattern)


def pow(x: TensorLike, a: TensorLike) -> Tensor:
    """x to the power of a."""
    return ops.power(x, a)


def repeat_elements(x: TensorLike, rep: int, axis: int) -> Tensor:
    """Each element so many times along the axis."""
    return ops.repeat(x, rep, axis)


def switch(  # type: ignore[no-redef]
        condition: TensorLike, then_expression: Any, else_expression: Any) -> Tensor:
    """The one where the condition is true, else the other; functions are called."""
    a, b = (each() if callable(each) else each for each in (then_expression, else_expression))
    y: Tensor = ops.where(condition, a, b)
    return y


def random_normal(shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None,
                  seed: Any = None) -> Tensor:
    """Normally distributed numbers."""
    return random.normal(shape, mean, stddev, dtype, seed)


def random_uniform(shape: Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: str | None = None,
                   seed: Any = None) -> Tensor:
    """Numbers between minval and maxval."""
    return random.uniform(shape, minval, maxval, dtype, seed)


def truncated_normal(shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None,
                     seed: Any = None) -> Tensor:
    """Normally distributed numbers, none further than two deviations away."""
    return random.truncated_normal(shape, mean, stddev, dtype, seed)


def __dir__() -> list[str]:
    return sorted(__all__)
